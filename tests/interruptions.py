"""Ends a piece of work at each of its steps on the file system: by an interruption, or as a kill
does.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from dataprep.schemas.files import exchange, publishing

#: What Python tells of before it does it (PEP 578); the paths come first among the arguments.
_EVENTS = frozenset(
    (
        "open",
        "os.rename",
        "os.link",
        "os.mkdir",
        "os.rmdir",
        "os.remove",
        "os.truncate",
        "os.chmod",
        "os.utime",
        "shutil.rmtree",
    )
)


class Killed(BaseException):
    """Stands for SIGKILL: from here on no step is done, not those of clean-up either."""


class _Steps:
    """Counts steps below a folder, and ends the work at one of them."""

    def __init__(self) -> None:
        self.folder, self.at, self.count, self.kind = "", 0, 0, ""

    def step(self, path: Any) -> None:
        if not self.folder:
            return
        name = os.fsdecode(path) if isinstance(path, str | bytes | os.PathLike) else ""
        if os.path.isabs(name) and not name.startswith(self.folder):
            return
        self.count += 1
        if self.count == self.at and self.kind == "interrupt":
            raise KeyboardInterrupt
        if self.at and self.count >= self.at and self.kind == "kill":
            raise Killed


_STEPS = _Steps()


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if _STEPS.folder and event in _EVENTS and not (event == "open" and arguments[1] in ("r", "rb")):
        _STEPS.step(arguments[0])


sys.addaudithook(_hook)


@contextmanager
def _ending(folder: Path, at: int, kind: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Within the block, the work ends at its step number `at`, 0 for never."""
    fsync, swap = os.fsync, exchange.exchange

    def stepping_fsync(handle: int) -> None:
        _STEPS.step(b"")
        fsync(handle)

    def stepping_swap(one: str, other: str) -> bool:
        _STEPS.step(one)
        return swap(one, other)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", stepping_fsync)
        for module in (publishing, sys.modules.get("dataprep.cleaning.staging")):
            if module is not None:
                patch.setattr(
                    module,
                    "exchange",
                    stepping_swap if module.exchange is swap else module.exchange,
                )
        _STEPS.folder, _STEPS.at, _STEPS.count, _STEPS.kind = str(folder), at, 0, kind
        try:
            yield
        finally:
            _STEPS.folder = ""


def every_end(
    work: Callable[[], Any], folder: Path, monkeypatch: pytest.MonkeyPatch, *, every: int = 1
) -> Iterator[str]:
    """Do the work again and again, ended at each step below `folder`; after each, gives a
    description, for the caller to look.
    """
    with _ending(folder, 0, "", monkeypatch):
        work()
    steps = _STEPS.count
    assert steps > 3, "the steps of this work were not seen"
    yield "done"
    for kind in ("interrupt", "kill"):
        for at in range(1, steps + 1, every):
            with _ending(folder, at, kind, monkeypatch), suppress(KeyboardInterrupt, Killed):
                work()
            yield f"{kind} at step {at} of {steps}"


def leftovers(folder: Path) -> list[str]:
    """Names below a folder that are on their way to a place."""
    return [
        str(path)
        for path in folder.rglob("*")
        if path.name.endswith((".partial", ".ready", ".former"))
    ]
