"""Warm workers: processes that wait, started and with their libraries loaded, for the next task
of the same run.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

from dataprep.backends.child import Child

_lock = threading.Lock()
_waiting: list[Child] = []
_blocks = 0


@contextlib.contextmanager
def warm_workers(early: int = 0, module: str = "") -> Iterator[None]:
    """While the block runs, workers that are done with a task wait for the next one; when it ends,
    they do.

    Blocks may be nested, and threads share their workers; the outermost block ends them.

    Args:
        early: workers to start now, so that they load their libraries while this process still
            loads its own.
        module: what these import.
    """
    global _blocks
    with _lock:
        _blocks += 1
    try:
        with contextlib.suppress(
            OSError
        ):  # who needs a worker will start one, and say why it does not start
            for _ in range(early):
                keep(Child(module))
        yield
    finally:
        with _lock:
            _blocks -= 1
            ended = [] if _blocks else [_waiting.pop() for _ in range(len(_waiting))]
        for child in ended:
            child.kill()
        for child in ended:
            child.end()


def keep(child: Child) -> None:
    """Let an idle worker wait for its next task inside of `warm_workers`, and end it outside."""
    with _lock:
        if _blocks:
            _waiting.append(child)
            return
    child.end()


def take() -> Child:
    """A worker that waits, or a new one.

    Raises:
        OSError: the system cannot start a process.
    """
    while True:
        with _lock:
            child = _waiting.pop(0) if _waiting else None
        if child is None:
            return Child()
        if child.is_alive():
            return child
        child.end()
