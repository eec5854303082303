"""Which claims the HTML report holds, and which of them it shows as pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dataprep.reports.audit.rows import rows_of
from dataprep.schemas.issues import FILE_SCOPES, SEVERITIES

if TYPE_CHECKING:
    import pandas as pd

    from dataprep.schemas.audit import Audit

#: Claims in the page's table; ``issues.csv`` holds all.
ROWS_LIMIT = 200_000
#: Clusters of pictures per check, pictures per cluster, and pictures in the whole page.
CLUSTERS, MEMBERS, PICTURES = 24, 8, 900


@dataclass(frozen=True)
class Cluster:
    """Pictures that belong side by side.

    Attributes:
        members: samples; with `keep`, the best one first.
        rows: for each member the row, in the chosen claims, of a claim that names it.
        keep: the member to keep when the others are copies of it, else empty.
        more: members that are not shown.
    """

    members: tuple[str, ...]
    rows: tuple[int, ...]
    keep: str = ""
    more: int = 0


def choose_rows(table: pd.DataFrame, limit: int = ROWS_LIMIT) -> np.ndarray[Any, Any]:
    """Rows of the issue table for the page, in order: all, or the first of each check, so that
    no check crowds out another.
    """
    if len(table) <= limit:
        return np.arange(len(table))
    codes = table["check"].cat.codes.to_numpy()
    sizes = np.bincount(codes[codes >= 0])
    share = _fair_share(sizes, limit)
    rank = np.empty(len(table), dtype=np.int64)
    order = np.argsort(codes, kind="stable")
    starts = np.concatenate(([0], np.cumsum(sizes)[:-1]))
    rank[order] = np.arange(len(table)) - starts[codes[order]]
    return np.flatnonzero(rank < share)


def _fair_share(sizes: np.ndarray[Any, Any], limit: int) -> int:
    """The largest number such that no more than `limit` rows are chosen when each check gives at
    most so many.
    """
    low, high = 0, int(sizes.max())
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (
            (middle, high) if np.minimum(sizes, middle).sum() <= limit else (low, middle - 1)
        )
    return low


def galleries(audit: Audit, table: pd.DataFrame) -> dict[str, list[Cluster]]:
    """Check code to the clusters to show, worst checks first until the page has enough pictures.

    Args:
        audit: the audit.
        table: the claims of the page, as chosen by `choose_rows`, with a fresh index 0, 1, 2, ...
    """
    pictures: set[str] = set()
    shown: dict[str, list[Cluster]] = {}
    samples = audit.dataset.samples.index
    of_files = table["scope"].isin(FILE_SCOPES)
    for code in _worst_first(table):
        part = table[(table["check"] == code) & of_files]
        clusters = _clusters(part)
        known = set(
            samples[samples.isin({name for cluster in clusters for name in cluster.members})]
        )
        for cluster in clusters:
            new = {name for name in cluster.members if name in known} - pictures
            if len(pictures) + len(new) > PICTURES:
                break
            pictures |= new
            shown.setdefault(code, []).append(cluster)
    return shown


def _worst_first(table: pd.DataFrame) -> list[str]:
    first = table.drop_duplicates("check")
    rank: dict[str, int] = {severity: index for index, severity in enumerate(SEVERITIES)}
    rows = sorted(rows_of(first), key=lambda row: (-rank[row.severity], row.Index))
    return [row.check for row in rows]


def _clusters(part: pd.DataFrame) -> list[Cluster]:
    """The first clusters of one check's claims: claims of one group together, others alone or
    with what they relate to.
    """
    gathered: dict[str, list[Any]] = {}
    for row in rows_of(part.iloc[: CLUSTERS * 50]):
        key = f"group {row.group}" if row.group else f"row {row.Index}"
        if key in gathered or len(gathered) < CLUSTERS:
            gathered.setdefault(key, []).append(row)
    return [_cluster(rows) for rows in gathered.values()]


def _cluster(claims: list[Any]) -> Cluster:
    keep = claims[0].related if claims[0].related and claims[0].suggestion == "drop" else ""
    rows: dict[str, int] = {keep: int(claims[0].Index)} if keep else {}
    for claim in claims:
        for name in (claim.target, claim.related):
            if name:
                rows.setdefault(name, int(claim.Index))
    return Cluster(
        tuple(rows)[:MEMBERS], tuple(rows.values())[:MEMBERS], keep, max(0, len(rows) - MEMBERS)
    )
