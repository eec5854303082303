"""The check label-spelling: labels that are probably other spellings of one class."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dataprep.checks.contract import Check
from dataprep.checks.records.record_faults import fault_claims

if TYPE_CHECKING:
    import pandas as pd

    from dataprep.checks.contract import Look
    from dataprep.schemas.dataset import Dataset


@dataclass(frozen=True)
class LabelSpelling(Check):
    """Labels that are probably other spellings of one class.

    What it finds:
        Labels, or class folders, that differ from a more frequent one by case, white space, hyphens
        between words, the way a number is written (1, 01, 1.0), or by a typo: two letters swapped,
        one doubled, left out, added or changed.
    Why it matters:
        Each spelling becomes a class of its own: the model is asked to tell cat from Cat, and the
        classes seem smaller than they are.
    What to do:
        Relabel to the suggested spelling, or rename the folder, unless both are meant. Dismiss the
        claim if both are classes.
    How it works:
        Labels that are equal after Unicode compatibility folding, case folding and joining words
        are one, unless they are single letters; so are equal numbers, but not 1.1 and 1.10 beside
        1.9 or 1.11 (sections). For typos the distance is Damerau's (1964): one edit in one word. A
        typo is rare: at most 3 samples or 1 % of the other label, and 10 times rarer than it (3
        times for swapped and doubled letters). Edits that make other names do not count: in digits,
        in the first letter, in words of four letters or fewer (but for swaps and doublings). Where
        rare labels are usual (a long tail), rarity says nothing and only equal foldings are
        reported. In labels of over 200 signs no typos are looked for.
    Known limits:
        Typos that are as frequent as the right spelling, or two edits away, are not found. Names
        that differ by one inner letter and of which one is rare (planet, planes) are taken for a
        typo: confidence 0.7 says so.
    Measured quality:
        benchmarks/labels.py, on the class names of CIFAR-100, Food-101, COCO, Oxford Pets, skin
        lesions and numbered classes (458 names) with equal class sizes, a tail and a long tail, 60
        draws each: no false alarm. Planted in a class of at least 40 samples, found: case, white
        space and joining 100 %, letters swapped 97 %, doubled 100 %, left out 57 %, changed 64 %
        (the rest are in short words or first letters, where an edit makes another name as easily).
        Two classes that differ by case alone, such as the garment cardigan and the dog Cardigan of
        ImageNet, are a false alarm, with confidence 0.85 when they are of like size.
    """

    code = "label-spelling"
    family = "records"
    severity = "error"
    scope = "class"
    suggestion = "relabel"
    summary = "Inconsistent spelling of class names"
    advice = "Use one spelling; dataprep clean --relabel can apply it."
    message = (
        "the label {target!r} (samples: {figure:,.0f}) is probably another spelling of "
        "{value!r} ({meant:,}): {why}"
    )

    def find(self, dataset: Dataset, look: Look) -> Iterator[pd.DataFrame]:
        """Yield the faults that reading the records left."""
        yield from fault_claims(self, dataset)
