"""How labels and measured properties are distributed: counts and bins, as plain data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from dataprep.schemas.columns import COLUMNS, PROPERTIES

if TYPE_CHECKING:
    import pandas as pd

    from dataprep.checks.contract import Check
    from dataprep.schemas.audit import Audit
    from dataprep.schemas.dataset import Dataset

BINS = 40
#: Properties that vary over orders of magnitude are binned by their logarithm.
LOGARITHMIC: frozenset[str] = frozenset({"bytes", "width", "height", "sharpness"})
#: The extreme values outside these quantiles are counted in the first and the last bin.
QUANTILES = (0.001, 0.999)


def class_counts(dataset: Dataset) -> list[dict[str, Any]]:
    """Samples per class and split, most frequent class first: ``name``, ``count``, ``splits``
    {split: count}.
    """
    import pandas as pd

    if not dataset.has("label"):
        return []
    labels = dataset.samples["label"].astype("str")
    splits = (
        dataset.samples["split"].astype("str")
        if dataset.has("split")
        else pd.Series("", index=labels.index)
    )
    known = dataset.samples["label"].notna().to_numpy() & (labels != "").to_numpy()
    table = pd.crosstab(labels[known].to_numpy(), splits[known].fillna("").to_numpy())
    table = table.iloc[np.lexsort((table.index.to_numpy(), -table.sum(axis=1).to_numpy()))]
    return [
        {
            "name": str(name),
            "count": int(row.sum()),
            "splits": {str(s): int(n) for s, n in row.items() if n and s},
        }
        for name, row in table.iterrows()
    ]


def value_counts(samples: pd.DataFrame, column: str) -> list[dict[str, Any]]:
    """Values of a column and how often they occur, most frequent first; missing and empty ones
    left out.
    """
    if column not in samples:
        return []
    counts = samples[column].astype("str")[samples[column].notna()].value_counts()
    pairs = sorted(
        ((str(name), int(n)) for name, n in counts.items() if n and name),
        key=lambda pair: (-pair[1], pair[0]),
    )
    return [{"name": name, "count": count} for name, count in pairs]


def property_histograms(audit: Audit) -> list[dict[str, Any]]:
    """A histogram per measured property, with the flagged part of each bin.

    Returns:
        For each property: ``column``, ``unit``, ``meaning``, ``scale`` (linear or log), ``edges``
        (bins + 1), ``counts``, ``flagged`` (samples that a check which judges by the property
        complains of), ``checks`` (codes of those checks), ``n``, ``p05``, ``median`` and ``p95``.
    """
    flags = flagged_samples(audit)
    histograms = []
    for column in PROPERTIES:
        if column in audit.dataset.samples:
            readers = [
                check.code
                for check in audit.checks
                if judged_property(check) == column and check.code in flags
            ]
            found = histogram(
                audit.dataset.samples[column], column, _union(flags, readers, len(audit.dataset))
            )
            histograms += [{**found, "checks": readers}] if found else []
    return histograms


def judged_property(check: Check) -> str:
    """The property that a check of quality judges by: the first that it needs; empty for other
    checks.
    """
    needs = check.needs if check.scope == "sample" and check.family == "quality" else ()
    return next((need for need in needs if need in PROPERTIES), "")


def flagged_samples(audit: Audit) -> Mapping[str, np.ndarray[Any, Any]]:
    """Check code to (n,) bool, true for the samples that it names as a target; only checks that
    name samples.
    """
    import pandas as pd

    table = audit.issues.table
    rows = audit.dataset.samples.index.get_indexer(pd.Index(table["target"]))
    rows[~table["scope"].isin(("sample", "pair")).to_numpy()] = -1
    codes = table["check"].to_numpy(dtype=object)
    flags = {}
    for code in dict.fromkeys(codes[rows >= 0]):
        flags[code] = np.zeros(len(audit.dataset), dtype=bool)
        flags[code][rows[(codes == code) & (rows >= 0)]] = True
    return flags


def _union(
    flags: Mapping[str, np.ndarray[Any, Any]], codes: Iterable[str], rows: int
) -> np.ndarray[Any, Any]:
    union = np.zeros(rows, dtype=bool)
    for code in codes:
        union |= flags[code]
    return union


def histogram(
    values: pd.Series[Any], column: str, flagged: np.ndarray[Any, Any]
) -> dict[str, Any] | None:
    """The histogram of one property, as in `property_histograms` but for ``checks``; None when no
    sample has it.

    Args:
        values: (n,) the property's values.
        column: its name.
        flagged: (n,) bool, the samples to count as flagged.
    """
    numbers = values.astype("float64").to_numpy(dtype=np.float64, na_value=np.nan)
    logarithmic = column in LOGARITHMIC
    known = np.isfinite(numbers) & ((numbers > 0) | (not logarithmic))
    if not known.any():
        return None
    numbers, flagged = numbers[known], flagged[known]
    edges = _edges(
        numbers, logarithmic, values.dtype.kind in "iu" or str(values.dtype).startswith("Int")
    )
    clipped = np.clip(numbers, edges[0], edges[-1])
    p05, median, p95 = np.quantile(numbers, (0.05, 0.5, 0.95))
    return {
        "column": column,
        "unit": COLUMNS[column].unit,
        "meaning": COLUMNS[column].meaning,
        "scale": "log" if logarithmic else "linear",
        "n": len(numbers),
        "p05": _short(p05),
        "median": _short(median),
        "p95": _short(p95),
        "edges": [_short(edge) for edge in edges],
        "counts": np.histogram(clipped, edges)[0].tolist(),
        "flagged": np.histogram(clipped[flagged], edges)[0].tolist(),
    }


def _edges(numbers: np.ndarray[Any, Any], logarithmic: bool, whole: bool) -> np.ndarray[Any, Any]:
    low, high = np.quantile(numbers, QUANTILES)
    if high <= low:
        low, high = numbers.min(), numbers.max()
    if high <= low:
        margin = 0.5 if not low else abs(low) * 0.05
        low, high = low - margin, high + margin
    if logarithmic:
        return np.geomspace(max(low, 1e-9), high, BINS + 1)
    if whole and high - low < BINS:
        return np.arange(np.floor(low) - 0.5, np.ceil(high) + 1, 1.0)
    return np.linspace(low, high, BINS + 1)


def _short(number: float) -> float:
    return float(f"{number:.6g}")
