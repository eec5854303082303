"""Two folders are swapped in one step, where the operating system and the file system can
do that.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import cache

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2  # Linux: renameat2(2)
_RENAME_SWAP = 2  # macOS: renamex_np(2)


def exchange(one: str, other: str) -> bool:
    """Swap two paths of one file system in one step; gives whether that was done. Nothing is
    changed where it was not.
    """
    swap = _swapper()
    return swap is not None and swap(os.fsencode(one), os.fsencode(other)) == 0


@cache
def _swapper() -> Callable[[bytes, bytes], int] | None:
    """The call of this system: 0 for done; None where there is none (Windows, old C libraries)."""
    system: str = sys.platform
    if system not in ("linux", "darwin"):
        return None
    import ctypes

    library = ctypes.CDLL(None, use_errno=True)
    name = "renameat2" if system == "linux" else "renamex_np"
    try:
        call = getattr(library, name)
    except AttributeError:
        return None
    if system == "linux":
        call.argtypes = [
            ctypes.c_int,
            ctypes.c_char_p,
            ctypes.c_int,
            ctypes.c_char_p,
            ctypes.c_uint,
        ]
        return lambda one, other: int(call(_AT_FDCWD, one, _AT_FDCWD, other, _RENAME_EXCHANGE))
    call.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_uint]
    return lambda one, other: int(call(one, other, _RENAME_SWAP))
