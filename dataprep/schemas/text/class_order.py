"""The one order of classes: it numbers them in every output, so that class 2 is the same class
in a model and in a shard.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal

#: Numbers as people number classes: ``7``, ``007``, ``-1``, ``2.5``; neither ``1e5`` nor ``nan``.
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
#: Digits of a number; what is longer is text.
_MOST_DIGITS = 400


def class_order(names: Iterable[str]) -> tuple[str, ...]:
    """Distinct class names in order: of numbers where all are numbers (0 1 2 ... 10), else of text
    by code points.

    Of names that are one number written in several ways (``1``, ``01``), the order is that of text.
    """
    distinct = sorted(set(names))
    if all(len(name) <= _MOST_DIGITS and _NUMBER.fullmatch(name) for name in distinct):
        distinct.sort(key=Decimal)
    return tuple(distinct)


def is_text_order(names: Iterable[str]) -> bool:
    """Whether programs that number classes in the order of their names as text number these as
    `class_order` does.
    """
    ordered = class_order(names)
    return ordered == tuple(sorted(ordered))
