"""Normaliser: how pixel values and columns of numbers are brought to the scale that a model is
trained on, and back.
"""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from dataprep.errors import OptionError
from dataprep.normalisation import exports, storing
from dataprep.normalisation.statistics import ChannelStatistics, Triple
from dataprep.normalisation.tabular import ColumnScale, scale_table

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

Kind = Literal["divide-by-255", "z-score", "min-max", "none"]

#: Kind to the reason for it, in words.
KINDS: dict[Kind, str] = {
    "divide-by-255": (
        "values are divided by 255, to lie in 0 to 1: it needs no figures, so nothing can leak "
        "from val or test or go stale; "
        "every image stays comparable with every other, and networks with normalisation layers "
        "learn the rest. "
        "Weights that were trained elsewhere want the figures that they were trained with, not "
        "those of this data set."
    ),
    "z-score": (
        "each channel has mean 0 and standard deviation 1 over the training images: for networks "
        "without normalisation layers, "
        "for linear models, and where the images use little of the range"
    ),
    "min-max": (
        "the extremes of each channel over the training images become 0 and 1: for data of which "
        "only a part of the range is "
        "used; one wild pixel moves it, so that z-score is the safer choice"
    ),
    "none": "images are left as they are",
}

_IDENTITY: tuple[Triple, Triple] = ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
#: Interpolation may leave 0 to 1 by this much.
_OVERSHOOT = 0.25
_LOOKED_AT = 1_000_000


class NormalisedTwice(UserWarning):
    """What was given to a normaliser looks normalised already."""


class NormalisersDiffer(UserWarning):
    """Two parts of one data set would be brought to different scales."""


