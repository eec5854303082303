"""Classes that a part has no sample of: nothing measured on it is about them, nor can a model
learn them from it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

import numpy as np

from dataprep.schemas.text.words import missing_classes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.splits.features import Features
    from dataprep.splits.inputs import SplitInputs
    from dataprep.splits.solver.division import Division

    Rows = NDArray[np.int64]

#: Classes that a sentence names.
_NAMED = 5


def absent_classes(
    inputs: SplitInputs, division: Division, explained: Collection[int] = ()
) -> list[str]:
    """A sentence for each part that has samples and lacks a class, of every repeat.

    Args:
        inputs, division: what was divided, and how.
        explained: numbers of label features whose absence from the parts that were searched for is
            told otherwise.
    """
    if inputs.dataset.task == "regression" or not inputs.features.labels:
        return []
    found: list[str] = []
    for repeat, part in enumerate((division.part, *division.repeats), 1):
        where = f" of split_{repeat}" if repeat > 1 else ""
        found += _sentences(
            inputs.features, part, division, where, explained if repeat == 1 else ()
        )
    return found


def _sentences(
    features: Features, part: Rows, division: Division, where: str, explained: Collection[int]
) -> Iterator[str]:
    parts = division.parts
    inside = features.features < features.labels
    cells = part[features.rows[inside]] * features.labels + features.features[inside]
    counts = np.bincount(cells, minlength=len(parts) * features.labels).reshape(len(parts), -1)
    totals, sizes = counts.sum(axis=0), np.bincount(part, minlength=len(parts))
    is_explained = np.isin(np.arange(features.labels), list(explained))
    for number, name in enumerate(parts):
        lacking = np.flatnonzero(
            (counts[number] == 0) & (totals > 0) & ~(is_explained & (name not in division.apart))
        )
        if len(lacking) and sizes[number]:
            names = [features.names[code].partition("=")[2] for code in lacking.tolist()]
            named = missing_classes(zip(names, totals[lacking].tolist(), strict=True), _NAMED)
            it = "it" if len(lacking) == 1 else "them"
            then = (
                f"a model cannot learn {it} there"
                if name == "train"
                else f"no figure of {name} is about {it}"
            )
            yield f"{name}{where} has no sample of class {named}: {then}"
