"""Progress for callers of the library: a bar in a notebook or on a terminal, and nothing in a
pipe.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import Any, Literal

from dataprep.errors import OptionError

#: progress(stage, done, total, note): `total` is 0 while unknown.
Progress = Callable[[str, int, int, str], None]
#: A callback, or whether a bar is shown: "auto" shows one in a notebook and on a terminal.
ProgressOption = Progress | bool | Literal["auto"] | None

#: Stage to what people are told that it does.
TITLES = {
    "scan": "Listing files",
    "measure": "Measuring",
    "reference": "Measuring reference",
    "check": "Checking",
    "report": "Writing the report",
    "split": "Dividing",
    "prove": "Proving",
    "decode": "Decoding once",
    "policy": "Choosing changes",
    "sanity": "Checking first",
    "references": "What to beat",
    "tune": "Tuning",
    "train": "Training",
    "folds": "Training folds",
    "compare": "Comparing",
    "final": "Training finally",
    "judge": "Judging",
    "errors": "Looking at errors",
    "predict": "Predicting",
}
#: Seconds between two drawings of one stage.
_EVERY_S = 0.2
_NOTE = 60


@contextmanager
def shown(progress: ProgressOption) -> Iterator[Progress | None]:
    """The callback that `progress` stands for, while the block runs; a bar is gone when it ends.

    Args:
        progress: a callback is given back as it is; "auto" draws in a notebook and on a terminal,
            True in a pipe as well (a line for each stage); None and False draw nothing.

    Raises:
        OptionError: it is none of these.
    """
    if progress is None or progress is False:
        yield None
    elif callable(progress):
        yield progress
    elif progress is True or progress == "auto":
        bar = _bar(always=progress is True)
        try:
            yield bar
        finally:
            if bar is not None:
                bar.close()
    else:
        raise OptionError(
            f"option progress: expected a function, True, False, None or 'auto', got {progress!r}"
        )


def _bar(*, always: bool) -> _Bar | None:
    if in_notebook():
        return _Bar(_Cell())
    if sys.stderr is not None and sys.stderr.isatty():
        return _Bar(_Line())
    return _Bar(_Lines()) if always else None


def in_notebook() -> bool:
    """Whether this process is the kernel of a notebook."""
    module = sys.modules.get("IPython")
    shell = module.get_ipython() if module is not None and hasattr(module, "get_ipython") else None
    return getattr(shell, "kernel", None) is not None


class _Bar:
    """Draws a stage now and then, and whenever it changes."""

    def __init__(self, place: _Cell | _Line | _Lines) -> None:
        self._place = place
        self._stage, self._drawn, self._since = "", 0.0, 0.0

    def __call__(self, stage: str, done: int, total: int, note: str) -> None:
        """Draw, if it is time."""
        now = time.monotonic()
        name, _, rest = stage.partition(":")
        if name != self._stage:
            self._since = now
        elif now - self._drawn < _EVERY_S and not (total and done == total):
            return
        changed, self._stage, self._drawn = name != self._stage, name, now
        words = [
            f"{done:,} of {total:,}" if total else f"{done:,}" if done else "",
            _left(done, total, now - self._since),
        ]
        text = ", ".join(filter(None, (*words, (note or rest)[:_NOTE])))
        self._place.draw(TITLES.get(name, name), done / total if total else 0.0, text, changed)

    def close(self) -> None:
        """Leave nothing on the screen."""
        self._place.close()


def _left(done: int, total: int, seconds: float) -> str:
    if not (0 < done < total) or seconds < 2:
        return ""
    left = seconds * (total - done) / done
    return f"about {left / 60:.0f} min left" if left > 90 else f"about {left:.0f} s left"


class StageClock:
    """Seconds per stage, and progress that knows the stage it belongs to.

    Attributes:
        seconds: stage to the time that it took so far.
    """

    def __init__(self, progress: Progress | None = None) -> None:
        self.seconds: dict[str, float] = {}
        self._progress = progress
        self._stage, self._since = "", time.perf_counter()

    def start(self, stage: str) -> None:
        """End the stage before, and begin this one; "" begins none."""
        now = time.perf_counter()
        if self._stage:
            spent = self.seconds.get(self._stage, 0.0) + now - self._since
            self.seconds[self._stage] = round(spent, 3)
        self._stage, self._since = stage, now
        if stage:
            self.report(0, 0)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """One stage, as long as the block runs."""
        self.start(name)
        try:
            yield
        finally:
            self.start("")

    def report(self, done: int, total: int, note: str = "") -> None:
        """Tell the callback how far this stage is."""
        if self._progress is not None:
            self._progress(self._stage, done, total, note)


class _Cell:
    """The output of a notebook's cell, drawn over and over by IPython alone; no widgets are
    needed.
    """

    def __init__(self) -> None:
        self._handle: Any = None

    def draw(self, title: str, share: float, text: str, changed: bool) -> None:
        """Draw a bar that is full at a `share` of 1."""
        from html import escape

        self._show(
            f"<div style='font-family:monospace'>{escape(title)} <progress max='1' "
            f"value='{min(1.0, share):.3f}'></progress> "
            f"{escape(text)}</div>"
        )

    def close(self) -> None:
        """Empty the output."""
        if self._handle is not None:
            self._show("")

    def _show(self, text: str) -> None:
        shows = import_module("IPython.display")
        with suppress(Exception):  # whatever a front end raises: a drawing must not end the work
            if self._handle is None:
                self._handle = shows.display(shows.HTML(text), display_id=True)
            else:
                self._handle.update(shows.HTML(text))


class _Line:
    """One line of a terminal."""

    def __init__(self) -> None:
        self._width = 0

    def draw(self, title: str, share: float, text: str, changed: bool) -> None:
        """Draw a bar that is full at a `share` of 1."""
        full = round(20 * min(1.0, share))
        line = "".join(
            sign if sign.isprintable() else "?"
            for sign in f"{title} [{'#' * full}{' ' * (20 - full)}] {text}"
        )[:110]
        sys.stderr.write("\r" + line.ljust(self._width))
        sys.stderr.flush()
        self._width = len(line)

    def close(self) -> None:
        """Wipe the line."""
        if self._width:
            sys.stderr.write("\r" + " " * self._width + "\r")
            sys.stderr.flush()


class _Lines:
    """A line for each stage, where nothing can be drawn over."""

    def draw(self, title: str, share: float, text: str, changed: bool) -> None:
        """Name a stage when it begins."""
        if changed:
            sys.stderr.write(f"dataprep: {title}\n")

    def close(self) -> None:
        """Nothing is left open."""
