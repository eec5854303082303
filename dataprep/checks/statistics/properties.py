"""The properties that might give a label away: measured columns, metadata, and what names and
times tell.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dataprep.schemas.columns import COLUMNS
from dataprep.schemas.text.numbers import numbers_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.schemas.dataset import Dataset

#: Family in words to its measured columns; what correlates is told once.
_FAMILIES: dict[str, tuple[str, ...]] = {
    "brightness": (
        "luma_mean",
        "luma_p01",
        "luma_p05",
        "luma_p25",
        "luma_p50",
        "luma_p75",
        "luma_p95",
        "luma_p99",
    ),
    "contrast": ("contrast", "entropy"),
    "colour": ("saturation", "chroma_p99", "warmth", "tint", "mode"),
    "sharpness": ("sharpness", "directionality", "detail_fraction"),
    "noise": ("noise",),
    "compression": ("jpeg_quality", "blockiness", "bytes_per_pixel"),
    "size": ("width", "height", "megapixels"),
    "shape": ("aspect",),
    "border": ("border", "has_border"),
    "background": ("edge_luma", "edge_contrast"),
    "format": ("format", "bit_depth", "alpha", "frames"),
    "camera": ("camera",),
    "capture time": ("capture_hour",),
    "metadata": ("orientation", "gps", "icc"),
    "file name": ("extension", "name_prefix"),
}
#: Families, and columns of others, that a model which is given pixels does not see.
_UNSEEN = frozenset(("metadata", "file name", "mode", "bit_depth"))
#: Cameras, programs and agencies as they begin file names; other beginnings name what is shown.
_ORIGIN = re.compile(
    r"^(img|image|dscn|dscf|dsc|pict|photo|scan|screenshot|screen "
    r"shot|mvi|vid|gopr|dji|pxl|whatsapp image|cimg|imgp|sam|frame|"
    r"download|shutterstock|istock|istockphoto|gettyimages|getty|pexels|unsplash|pixabay|flickr|coco)(?![a-z])"
)
#: A column of texts with more different values than this share of its rows names the samples.
_NAMES_SAMPLES = 0.5
_COUNTS_SAMPLES = 0.95
#: Family of folders within the folders of classes.
WITHIN = "folder within a class"
_STEM = re.compile(r"^(?P<prefix>.*?)[\W_]*(?P<number>\d+)?[^\d]*$", re.DOTALL)


@dataclass(frozen=True, eq=False)
class Property:
    """One property of every sample.

    Attributes:
        name: the column, or what was derived.
        family: what it is a facet of.
        values: (n,) float64, NaN where unknown; codes of `categories` where it is not a number.
        categories: the names of the codes; empty for numbers.
        seen: whether it shows in the pixels that a model is given.
    """

    name: str
    family: str
    values: NDArray[np.float64]
    categories: tuple[str, ...] = ()
    seen: bool = True


def properties_of(dataset: Dataset, rows: NDArray[np.int64]) -> list[Property]:
    """Every property of `rows` that takes at least two values.

    Folders and file names that bear the label are the label itself and are left out, as are columns
    that name single samples.
    """
    samples = dataset.samples.iloc[rows]
    found = [
        *measured_properties(samples),
        *_judged(samples),
        *_names(samples),
        *_folders(samples),
        *_own_columns(samples),
    ]
    return [
        each
        for each in found
        if len(np.unique(each.values[~np.isnan(each.values)])) > 1 or _is_partly_known(each)
    ]


def _is_partly_known(each: Property) -> bool:
    """Whether it is known of some samples and not of others, which may tell as much as its
    value.
    """
    unknown = np.isnan(each.values)
    return bool(unknown.any() and not unknown.all())


def measured_properties(samples: pd.DataFrame) -> Iterator[Property]:
    """The measured properties and the metadata of a table of samples."""
    derived = _derived(samples)
    for family, names in _FAMILIES.items():
        for name in names:
            column = derived.get(name, samples.get(name))
            if column is not None:
                yield _property(name, family, column, seen=not _UNSEEN & {family, name})


def _derived(samples: pd.DataFrame) -> dict[str, pd.Series[Any]]:
    made: dict[str, pd.Series[Any]] = {}
    if "width" in samples and "height" in samples:
        made["aspect"] = samples["width"] / samples["height"]
        made["megapixels"] = samples["width"] * samples["height"] / 1e6
        if "bytes" in samples:
            made["bytes_per_pixel"] = samples["bytes"] / made["megapixels"] / 1e6
    if "border" in samples:
        made["has_border"] = (samples["border"] > 0).map({True: "yes", False: "no"})
    if "captured_at" in samples:
        hours = samples["captured_at"].astype("str").str.extract(r"T(\d\d)", expand=False)
        made["capture_hour"] = pd.to_numeric(hours, errors="coerce")
    return made


def _property(name: str, family: str, column: pd.Series[Any], *, seen: bool) -> Property:
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
        return Property(name, family, np.where(np.isfinite(values), values, np.nan), seen=seen)
    codes, categories = pd.factorize(column.astype("str").fillna(""), sort=True)
    return Property(
        name,
        family,
        codes.astype(np.float64),
        tuple(str(each) or "none" for each in categories),
        seen,
    )


def _judged(samples: pd.DataFrame) -> Iterator[Property]:
    """What people say of pictures rather than what is measured: how large they are."""
    if "width" in samples and "height" in samples:
        yield _property("short_side", "size", samples[["width", "height"]].min(axis=1), seen=True)


def _names(samples: pd.DataFrame) -> Iterator[Property]:
    """What the file names begin with; numbers in them tell no more than in which order pictures
    were written.
    """
    names = samples.index.to_series().astype("str").str.rpartition("/")[2].str.rpartition(".")
    stems = names[0].where(names[0] != "", names[2])
    parts = stems.str.extract(_STEM)
    if _hold_labels(stems, samples["label"]):
        return
    prefixes = parts["prefix"].where(parts["number"].notna(), stems).str.lower().fillna("")
    yield _property(
        "name_origin",
        "file name",
        prefixes.str.extract(_ORIGIN, expand=False).fillna(""),
        seen=False,
    )
    if not _names_samples(prefixes):
        yield _property("name_prefix", "file name", prefixes, seen=False)


def _hold_labels(stems: pd.Series[Any], labels: pd.Series[Any]) -> bool:
    """Whether most names hold the sample's own label, as ``cat_001.jpg`` does."""
    names = list(map(str, labels))
    plain = {name: _plain(name) for name in set(names)}
    held = [plain[name] in _plain(stem) for stem, name in zip(stems, names, strict=True)]
    return bool(held) and sum(held) > _NAMES_SAMPLES * len(held)


