"""A problem laid out for search: entries by unit, wanted shares, and how far a part's size may
be from its target.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dataprep.splits.solver.problem import Ints, Problem

Floats = NDArray[np.float64]

#: Numbers up to which what all units hold is kept as a table.
DENSE = 2_000_000


@dataclass(frozen=True, eq=False)
class Layout:
    """A problem whose entries are sorted by unit and feature.

    Attributes:
        problem: as given.
        starts: (u + 1,) where the entries of each unit begin in `feature` and `count`.
        feature, count: (m,) entries in the order of units.
    """

    problem: Problem
    starts: Ints
    feature: Ints
    count: Ints

    @cached_property
    def shares(self) -> Floats:
        """(f,) share of each feature among all samples."""
        return self.problem.totals / max(1, int(self.problem.sizes.sum()))

    @cached_property
    def everything(self) -> float:
        """Samples of all units."""
        return float(self.problem.sizes.sum())

    @cached_property
    def free(self) -> Ints:
        """Units that may go where they like."""
        return np.flatnonzero(self.problem.fixed < 0)

    @cached_property
    def active(self) -> Ints:
        """Parts that want samples; where none does, all."""
        wanted = np.flatnonzero(self.problem.targets > 0)
        return wanted if len(wanted) else np.arange(len(self.problem.parts))

    def size_slack(self, slack: float) -> Floats:
        """(p,) samples by which the size of each part may miss its target, when `slack` is that
        share of the target.

        At least rounding, and the size of a mean unit; always less than the size of the largest
        free unit.
        """
        sizes = self.problem.sizes[self.free]
        if not len(sizes):
            return np.full(len(self.problem.parts), 0.5)
        wanted = np.maximum(self.problem.targets * slack, sizes.mean())
        return np.asarray(np.maximum(0.5, np.minimum(sizes.max() - 0.5, wanted)), np.float64)

    @cached_property
    def squares(self) -> Floats:
        """(f + 1,) what a squared deviation of each feature, last of the size, counts for: rare
        ones more (chi squared).
        """
        rarity = self.problem.weights / np.maximum(self.shares, 1e-12)
        return np.append(np.where(self.shares > 0, rarity, 0.0), 1.0)

    @cached_property
    def squared_weights(self) -> Floats:
        """(f,) square of each feature's weight."""
        return np.asarray(self.problem.weights**2, np.float64)

    @cached_property
    def dense(self) -> Floats | None:
        """(u, f + 1) what each unit holds, where that is little enough to keep."""
        units = np.arange(len(self.problem.sizes))
        return (
            self._unpacked(units)
            if len(units) * (len(self.problem.features) + 1) <= DENSE
            else None
        )

    def vectors(self, units: Ints) -> Floats:
        """(k, f + 1) samples of each feature in each of `units`; last, its size."""
        return self._unpacked(units) if self.dense is None else self.dense[units]

    def _unpacked(self, units: Ints) -> Floats:
        lengths = self.starts[units + 1] - self.starts[units]
        row = np.repeat(np.arange(len(units)), lengths)
        place = np.arange(len(row)) + np.repeat(
            self.starts[units] - (np.cumsum(lengths) - lengths), lengths
        )
        dense = np.zeros((len(units), len(self.problem.features) + 1))
        dense[row, self.feature[place]] = self.count[place]
        dense[:, -1] = self.problem.sizes[units]
        return dense

    def held(self, part: Ints) -> Floats:
        """(p, f + 1) samples of each feature in each part; last, the size of the part. Units in
        part -1 count nowhere.
        """
        shape = (len(self.problem.parts), len(self.problem.features) + 1)
        owner = np.repeat(part, np.diff(self.starts))
        cells = np.append(owner * shape[1] + self.feature, part * shape[1] + shape[1] - 1)
        counted = np.append(owner, part) >= 0
        counts = np.bincount(
            cells[counted], np.append(self.count, self.problem.sizes)[counted], shape[0] * shape[1]
        )
        return np.asarray(counts, np.float64).reshape(shape)


def lay_out(problem: Problem) -> Layout:
    """Sort the entries by unit and feature, so that the order in which they came does not
    matter.
    """
    order = np.lexsort((problem.entry_feature, problem.entry_unit))
    starts = np.zeros(len(problem.sizes) + 1, np.int64)
    np.cumsum(np.bincount(problem.entry_unit, minlength=len(problem.sizes)), out=starts[1:])
    return Layout(problem, starts, problem.entry_feature[order], problem.entry_count[order])
