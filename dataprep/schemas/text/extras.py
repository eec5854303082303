"""How to install an extra: the command that works for how dataprep itself was installed."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any
from urllib.parse import urlparse
from urllib.request import url2pathname

NAME = "dataprep-images"
_CONSTRAINTS = "constraints.txt"


@cache
def how_to_install(extra: str) -> str:
    """The command that adds an extra, such as "train".

    From a checkout it names that folder (with its constraints, where it has such a file), from a
    file or a repository that one, and else the name that the package has on an index.
    """
    checkout = Path(__file__).parents[3]
    return command_for(
        extra, _origin(), checkout if (checkout / "pyproject.toml").is_file() else None
    )


def command_for(extra: str, origin: Mapping[str, Any] | None, checkout: Path | None = None) -> str:
    """As `how_to_install`, of an installation's ``direct_url.json`` (PEP 610).

    Args:
        extra: its name.
        origin: what that file holds; None where there is none.
        checkout: the folder of the source that runs, where it runs from one.
    """
    origin = origin or {}
    place = _path_of(str(origin.get("url", "")))
    if place and "dir_info" in origin and os.path.isdir(place):
        return _of_folder(place, extra, editable=bool(dict(origin["dir_info"]).get("editable")))
    if place and os.path.isfile(place):
        return f"pip install {_quoted(f'{place}[{extra}]')}"
    if isinstance(origin.get("vcs_info"), Mapping):
        requirement = f"{NAME}[{extra}] @ {origin['vcs_info'].get('vcs', 'git')}+{origin['url']}"
        return f"pip install {_quoted(requirement)}"
    if checkout is not None:
        return _of_folder(str(checkout), extra, editable=True)
    return f"pip install {_quoted(f'{NAME}[{extra}]')}"


def _of_folder(place: str, extra: str, *, editable: bool) -> str:
    constraints = os.path.join(place, _CONSTRAINTS)
    words = ["pip", "install"]
    words += (
        ["-c", _quoted(constraints) if " " in constraints else constraints]
        if os.path.isfile(constraints)
        else []
    )
    words += ["-e"] if editable else []
    return " ".join([*words, _quoted(f"{place}[{extra}]")])


def _quoted(requirement: str) -> str:
    """In the quotes that every shell takes, for the brackets; a name with more to it as POSIX
    shells want it.
    """
    plain = not set(requirement) & set('"$`\\!') or sys.platform == "win32"
    return f'"{requirement}"' if plain else shlex.quote(requirement)


def _path_of(url: str) -> str:
    parts = urlparse(url)
    return url2pathname(parts.path) if parts.scheme == "file" else ""


def _origin() -> dict[str, Any] | None:
    try:
        found = json.loads(distribution(NAME).read_text("direct_url.json") or "null")
    except (PackageNotFoundError, OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