def _folders(samples: pd.DataFrame) -> Iterator[Property]:
    parts = (
        samples.index.to_series().astype("str").str.rpartition("/")[0].str.split("/", expand=True)
    )
    given = [
        samples[name].astype("str").fillna("")
        for name in ("label", "split", "group")
        if name in samples
    ]
    within = False
    for number, depth in enumerate(parts.columns, 1):
        folder = parts[depth].fillna("").str.lower()
        within = within or _are_labels(folder, samples["label"])
        if not any(_are_labels(folder, each) for each in given) and not _names_samples(folder):
            yield _property(
                f"folder {number}", WITHIN if within else f"folder {number}", folder, seen=False
            )


def _own_columns(samples: pd.DataFrame) -> Iterator[Property]:
    for name in samples.columns:
        if name in COLUMNS or pd.api.types.is_datetime64_any_dtype(samples[name]):
            continue
        column, numbers = samples[name], numbers_of(samples[name])
        if numbers is not None:
            if not _counts_samples(column, numbers):
                yield _property(str(name), f"column {name}", pd.Series(numbers), seen=False)
        elif not _are_labels(column, samples["label"]) and not _names_samples(column):
            yield _property(str(name), f"column {name}", column, seen=False)


def _are_labels(texts: pd.Series[Any], labels: pd.Series[Any]) -> bool:
    """Whether most of the texts are a label's name, as folders of classes do."""
    names = {_plain(str(label)) for label in labels.dropna().unique()} - {""}
    codes, distinct = pd.factorize(texts.astype("str").fillna(""))
    are_names = np.array([_plain(text) in names for text in distinct], bool)
    return bool(len(codes) and are_names[codes].mean() > _NAMES_SAMPLES)


def _plain(text: str) -> str:
    return re.sub(r"[\W_]+", "", text.casefold())


def _counts_samples(column: pd.Series[Any], numbers: NDArray[np.float64]) -> bool:
    """Whether hardly a whole number comes twice, as a running number does not."""
    known = numbers[~np.isnan(numbers)]
    return (
        len(known) > 0
        and bool((known == known.round()).all())
        and column.nunique() > _COUNTS_SAMPLES * len(known)
    )


def _names_samples(texts: pd.Series[Any]) -> bool:
    return len(texts) > 0 and texts.nunique() > _NAMES_SAMPLES * len(texts)
