"""Words for notes: names of columns and classes as one line can show them."""

from __future__ import annotations

from collections.abc import Iterable

from dataprep.schemas.names import escape_name

_LONGEST = 40


def shown(name: str) -> str:
    """A name in one line: signs that do not print are escaped, and what is longer than 40 signs is cut."""
    text = escape_name(name)
    if not text.isprintable():
        text = ascii(text)[1:-1] if any(ord(sign) < 32 or ord(sign) == 127 for sign in text) else text
        text = "".join(sign if sign.isprintable() else f"\\u{ord(sign):04x}" for sign in text)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."


def listed(names: Iterable[str], most: int = 4) -> str:
    """Names in one line, with how many more there are: ``cat, dog and 3 more``."""
    every = list(names)
    text = ", ".join(map(shown, every[:most]))
    return text if len(every) <= most else f"{text} and {len(every) - most:,} more"


def counted(number: int, noun: str) -> str:
    """``1 class``, ``2 classes``, ``3 rows``."""
    return f"{number:,} {noun}{'' if number == 1 else 'es' if noun.endswith('s') else 's'}"
