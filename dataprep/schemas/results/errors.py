"""Results of the error analysis: mistakes, what data faults explain of them, galleries and pairs
of classes.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from dataprep.schemas.results.record import MERGED, Record


@dataclass(frozen=True, eq=False, kw_only=True)
class Explained(Record):
    """How much of the errors data faults explain beyond coincidence.

    Attributes:
        errors, right: rows. faulty_errors, faulty_right: those of them with a fault.
        explained: share of the errors, with `low` and `high` (95 %); None without errors or faults.
        beyond_chance: whether it is more than coincidence.
        share_of_errors, share_of_right: shares with a fault.
    """

    errors: int
    faulty_errors: int
    right: int
    faulty_right: int
    explained: float | None
    low: float | None
    high: float | None
    beyond_chance: bool
    share_of_errors: float | None
    share_of_right: float | None


@dataclass(frozen=True, eq=False, kw_only=True)
class ExplainedByKind(Record):
    """The same for one kind of fault, with the question that it answers."""

    kind: str
    question: str
    figures: Explained | None = field(default=None, metadata=MERGED)


@dataclass(frozen=True, eq=False, kw_only=True)
class Gallery(Record):
    """The worst mistakes of a kind (false-negative, false-positive, too-high, too-low).

    Attributes:
        of: the class; "" of a regression.
        count: mistakes of the kind. samples: names, the largest loss first.
    """

    of: str
    kind: str
    count: int
    samples: list[str]


@dataclass(frozen=True, eq=False, kw_only=True)
class ClaimOnMistake(Record):
    """What the audit says of a sample: check, kind of fault, severity, message, the other sample of
    a pair, and whether that one was trained on.
    """

    check: str
    kind: str
    severity: str
    message: str
    related: str
    in_train: bool


@dataclass(frozen=True, eq=False, kw_only=True)
class Mistake(Record):
    """One mistake.

    Attributes:
        label, predicted: class names, several joined by ``|``, or numbers.
        confidence: in `predicted`. p_label: probability of the label. loss: in nats, or the error.
        issues: what the audit says, the worst first.
    """

    label: str | float | None
    predicted: str | float | None
    confidence: float | None
    loss: float
    p_label: float | None
    issues: list[ClaimOnMistake]


@dataclass(frozen=True, eq=False, kw_only=True)
class ClassPair(Record):
    """A class that is taken for another.

    Attributes:
        label, predicted: the classes. count: times. back: times the other way round.
        share: of the class, with `low` and `high` (95 %, Wilson).
        ambiguous: whether the audit finds the two hard to tell apart.
        samples: the worst.
    """

    label: str
    predicted: str
    count: int
    back: int
    share: float
    low: float
    high: float
    ambiguous: bool
    samples: list[str]


@dataclass(frozen=True, eq=False, kw_only=True)
class Errors(Record):
    """What a model gets wrong on one part.

    Attributes:
        part: which. samples, mistakes: rows of it, and those that were got wrong.
        audited: whether an audit was at hand.
        faulty: mistakes on samples with a fault. wrong_label: those with a wrong label.
        explained: by data faults. kinds: by each kind of fault.
        others: the same of every other part, in figures alone.
        sentence: in words.
        worst: names, the largest loss first. galleries: by class.
        examples: name to what is known of each mistake that is shown.
        pairs: classes taken for others, the most frequent first.
    """

    part: str
    samples: int
    mistakes: int
    audited: bool
    faulty: int
    wrong_label: int
    explained: Explained
    kinds: list[ExplainedByKind]
    others: dict[str, Explained]
    sentence: str
    worst: list[str]
    galleries: list[Gallery]
    examples: dict[str, Mistake]
    pairs: list[ClassPair]
