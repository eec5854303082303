"""group-leakage: one group in several splits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pandas as pd

from dataprep.checks.contract import Check, Look
from dataprep.checks.splits.split_shares import share_claims, spread_over

if TYPE_CHECKING:
    from dataprep.schemas.dataset import Dataset


@dataclass(frozen=True)
class GroupLeakage(Check):
    """
    What it finds:
        Groups (a patient, a video, a sender, a burst) that have samples in more than one split; and
        for each split, the share of its samples that belong to such groups.

    Why it matters:
        Samples of a group are alike in ways that have nothing to do with the class: the same room,
        camera, person. A model that knows the group from training looks better on it than it will
        on anyone new.

    What to do:
        Split by group: every group in one split. `dataprep.split` keeps groups together.

    How it works:
        The column ``group`` is compared with the column ``split``; nothing else is read. Samples
        without a group are left out.

    Known limits:
        It knows only the groups it is told of; unlike groups may hold the same person.

    Measured quality:
        Exact: it counts. On 2,000 photos whose official validation split shares its senders with
        train, it names them all.
    """

    code: ClassVar = "group-leakage"
    family: ClassVar = "splits"
    severity: ClassVar = "error"
    scope: ClassVar = "slice"
    needs: ClassVar = ("group", "split")
    suggestion: ClassVar = "regroup"
    summary: ClassVar = "Groups spread over several splits"
    advice: ClassVar = "Split again by group, so that each group is in one split."
    message: ClassVar = "{text}"

    def find(self, dataset: Dataset, look: Look) -> Iterator[pd.DataFrame]:
        """A claim for every affected split, and one for every group in several splits."""
        groups = dataset.samples["group"]
        splits = dataset.samples["split"].astype("object").to_numpy()
        codes, names = pd.factorize(groups)
        known = pd.notna(splits) & (codes >= 0)
        affected = spread_over(codes, splits, known)
        if not affected.any():
            return
        yield share_claims(
            self, splits, affected, known, "belong to a group that is also in another split"
        )
        columns, where = np.unique(splits[affected].astype(str), return_inverse=True)
        leaking, rows = np.unique(codes[affected], return_inverse=True)
        counts = np.bincount(
            rows * len(columns) + where, minlength=len(leaking) * len(columns)
        ).reshape(len(leaking), -1)
        texts = [_spell(columns.tolist(), row) for row in counts.tolist()]
        yield self.claims(
            [str(name) for name in np.asarray(names, dtype=object)[leaking]],
            figure=counts.sum(axis=1).astype(np.float64),
            unit="samples",
            evidence=[{"text": text} for text in texts],
        )


def _spell(splits: Iterable[str], counts: list[int]) -> str:
    return "in several splits: " + ", ".join(
        f"{split} {count:,}" for split, count in zip(splits, counts, strict=True) if count
    )
