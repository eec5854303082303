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


def lower_first(summary: str) -> str:
    """A heading inside a sentence: its first letter in lower case, unless it starts with an
    abbreviation.

    >>> lower_first("Dark images"), lower_first("EXIF rotation")
    ('dark images', 'EXIF rotation')
    """
    return summary if summary[1:2].isupper() else summary[:1].lower() + summary[1:]


def missing_classes(counts: Iterable[tuple[str, int]], most: int) -> str:
    """Classes that a split lacks, with their samples elsewhere: ``'cat' (3 elsewhere) and 2 more
    classes``.

    >>> missing_classes([("cat", 3), ("dog", 1)], 1)
    "'cat' (3 elsewhere) and 1 more class"
    """
    every = list(counts)
    named = ", ".join(f"{name!r} ({count:,} elsewhere)" for name, count in every[:most])
    more = len(every) - most
    return named + (f" and {counted(more, 'more class')}" if more > 0 else "")


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
