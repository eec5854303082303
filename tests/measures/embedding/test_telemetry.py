"""Nothing phones home: the library that runs models is imported in one place, after its
telemetry was switched off.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import dataprep


def test_the_telemetry_is_off_before_the_library_is_imported() -> None:
    code = """
import builtins, os, sys
os.environ.pop("ORT_DISABLE_TELEMETRY", None)
real, seen = builtins.__import__, []
def watched(name, *rest):
    if name.partition(".")[0] == "onnxruntime" and "onnxruntime" not in sys.modules:
        seen.append(os.environ.get("ORT_DISABLE_TELEMETRY"))
    return real(name, *rest)
builtins.__import__ = watched
from dataprep.measures.embedding.contract import load_embedder
load_embedder("lite0", size=128, threads=1)
assert seen and seen[0] == "1", seen
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=300)


def test_it_is_imported_in_one_place() -> None:
    root = Path(dataprep.__file__).parent
    importing = re.compile(
        r"^\s*(import|from) onnxruntime|import_module\(.onnxruntime", re.MULTILINE
    )
    found = [
        str(path.relative_to(root))
        for path in root.rglob("*.py")
        if importing.search(path.read_text(encoding="utf-8"))
    ]
    assert found == ["measures/embedding/sessions.py"]
