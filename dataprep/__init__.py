"""dataprep: find what is wrong with an image data set, say why, and what to do.

>>> import dataprep
>>> audit = dataprep.audit("sample_data/shapes")   # doctest: +SKIP
>>> audit.issues.table                             # doctest: +SKIP
>>> dataprep.report(audit, "dataprep-out/audit")   # doctest: +SKIP

Names are loaded when first used (PEP 562), so that ``import dataprep`` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from dataprep.version import __version__ as __version__

if TYPE_CHECKING:
    from dataprep.checks.contract import Check as Check
    from dataprep.cleaning import apply_plan as apply_plan
    from dataprep.cleaning import clean as clean
    from dataprep.engine import audit as audit
    from dataprep.errors import DataprepError as DataprepError
    from dataprep.gate.known_images import Examination as Examination
    from dataprep.gate.known_images import KnownImages as KnownImages
    from dataprep.ingest import scan as scan
    from dataprep.measures.decode_pass import measure as measure
    from dataprep.measures.options import PassOptions as PassOptions
    from dataprep.neighbours.hash_lists import compare_hashes as compare_hashes
    from dataprep.normalisation.fitting import fit_normaliser as fit_normaliser
    from dataprep.normalisation.normaliser import Normaliser as Normaliser
    from dataprep.reports import report as report
    from dataprep.schemas.audit import Audit as Audit
    from dataprep.schemas.dataset import Dataset as Dataset
    from dataprep.schemas.issues import Issues as Issues
    from dataprep.schemas.split import Split as Split
    from dataprep.splits.splitter import LeakFreeSplit as LeakFreeSplit
    from dataprep.splits.splitting import split as split

_HOMES = {
    "Audit": "dataprep.schemas.audit",
    "Check": "dataprep.checks.contract",
    "DataprepError": "dataprep.errors",
    "Dataset": "dataprep.schemas.dataset",
    "Examination": "dataprep.gate.known_images",
    "Issues": "dataprep.schemas.issues",
    "KnownImages": "dataprep.gate.known_images",
    "LeakFreeSplit": "dataprep.splits.splitter",
    "Normaliser": "dataprep.normalisation.normaliser",
    "PassOptions": "dataprep.measures.options",
    "Split": "dataprep.schemas.split",
    "apply_plan": "dataprep.cleaning",
    "audit": "dataprep.engine",
    "clean": "dataprep.cleaning",
    "compare_hashes": "dataprep.neighbours.hash_lists",
    "fit_normaliser": "dataprep.normalisation.fitting",
    "measure": "dataprep.measures.decode_pass",
    "report": "dataprep.reports",
    "scan": "dataprep.ingest",
    "split": "dataprep.splits.splitting",
}

__all__ = [
    "Audit",
    "Check",
    "DataprepError",
    "Dataset",
    "Examination",
    "Issues",
    "KnownImages",
    "LeakFreeSplit",
    "Normaliser",
    "PassOptions",
    "Split",
    "apply_plan",
    "audit",
    "clean",
    "compare_hashes",
    "fit_normaliser",
    "measure",
    "report",
    "scan",
    "split",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'dataprep' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
