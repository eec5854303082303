"""Words for messages: counted nouns, lists of names that end early, and text that a terminal
shows rather than obeys.
"""

from __future__ import annotations

from collections.abc import Iterable


def counted(number: int, noun: str, plural: str = "") -> str:
    """The number and its noun: ``1 class``, ``2 classes``, ``3,000 rows``; `plural` is for nouns
    that take neither s nor es.
    """
    plural = plural or noun + ("es" if noun.endswith("s") else "s")
    return f"{number:,} {noun if number == 1 else plural}"


def first_of(texts: Iterable[str], most: int) -> str:
    """The first texts in one line, with how many more there are: ``cat, dog and 3 more``."""
    every = list(texts)
    line = ", ".join(every[:most])
    return line if len(every) <= most else f"{line} and {len(every) - most:,} more"


def printable(text: str) -> str:
    """The text with control characters (line breaks, escape sequences, direction marks) written
    out.
    """
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in text
    )
