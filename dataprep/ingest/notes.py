"""Words for notes: names of columns and classes as one line can show them."""

from __future__ import annotations

from collections.abc import Iterable

from dataprep.schemas.text.names import escape_name
from dataprep.schemas.text.words import first_of, printable

_LONGEST = 40


def shown(name: str) -> str:
    """A name in one line: characters that do not print are escaped, and what is longer than 40
    characters is cut.
    """
    text = printable(escape_name(name))
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."


def listed(names: Iterable[str], most: int = 4) -> str:
    """Names in one line, with how many more there are: ``cat, dog and 3 more``."""
    return first_of(map(shown, names), most)
