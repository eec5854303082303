"""Fitting: which rows a normaliser may be fitted on, and fitting it on them."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from dataprep.errors import InputError, OptionError
from dataprep.measures.options import PassOptions
from dataprep.normalisation.normaliser import KINDS, Kind, Normaliser
from dataprep.normalisation.statistics import (
    WEIGHTINGS,
    ChannelStatistics,
    Weighting,
    channel_sums,
    statistics_of,
)
from dataprep.normalisation.tabular import fit_columns
from dataprep.schemas.dataset import Dataset
from dataprep.schemas.split import PART, SAMPLES, Split

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from dataprep.schemas.audit import Audit

Source = Split | Dataset | str | os.PathLike[str]

#: Names of parts that a model is fitted on, and of parts that it is judged on; case does not
#: matter.
TRAIN = frozenset(("train", "training"))
JUDGED = frozenset(
    (
        "val",
        "valid",
        "validation",
        "dev",
        "eval",
        "evaluation",
        "test",
        "testing",
        "holdout",
        "external",
    )
)
_DEFAULTS = PassOptions()
#: Figures further apart than this, on the scale 0 to 1, are worth a word.
_APART = 0.02


@dataclass(frozen=True)
class Rows:
    """The rows of a data set that a normaliser may be fitted on.

    Attributes:
        dataset: these rows alone.
        part: what they are, in words.
        left_alone: parts that are not touched, with their rows.
    """

    dataset: Dataset
    part: str
    left_alone: Mapping[str, int]


def fit_normaliser(
    source: Source,
    *,
    part: str | None = "train",
    fold: str | int | None = None,
    split_column: str = PART,
    kind: Kind = "divide-by-255",
    columns: Iterable[str] | Mapping[str, str] = (),
    column_kind: str = "z-score",
    weighting: Weighting = "pixels",
    size: int = 0,
    options: PassOptions = _DEFAULTS,
    progress: Callable[[int, int, str], None] | None = None,
) -> Normaliser:
    """Fit a normaliser on training rows, and on no others.

    What comes from val or test rows would leak into training, and what comes from each part's own
    rows would bring the parts to different scales.

    Args:
        source: a Split, a Dataset, the folder of a split (``dataprep-out/split``), or anything that
            `dataprep.scan` takes.
        part: the part to fit on: "train" or "training", or the first part of a Split under a name
            of its own. None: all rows, for a data set without a column of splits that will never be
            divided.
        fold: for k folds: fit on all but this one ("fold1", or 1), for the model that is judged on
            it; `part` is not asked for. Parts that are no folds (a test set kept apart, an external
            site) are left alone too.
        split_column: where parts or folds stand; ``split_2``, ... for further repeats.
        kind: of the images: "divide-by-255" (the default; the reason is in `Normaliser.reason`),
            "z-score", "min-max" or "none", where images are not read. Statistics are kept for any
            of the others: `Normaliser.with_kind` puts them to use.
        columns: columns of numbers to scale too: names, or names to kinds.
        column_kind: "z-score", "min-max" or "robust", for columns without a kind of their own.
        weighting: "pixels" (the default): the textbook's figures, over all pixels of all images.
            "images": every image weighs alike, as for a model that sees all at one size; another
            figure only where images differ in size.
        size: squeeze each image to a square of this side before, as a model sees it; 0 for images
            as they are.
        options: limits of reading and decoding, workers.
        progress: called with (done, total, note) while images are read.

    Returns:
        The normaliser, with the fingerprint of the rows.

    Raises:
        OptionError: rows that are not for training, an unknown part, fold, column or kind.
        InputError: a source that cannot be used, parts of which none is for training, or no image
            that could be read.
        WorkersLost: worker processes cannot be started.

    Example:
        >>> import dataprep
        >>> folder = "sample_data/shapes/val/stone"
        >>> normaliser = dataprep.fit_normaliser(folder, part=None, kind="z-score")
        >>> normaliser.part, normaliser.rows
        ('all rows', 1)
    """
    _refuse_unknown(kind, weighting, size)
    rows = training_rows(source, part=part, fold=fold, split_column=split_column)
    scales = fit_columns(rows.dataset.samples, columns, column_kind)
    normaliser = Normaliser(
        "none",
        columns=scales,
        part=rows.part,
        rows=len(rows.dataset),
        size=size,
        fingerprint=rows.dataset.fingerprint,
    )
    if kind == "none":
        if not scales:
            raise OptionError(
                "kind 'none' leaves images as they are, and no columns are given: there is nothing "
                "to fit"
            )
        return normaliser
    sums, lost = channel_sums(
        rows.dataset.where(rows.dataset.readable), options, size=size, progress=progress
    )
    found = sums[sums[:, 0] > 0]
    if not len(found):
        raise InputError(
            f"none of the {len(rows.dataset):,} images of {rows.part} could be "
            f"read{_first_loss(lost)}"
        )
    statistics = statistics_of(found, weighting)
    _warn_of_sizes(found, statistics)
    return replace(
        normaliser, kind=kind, statistics=statistics, lost=len(rows.dataset) - len(found)
    )


def _refuse_unknown(kind: str, weighting: str, size: int) -> None:
    for name, value, known in (("kind", kind, KINDS), ("weighting", weighting, WEIGHTINGS)):
        if value not in known:
            raise OptionError(f"option {name}: expected one of {', '.join(known)}, got {value!r}")
    if size and not 8 <= size <= 4096:
        raise OptionError(f"option size: expected 0 (as they are) or 8 to 4096 pixels, got {size}")


def _warn_of_sizes(sums: NDArray[np.int64], chosen: ChannelStatistics) -> None:
    """Say so where it matters whether pixels or images count alike, because images of one size
    look unlike those of another.
    """
    other = statistics_of(sums, "images" if chosen.weighting == "pixels" else "pixels")
    apart = np.abs(np.subtract((chosen.mean, chosen.std), (other.mean, other.std))).max()
    if apart > _APART:
        what = (
            f"figures weighted by {other.weighting} differ by up to {apart:.3f} from those "
            f"weighted by {chosen.weighting}"
        )
        advice = "give the side that the model sees (size=, --size), and both are the same"
        warnings.warn(f"{what}: large images look unlike small ones; {advice}", stacklevel=3)


def _first_loss(lost: Mapping[str, Any]) -> str:
    for name, loss in lost.items():
        return f"; the first, {name}: {loss.reason}{f' ({loss.detail})' if loss.detail else ''}"
    return ""


def training_rows(
    source: Source,
    *,
    part: str | None = "train",
    fold: str | int | None = None,
    split_column: str = PART,
) -> Rows:
    """The rows that a model or a normaliser may learn from; arguments and errors as of
    `fit_normaliser`.
    """
    dataset, first = _opened(source)
    parts = _parts_of(dataset, split_column)
    if fold is not None:
        return _all_but(dataset, parts, str(fold))
    if part is None:
        return _all_rows(dataset, parts)
    if parts is None:
        raise OptionError(
            f"there is no column {split_column!r} that says which rows are for training, and "
            "figures of all rows would leak val "
            "and test into training. Split first (dataprep split); or, for data that will never be "
            "divided, ask for all rows "
            "(part=None, --all-rows)"
        )
    return _of_part(dataset, parts, part, first)


def training_images(
    source: Audit | Split | Dataset, *, part: str = "train", fold: str | int | None = None
) -> Dataset:
    """The readable rows of `training_rows`; of data that was never divided, all readable rows.

    Raises:
        OptionError: as of `fit_normaliser`.
        InputError: the data is divided and no part is for training, or no training row is readable.
    """
    rows: Source = source if isinstance(source, Split | Dataset) else source.dataset
    divided = not isinstance(rows, Dataset) or rows.has(PART) or fold is not None
    dataset = training_rows(rows, part=part if divided else None, fold=fold).dataset
    dataset = dataset.where(dataset.readable)
    if not len(dataset):
        raise InputError("there is no readable training image to look at")
    return dataset


def _opened(source: Source) -> tuple[Dataset, str]:
    """The data set, and the name of the first part of a Split."""
    if isinstance(source, str | os.PathLike):
        folder = os.fspath(source)
        if not os.path.isfile(os.path.join(folder, SAMPLES)):
            from dataprep.ingest import scan

            return scan(folder), ""
        from dataprep.splits import read_split

        source = read_split(folder)
    if isinstance(source, Split):
        return source.dataset, next(iter(source.proof.parts), "")
    if not isinstance(source, Dataset):
        raise InputError(f"expected a Split, a Dataset or a path, got {type(source).__name__}")
    return source, ""


def _parts_of(dataset: Dataset, column: str) -> pd.Series[Any] | None:
    if column not in dataset.samples or not dataset.samples[column].notna().any():
        return None
    return dataset.samples[column].astype("object").map(str, na_action="ignore")


def _counts(parts: pd.Series[Any]) -> dict[str, int]:
    counts = parts.value_counts()
    return {str(name): int(counts[name]) for name in sorted(counts.index)}


def _of_part(dataset: Dataset, parts: pd.Series[Any], part: str, first: str) -> Rows:
    known = _counts(parts)
    if part in known and _is_fold(part):
        raise OptionError(
            f"part {part!r} is one fold of several: say which one is held out (fold=..., --fold), "
            "and the others are for training"
        )
    if part.lower() in JUDGED or (part.lower() not in TRAIN and part != first):
        raise OptionError(
            f"a normaliser is fitted on training rows alone, and part {part!r} is not for "
            "training: its figures would leak into "
            f"the model that is judged on it. Fit on part 'train', and apply that to {part!r} as "
            "well"
        )
    alike = TRAIN if part.lower() in TRAIN else {part.lower()}
    named = part if part in known else next((name for name in known if name.lower() in alike), "")
    if not named:
        raise InputError(
            f"no rows are in part {part!r}; the parts are: {', '.join(known)}, and none of them is "
            "known to be for training. "
            "For k folds, say which one is held out (fold=..., --fold); for a part under a name of "
            "its own, give that (part=..., "
            "--part)"
        )
    return Rows(
        _where(dataset, parts == named),
        named,
        {name: count for name, count in known.items() if name != named},
    )


def _all_but(dataset: Dataset, parts: pd.Series[Any] | None, fold: str) -> Rows:
    known = _counts(parts) if parts is not None else {}
    if TRAIN & {name.lower() for name in known}:
        raise OptionError(
            f"the parts {', '.join(known)} are no folds: leave fold out, and part 'train' is "
            "fitted on"
        )
    folds = [name for name in known if _is_fold(name)]
    fold = fold if fold in folds else next((name for name in folds if name == f"fold{fold}"), fold)
    if parts is None or fold not in folds:
        names = ", ".join(folds) or "none"
        raise OptionError(
            f"no fold is called {fold!r}; the folds are: {names}. Make them: dataprep split "
            "--folds 5"
        )
    kept = [name for name in folds if name != fold]
    if not kept:
        raise OptionError(f"no rows remain without {', '.join(known)}")
    left = {name: count for name, count in known.items() if name not in kept}
    return Rows(_where(dataset, parts.isin(kept)), f"all folds but {fold}", left)


def _is_fold(name: str) -> bool:
    """As `dataprep.splits` names folds, or a mere number, as tables of others do."""
    from dataprep.splits.export.views import is_fold

    return is_fold(name) or name.isdigit()


def _all_rows(dataset: Dataset, parts: pd.Series[Any] | None) -> Rows:
    if parts is not None:
        raise OptionError(
            f"the rows are divided into {', '.join(_counts(parts))}: fit on part 'train' alone. To "
            "fit on all rows is for data "
            "without parts"
        )
    return Rows(dataset, "all rows", {})


def _where(dataset: Dataset, rows: pd.Series[Any]) -> Dataset:
    mask: NDArray[np.bool_] = rows.to_numpy(dtype=bool, na_value=False)
    return dataset.where(mask)
