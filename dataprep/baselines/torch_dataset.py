"""A part of a split as a torch data set: decoded as the audit decoded it, transformed, with its
label as a number.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

import cv2
import numpy as np

from dataprep.errors import InputError, OptionError
from dataprep.measures.decode.decoding import Undecodable, open_pixels, read_bytes
from dataprep.measures.decode.thumbnails import read_remote
from dataprep.measures.options import PassOptions
from dataprep.schemas.lost import Lost
from dataprep.schemas.split import PART, Split
from dataprep.schemas.text.extras import how_to_install
from dataprep.splits.export.views import classes_of, labels_of

try:
    import torch
    from torch.utils.data import Dataset as TorchDataset
except ImportError as error:
    raise InputError(f"torch is not installed: {how_to_install('train')}") from error

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.schemas.dataset import Dataset

Transform = Callable[..., Any]
OnError = Literal["raise", "skip"]

_LISTED = 3
#: Images tried in place of one that cannot be read, before giving up.
_TRIES = 16


class Images(TorchDataset[Any]):
    """Images and labels of some samples; made by `torch_dataset`.

    Attributes:
        names: (n,) sample names, in the order of the items.
        classes: class names; a label is a place in them.
        targets: (n,) int64 class numbers, (n, k) float32 of 0 and 1 for several labels, (n,)
            float32 figures, or None.
    """

    def __init__(
        self,
        places: Sequence[str],
        names: Sequence[str],
        targets: NDArray[Any] | None,
        classes: Sequence[str],
        transform: Transform | None,
        options: PassOptions,
        on_error: OnError,
    ) -> None:
        self._places, self._names = _Texts(places), _Texts(names)
        self.targets = targets
        self.classes = tuple(classes)
        self.transform = transform
        self._options = options
        self._on_error = on_error

    @property
    def names(self) -> list[str]:
        return [self._names[row] for row in range(len(self))]

    def __len__(self) -> int:
        return len(self._places)

    def __repr__(self) -> str:
        return f"Images({len(self):,} samples, {len(self.classes)} classes)"

    def __getitem__(self, item: int) -> Any:
        row = range(len(self))[item]
        rgb, row = self._decode(row)
        image = _transformed(self.transform, rgb)
        if self.targets is None:
            return image
        target = self.targets[row]
        return image, (torch.from_numpy(target) if target.ndim else torch.tensor(target))

    def _decode(self, row: int) -> tuple[NDArray[np.uint8], int]:
        """Pixels, and the row that they are of: another one where this cannot be read and may be
        skipped.
        """
        for attempt in range(_TRIES):
            other = (row + attempt) % len(self)
            try:
                return self._open(self._places[other]), other
            except Undecodable as failure:
                text = f"{self._places[other]}: {failure.reason}" + (
                    f" ({failure.detail})" if failure.detail else ""
                )
                if self._on_error == "raise":
                    raise InputError(
                        f'{text}. Run dataprep audit again, or pass on_error="skip"'
                    ) from None
                warnings.warn(f"{text}: another image is taken in its place", stacklevel=3)
        raise InputError(f"{_TRIES} images in a row cannot be read, the last is {text}")

    def _open(self, place: str) -> NDArray[np.uint8]:
        """(h, w, 3) RGB, upright, transparency over white, deep images scaled to 8 bits: what
        the measures saw.
        """
        data = _fetch(place) if "://" in place else read_bytes(place, self._options)
        rgb = open_pixels(data, self._options).rgb
        return np.require(rgb, requirements=["C", "W"])


class _Texts:
    """Many texts in two arrays: workers that are forked share them, and those that are spawned
    get them at once.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        encoded = [os.fsencode(text) for text in texts]
        self._bytes = np.frombuffer(b"".join(encoded), np.uint8)
        self._ends = np.concatenate([[0], np.cumsum([len(each) for each in encoded])]).astype(
            np.int64
        )

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, row: int) -> str:
        return os.fsdecode(self._bytes[self._ends[row] : self._ends[row + 1]].tobytes())


