"""The division as a problem: units that stay whole, what each holds, and how much of it every
part should get.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Problem:
    """Units to divide over parts, so that sizes are as wanted and every part holds the same mix of
    features.

    A feature is anything whose share should be alike in every part: a class ("label=cat"), one of
    the labels of a multi-label set, a bin or a value of a column to balance ("site=B", "luma_mean
    in [0.2, 0.4)"). What a unit holds is kept sparse: entry j says that `entry_unit[j]` holds
    `entry_count[j]` samples of the feature `entry_feature[j]`.

    Attributes:
        sizes: (u,) samples in each unit, at least 1.
        entry_unit, entry_feature, entry_count: (m,) see above; no two entries name the same unit
            and feature.
        features: names of the f features.
        weights: (f,) float64 importance of a feature's deviation; 1 for labels.
        parts: names of the p parts.
        targets: (p,) float64 wanted samples of each part; they sum to the samples of all units.
        fixed: (u,) part that a unit has to be in, -1 where free.

    The order of the units decides ties, so callers put them in an order that does not depend on
    files or machine.
    """

    sizes: Ints
    entry_unit: Ints
    entry_feature: Ints
    entry_count: Ints
    features: tuple[str, ...]
    weights: NDArray[np.float64]
    parts: tuple[str, ...]
    targets: NDArray[np.float64]
    fixed: Ints

    @property
    def totals(self) -> Ints:
        """(f,) samples of each feature in all units."""
        return np.bincount(self.entry_feature, self.entry_count, len(self.features)).astype(
            np.int64
        )

    def sizes_of(self, part: Ints) -> Ints:
        """(p,) samples of each part, when unit i is in `part[i]`."""
        return np.bincount(part, self.sizes, len(self.parts)).astype(np.int64)

    def counts_of(self, part: Ints) -> Ints:
        """(p, f) samples of each feature in each part, when unit i is in `part[i]`."""
        flat = part[self.entry_unit] * len(self.features) + self.entry_feature
        counts = np.bincount(flat, self.entry_count, len(self.parts) * len(self.features))
        return counts.astype(np.int64).reshape(len(self.parts), len(self.features))

    def deviations_of(self, part: Ints) -> NDArray[np.float64]:
        """(p, f) share of each feature among a part's samples less its share among all samples;
        NaN for an empty part.
        """
        sizes = self.sizes_of(part).astype(np.float64)
        shares = self.counts_of(part) / np.where(sizes > 0, sizes, np.nan)[:, None]
        return np.asarray(shares - self.totals / self.sizes.sum(), np.float64)
