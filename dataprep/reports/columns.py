"""Text on a terminal, where wide letters take two columns: its width, and its wrapping."""

from __future__ import annotations

import textwrap
import unicodedata

#: Stands behind each wide letter while `textwrap`, which counts letters, breaks the lines.
#: Printable texts never hold it.
_FILLER = "\x00"


def width_of(text: str) -> int:
    """Columns that a terminal gives the text: wide (East Asian) letters take two, combining
    signs none.
    """
    return sum(2 if _is_wide(letter) else not unicodedata.combining(letter) for letter in text)


def wrapped(
    text: str, width: int, indent: str = "", hang: str = "", most: int | None = None
) -> list[str]:
    """The text in lines of at most `width` columns.

    Args:
        text: without line breaks that matter.
        width: columns of a line, indent included.
        indent: before the first line.
        hang: before the others.
        most: lines at most; what is left is cut, with an ellipsis.
    """
    if not text.isascii():
        text = "".join(letter + _FILLER if _is_wide(letter) else letter for letter in text)
    lines = textwrap.wrap(
        text,
        width,
        initial_indent=indent,
        subsequent_indent=hang,
        break_on_hyphens=False,
        max_lines=most,
        placeholder="…",
    )
    return [line.replace(_FILLER, "") for line in lines]


def _is_wide(letter: str) -> bool:
    return unicodedata.east_asian_width(letter) in "WF"
