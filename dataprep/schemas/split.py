"""Split: a data set divided into parts, with the proof that the division is clean; and the names
of the files of a split.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dataprep.schemas.results.proof import Proof

if TYPE_CHECKING:
    from dataprep.schemas.dataset import Dataset

#: Files of a split in its folder (``dataprep-out/split``).
SPLITS, SAMPLES, PROOF, PAGE, RUN, LEDGER = (
    "splits.csv",
    "samples.parquet",
    "proof.json",
    "split.html",
    "run.json",
    "test_ledger.jsonl",
)

#: Columns that a split adds to the samples: the part, and what stayed together (the least sample
#: name of the unit).
PART, UNIT = "split", "unit"
#: Column that a repair adds: the part in which each sample was.
BEFORE = "split_before"


@dataclass(frozen=True, eq=False)
class Split:
    """A data set divided into parts.

    Attributes:
        dataset: the samples that take part, with the columns ``split`` (part or fold; of further
            repeats: ``split_2``, ``split_3``, ...) and ``unit`` (what stayed together: the least
            sample name of each unit).
        proof: what was asked for, what came of it and what leaks.
        run: everything that shaped the result (``run.json``).

    Example:
        >>> import dataprep, pandas as pd
        >>> names = ["1.jpg", "2.jpg", "3.jpg"]
        >>> samples = pd.DataFrame({"split": ["train", "train", "test"]}, index=names)
        >>> dataprep.Split(dataprep.Dataset("photos", samples)).parts
        {'test': 1, 'train': 2}
    """

    dataset: Dataset
    proof: Proof = field(default_factory=Proof)
    run: Mapping[str, Any] = field(default_factory=dict)

    @property
    def parts(self) -> dict[str, int]:
        """Samples in each part, in the order in which the parts were asked for."""
        counts = self.dataset.samples[PART].value_counts()
        return {name: int(counts.get(name, 0)) for name in self.proof.parts or sorted(counts.index)}

    def __repr__(self) -> str:
        return f"Split({', '.join(f'{name}: {count}' for name, count in self.parts.items())})"


@dataclass(frozen=True)
class SplitPaths:
    """Where the files of a split are."""

    folder: str

    @property
    def splits(self) -> str:
        """One row per sample: path, label, split, unit."""
        return os.path.join(self.folder, SPLITS)

    @property
    def samples(self) -> str:
        """The whole table of samples, with everything measured."""
        return os.path.join(self.folder, SAMPLES)

    @property
    def proof(self) -> str:
        """The proof, for machines."""
        return os.path.join(self.folder, PROOF)

    @property
    def page(self) -> str:
        """The proof, for people."""
        return os.path.join(self.folder, PAGE)

    @property
    def run(self) -> str:
        """What shaped the result."""
        return os.path.join(self.folder, RUN)

    @property
    def ledger(self) -> str:
        """Every evaluation on the test part: who, when, which model."""
        return os.path.join(self.folder, LEDGER)
