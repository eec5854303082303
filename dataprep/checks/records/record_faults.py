"""Faults that were found while reading the records, as claims: what every check of the family
``records`` does.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dataprep.schemas.issues import evidence_of

if TYPE_CHECKING:
    import pandas as pd

    from dataprep.checks.contract import Check
    from dataprep.schemas.dataset import Dataset


def fault_claims(check: Check, dataset: Dataset) -> Iterator[pd.DataFrame]:
    """One claim for each fault in `dataset` with the code of `check`; a ``confidence`` in its
    evidence is the claim's.
    """
    if dataset.faults is None:
        return
    faults = dataset.faults[(dataset.faults["check"] == check.code).to_numpy()]
    if not len(faults):
        return
    columns = {
        name: faults[name].to_numpy(dtype=object)
        for name in ("related", "location", "figure", "value", "evidence")
    }
    confidence = [
        evidence_of(text).get("confidence", 1.0) if "confidence" in text else 1.0
        for text in faults["evidence"]
    ]
    yield check.claims(faults["target"].to_numpy(dtype=object), confidence=confidence, **columns)
