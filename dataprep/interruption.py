"""Interruptions: Ctrl-C and the request to end count wherever they arrive, also inside imports and
other libraries.

Python turns Ctrl-C into an exception at some line of the main thread. A library in C may turn that
into an exception of its own (an import into ImportError, a callback into SystemError) or swallow
it. So the handler leaves a note before it raises: whatever ends the command after that is the
interruption, and a command that goes on in spite of it ends at its next sign of progress.
"""

from __future__ import annotations

import signal
import sys
from types import FrameType

_arrived = 0


def watch() -> None:
    """Take note of SIGINT and SIGTERM from now on. SIGINT stays ignored where it is, as under
    nohup.
    """
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, _note)
    signal.signal(signal.SIGTERM, _note)


def arrived() -> int:
    """The number of the signal that arrived first, 0 for none."""
    return _arrived


def take() -> int:
    """As `arrived`, and the note is forgotten: the command that it ended is over."""
    global _arrived
    number, _arrived = _arrived, 0
    return number


def end_if_arrived() -> None:
    """Raise what the handler raised, where that got lost."""
    if _arrived:
        _raise(_arrived)


def _note(number: int, frame: FrameType | None) -> None:
    global _arrived
    _arrived = _arrived or number
    _raise(number)


def _raise(number: int) -> None:
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    sys.exit(128 + number)
