"""Progress on a terminal: stage, rate and remaining time on stderr; nothing when piped."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_TITLES = {
    "scan": "Listing files", "measure": "Measuring", "reference": "Measuring reference", "check": "Checking",
    "report": "Writing the report", "split": "Dividing", "prove": "Proving", "decode": "Decoding once",
    "policy": "Choosing changes", "sanity": "Checking first", "references": "What to beat", "tune": "Tuning", "train": "Training",
    "folds": "Training folds", "compare": "Comparing", "final": "Training finally", "judge": "Judging",
    "errors": "Looking at errors", "predict": "Predicting",
}  # fmt: skip


@contextmanager
def progress_bar(quiet: bool = False) -> Iterator[Callable[[str, int, int, str], None]]:
    """A callback (stage, done, total, note) that draws on stderr while the block runs."""
    if quiet or not sys.stderr.isatty():
        yield lambda stage, done, total, note: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description:<19}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]:>12}"),
        TimeRemainingColumn(compact=True), TextColumn("{task.fields[note]}"),
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        yield _Drawing(bar)


class _Drawing:
    """One bar, given a new title when the stage changes."""

    def __init__(self, bar: Any) -> None:
        self._bar = bar
        self._stage = ""
        self._task: Any = None

    def __call__(self, stage: str, done: int, total: int, note: str) -> None:
        name = stage.partition(":")[0]
        if name != self._stage:
            if self._task is not None:
                self._bar.remove_task(self._task)
            self._stage = name
            self._task = self._bar.add_task(_TITLES.get(name, name), total=None, rate="", note="")
        speed = self._bar.tasks[-1].speed
        rate = f"{speed:,.0f} files/s" if name == "measure" and speed else ""
        self._bar.update(self._task, completed=done, total=total or None, rate=rate, note=(note or stage.partition(":")[2])[:40])
