"""Spellings of one name: labels that differ by case, white space or a probable typo."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataprep.schemas.dataset import Dataset

_SPACES = re.compile(r"\s+")
_JOINTS = re.compile(r"(?<=[^\W\d_])[\s_\-]+(?=[^\W\d_])")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_DIGITS = re.compile(r"\d+")
_NUMBER = re.compile(r"([+-]?)0*(\d+)(?:\.(\d*))?(?:[eE]([+-]?\d{1,2}))?", re.ASCII)

#: A typo is rare beside what was meant: kind of edit to (how many times rarer, at least).
_RARER = {"letters swapped": 3, "letter doubled": 3, "plural": 10, "one letter": 10}
_FEW = 3
_SHORT_WORD = 4
#: Labels with more signs are sentences: no typos are looked for, which costs the square of the
#: length in time and memory.
_LONGEST = 200
#: Numbers that decimals of 28 digits hold exactly.
_MOST_DIGITS = 24


@dataclass(frozen=True)
class Misspelling:
    """`label` is probably another spelling of `meant`; `why` says in words what differs,
    `confidence` how sure that is.
    """

    label: str
    meant: str
    why: str
    confidence: float


def meant_labels(dataset: Dataset) -> dict[str, str]:
    """Label to the one that is meant, of the labels that `Dataset.faults` takes for misspelt."""
    if dataset.faults is None:
        return {}
    faults = dataset.faults[(dataset.faults["check"] == "label-spelling").to_numpy()]
    return dict(zip(faults["target"], faults["value"], strict=True))


def misspellings(counts: Mapping[str, int]) -> list[Misspelling]:
    """Labels that are probably another spelling of a more frequent one, from the number of samples
    of each.

    Two rules. Labels that are equal but for case, white space, or how words are joined (``hot
    dog``, ``hot_dog``) are one, unless they are a single letter; so are equal numbers (``1``,
    ``01``, ``1.0``, ``1e0``), but not ``1.1`` and ``1.10`` where ``1.9`` or ``1.11`` is a label
    too, since those are numbers of sections. A label that is one edit (Damerau's: a letter changed,
    added, left out, or two neighbours swapped) from another is a typo when it is rare in itself (at
    most 3 samples or 1 % of the other) and much rarer than the other (10 times; 3 times for swapped
    or doubled letters). Edits that make other names rather than typos do not count: in digits, in
    the first letter, in words of 4 letters or fewer (but for swaps and doublings), and where rare
    labels are so usual (over 10, and over 10 % of the labels) that rarity says nothing.
    """
    meant: dict[str, Misspelling] = {}
    for spelling in _same_but_written_otherwise(counts):
        meant[spelling.label] = spelling
    kept = {label: count for label, count in counts.items() if label not in meant}
    for spelling in _typos(kept):
        meant.setdefault(spelling.label, spelling)
    return [meant[label] for label in sorted(meant)]


def _same_but_written_otherwise(counts: Mapping[str, int]) -> Iterator[Misspelling]:
    spellings: dict[str, list[str]] = defaultdict(list)
    for label in counts:
        spellings[_folded(label)].append(label)
    numbers = _equal_numbers(counts)
    for folded, labels in (*spellings.items(), *numbers.items()):
        if len(labels) < 2 or (len(folded) < 2 and folded not in numbers):
            continue
        shortest = folded in numbers
        rank = {
            each: (-counts[each], each != each.strip(), len(each) if shortest else 0, each)
            for each in labels
        }
        first, *others = sorted(labels, key=rank.__getitem__)
        for label in others:
            yield Misspelling(
                label,
                first,
                _what_differs(label, first),
                0.98 if counts[label] * 2 <= counts[first] else 0.85,
            )


def _equal_numbers(counts: Mapping[str, int]) -> dict[str, list[str]]:
    """A number, in one writing, to the labels that write it."""
    found: dict[str, list[str]] = defaultdict(list)
    for label in counts:
        match = _NUMBER.fullmatch(label.strip()) if len(label) <= _MOST_DIGITS else None
        if match and not _is_section(match, counts):
            value = Decimal(label.strip()).normalize() + 0  # no minus before zero
            found[f"number {value}"].append(label)
    return found


def _is_section(match: re.Match[str], counts: Mapping[str, int]) -> bool:
    """Whether a label such as ``1.10`` stands beside ``1.9`` or ``1.11`` and is the tenth
    section rather than a tenth.
    """
    sign, whole, fraction, exponent = match.groups()
    if not fraction or exponent or not fraction.endswith("0") or not fraction.strip("0"):
        return False
    return any(f"{sign}{whole}.{int(fraction) + step}" in counts for step in (-1, 1))


def _folded(label: str) -> str:
    text = unicodedata.normalize("NFKC", label).casefold()
    return _JOINTS.sub("", _SPACES.sub(" ", text).strip())


def _what_differs(label: str, other: str) -> str:
    if _SPACES.sub(" ", label).strip() == _SPACES.sub(" ", other).strip():
        return "white space"
    if (
        label.strip() != other.strip()
        and _NUMBER.fullmatch(label.strip())
        and _NUMBER.fullmatch(other.strip())
    ):
        return "the same number"
    if label.strip().casefold() == other.strip().casefold():
        return "case" if label.casefold() == other.casefold() else "case and white space"
    return "how it is written"


def _typos(counts: Mapping[str, int]) -> Iterator[Misspelling]:
    words = {label: tuple(_words(label)) for label in counts}
    rare = [label for label in _rare(counts) if len(label) <= _LONGEST]
    near: dict[str, list[str]] = defaultdict(list)
    for label, count in counts.items():
        if count >= min(_RARER.values()) and len(label) <= _LONGEST:
            for key in _shortened(" ".join(words[label])):
                near[key].append(label)
    for label in rare:
        candidates = {
            other for key in _shortened(" ".join(words[label])) for other in near.get(key, ())
        } - {label}
        ranked = sorted(candidates, key=lambda other: (-counts[other], other))
        for other in ranked:
            kind = _edit(words[label], words[other])
            if kind and _is_rarer(counts[label], counts[other], _RARER[kind]):
                yield Misspelling(label, other, kind, 0.9 if _RARER[kind] < 10 else 0.7)
                break


def _words(label: str) -> list[str]:
    parted = _CAMEL.sub(" ", unicodedata.normalize("NFKC", label))
    return re.sub(r"[\s_\-]+", " ", parted).strip().casefold().split(" ")


def _rare(counts: Mapping[str, int]) -> list[str]:
    """Labels so rare that they may be typos; none of a size that a good part of all labels has."""
    sizes = sorted(counts.values())
    most = max(10, len(sizes) // 10)
    limit = sizes[most] if len(sizes) > most else float("inf")
    return [label for label, count in counts.items() if count < limit]


def _is_rarer(count: int, other: int, times: int) -> bool:
    return count <= max(_FEW, other // 100) and count * times <= other


def _shortened(text: str) -> set[str]:
    """The text and every text with one letter left out; two texts one edit apart share one."""
    return {text, *(text[:i] + text[i + 1 :] for i in range(len(text)))}


def _edit(words: Sequence[str], others: Sequence[str]) -> str:
    """How two labels differ, when it is by one edit in one word that may be a typo; else empty."""
    if len(words) != len(others):
        return ""
    pairs = [(a, b) for a, b in zip(words, others) if a != b]
    if len(pairs) != 1:
        return ""
    word, other = pairs[0]
    if _DIGITS.findall(word) != _DIGITS.findall(other):
        return ""
    return _edit_of_word(word, other)


def _edit_of_word(word: str, other: str) -> str:
    start = next(
        (i for i, (a, b) in enumerate(zip(word, other)) if a != b), min(len(word), len(other))
    )
    if len(word) == len(other):
        swapped = word[:start] + word[start : start + 2][::-1] + word[start + 2 :]
        if swapped == other and len(word) >= 3:
            return "letters swapped"
        return (
            "one letter"
            if _is_long(word, other, start) and word[start + 1 :] == other[start + 1 :]
            else ""
        )
    short, long = sorted((word, other), key=len)
    if len(long) != len(short) + 1 or short[start:] != long[start + 1 :]:
        return ""
    if len(short) >= 3 and start == len(short) and long[-1] == "s":
        return "plural"
    if len(short) >= 3 and start > 0 and long[start] == long[start - 1]:
        return "letter doubled"
    return "one letter" if _is_long(word, other, start) else ""


def _is_long(word: str, other: str, start: int) -> bool:
    return min(len(word), len(other)) > _SHORT_WORD and start > 0
