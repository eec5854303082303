"""Files that a user names: read whole, as regular files of bounded size or as a pipe that somebody
writes to.

``/dev/zero`` would fill the memory and a named pipe that nobody writes to would wait for ever; here
both are one clear line.
"""

from __future__ import annotations

import json
import os
import re
import select
import stat
from typing import Any

from dataprep.errors import InputError

MB = 1 << 20
#: Bytes of a file that a user names, unless the reader says otherwise.
LIMIT = 256 * MB
#: Seconds without a byte after which a pipe is given up.
WAIT_S = 60.0

_CHUNK = MB
_HALF = re.compile(r"\\u[dD][89a-fA-F]")
_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}


def content_hash(*paths: str | os.PathLike[str]) -> str:
    """128-bit hexadecimal hash (XXH3) of the bytes of the files, one after the other."""
    import xxhash

    digest = xxhash.xxh3_128()
    for path in paths:
        with open(path, "rb") as file:
            while block := file.read(_CHUNK):
                digest.update(block)
    return str(digest.hexdigest())


def read_input(
    path: str | os.PathLike[str], what: str, *, limit: int = LIMIT, wait_s: float | None = None
) -> bytes:
    """The bytes of a file that the user named.

    A pipe that is written to is read to its end (``--files <(find ...)``), and ``/dev/null`` is an
    empty file.

    Args:
        path: the file.
        what: what it should be, for messages: "the configuration", "the ignore list".
        limit: bytes that it may have.
        wait_s: seconds that a pipe may be silent; `WAIT_S` when None.

    Raises:
        InputError: no such file, a folder, a device, more than `limit` bytes, or a pipe in which
            nothing comes.
    """
    place = os.fspath(path)
    try:
        handle = _open(place, what)
        try:
            if stat.S_ISFIFO(os.fstat(handle).st_mode):
                return _read_pipe(handle, place, what, limit, WAIT_S if wait_s is None else wait_s)
            return _read_whole(handle, place, what, limit)
        finally:
            os.close(handle)
    except OSError as error:
        raise InputError(f"cannot read {what} {place}: {error.strerror or error}") from error


def check_input(path: str | os.PathLike[str], what: str, *, limit: int = LIMIT) -> str:
    """`path`, where it is a regular file of at most `limit` bytes: for libraries that open files
    themselves.

    Raises:
        InputError: no such file, a folder, a device, a pipe, or more than `limit` bytes.
    """
    place = os.fspath(path)
    try:
        handle = _open(place, what)
        try:
            found = os.fstat(handle)
            if not stat.S_ISREG(found.st_mode):
                raise InputError(
                    f"cannot read {what} {place}: expected a regular file, got a pipe or a device"
                )
            if found.st_size > limit:
                raise _too_large(place, what, limit)
        finally:
            os.close(handle)
    except OSError as error:
        raise InputError(f"cannot read {what} {place}: {error.strerror or error}") from error
    return place


def read_text(path: str | os.PathLike[str], what: str, *, limit: int = LIMIT) -> str:
    """The text of a file in UTF-8, with or without a byte-order mark; arguments as of `read_input`.

    Raises:
        InputError: as `read_input`, or the file is not UTF-8.
    """
    data = read_input(path, what, limit=limit)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"cannot read {what} {os.fspath(path)}: expected text in UTF-8, got the byte "
            f"0x{data[error.start]:02x} "
            f"at position {error.start}: save it as UTF-8"
        ) from error


def read_json(path: str | os.PathLike[str], what: str, *, limit: int = LIMIT) -> Any:
    """The content of a JSON file; arguments as of `read_input`.

    Raises:
        InputError: as `read_input`, or the file is not JSON, or is nested too deeply.
    """
    text = read_text(path, what, limit=limit)
    try:
        found = json.loads(text)
        if _HALF.search(text):  # half of a pair, which no file of ours can hold
            json.dumps(found, ensure_ascii=False).encode()
        return found
    except RecursionError:
        raise InputError(
            f"cannot read {what} {os.fspath(path)}: its lists and objects are nested too deeply"
        ) from None
    except ValueError as error:
        raise InputError(
            f"cannot read {what} {os.fspath(path)}: not valid JSON: {error}"
        ) from error


def _open(place: str, what: str) -> int:
    """A handle that never waits: of a regular file, a pipe, or ``/dev/null``."""
    if "\0" in place:
        raise InputError(f"cannot read {what} {place!r}: a path holds no null character")
    handle = os.open(
        place,
        os.O_RDONLY
        | getattr(os, "O_NONBLOCK", 0)
        | getattr(os, "O_BINARY", 0)
        | getattr(os, "O_NOCTTY", 0),
    )
    found = os.fstat(handle)
    kind = stat.S_IFMT(found.st_mode)
    if kind in _KINDS and not _is_null(found):
        os.close(handle)
        raise InputError(f"cannot read {what} {place}: expected a file, got {_KINDS[kind]}")
    return handle


def _is_null(found: os.stat_result) -> bool:
    return (
        stat.S_ISCHR(found.st_mode)
        and os.name == "posix"
        and found.st_rdev == os.stat(os.devnull).st_rdev
    )


def _read_whole(handle: int, place: str, what: str, limit: int) -> bytes:
    if os.fstat(handle).st_size > limit:
        raise _too_large(place, what, limit)
    return _read_until_end(handle, place, what, limit)


def _read_until_end(handle: int, place: str, what: str, limit: int) -> bytes:
    """What a size that is not told (``/proc``) or a file that grows may give."""
    chunks: list[bytes] = []
    size = 0
    while chunk := os.read(handle, _CHUNK):
        chunks.append(chunk)
        size += len(chunk)
        if size > limit:
            raise _too_large(place, what, limit)
    return b"".join(chunks)


def _read_pipe(handle: int, place: str, what: str, limit: int, wait_s: float) -> bytes:
    """To the end of a pipe: while nobody has written to it yet, it is not readable."""
    poll = select.poll()
    poll.register(handle, select.POLLIN | select.POLLHUP)
    chunks: list[bytes] = []
    size = 0
    while True:
        if not poll.poll(wait_s * 1000):
            raise InputError(
                f"cannot read {what} {place}: it is a pipe, and for {wait_s:g} s nothing was "
                "written to it: start its writer, "
                "or give a file"
            )
        try:
            chunk = os.read(handle, _CHUNK)
        except BlockingIOError:
            continue
        if not chunk:
            return b"".join(chunks)
        chunks.append(chunk)
        size += len(chunk)
        if size > limit:
            raise _too_large(place, what, limit)


def _too_large(place: str, what: str, limit: int) -> InputError:
    return InputError(
        f"cannot read {what} {place}: it has more than {limit / MB:,.0f} MB, which is the limit"
    )
