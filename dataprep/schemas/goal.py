"""Goal: what a model predicts, and the metric that it is evaluated by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

#: What is predicted. "binary" has one positive class, the rarer of two unless it is named.
Kind = Literal["binary", "multi-class", "multi-label", "regression"]


@dataclass(frozen=True)
class Requirement:
    """A figure that must be reached, whatever the metric: ``recall[sick]>=0.95``,
    ``latency_ms<=5``.

    Attributes:
        figure: name of the metric, or ``latency_ms`` (one image, one thread, on the processor at
            hand), ``size_mb``.
        of: class that it is about; "" for all.
        at_least: whether `bound` is the least allowed value, else the greatest.
        bound: the value.
    """

    figure: str
    of: str
    at_least: bool
    bound: float

    def __str__(self) -> str:
        return f"{self.figure}{f'[{self.of}]' if self.of else ''}{'>=' if self.at_least else '<='}{self.bound:g}"  # noqa: E501

    def holds(self, value: float) -> bool:
        """Whether `value` reaches the bound; NaN never does."""
        return value >= self.bound if self.at_least else value <= self.bound


@dataclass(frozen=True)
class Goal:
    """What is to be predicted, and the one figure that is optimised.

    Attributes:
        kind: what is predicted.
        classes: ordered class names, the columns of probabilities; empty for regression.
        metric: name of the optimising metric (`dataprep.baselines.evaluation.metrics.METRICS`).
        reason: why this metric, in a sentence.
        positive: of a binary goal, the class whose precision and recall are meant; "" else.
        requirements: satisficing figures.
        target: value of `metric` that is wished for; None without.
        beta: weight of recall against precision in F-beta.
    """

    kind: Kind
    classes: tuple[str, ...]
    metric: str
    reason: str = ""
    positive: str = ""
    requirements: tuple[Requirement, ...] = ()
    target: float | None = None
    beta: float = 1.0

    @property
    def outputs(self) -> int:
        """Logits of a model: one per class, one for a regression. A binary goal has two, so that
        softmax serves both.
        """
        return max(1, len(self.classes))
