"""What a worker process and the thread that guards it share: frames on the pipes and a page of
heartbeat.

A frame is a pickle behind its length. The heartbeat is one page of the scratch file that the worker
was given as its standard error: the guard reads it without waking the worker, and it outlives the
worker. Text that libraries print follows behind it.
"""

from __future__ import annotations

import mmap
import pickle
import struct
from typing import Any, BinaryIO

_LENGTH = struct.Struct("<Q")
_COUNTS = struct.Struct("<qqq")

#: Bytes at the head of the scratch file that hold the heartbeat.
HEARTBEAT_BYTES = mmap.ALLOCATIONGRANULARITY


def pickled(message: Any) -> bytes:
    """`message` as a frame."""
    body = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    return _LENGTH.pack(len(body)) + body


def read_frame(stream: BinaryIO) -> Any:
    """The next message from `stream`.

    Raises:
        EOFError: the other side has closed the pipe or died, perhaps in the middle of a frame.
    """
    body = _read_exactly(stream, _LENGTH.unpack(_read_exactly(stream, _LENGTH.size))[0])
    return pickle.loads(body)


def _read_exactly(stream: BinaryIO, count: int) -> bytes:
    data = stream.read(count)
    if len(data) < count:
        raise EOFError("the other side of the pipe is gone")
    return data


def words_of(error: BaseException) -> str:
    """An error in one line: ``TypeName: message``."""
    return " ".join(f"{type(error).__name__}: {error}".split()).removesuffix(":")


class Heartbeat:
    """Counts that the worker writes and the guard reads: its process id, items started, items
    finished.
    """

    def __init__(self, fd: int) -> None:
        """Map the first page of the file open as `fd`, which must be at least that long."""
        self._page = mmap.mmap(fd, HEARTBEAT_BYTES)

    def write(self, pid: int, started: int, finished: int) -> None:
        """Record where the worker is."""
        _COUNTS.pack_into(self._page, 0, pid, started, finished)

    def read(self) -> tuple[int, int, int]:
        """(process id, items started, items finished); zeros before the worker wrote for the
        first time.
        """
        pid, started, finished = _COUNTS.unpack_from(self._page, 0)
        return pid, started, finished

    def close(self) -> None:
        """Unmap the page."""
        self._page.close()
