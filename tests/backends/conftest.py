"""The tasks of these tests lie in `pool_tasks`, which workers import from this folder."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.conftest import OBEYING

HERE = str(Path(__file__).parent)


@pytest.fixture(autouse=True)
def _tasks_importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(HERE)


@pytest.fixture
def script(tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """Start a script that has no ``if __name__ == "__main__"`` guard, as users write them."""

    def start(text: str, **options: object) -> subprocess.Popen[str]:
        path = tmp_path / "users_script.py"
        path.write_text(f"import sys\nsys.path.insert(0, {HERE!r})\n{text}")
        pipes = {
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
            "text": True,
            **OBEYING,
            **options,
        }
        return subprocess.Popen([sys.executable, str(path)], **pipes)

    return start


@pytest.fixture
def gone() -> Callable[[list[int]], bool]:
    """Whether all these processes end; waits for them."""

    def check(pids: list[int]) -> bool:
        deadline = time.monotonic() + 20
        while any(map(_alive, pids)) and time.monotonic() < deadline:
            time.sleep(0.02)
        return not any(map(_alive, pids))

    return check


def _alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
