"""What a worker process and the thread that guards it share: frames on the pipes and a page of
heartbeat.

A frame is a pickle behind its length, and behind it the buffers that the pickle refers to (PEP
574): large arrays travel without being copied into the pickle and out of it. The heartbeat is one
page of the scratch file that the worker was given as its standard error: the guard reads it without
waking the worker, and it outlives the worker. Text that libraries print follows behind it.
"""

from __future__ import annotations

import io
import mmap
import pickle
import struct
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

#: Bytes of the pickle, number of buffers.
_HEAD = struct.Struct("<QQ")
_GONE = "the other side of the pipe is gone"
_COUNTS = struct.Struct("<qqq")

#: Bytes at the head of the scratch file that hold the heartbeat.
HEARTBEAT_BYTES = mmap.ALLOCATIONGRANULARITY


def pickled(message: Any) -> bytes:
    """`message` as a frame."""
    return b"".join(frame_parts(message))


def frame_parts(message: Any) -> list[bytes | memoryview]:
    """`message` as the parts of a frame, to be written one after another: what it holds as
    `pickle.PickleBuffer` (contiguous, not empty) is not copied.
    """
    buffers: list[pickle.PickleBuffer] = []
    body = pickle.dumps(message, protocol=5, buffer_callback=buffers.append)
    views = [buffer.raw() for buffer in buffers]
    sizes = struct.pack(f"<{len(views)}Q", *(view.nbytes for view in views))
    return [_HEAD.pack(len(body), len(views)) + sizes + body, *views]


def read_frame(stream: io.BufferedReader) -> Any:
    """The next message from `stream`; its `PickleBuffer` are views of one block of bytes.

    Raises:
        EOFError: the other side has closed the pipe or died, perhaps in the middle of a frame.
    """
    length, count = _HEAD.unpack(_read_exactly(stream, _HEAD.size))
    sizes = struct.unpack(f"<{count}Q", _read_exactly(stream, 8 * count)) if count else ()
    body = _read_exactly(stream, length)
    return pickle.loads(body, buffers=_read_buffers(stream, sizes))


def _read_buffers(stream: io.BufferedReader, sizes: Sequence[int]) -> list[memoryview]:
    block = memoryview(bytearray(sum(sizes)))
    if block.nbytes and stream.readinto(block) < block.nbytes:
        raise EOFError(_GONE)
    ends = list(accumulate(sizes))
    return [block[end - size : end] for size, end in zip(sizes, ends, strict=True)]


def _read_exactly(stream: io.BufferedReader, count: int) -> bytes:
    data = stream.read(count)
    if len(data) < count:
        raise EOFError(_GONE)
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
