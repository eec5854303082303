"""Progress on stderr: a bar with stage, rate and remaining time on a terminal; elsewhere a line
now and then.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import typer

from dataprep.interruption import end_if_arrived
from dataprep.progress import TITLES, Progress

#: Seconds between two lines where there is no terminal.
LINE_S = 30.0


@contextmanager
def progress_bar(quiet: bool = False) -> Iterator[Progress]:
    """A callback (stage, done, total, note) that says on stderr how far the block is; it ends a
    block that an interruption did not end."""
    if quiet or not sys.stderr.isatty():
        yield _Lines(quiet)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description:<19}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]:>12}"),
        TimeRemainingColumn(compact=True),
        TextColumn("{task.fields[note]}"),
    )
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        yield _Drawing(bar)


class _Lines:
    """Without a terminal: one line every `LINE_S` seconds of a long stage; none where `quiet`."""

    def __init__(self, quiet: bool, clock: Callable[[], float] = time.monotonic) -> None:
        self._quiet, self._clock = quiet, clock
        self._stage = ""
        self._since = self._said = clock()
        self._first = self._last = 0

    def __call__(self, stage: str, done: int, total: int, note: str) -> None:
        end_if_arrived()
        now = self._clock()
        if stage != self._stage or done < self._last:  # the next thing to count
            self._stage, self._since, self._first = stage, now, done
        self._last = done
        if self._quiet or now - self._said < LINE_S:
            return
        self._said = now
        name, _, rest = stage.partition(":")
        words = [f"{done:,} of {total:,}"] if total else [f"{done:,}"] if done else []
        seconds = now - self._since
        words += (
            [_rate((done - self._first) / seconds)] if seconds > 0 and done > self._first else []
        )
        words += [text for text in (rest, note) if text]
        typer.echo(
            f"dataprep: {TITLES.get(name, name)}{': ' * bool(words)}{', '.join(words)}", err=True
        )


def _rate(per_second: float) -> str:
    return f"{per_second:,.0f} a second" if per_second >= 1 else f"{per_second * 60:.2g} a minute"


class _Drawing:
    """One bar, given a new title when the stage changes."""

    def __init__(self, bar: Any) -> None:
        self._bar = bar
        self._stage = ""
        self._task: Any = None

    def __call__(self, stage: str, done: int, total: int, note: str) -> None:
        end_if_arrived()
        name = stage.partition(":")[0]
        if name != self._stage:
            if self._task is not None:
                self._bar.remove_task(self._task)
            self._stage = name
            self._task = self._bar.add_task(TITLES.get(name, name), total=None, rate="", note="")
        speed = self._bar.tasks[-1].speed
        rate = f"{speed:,.0f} files/s" if name == "measure" and speed else ""
        self._bar.update(
            self._task,
            completed=done,
            total=total or None,
            rate=rate,
            note=(note or stage.partition(":")[2])[:40],
        )
