"""Another project of the same import name, installed over this one, is told apart."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import dataprep


def test_the_namesake_is_detected_and_explained(tmp_path: Path) -> None:
    place = tmp_path / "site" / "dataprep"
    shutil.copytree(
        Path(dataprep.__file__).parent, place, ignore=shutil.ignore_patterns("__pycache__")
    )
    (place / "__init__.py").write_text('__version__ = "0.4.5"\n')
    done = subprocess.run(
        [sys.executable, "-c", "from dataprep.cli import main; main()", "checks"],
        env={**os.environ, "PYTHONPATH": str(place.parent)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert "pip uninstall dataprep" in done.stderr
    assert "Traceback" not in done.stderr
