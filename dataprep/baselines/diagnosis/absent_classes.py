"""Classes of which a part that was judged has no image, in words: no figure of that part is
about them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dataprep.baselines.diagnosis.findings import number
from dataprep.schemas.text.words import first_of

#: Classes that a sentence names.
_NAMED = 5


def absent_sentences(metrics: Mapping[str, Any], parts: Sequence[tuple[str, str]]) -> Iterator[str]:
    """A sentence for each judged part that lacks a class.

    Args:
        metrics: everything measured (``metrics.json``).
        parts: (key in the metrics, name) of the judged parts.
    """
    for key, part in parts:
        classes = (metrics.get(key) or {}).get("classes") or []
        lacking = [each for each in classes if not each["support"]]
        if not lacking:
            continue
        zero = [each["class"] for each in lacking if number(each["f1"]["value"]) == 0]
        rest = [each["class"] for each in lacking if each["class"] not in zero]
        counted = [f"counts {_named(zero)} as 0 (predicted, and never right)"] if zero else []
        counted += [f"leaves {_named(rest)} out"] if rest else []
        yield (
            f"{part[:1].upper()}{part[1:]} has no image of class "
            f"{_named([each['class'] for each in lacking])}: recall there is "
            f"unknown, and macro-F1 {' and '.join(counted)}."
        )


def _named(names: Sequence[str]) -> str:
    return first_of(map(repr, names), _NAMED)