@dataclass(frozen=True)
class Normaliser:
    """Scales of image channels and of columns, fitted on training rows.

    Attributes:
        kind: of the images, one of `KINDS`.
        statistics: of the training images' channels; None where no image was looked at (kind
            "none", or made by hand).
        columns: scales of columns of numbers.
        part: the rows it was fitted on: "train", "all folds but fold3", "all rows".
        rows: number of these rows, `lost` of which gave no image.
        lost: images that could not be read.
        size: side in pixels that images were squeezed to before they were counted; 0 for none.
        fingerprint: of the rows it was fitted on (`Dataset.fingerprint`); "" when made by hand.

    Example:
        >>> import dataprep, numpy as np
        >>> normaliser = dataprep.Normaliser("divide-by-255")
        >>> normaliser.apply(np.full((2, 2, 3), 51, np.uint8)).max().round(2)
        np.float32(0.2)
    """

    kind: Kind = "divide-by-255"
    statistics: ChannelStatistics | None = None
    columns: tuple[ColumnScale, ...] = ()
    part: str = ""
    rows: int = 0
    lost: int = 0
    size: int = 0
    fingerprint: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise OptionError(f"option kind: expected one of {', '.join(KINDS)}, got {self.kind!r}")
        if self.kind in ("z-score", "min-max") and self.statistics is None:
            raise OptionError(
                f"kind {self.kind!r} needs statistics of the training images: "
                "dataprep.fit_normaliser(...)"
            )

    @property
    def reason(self) -> str:
        """Why one would take this kind, in words."""
        return KINDS[self.kind]

    @property
    def shift(self) -> Triple:
        """What is subtracted from each channel (R, G, B) of an image on the scale 0 to 1."""
        return self._shift_and_scale()[0]

    @property
    def scale(self) -> Triple:
        """What each channel is divided by after that; never 0."""
        return self._shift_and_scale()[1]

    def _shift_and_scale(self) -> tuple[Triple, Triple]:
        known = self.statistics
        if known is None or self.kind in ("divide-by-255", "none"):
            return _IDENTITY
        if self.kind == "z-score":
            return known.mean, _without_zeros(known.std)
        low, high = known.minimum, known.maximum
        return low, _without_zeros((high[0] - low[0], high[1] - low[1], high[2] - low[2]))

    def with_kind(self, kind: Kind) -> Normaliser:
        """The same figures put to another use."""
        return replace(self, kind=kind)

    def apply(self, images: Any, *, channels_first: bool = False) -> NDArray[np.float32]:
        """Images as float32, normalised: ``(value / full scale - shift) / scale``.

        Args:
            images: (..., h, w, 3) RGB: uint8 or uint16, whose full scale is 255 or 65535, or
                floating point on the scale 0 to 1.
            channels_first: the images are (..., 3, h, w), and the result too.

        Raises:
            OptionError: an array of another shape or type.

        Warns:
            NormalisedTwice: floating point well outside of 0 to 1.
        """
        values = _checked(images, channels_first)
        if self.kind == "none":
            return values.astype(np.float32)
        full = {"u1": 255.0, "u2": 65535.0}.get(values.dtype.str[1:], 1.0)
        if full == 1.0:
            _warn_of_normalised(values)
        shift, scale = self._as_arrays(channels_first)
        return np.asarray(
            (values.astype(np.float32) / np.float32(full) - shift) / scale, np.float32
        )

    def inverse(
        self, images: Any, *, channels_first: bool = False, as_float: bool = False
    ) -> NDArray[Any]:
        """Normalised images as they were: uint8, rounded and cut to 0 to 255; `as_float` float32 on
        the scale 0 to 1 instead.

        Raises:
            OptionError: an array of another shape or type.
        """
        values = _checked(images, channels_first).astype(np.float64)
        if self.kind == "none":
            return values.astype(np.float32) if as_float else _to_bytes(values)
        shift, scale = self._as_arrays(channels_first)
        values = values * scale + shift
        return values.astype(np.float32) if as_float else _to_bytes(values * 255.0)

    def _as_arrays(self, channels_first: bool) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        form = (3, 1, 1) if channels_first else (3,)
        return np.array(self.shift, np.float32).reshape(form), np.array(
            self.scale, np.float32
        ).reshape(form)

    def apply_table(self, table: pd.DataFrame) -> pd.DataFrame:
        """A new table with the fitted columns scaled, float64; missing values stay missing, other
        columns as they are.

        Raises:
            InputError: a column is missing or not numeric.
        """
        return scale_table(table, self.columns)

    def inverse_table(self, table: pd.DataFrame) -> pd.DataFrame:
        """The table that `apply_table` was given; whole numbers and truth values come back where
        none was missing.

        Raises:
            InputError: a column is missing or not numeric.
        """
        return scale_table(table, self.columns, back=True)

    def differs_from(self, other: Normaliser, *, tolerance: float = 1e-4) -> tuple[str, ...]:
        """What the two do otherwise, in words; nothing when images and tables come out alike.

        Args:
            other: what the other part, or the trained model, is normalised with.
            tolerance: of figures, on the scale 0 to 1; of columns, relative to their spread.

        Warns:
            NormalisersDiffer: there is a difference.
        """
        found = [
            *_differences(self, other, tolerance),
            *_column_differences(self, other, tolerance),
        ]
        if found:
            warnings.warn(
                f"these normalisers differ: {'; '.join(found)}", NormalisersDiffer, stacklevel=2
            )
        return tuple(found)

    def to_json(self) -> dict[str, Any]:
        """Everything, ready for JSON; `from_json` gives it back."""
        return storing.to_json(self)

    @staticmethod
    def from_json(content: Mapping[str, Any], name: str = "the normaliser") -> Normaliser:
        """A normaliser from what `to_json` gave.

        Raises:
            InputError: something else, or damaged.
        """
        fields = storing.fields_from_json(content, name)
        try:
            return Normaliser(**fields)
        except OptionError as error:
            raise storing.damaged(name, error) from error

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it as JSON.

        Raises:
            OutputError: the file cannot be written.
        """
        storing.save(self, path)

    @staticmethod
    def load(path: str | os.PathLike[str]) -> Normaliser:
        """Read what `save` wrote.

        Raises:
            InputError: no such file, something else, or damaged.
        """
        return Normaliser.from_json(storing.read_content(path), os.fspath(path))

    def to_albumentations(self) -> dict[str, Any]:
        """The serialised ``albumentations.Normalize``, for ``albumentations.from_dict``; see
        `dataprep.normalisation.exports`.
        """
        return exports.albumentations_dict(self)

    def to_torchvision(self) -> str:
        """Python source of the ``torchvision.transforms.v2`` pipeline; see
        `dataprep.normalisation.exports`.
        """
        return exports.torchvision_source(self)

    def to_timm(self, size: int = 0) -> dict[str, Any]:
        """The data configuration of timm; see `dataprep.normalisation.exports`."""
        return exports.timm_config(self, size)

    def to_onnx(self, path: str | os.PathLike[str]) -> None:
        """Write an ONNX model: uint8 (n, h, w, 3) to float32 (n, 3, h, w); see
        `dataprep.normalisation.exports`.
        """
        exports.write_onnx(self, path)


def _without_zeros(values: Triple) -> Triple:
    """A channel that is constant is shifted and not scaled."""
    red, green, blue = (value if value > 1e-9 else 1.0 for value in values)
    return red, green, blue


def _checked(images: Any, channels_first: bool) -> NDArray[Any]:
    values = np.asarray(images)
    axis = -3 if channels_first else -1
    if values.ndim < 3 or values.shape[axis] != 3:
        wanted = "(..., 3, h, w)" if channels_first else "(..., h, w, 3)"
        raise OptionError(
            f"expected images of the shape {wanted}, got {values.shape}; repeat a grey channel "
            "three times"
        )
    if values.dtype not in (np.uint8, np.uint16) and not np.issubdtype(values.dtype, np.floating):
        raise OptionError(
            f"expected images of type uint8, uint16 or floating point, got {values.dtype}"
        )
    return values


def _warn_of_normalised(values: NDArray[Any]) -> None:
    seen = values.reshape(-1)[:: max(1, values.size // _LOOKED_AT)]
    seen = seen[np.isfinite(seen)]
    low, high = (float(seen.min()), float(seen.max())) if seen.size else (0.0, 0.0)
    if low >= -_OVERSHOOT and high <= 1 + _OVERSHOOT:
        return
    if low >= -_OVERSHOOT and high > 16:
        what = "is on the scale 0 to 255: divide it by 255, or pass uint8"
    else:
        what = "was normalised before: normalise once"
    warnings.warn(
        f"floating-point images should lie in 0 to 1, these reach from {low:.3g} to {high:.3g}; it "
        f"looks as if the input {what}",
        NormalisedTwice,
        stacklevel=3,
    )


def _to_bytes(values: NDArray[np.float64]) -> NDArray[np.uint8]:
    return np.rint(np.clip(np.nan_to_num(values), 0.0, 255.0)).astype(np.uint8)


def _differences(one: Normaliser, other: Normaliser, tolerance: float) -> list[str]:
    if "none" in (one.kind, other.kind):
        return (
            []
            if one.kind == other.kind
            else [f"one leaves images as they are, the other applies {one.kind} or {other.kind}"]
        )
    found = []
    for name, ours, theirs in (
        ("shift", one.shift, other.shift),
        ("scale", one.scale, other.scale),
    ):
        if max(abs(a - b) for a, b in zip(ours, theirs, strict=True)) > tolerance:
            found.append(
                f"{name} {_words(ours)} ({one.kind}, {one.part or 'by hand'}) and "
                f"{_words(theirs)} ({other.kind}, {other.part or 'by hand'})"
            )
    return found


def _column_differences(one: Normaliser, other: Normaliser, tolerance: float) -> list[str]:
    ours, theirs = ({scale.name: scale for scale in each.columns} for each in (one, other))
    found = [
        f"only one of them scales the column {name!r}"
        for name in sorted(ours.keys() ^ theirs.keys())
    ]
    for name in sorted(ours.keys() & theirs.keys()):
        a, b = ours[name], theirs[name]
        if (
            not math.isclose(a.spread, b.spread, rel_tol=tolerance)
            or abs(a.centre - b.centre) > tolerance * a.spread
        ):
            found.append(
                f"column {name!r}: centre {a.centre:.6g} and {b.centre:.6g}, spread {a.spread:.6g} "
                f"and {b.spread:.6g}"
            )
    return found


def _words(values: Triple) -> str:
    return "(" + ", ".join(f"{value:.4f}" for value in values) + ")"
