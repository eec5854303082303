"""Targets: what the probes are to answer for each row, a sure label or a few classes with
weights.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Targets:
    """What rows are to be: up to s classes each, with weights (a sure label has one of weight 1).

    Attributes:
        codes: (n, s) int32 class numbers, -1 where there is none.
        weights: (n, s) float32; zeros where there is none.
        classes: number of classes.
    """

    codes: NDArray[np.int32]
    weights: NDArray[np.float32]
    classes: int

    @classmethod
    def of_labels(cls, given: NDArray[np.int32], classes: int) -> Targets:
        """Targets of labels (n,), -1 where unlabelled."""
        return cls(given[:, None], (given >= 0).astype(np.float32)[:, None], classes)

    def rows(self) -> NDArray[np.int64]:
        """The rows that have a target."""
        return np.flatnonzero(self.weights.sum(axis=1) > 0)

    def dense(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """(len(rows), classes) weights."""
        matrix = np.zeros((len(rows), self.classes), np.float32)
        for codes, weights in zip(self.codes[rows].T, self.weights[rows].T, strict=True):
            inside = np.flatnonzero(codes >= 0)
            matrix[inside, codes[inside]] += weights[inside]
        return matrix

    def mix(self) -> NDArray[np.float64]:
        """(classes,) share of each class, none of them 0."""
        total = np.full(self.classes, 0.5)
        for codes, weights in zip(self.codes.T, self.weights.T, strict=True):
            total += np.bincount(codes[codes >= 0], weights[codes >= 0], minlength=self.classes)
        return np.asarray(total / total.sum())
