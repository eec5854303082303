"""The run record (``run.json``): everything that shaped a result."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from dataprep.version import __version__

if TYPE_CHECKING:
    from dataprep.schemas.dataset import Dataset

#: Packages whose version can change a figure.
_PACKAGES = (
    "numpy",
    "pandas",
    "pillow",
    "simplejpeg",
    "opencv-python-headless",
    "xxhash",
    "pillow-heif",
)


def run_record(
    stage: str, dataset: Dataset, options: Mapping[str, Any], seconds: Mapping[str, float]
) -> dict[str, Any]:
    """The record of one stage's run, ready for JSON.

    Only ``finished_at`` and ``seconds`` differ between two runs with the same inputs, options,
    versions and processor class.
    """
    return {
        "stage": stage,
        "dataprep": __version__,
        "python": platform.python_version(),
        "machine": platform.machine(),
        "system": platform.system(),
        "packages": {name: _version(name) for name in _PACKAGES},
        "root": dataset.root,
        "samples": len(dataset),
        "task": dataset.task,
        "fingerprint": dataset.fingerprint,
        "options": dict(options),
        "finished_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": {name: round(value, 3) for name, value in seconds.items()},
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
