"""``~`` in arguments that no shell has expanded: quoted, or behind the equals sign of an option."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

_OPTION = re.compile(r"(--[a-z-]+=)(~.*)", re.DOTALL)


def with_home(arguments: Sequence[str]) -> list[str]:
    """`arguments` with ``~/...`` and ``~user/...`` expanded where nothing is called so."""
    return [_expanded(argument) for argument in arguments]


def _expanded(argument: str) -> str:
    option = _OPTION.fullmatch(argument)
    start, path = (option[1], option[2]) if option else ("", argument)
    if not path.startswith("~") or ("/" not in path and path != "~") or _is_here(path):
        return argument
    return start + os.path.expanduser(path)


def _is_here(path: str) -> bool:
    """Whether the first part of a path is the name of a file or folder here."""
    return os.path.lexists(path.partition("/")[0])
