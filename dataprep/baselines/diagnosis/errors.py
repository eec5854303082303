"""Error analysis: the worst mistakes, what the audit says about them, and which classes are
taken for which.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dataprep.baselines.diagnosis.data_faults import (
    KINDS,
    QUESTIONS,
    Faults,
    ambiguous_pairs,
    explained,
)
from dataprep.baselines.training.materials import units_of
from dataprep.checks.labels.ambiguous_classes import wilson
from dataprep.reports.audit.verdict import percent
from dataprep.schemas.results.errors import (
    ClassPair,
    Errors,
    Explained,
    ExplainedByKind,
    Gallery,
    Mistake,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.schemas.audit import Audit
    from dataprep.schemas.dataset import Dataset
    from dataprep.schemas.goal import Goal

#: Samples of a gallery, classes with galleries, samples of the gallery of all, and pairs of
#: classes.
SHOWN, _CLASSES, _WORST, _PAIRS = 12, 30, 24, 10
#: Of a regression, the tenth with the largest errors counts as mistakes.
_TAIL = 0.9
_LEAST = 1e-7


@dataclass(frozen=True, eq=False)
class Mistakes:
    """Predicted rows of one part, and how wrong each is.

    Attributes:
        frame: rows of the predictions with a label, numbered from 0.
        wrong: (n,) got wrong; of several labels, any of them.
        loss: (n,) log-loss in nats, of a regression the absolute error.
        given, said: (n, k) bool, classes or labels that are given and predicted; None of a
            regression.
        probs: (n, k).
    """

    frame: pd.DataFrame
    wrong: NDArray[np.bool_]
    loss: NDArray[np.float64]
    given: NDArray[np.bool_] | None = None
    said: NDArray[np.bool_] | None = None
    probs: NDArray[np.float64] | None = None

    @classmethod
    def of(cls, goal: Goal, table: pd.DataFrame, part: str) -> Mistakes:
        """The mistakes in the rows of `part` (`dataprep.schemas.baseline.Baseline.predictions`)."""
        rows = (table["split"].astype("str") == part).to_numpy() & table["label"].notna().to_numpy()
        frame = table[rows].reset_index(drop=True)
        if goal.kind == "regression":
            loss = np.abs(
                frame["predicted"].to_numpy(np.float64) - frame["label"].to_numpy(np.float64)
            )
            edge = np.quantile(loss, _TAIL) if len(loss) else 0.0
            return cls(frame, (loss >= edge) & (loss > 0), loss)
        probs = frame[[f"p:{name}" for name in goal.classes]].to_numpy(np.float64)
        given, said = (_indicators(frame[column], goal) for column in ("label", "predicted"))
        held = np.clip(np.where(given, probs, 1 - probs), _LEAST, 1)
        several = goal.kind == "multi-label"
        loss = (
            -np.log(held).mean(axis=1) if several else -np.log(np.where(given, held, 1)).sum(axis=1)
        )
        return cls(frame, (given != said).any(axis=1), loss, given, said, probs)

    def worst(self, rows: NDArray[Any], most: int) -> list[str]:
        """Names of the `most` rows with the largest loss among `rows` (mask)."""
        places = np.flatnonzero(rows)
        places = places[np.argsort(-self.loss[places], kind="stable")][:most]
        return [str(name) for name in self.frame["sample"].iloc[places]]


def _indicators(values: pd.Series[Any], goal: Goal) -> NDArray[np.bool_]:
    """(n, k) which classes a row names."""
    texts = values.astype("object").to_numpy()
    if goal.kind != "multi-label":
        return np.asarray(
            texts[:, None] == np.array(goal.classes, dtype=object)[None, :], bool
        ).reshape(-1, len(goal.classes))
    sets = [set(str(text).split("|")) for text in texts]
    return np.array([[name in each for name in goal.classes] for each in sets], bool).reshape(
        -1, len(goal.classes)
    )


def find_errors(
    goal: Goal,
    table: pd.DataFrame,
    dataset: Dataset,
    audit: Audit | None = None,
    *,
    part: str = "val",
    seed: int = 0,
) -> Errors:
    """What a model gets wrong on one part, and why that may be.

    The validation part is the one to look into: who looks at the mistakes on the test part and
    mends the model by them has used that part up. What data faults explain is told of every other
    part in figures alone.

    Args:
        goal: what is predicted.
        table: predictions (`dataprep.schemas.baseline.Baseline.predictions`).
        dataset: the samples, with what belongs together.
        audit: what is known about the samples; None without one.
        part: the part to look into.
        seed: of the bootstrap.
    """
    mistakes = Mistakes.of(goal, table, part)
    faults = Faults(audit, mistakes.frame["sample"].to_numpy(dtype=object))
    galleries = _galleries(goal, mistakes)
    worst = mistakes.worst(mistakes.wrong, _WORST)
    pairs = _pairs(goal, mistakes, ambiguous_pairs(audit))
    shown = dict.fromkeys([*worst, *(name for each in galleries for name in each.samples)])
    figures = _explained(goal, mistakes, faults, dataset, seed)
    whole = figures[""]
    train = frozenset(
        table["sample"].astype("str")[(table["split"].astype("str") == "train").to_numpy()]
    )
    others = sorted(set(table["split"].astype("str")) - {part, "train"})
    return Errors(
        part=part,
        samples=len(mistakes.wrong),
        mistakes=int(mistakes.wrong.sum()),
        audited=audit is not None,
        faulty=whole.faulty_errors,
        wrong_label=int((faults.having("mislabelled") & mistakes.wrong).sum()),
        explained=whole,
        kinds=[
            ExplainedByKind(kind=kind, question=QUESTIONS[kind], figures=figures[kind])
            for kind in KINDS
        ],
        others={name: _of_part(goal, table, dataset, audit, name, seed) for name in others},
        sentence=_sentence(goal, whole, audit),
        worst=worst,
        galleries=galleries,
        examples=_examples(mistakes, faults, list(shown), train),
        pairs=pairs,
    )


def _explained(
    goal: Goal, mistakes: Mistakes, faults: Faults, dataset: Dataset, seed: int
) -> dict[str, Explained]:
    """Kind of fault, "" for any, to how much of the error it explains."""
    places = dataset.samples.index.get_indexer(pd.Index(mistakes.frame["sample"]))
    units = (
        np.unique(units_of(dataset)[places], return_inverse=True)[1].reshape(-1).astype(np.int64)
    )
    single = goal.kind in ("binary", "multi-class") and mistakes.given is not None
    classes = (
        mistakes.given.argmax(axis=1)
        if single and mistakes.given is not None
        else np.zeros(len(units), np.int64)
    )
    return {
        kind: explained(
            mistakes.wrong, faults.having(kind), classes.astype(np.int64), units, seed=seed
        )
        for kind in ("", *KINDS)
    }


def _of_part(
    goal: Goal, table: pd.DataFrame, dataset: Dataset, audit: Audit | None, part: str, seed: int
) -> Explained:
    mistakes = Mistakes.of(goal, table, part)
    faults = Faults(audit, mistakes.frame["sample"].to_numpy(dtype=object))
    return _explained(goal, mistakes, faults, dataset, seed)[""]


def _sentence(goal: Goal, whole: Explained, audit: Audit | None) -> str:
    """How much of the error data faults explain, in words."""
    if audit is None:
        return "No audit was at hand, so it is not known which mistakes are on faulty samples."
    errors, faulty = whole.errors, whole.faulty_errors
    if not errors:
        return "Nothing was got wrong."
    what = (
        "of the tenth with the largest errors" if goal.kind == "regression" else "of the mistakes"
    )
    sentence = (
        f"{percent(faulty / errors)} {what} ({faulty:,} of {errors:,}) are on flagged samples, "
        f"against {percent(whole.share_of_right or 0)} of the rest"
    )
    if whole.explained is None or whole.low is None or whole.high is None:
        return f"{sentence}."
    low, high = round(100 * whole.low), round(100 * whole.high)
    if whole.beyond_chance:
        return (
            f"{sentence}: beyond coincidence, data faults explain {100 * whole.explained:.0f} % "
            f"of them ({low} to {high})."
        )
    return f"{sentence}: no more than coincidence would give (explained: {low} to {high} %)."


def _galleries(goal: Goal, mistakes: Mistakes) -> list[Gallery]:
    """The worst mistakes of each class, those with most mistakes first."""
    if mistakes.given is None or mistakes.said is None:
        miss = mistakes.frame["predicted"].to_numpy(np.float64) - mistakes.frame["label"].to_numpy(
            np.float64
        )
        sides = (
            ("too-high", mistakes.wrong & (miss > 0)),
            ("too-low", mistakes.wrong & (miss < 0)),
        )
        return [_gallery("", kind, mistakes, rows) for kind, rows in sides if rows.any()]
    differ = mistakes.given != mistakes.said
    order = np.argsort(-differ.sum(axis=0), kind="stable")[:_CLASSES]
    found = []
    for code in order.tolist():
        name = goal.classes[code]
        for kind, rows in (
            ("false-negative", mistakes.given[:, code]),
            ("false-positive", mistakes.said[:, code]),
        ):
            if (rows & differ[:, code]).any():
                found.append(_gallery(name, kind, mistakes, rows & differ[:, code]))
    return found


def _gallery(of: str, kind: str, mistakes: Mistakes, rows: NDArray[np.bool_]) -> Gallery:
    return Gallery(of=of, kind=kind, count=int(rows.sum()), samples=mistakes.worst(rows, SHOWN))


def _examples(
    mistakes: Mistakes, faults: Faults, shown: list[str], train: frozenset[str]
) -> dict[str, Mistake]:
    """Sample to what is known of it."""
    claims = faults.worst_of(shown, train)
    place = {str(name): row for row, name in enumerate(mistakes.frame["sample"])}
    found = {}
    for name in shown:
        row = place[name]
        given = mistakes.frame.iloc[row]
        own = float("nan")
        if (
            mistakes.probs is not None
            and mistakes.given is not None
            and mistakes.given[row].sum() == 1
        ):
            own = float(mistakes.probs[row, mistakes.given[row]][0])
        found[name] = Mistake(
            label=given["label"],
            predicted=given["predicted"],
            confidence=given.get("confidence"),
            loss=float(mistakes.loss[row]),
            p_label=own,
            issues=claims.get(name, []),
        )
    return found


def _pairs(goal: Goal, mistakes: Mistakes, ambiguous: set[frozenset[str]]) -> list[ClassPair]:
    """Which class is most often taken for which other."""
    if (
        goal.kind not in ("binary", "multi-class")
        or mistakes.given is None
        or mistakes.said is None
        or not len(mistakes.wrong)
    ):
        return []
    counts = mistakes.given.T.astype(np.int64) @ mistakes.said
    return list(_worst_pairs(goal, mistakes, counts, ambiguous))


def _worst_pairs(
    goal: Goal, mistakes: Mistakes, counts: NDArray[np.int64], ambiguous: set[frozenset[str]]
) -> Iterator[ClassPair]:
    apart = counts * (1 - np.eye(len(counts), dtype=np.int64))
    given, said = mistakes.given, mistakes.said
    assert given is not None
    assert said is not None
    for place in np.argsort(-apart, axis=None, kind="stable")[:_PAIRS].tolist():
        a, b = divmod(place, len(counts))
        if not apart[a, b]:
            return
        low, high = wilson(apart[a, b], counts[a].sum())
        yield ClassPair(
            label=goal.classes[a],
            predicted=goal.classes[b],
            count=int(apart[a, b]),
            back=int(apart[b, a]),
            share=float(apart[a, b] / counts[a].sum()),
            low=float(low),
            high=float(high),
            ambiguous=frozenset((goal.classes[a], goal.classes[b])) in ambiguous,
            samples=mistakes.worst(given[:, a] & said[:, b], SHOWN // 2),
        )
