"""What a plan never does unasked: change the test split, or drop the last sample of a class."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from dataprep.schemas.manifest import split_of

if TYPE_CHECKING:
    from dataprep.schemas.dataset import Dataset

#: Which part's member of a group of copies stays: test before val and others, these before train.
_TEST, _OTHER, _TRAIN = range(3)


@dataclass(frozen=True)
class SampleFacts:
    """Label and split of the samples that claims name.

    Attributes:
        labels: sample to its label as text, "" for none.
        parts: sample to its split as written, "" for none.
        test_too: whether samples in test may be changed.
        beside: sample to the other files of its name in its folder, such as a mask beside a
            picture: see `files_beside`.
    """

    labels: Mapping[str, str]
    parts: Mapping[str, str]
    test_too: bool = False
    beside: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def is_protected(self, sample: str) -> bool:
        """Whether the sample is in test and must not be changed."""
        return not self.test_too and self.rank(sample) == _TEST

    def rank(self, sample: str) -> int:
        """0 in test, 1 in any other part but train, 2 in train or in none."""
        part = self.parts.get(sample, "")
        known = split_of(part) if part else "train"
        return {"test": _TEST, "train": _TRAIN}.get(known, _OTHER)


def facts_of_samples(dataset: Dataset, names: Iterable[str], *, test_too: bool) -> SampleFacts:
    """Labels and splits of the named samples."""
    wanted = pd.Index(sorted(set(names)), dtype="str")
    return SampleFacts(_texts(dataset, "label", wanted), _texts(dataset, "split", wanted), test_too)


def files_beside(dataset: Dataset, names: Iterable[str]) -> dict[str, frozenset[str]]:
    """The named samples that share folder and name, but for the extension, with other samples,
    and these.
    """
    stems = dataset.samples.index.astype("str").str.replace(r"\.[^./]+$", "", regex=True)
    shared = pd.Series(dataset.samples.index, index=stems)[stems.duplicated(keep=False)]
    groups = {str(stem): frozenset(map(str, group)) for stem, group in shared.groupby(level=0)}
    found = {
        name: groups.get(re.sub(r"\.[^./]+$", "", name), frozenset()) - {name}
        for name in set(names)
    }
    return {name: others for name, others in found.items() if others}


def _texts(dataset: Dataset, column: str, names: pd.Index[Any]) -> dict[str, str]:
    if column not in dataset.samples:
        return {}
    values = dataset.samples[column].reindex(names)
    return {str(name): str(value) for name, value in values[values.notna()].items()}


def last_of_class(
    dataset: Dataset, dropped: Sequence[str], relabelled: Mapping[str, str]
) -> dict[str, str]:
    """Of the samples to be dropped, those without which a class would be empty, in its split or
    anywhere.

    Args:
        dataset: the data set.
        dropped: samples to be dropped, those that should rather stay first.
        relabelled: sample to its new label. A class that is renamed as a whole does not count as
            emptied.

    Returns:
        Sample to the class that it is the last one of, in words: ``'cat' in train``.
    """
    if (
        dataset.task not in ("classification", "multi-label", "none")
        or "label" not in dataset.samples
    ):
        return {}
    counts = _counts(dataset)
    facts = facts_of_samples(dataset, [*dropped, *relabelled], test_too=True)
    for sample in dropped:
        counts.subtract(_keys(dataset, facts, sample, facts.labels.get(sample, "")))
    for sample, label in relabelled.items():
        counts.subtract(_keys(dataset, facts, sample, facts.labels.get(sample, "")))
        counts.update(_keys(dataset, facts, sample, label))
    spared = {}
    for sample in dropped:
        keys = list(_keys(dataset, facts, sample, facts.labels.get(sample, "")))
        empty = [(part, label) for part, label in keys if counts[part, label] <= 0]
        if empty:
            part, label = empty[0]
            spared[sample] = f"{label!r}" + (f" in {part}" if part else "")
            counts.update(keys)
    return spared


def _counts(dataset: Dataset) -> Counter[tuple[str, str]]:
    """(part, class) to its number of samples; the part "" stands for samples without one."""
    samples = dataset.samples
    labels = samples["label"].astype("object")
    parts = (
        samples["split"].astype("object")
        if "split" in samples
        else pd.Series("", index=samples.index)
    )
    found: Counter[tuple[str, str]] = Counter()
    sizes = (
        pd.DataFrame({"part": parts.where(parts.notna(), ""), "label": labels})
        .dropna()
        .value_counts()
    )
    for (part, label), size in zip(sizes.index.tolist(), sizes.tolist(), strict=True):
        for name in _classes(dataset, str(label)):
            found[str(part), name] += int(size)
    return found


def _keys(
    dataset: Dataset, facts: SampleFacts, sample: str, label: str
) -> Iterator[tuple[str, str]]:
    part = facts.parts.get(sample, "")
    return ((part, name) for name in _classes(dataset, label))


def _classes(dataset: Dataset, label: str) -> list[str]:
    if dataset.task == "multi-label":
        return [name for name in label.split("|") if name]
    return [label] if label else []
