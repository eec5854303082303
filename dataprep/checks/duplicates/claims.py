"""Pairs of duplicates as claims: which of the two is at fault, which is kept, and the relation
in words with their names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dataprep.checks.duplicates.pairs import swap_letters

if TYPE_CHECKING:
    from collections.abc import Collection

    from dataprep.checks.contract import Check
    from dataprep.checks.duplicates.pairs import Duplicates
    from dataprep.schemas.dataset import Dataset


#: What the search for near duplicates reads.
DUPLICATE_COLUMNS: tuple[str, ...] = (
    "file_hash",
    "pixel_hash",
    "phash",
    "phash_inner",
    "sketch",
    "thumb",
)
#: The message of claims about pairs, B being the target; `pair_claims` and `note_claims` give what
#: it needs.
PAIR_MESSAGE = "{relation}{legend}{related}"
_LEGEND = "; A is "


def describe_pairs(
    dataset: Dataset, duplicates: Duplicates, kinds: Collection[str]
) -> pd.DataFrame:
    """One row per pair of the given kinds: ``target`` and ``related`` (rows), ``group``,
    ``confidence``, ``kind``, ``relation``.

    The target is the member that is not kept; of two that are not, the later by name. In the
    relation A is the related image.
    """
    pairs = duplicates.pairs[duplicates.pairs["kind"].isin(list(kinds))]
    names = dataset.samples.index.to_numpy(dtype=object)
    a, b = pairs["a"].to_numpy(), pairs["b"].to_numpy()
    later = np.array(
        [names[i] > names[j] for i, j in zip(a.tolist(), b.tolist(), strict=True)], dtype=bool
    )
    a_is_target = np.where(duplicates.keep[a] == duplicates.keep[b], later, duplicates.keep[b])
    target = np.where(a_is_target, a, b)
    return pd.DataFrame(
        {
            "target": target,
            "related": np.where(a_is_target, b, a),
            "group": group_names(dataset, duplicates)[target],
            "confidence": pairs["confidence"].to_numpy(),
            "kind": pairs["kind"].to_numpy(dtype=object),
            "relation": pairs["relation"]
            .where(~a_is_target, swap_letters(pairs["relation"]))
            .to_numpy(dtype=object),
        }
    )


def pair_claims(
    check: Check, dataset: Dataset, duplicates: Duplicates, pairs: pd.DataFrame
) -> pd.DataFrame:
    """Claims of `check` about pairs from `describe_pairs`."""
    names = dataset.samples.index.to_numpy(dtype=object)
    sizes = np.bincount(duplicates.groups[duplicates.groups >= 0])
    return check.claims(
        names[pairs["target"]],
        related=names[pairs["related"]],
        group=pairs["group"].to_numpy(),
        figure=sizes[duplicates.groups[pairs["target"]]].astype(np.float64),
        unit="images in the group",
        confidence=pairs["confidence"].to_numpy(),
        evidence=[{"relation": relation, "legend": _LEGEND} for relation in pairs["relation"]],
    )


def note_claims(check: Check, notes: Collection[str]) -> pd.DataFrame:
    """Claims of `check` about the data set: what was not looked at."""
    evidence = [{"relation": note, "legend": ""} for note in notes]
    return check.claims(
        [""] * len(evidence), scope="dataset", severity="fact", suggestion="none", evidence=evidence
    )


def group_names(dataset: Dataset, duplicates: Duplicates) -> NDArray[np.object_]:
    """(n,) name of each row's group: that of its kept member; "" when alone."""
    names = dataset.samples.index.to_numpy(dtype=object)
    return np.where(duplicates.groups >= 0, names[duplicates.keeper_of()], "")


def member_confidence(duplicates: Duplicates) -> NDArray[np.float64]:
    """(n,) how sure it is that each row belongs to its group: what binds it to the kept member;
    1 for that one itself.
    """
    sure = np.ones(len(duplicates.groups))
    pairs = duplicates.pairs
    for side in ("a", "b"):
        rows = pairs[side].to_numpy()
        bound = ~duplicates.keep[rows]
        np.minimum.at(sure, rows[bound], pairs["confidence"].to_numpy()[bound])
    return sure
