"""Frames: what goes in comes out, and large arrays are not copied on the way."""

from __future__ import annotations

import io
from pickle import PickleBuffer

import numpy as np
import pytest

from dataprep.backends.wire import frame_parts, pickled, read_frame

ARRAY = np.arange(600, dtype=np.uint8).reshape(2, 300)


def reader(data: bytes) -> io.BufferedReader:
    return io.BufferedReader(io.BytesIO(data))  # type: ignore[arg-type]  # reads like a raw stream


def test_messages_follow_one_another() -> None:
    messages = [None, [1, "two"], (PickleBuffer(ARRAY.data), PickleBuffer(ARRAY[1].data)), b"end"]
    stream = reader(b"".join(map(pickled, messages)))
    assert read_frame(stream) is None
    assert read_frame(stream) == [1, "two"]
    first, second = read_frame(stream)
    assert bytes(first) == ARRAY.tobytes()
    assert bytes(second) == ARRAY[1].tobytes()
    assert read_frame(stream) == b"end"


def test_buffers_are_written_from_where_they_lie() -> None:
    head, *views = frame_parts([(1, PickleBuffer(ARRAY.data))])
    assert len(head) < ARRAY.nbytes
    assert [np.shares_memory(np.asarray(view), ARRAY) for view in views] == [True]


def test_a_frame_that_breaks_off_is_the_end() -> None:
    frame = pickled([PickleBuffer(ARRAY.data)])
    for length in range(0, len(frame), 7):
        with pytest.raises(EOFError):
            read_frame(reader(frame[:length]))
