"""Which properties can be why a model is right or wrong, and whether they come from handling or
from what is shown.

A frame, a codec, a camera or the hour are of how pictures were made, and may be another at use.
Brightness, colour, sharpness or the background are of what is in them as well: tomatoes are red,
and a "1" has less ink than an "8". What cannot be a cause, or is beyond what somebody sees, is left
out: numbers in file names, bytes per pixel, a frame where most pictures have one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from dataprep.checks.statistics.properties import WITHIN, Property, properties_of
from dataprep.checks.statistics.scales import LEAST_SIDE, NEEDS_PIXELS, Scale, scale_of

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from dataprep.schemas.dataset import Dataset

#: Names of files, folders, metadata and the user's columns are of where pictures come from.
Kind = Literal["handling", "content", "source"]
#: A family of pixels: of sizes and shapes that vary from picture to picture, each is cut to what it
#: shows.
_CUT = frozenset(("size", "shape"))
_CUT_SHARE, _CUT_SIZES = 0.5, 20
#: Share of a class's pictures with a frame from which on frames are usual in it.
_FRAMED = 0.3
#: Share of the samples that are of the commonest class of their value, from which on the values are
#: the classes or parts of them.
_MIRRORS = 0.98
#: What follows from what is shown (a plain picture needs fewer bytes), or is said better by
#: another.
_NOT_CAUSES = frozenset(("bytes_per_pixel", "megapixels", "mode", "bit_depth"))
#: What is of what is drawn, in drawings and cut-outs.
_OF_DRAWINGS = frozenset(
    ("brightness", "contrast", "colour", "sharpness", "background", "noise", "size", "shape")
)
#: The ground of a drawing or a cut-out varies less than this, in luma.
_PLAIN = 0.02


@dataclass(frozen=True, eq=False)
class Cause:
    """A property that may be why, with its scale (None: a category or the user's own number) and
    where it comes from.
    """

    measured: Property
    scale: Scale | None
    kind: Kind

    @property
    def title(self) -> str:
        """The property's name in words."""
        return (
            self.scale.title if self.scale else _TITLES.get(self.measured.name, self.measured.name)
        )


_TITLES = {
    "has_border": "a border",
    "format": "file format",
    "alpha": "transparency",
    "frames": "number of frames",
    "orientation": "EXIF orientation",
    "gps": "a GPS position",
    "icc": "a colour profile",
    "extension": "file extension",
    "name_prefix": "beginning of the file name",
    "name_origin": "origin by the file name",
}


def causes_of(dataset: Dataset, rows: NDArray[np.int64], labels: NDArray[np.int64]) -> list[Cause]:
    """The properties of `rows` that can be a cause.

    Args:
        dataset: measured.
        rows: (n,) positions of samples.
        labels: (n,) their class codes.
    """
    samples = dataset.samples.iloc[rows]
    left_out = set(_NOT_CAUSES)
    if _are_small(samples):
        left_out |= NEEDS_PIXELS
    if _are_framed(samples, labels):
        left_out |= {"border", "has_border"}
    if are_drawn(samples):
        left_out |= {"border", "has_border", "noise"}
    cut = _are_cut(samples)
    found = [each for each in properties_of(dataset, rows) if each.name not in left_out]
    return [Cause(each, scale_of(each), _kind(each, cut)) for each in found]


def of_making(causes: list[Cause], samples: pd.DataFrame) -> list[Cause]:
    """Those that tell kinds of pictures apart: of drawings nothing that is of what is drawn, and
    no sharpness of thumbnails.
    """
    drawn, small = are_drawn(samples), _are_small(samples)
    left_out = (_OF_DRAWINGS if drawn else frozenset()) | (
        frozenset(("sharpness",)) if small else frozenset()
    )
    return [each for each in causes if each.measured.family not in left_out]


def without_names(causes: list[Cause], labels: NDArray[np.int64]) -> list[Cause]:
    """Without those that name what is shown; folders within a folder that does so name parts of
    it.
    """
    kept, inside = [], False
    for each in causes:
        folder = each.measured.family.startswith("folder")
        if each.kind == "source" and names_classes(each.measured, labels):
            inside = inside or folder
        elif not (folder and (inside or each.measured.family == WITHIN)):
            kept.append(each)
    return kept


def names_classes(each: Property, labels: NDArray[np.int64]) -> bool:
    """Whether a property names what is shown: classes under other names, their parts, or things by
    the names of their files.

    Of two values beside two classes that cannot be said: one may be where each class was collected.
    """
    if each.name == "name_prefix":
        return True
    known = ~np.isnan(each.values)
    _, codes = np.unique(each.values[known], return_inverse=True)
    values, classes = int(codes.max(initial=-1)) + 1, int(labels.max(initial=-1)) + 1
    if values < classes or values > len(codes) // 2 or (values == 2 and classes == 2):
        return False
    counts = np.bincount(codes * classes + labels[known], minlength=values * classes).reshape(
        values, classes
    )
    return bool(counts.max(axis=1).sum() >= _MIRRORS * len(codes))


def _kind(each: Property, cut: bool) -> Kind:
    if not each.seen:
        return "source"
    if each.family in _CUT and cut:
        return "content"
    scale = scale_of(each)
    return scale.nature if scale else "handling"


def _are_small(samples: pd.DataFrame) -> bool:
    if "width" not in samples or "height" not in samples:
        return False
    return bool(samples[["width", "height"]].min(axis=1).median() < LEAST_SIDE)


def _are_cut(samples: pd.DataFrame) -> bool:
    """Whether hardly two pictures have one size, or drawings have many, so that each is cut to
    what it shows.
    """
    if "width" not in samples or "height" not in samples:
        return False
    sizes = len(samples[["width", "height"]].drop_duplicates())
    return sizes > _CUT_SHARE * len(samples) or (sizes > _CUT_SIZES and are_drawn(samples))


def are_drawn(samples: pd.DataFrame) -> bool:
    """Whether most are cut out or lie on a plain ground, as drawings do: then margins, tones and
    texture are of what is drawn.
    """
    plain = "edge_contrast" in samples and bool(samples["edge_contrast"].median() < _PLAIN)
    return plain or ("alpha" in samples and bool(samples["alpha"].mean() > 0.5))


def _are_framed(samples: pd.DataFrame, labels: NDArray[np.int64]) -> bool:
    """Whether frames are usual in half of the classes, as the margins of drawings are."""
    if "border" not in samples:
        return False
    framed = np.bincount(labels, samples["border"].to_numpy() > 0) / np.maximum(
        np.bincount(labels), 1
    )
    return bool(np.sort(framed)[(len(framed) - 1) // 2] > _FRAMED)
