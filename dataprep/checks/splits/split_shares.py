"""What spreads over several splits, and how much of each split it touches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

if TYPE_CHECKING:
    from dataprep.checks.contract import Check


def spread_over(
    groups: NDArray[Any], splits: NDArray[Any], known: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """(n,) whether a row's group has members in at least two splits; rows that are not `known` or
    have group -1 do not count.

    Args:
        groups: (n,) group number, -1 for none.
        splits: (n,) split names.
        known: (n,) whether a row takes part.
    """
    takes_part = known & (groups >= 0)
    spread = np.zeros(len(groups), bool)
    if takes_part.any():
        codes, _ = pd.factorize(splits[takes_part])
        pairs = np.unique(np.stack([groups[takes_part], codes]), axis=1)
        several = np.bincount(pairs[0]) > 1
        spread[takes_part] = several[groups[takes_part]]
    return spread


def share_claims(
    check: Check,
    splits: NDArray[Any],
    affected: NDArray[np.bool_],
    known: NDArray[np.bool_],
    what: str,
    effects: Mapping[str, dict[str, Any]] | None = None,
    **columns: Any,
) -> pd.DataFrame:
    """One claim of `check` for every split with affected samples: its figure is their share of the
    split's known samples.

    Args:
        check: whose claims they are.
        splits, affected, known: (n,) split name, whether a sample is affected, whether it takes
            part.
        what: what became of the samples, after "3 of 20 samples in test (15.0%)".
        effects: split to further evidence; its key ``text``, if any, is added to the text.
        columns: of the claims, where they differ from what is usual for the check.
    """
    effects = effects or {}
    table = pd.DataFrame({"split": splits[known].astype(str), "affected": affected[known]})
    counts = table.groupby("split", sort=True)["affected"].agg(["sum", "size"])
    counts = counts[counts["sum"] > 0]
    shares = counts["sum"] / counts["size"]
    evidence = []
    for split, count, size, share in zip(
        counts.index, counts["sum"], counts["size"], shares, strict=True
    ):
        effect = effects.get(split, {})
        text = (
            f"{count:,} of {size:,} samples in {split} ({share:.1%}) {what}{effect.get('text', '')}"
        )
        evidence.append({**effect, "text": text})
    return check.claims(
        counts.index.to_numpy(dtype=object),
        scope="split",
        suggestion="regroup",
        figure=shares.to_numpy(dtype=np.float64),
        unit="share of the split",
        evidence=evidence,
        **columns,
    )
