"""Ctrl-C ends a command with 130 and one line wherever it arrives: in imports, in libraries that
swallow or rename it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import OBEYING

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals are POSIX")

#: An import that gets Ctrl-C and makes something else of it, as extension modules do.
_SCRIPT = """
import importlib.abc, os, signal, sys

class Interrupting(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == {module!r} and self in sys.meta_path:
            sys.meta_path.remove(self)
            try:
                os.kill(os.getpid(), signal.{number})
                import time; time.sleep(1)
            except BaseException as error:
                {ending}
        return None

sys.meta_path.insert(0, Interrupting())
sys.argv = ["dataprep", "audit", {images!r}, "--jobs", "1", "-q", "--out", {out!r}]
from dataprep.__main__ import main
main()
"""


def run(
    module: str, ending: str, images: Path, number: str = "SIGINT", **how: object
) -> subprocess.CompletedProcess[str]:
    script = _SCRIPT.format(
        module=module,
        ending=ending,
        images=str(images),
        out=str(images.parent / "out"),
        number=number,
    )
    repository = Path(__file__).parents[2]
    return subprocess.run(
        [sys.executable, "-c", script],
        cwd=repository,
        capture_output=True,
        text=True,
        timeout=120,
        **how,
    )


@pytest.mark.parametrize(
    ("module", "ending"),
    [
        ("typer", "raise"),
        ("typer", "raise ImportError('cannot import name x')"),
        ("pandas", "raise SystemError('returned a result with an exception set')"),
        (
            "onnxruntime",
            "raise ImportError('dynamic module does not define module export function')",
        ),
        ("pandas", "pass"),
        ("typer", "pass"),
    ],
)
def test_an_interruption_inside_an_import_is_one(
    class_folders: Path, module: str, ending: str
) -> None:
    done = run(module, ending, class_folders, **OBEYING)
    assert done.returncode == 130, done.stderr
    assert "Traceback" not in done.stderr
    assert not (class_folders.parent / "out" / "audit" / "report.json").exists()


def test_a_request_to_end_inside_an_import_is_one(class_folders: Path) -> None:
    done = run("pandas", "raise RuntimeError('broken')", class_folders, number="SIGTERM")
    assert (done.returncode, done.stderr) == (143, "")


def test_under_nohup_an_interruption_stays_ignored(class_folders: Path) -> None:
    def ignore() -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    done = run("pandas", "raise", class_folders, preexec_fn=ignore)
    assert done.returncode == 0, done.stderr
    assert (class_folders.parent / "out" / "audit" / "report.json").exists()


@pytest.mark.parametrize("megabytes", [60, 400])
def test_a_small_address_space_is_one_line(class_folders: Path, megabytes: int) -> None:
    import resource

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))

    command = [
        sys.executable,
        "-m",
        "dataprep",
        "audit",
        str(class_folders),
        "--no-embedding",
        "--jobs",
        "1",
    ]
    done = subprocess.run(
        command,
        cwd=class_folders.parent,
        capture_output=True,
        text=True,
        timeout=120,
        preexec_fn=limit,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert "ulimit -v" in done.stderr