def torch_dataset(
    source: Dataset | Split,
    part: str | Sequence[str] | None = "train",
    transform: Transform | None = None,
    *,
    labels: bool = True,
    column: str = PART,
    options: PassOptions | None = None,
    on_error: OnError = "raise",
) -> Images:
    """The images of a part as a `torch.utils.data.Dataset`: ``(image, label)``, or the image alone.

    Images are decoded as the audit decodes them: EXIF orientation applied, transparency over white,
    16 bits scaled to 8, JPEGs above ``options.scale_above_megapixels`` at reduced scale. Samples
    that the audit could not read (column ``lost``), and with `labels` those without one, are left
    out with a warning that counts them. The data set pickles, so that `DataLoader` may spawn its
    workers.

    Args:
        source: a split, or any data set with a column of parts.
        part: name of the part, several names (the other folds), or None for all samples.
        transform: called with RGB pixels (H, W, 3) uint8; one of albumentations as
            ``transform(image=pixels)["image"]``. An array that it gives becomes a tensor (C, H, W),
            of uint8 divided by 255; anything else is passed on. None: a float32 tensor (3, H, W)
            from 0 to 1.
        labels: whether labels are given: int64 class numbers, places in ``classes``; for several
            labels a float32 vector of 0 and 1; for a regression a float32.
        column: the column of parts; ``split_2`` for a second repeat.
        options: limits of decoding; None takes the audit's defaults.
        on_error: a file that cannot be read later on raises an InputError that names it ("raise"),
            or the next image that can be read takes its place with a warning ("skip").

    Raises:
        OptionError: no such part or column, or labels of a kind that has no numbers (detection,
            segmentation, none).
        InputError: torch is not installed, or nothing is left.
    """
    if on_error not in ("raise", "skip"):
        raise OptionError(f'option on_error: expected "raise" or "skip", got {on_error!r}')
    dataset = source.dataset if isinstance(source, Split) else source
    kept = _in_part(dataset, part, column)
    targets, labelled = _targets(dataset) if labels else (None, np.ones(len(dataset), bool))
    readable = dataset.readable
    _tell(kept & ~readable, "could not be read by the audit", dataset)
    _tell(kept & readable & ~labelled, "have no label", dataset)
    rows = np.flatnonzero(kept & readable & labelled)
    if not len(rows):
        raise InputError(f"no image is left in the part {part!r} of {dataset.root}")
    names = [str(name) for name in dataset.samples.index[rows]]
    return Images(
        [dataset.path(name) for name in names],
        names,
        None if targets is None else targets[rows],
        classes_of(dataset),
        transform,
        options or PassOptions(),
        on_error,
    )


def _in_part(dataset: Dataset, part: str | Sequence[str] | None, column: str) -> NDArray[np.bool_]:
    if part is None:
        return np.ones(len(dataset), bool)
    if column not in dataset.samples:
        raise OptionError(
            f"the data set has no column {column!r}: divide it with dataprep.split, or pass "
            "part=None for all samples"
        )
    wanted = [part] if isinstance(part, str) else list(part)
    values = dataset.samples[column]
    known = sorted({str(value) for value in values.dropna().unique()})
    for name in wanted:
        if name not in known:
            raise OptionError(f"option part: expected one of {', '.join(known)}, got {name!r}")
    return values.isin(wanted).to_numpy(dtype=bool)


def _targets(dataset: Dataset) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Targets of all samples, and which of them have one."""
    labels = labels_of(dataset)
    if dataset.task not in ("classification", "multi-label", "regression"):
        raise OptionError(
            f"labels: expected classes or figures, and the task is {dataset.task}: pass "
            "labels=False for images alone"
        )
    known = np.asarray([label is not None for label in labels], bool)
    if dataset.task == "regression":
        return np.asarray(
            [np.nan if label is None else float(label) for label in labels], np.float32
        ), known
    numbers = {name: number for number, name in enumerate(classes_of(dataset))}
    if dataset.task == "classification":
        codes = np.asarray(
            [numbers.get(label, -1) if label is not None else -1 for label in labels], np.int64
        )
        return codes, codes >= 0
    several = np.zeros((len(labels), len(numbers)), np.float32)
    for row, label in enumerate(labels):
        several[row, [numbers[name] for name in (label or "").split("|") if name in numbers]] = 1
    return several, known


def _tell(rows: NDArray[np.bool_], what: str, dataset: Dataset) -> None:
    if rows.any():
        named = ", ".join(str(name) for name in dataset.samples.index[rows][:_LISTED])
        more = ", ..." * (int(rows.sum()) > _LISTED)
        warnings.warn(
            f"{int(rows.sum()):,} samples {what} and are left out: {named}{more}", stacklevel=3
        )


def _fetch(url: str) -> bytes:
    data = read_remote(url)
    if isinstance(data, Lost):
        raise Undecodable(data.reason, data.detail)
    return data


def _transformed(transform: Transform | None, rgb: NDArray[np.uint8]) -> Any:
    if transform is None:
        return _as_tensor(rgb)
    image = transform(image=rgb)["image"] if _is_albumentations(transform) else transform(rgb)
    return _as_tensor(image) if isinstance(image, np.ndarray) else image


def _is_albumentations(transform: Transform) -> bool:
    return any(
        kind.__module__.partition(".")[0] == "albumentations" for kind in type(transform).__mro__
    )


def _as_tensor(image: NDArray[Any]) -> torch.Tensor:
    """(C, H, W) of (H, W, C) or (H, W); uint8 as float32 from 0 to 1.

    Computed by NumPy: torch would start its threads for every image, in every worker.
    """
    if image.dtype != np.uint8:
        planes = image[None] if image.ndim == 2 else image.transpose(2, 0, 1)
        return torch.from_numpy(np.ascontiguousarray(planes))
    scaled = np.empty((image.shape[2] if image.ndim == 3 else 1, *image.shape[:2]), np.float32)
    for plane, values in zip(scaled, cv2.split(np.ascontiguousarray(image)), strict=True):
        np.divide(values, np.float32(255), out=plane)
    return torch.from_numpy(scaled)
