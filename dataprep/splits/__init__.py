"""Splitting: units that stay whole, a division that keeps every mix alike, and the proof that
nothing leaks.

`splitting.split` is the way through: `inputs` → `solver` → `proof` → `records` and `export`.
Imports `cleaning`, `reports`, `checks`, `probes` and below.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataprep.splits.changing import extend as extend
    from dataprep.splits.changing import repair as repair
    from dataprep.splits.export.files import write_manifest as write_manifest
    from dataprep.splits.export.materialising import materialise as materialise
    from dataprep.splits.proof.test_set_log import earlier_evaluations as earlier_evaluations
    from dataprep.splits.proof.test_set_log import record_evaluation as record_evaluation
    from dataprep.splits.records import read_split as read_split
    from dataprep.splits.records import write_split as write_split
    from dataprep.splits.splitting import split as split

_HOMES = {
    "earlier_evaluations": "dataprep.splits.proof.test_set_log",
    "extend": "dataprep.splits.changing",
    "materialise": "dataprep.splits.export.materialising",
    "read_split": "dataprep.splits.records",
    "record_evaluation": "dataprep.splits.proof.test_set_log",
    "repair": "dataprep.splits.changing",
    "split": "dataprep.splits.splitting",
    "write_manifest": "dataprep.splits.export.files",
    "write_split": "dataprep.splits.records",
}

__all__ = [
    "earlier_evaluations",
    "extend",
    "materialise",
    "read_split",
    "record_evaluation",
    "repair",
    "split",
    "write_manifest",
    "write_split",
]


def __getattr__(name: str) -> Any:
    """Loaded when used: most modules here need far less than the whole."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
