"""The check label-shift: splits whose classes are distributed otherwise than in training."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dataprep.checks.contract import Check
from dataprep.schemas.options import option
from dataprep.schemas.text.words import first_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.checks.contract import Look
    from dataprep.schemas.dataset import Dataset

_NAMED = 5
_DRAWS = 400
#: Draws times classes stay below this, for memory's sake.
_MOST_CELLS = 5_000_000


@dataclass(frozen=True)
class LabelShift(Check):
    """Splits whose class balance differs from that of training.

    What it finds:
        Splits whose share of each class differs from that of the training split (from all other
        splits, where none is called train) by more than a random split explains, and classes that
        are absent from a split though chance would not leave them out. One claim for each such
        split.
    Why it matters:
        A score on the split is for a different class balance than the model was trained on:
        accuracy moves with the mix alone, and a class that is absent is not measured, or not
        learned, at all.
    What to do:
        Split again with stratification. Where the balance differs on purpose (a test set as in
        production, a balanced one), compare by recall per class or weight the classes, and dismiss
        the claim.
    How it works:
        The figure is the total variation distance: the share of samples that would have to change
        class for the mixes to be equal, 0 to 1, less what a random split of the same sizes adds to
        it (in squares, as errors add); with a 95 % interval from resampling both mixes. A claim is
        made when it is above the threshold and the mix is beyond what random splits reach, by
        drawing 400 or more splits with the same numbers of samples and of labels (the multivariate
        hypergeometric distribution: an exact permutation test), 2 % in all splits together. What
        counts is the rarest of three statistics, against its own distribution over those splits:
        the distance, which sees many small changes, the largest standardised change of one class,
        and chi-squared. An effect size comes with it: Cramér's V between class and membership,
        corrected for bias (Bergsma 2013). A class is named absent when a random split would leave
        it out with a probability under 1 %, over all classes and splits together.
    Known limits:
        Samples without a label or a split do not count. Samples that belong together (one patient,
        one video) make mixes of random group-wise splits differ more than of random sample-wise
        ones; that difference is real, and it is reported. Targets to regress on and samples with
        several labels are not judged.
    Measured quality:
        benchmarks/labels.py: on 720 data sets with random splits (80/10/10; 100 to 10,000 samples,
        2 to 100 classes, equal and Zipf-distributed) a claim on 1.5 % (nominal: at most 2 %). A
        test split shifted by a distance of 0.2 is found in 42 to 92 % of cases with 1,000 samples
        and 2 to 10 classes, and always with 10,000 samples; with 100 samples, of which 10 are in
        the test split, hardly ever. Two splits of 400 samples with 10 points moved, 200 draws each:
        a class of 3 % that has 13 % is found in 94 %, one of 8 % in 79 %, one of 10 % in 70 %, one
        of 23 % in 48 %, and one of two equal classes in 68 %; 10 points spread over ten classes in
        30 %.
    """

    code = "label-shift"
    family = "splits"
    severity = "warning"
    scope = "split"
    needs = ("label", "split")
    summary = "Class balance differs between splits"
    advice = "Split again with stratification, or evaluate with recall per class."
    message = (
        "{figure:.0%} of its samples would have to change class to match the class balance of "
        "{reference} "
        "(95 % interval {low:.0%} to {high:.0%}; Cramér's V "
        "{cramers_v:.2f}){differing}{absent_text}"
    )

    threshold: float = option(
        0.05, "total variation distance, less what chance adds, that is reported", low=0, high=1
    )
    alpha: float = option(
        0.02, "probability of a claim on random splits, all splits together", low=0.0001, high=0.5
    )

    def find(self, dataset: Dataset, look: Look) -> Iterator[pd.DataFrame]:
        """Yield a claim for each split that differs."""
        if dataset.task in ("regression", "multi-label"):
            return
        table = _table(dataset)
        if len(table) < 2 or table.shape[1] < 2:
            return
        rng = np.random.default_rng(0)
        for split in table.index:
            evidence = self._compare(table, str(split), rng)
            if evidence:
                yield self.claims(
                    [split], figure=evidence["shift"], unit="of the samples", evidence=evidence
                )

    def _compare(self, table: pd.DataFrame, split: str, rng: np.random.Generator) -> dict[str, Any]:
        """What differs between a split and its reference; empty when nothing does."""
        reference = "train" if "train" in table.index and split != "train" else "the other splits"
        own = table.loc[split].to_numpy()
        other = (
            table.loc["train"].to_numpy() if reference == "train" else table.sum().to_numpy() - own
        )
        names = table.columns.to_numpy(dtype=object)
        absent = names[(own == 0) & (_chance_absent(own, other) < self.alpha / table.size)]
        told_by_others = split == "train"  # its difference from them is theirs from it
        found, beyond_chance = compare_mixes(
            own, other, self.alpha / (len(table) - int("train" in table.index)), rng
        )
        if not len(absent) and (
            told_by_others or not beyond_chance or found["shift"] < self.threshold
        ):
            return {}
        listed = first_of(map(repr, absent), _NAMED)
        return {
            **found,
            "reference": reference,
            "cramers_v": cramers_v(np.stack([own, other])),
            "differing": differing_classes(names, own, other),
            "absent": [str(name) for name in absent[:100]],
            "absent_text": f"; absent: {listed}" if len(absent) else "",
            "threshold": self.threshold,
        }


def _table(dataset: Dataset) -> pd.DataFrame:
    """Splits by classes: number of samples."""
    known = dataset.samples[["split", "label"]].dropna().astype("str")
    counts = known.groupby(["split", "label"]).size()
    return counts.unstack(fill_value=0).astype(np.int64)


def mixes_of(
    dataset: Dataset, reference: Dataset
) -> tuple[NDArray[Any], NDArray[np.int64], NDArray[np.int64]]:
    """(names, counts, counts of the reference) of the classes of two data sets; none where
    labels are not classes.
    """
    if (
        "label" not in dataset.samples
        or "label" not in reference.samples
        or {dataset.task, reference.task} != {"classification"}
    ):
        return np.empty(0, object), np.empty(0, np.int64), np.empty(0, np.int64)
    counts = [
        each.samples["label"].dropna().astype("str").value_counts() for each in (dataset, reference)
    ]
    table = pd.concat(counts, axis=1).fillna(0).astype(np.int64).sort_index()
    return (
        table.index.to_numpy(dtype=object),
        table.iloc[:, 0].to_numpy(),
        table.iloc[:, 1].to_numpy(),
    )


def _chance_absent(own: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.float64]:
    """(k,) an upper bound of the probability that a random split of this size has no sample of
    each class.
    """
    share = own.sum() / max(1, own.sum() + other.sum())
    return np.asarray((1 - share) ** (own + other), dtype=np.float64)


def compare_mixes(
    own: NDArray[np.int64], other: NDArray[np.int64], alpha: float, rng: np.random.Generator
) -> tuple[dict[str, Any], bool]:
    """How far two mixes of classes are apart, and whether that is beyond chance at `alpha`.

    Args:
        own: (k,) samples of each class.
        other: (k,) likewise, of what it is compared with.
        alpha: probability of a wrong "beyond chance".
        rng: source of randomness.

    Returns:
        ``distance`` (total variation), ``shift`` (less what chance adds to it) with the 95 %
        interval ``low`` to ``high``; and the verdict.
    """
    draws = max(20, min(max(_DRAWS, int(4 / alpha)), _MOST_CELLS // len(own)))
    both = own + other
    drawn = rng.multivariate_hypergeometric(both, int(own.sum()), size=draws, method="marginals")
    divisions = np.concatenate([own[None], drawn])
    distances = _distance(divisions, both - divisions)
    distance, chance = float(distances[0]), float((distances[1:] ** 2).mean())
    shift = float(np.sqrt(max(0.0, distance**2 - chance)))
    spread = 1.96 * float(_of_resampled(own, other, min(draws, _DRAWS), rng).std())
    found = {
        "shift": shift,
        "low": max(0.0, shift - spread),
        "high": min(1.0, shift + spread),
        "distance": distance,
    }
    statistics = np.stack([distances, *_deviations(divisions, both)], axis=1)
    return found, _combined_probability(statistics) <= alpha


def _deviations(
    divisions: NDArray[np.int64], both: NDArray[np.int64]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """The largest standardised deviation of a class, and the chi-squared statistic, of every
    division (b, k).
    """
    size, total = int(divisions[0].sum()), int(both.sum())
    spread = np.sqrt(
        both * (total - both) / total * size * (total - size) / total / max(1, total - 1)
    )
    deviation = (divisions - both * size / total) / np.maximum(spread, 1e-9)
    return np.abs(deviation).max(axis=1), (deviation**2 * (1 - both / total)).sum(axis=1)


def _combined_probability(statistics: NDArray[Any]) -> float:
    """P-value of the first row by the least of its columns' p-values, against that of all rows
    (a permutation test).
    """
    ordered = np.sort(statistics, axis=0)
    beyond = [
        len(each) - np.searchsorted(each, values - 1e-9)
        for each, values in zip(ordered.T, statistics.T, strict=True)
    ]
    least = np.min(beyond, axis=0)
    return float((least <= least[0]).mean())


def _distance(own: NDArray[Any], other: NDArray[Any]) -> Any:
    """Total variation distance of the mixes in the last axis."""
    return (
        np.abs(own / own.sum(-1, keepdims=True) - other / other.sum(-1, keepdims=True)).sum(-1) / 2
    )


def _of_resampled(
    own: NDArray[np.int64], other: NDArray[np.int64], draws: int, rng: np.random.Generator
) -> NDArray[Any]:
    parts = [
        rng.multinomial(int(counts.sum()), counts / counts.sum(), size=draws)
        for counts in (own, other)
    ]
    return np.asarray(_distance(*parts))


def cramers_v(table: NDArray[np.int64]) -> float:
    """Cramér's V of a contingency table (r, k), 0 to 1, corrected for bias (Bergsma 2013)."""
    table = table[:, table.sum(0) > 0]
    total, (rows, columns) = table.sum(), table.shape
    if columns < 2 or total < 2:
        return 0.0
    expected = table.sum(1, keepdims=True) * table.sum(0, keepdims=True) / total
    phi2 = float(((table - expected) ** 2 / expected).sum()) / total
    phi2 = max(0.0, phi2 - (columns - 1) * (rows - 1) / (total - 1))
    rows, columns = rows - (rows - 1) ** 2 / (total - 1), columns - (columns - 1) ** 2 / (total - 1)
    return float(min(1.0, np.sqrt(phi2 / max(1e-12, min(rows, columns) - 1))))


def differing_classes(names: NDArray[Any], own: NDArray[np.int64], other: NDArray[np.int64]) -> str:
    """The classes whose share differs most, in words."""
    ours, theirs = own / own.sum(), other / other.sum()
    order = np.argsort(-np.abs(ours - theirs), kind="stable")[:3]
    parts = [
        f"{names[i]!r} {ours[i]:.0%} instead of {theirs[i]:.0%}"
        for i in order
        if ours[i] != theirs[i]
    ]
    return "; " + ", ".join(parts) if parts else ""
