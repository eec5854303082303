"""What the machine lacks when a command fails through no fault of its own: memory, room on the
disk, files, processes.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator

_MEMORY = (
    "there is not enough memory: free some, raise the limit on it (ulimit -v), or take fewer --jobs"
)
#: Address space that every command can do with, bytes.
_ADDRESS_SPACE = 4 << 30
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)
#: What libraries and the loader of libraries say where memory or processes run out, in lower case.
_WORDS = (
    "cannot allocate memory",
    "failed to map segment",
    "std::bad_alloc",
    "bad allocation",
    "out of memory",
    "can't start new thread",
    "resource temporarily unavailable",
)


def note_little_address_space() -> str:
    """A line where `ulimit -v` leaves too little for the libraries, some of which end the
    process for lack of it; else "".
    """
    try:
        import resource
    except ImportError:  # Windows
        return ""
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit == resource.RLIM_INFINITY or limit >= _ADDRESS_SPACE:
        return ""
    os.environ.setdefault(
        "OPENBLAS_NUM_THREADS", "1"
    )  # it reserves room for each thread when it is loaded
    return (
        f"the address space is limited to {limit / 2**20:,.0f} MB (ulimit -v), and a command may "
        "end for lack of it: "
        f"{_ADDRESS_SPACE / 2**20:,.0f} MB are enough"
    )


def lack_of(error: BaseException) -> str:
    """What was lacking, in words; "" where `error` is of another kind."""
    for each in _chain(error):
        if isinstance(each, MemoryError) or (
            isinstance(each, OSError) and each.errno == errno.ENOMEM
        ):
            return _MEMORY
        if isinstance(each, OSError) and each.errno in (errno.EMFILE, errno.ENFILE):
            return "too many files are open: raise the limit (ulimit -n), or take fewer --jobs"
        if isinstance(each, OSError) and each.errno in _NO_ROOM:
            where = (
                f": {each.filename}" if each.filename else ""
            )  # none: what is printed goes to a full disk
            return f"could not write{where}: {(each.strerror or 'no room').lower()}"
        if isinstance(each, ImportError | OSError | RuntimeError | SystemError) and _says_so(each):
            return _MEMORY
    return ""


def _says_so(error: BaseException) -> bool:
    text = str(error).lower()
    return any(word in text for word in _WORDS)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error, and those that led to it."""
    seen: set[int] = set()
    each: BaseException | None = error
    while each is not None and id(each) not in seen:
        seen.add(id(each))
        yield each
        each = each.__cause__ or each.__context__
