"""What the rules of the diagnosis read and give: the facts of a baseline, and next steps."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from dataprep.baselines.evaluation.metrics import METRICS
from dataprep.schemas.results.baseline import NextStep


class View:
    """The facts, with what several rules read of them."""

    def __init__(self, facts: Mapping[str, Any]) -> None:
        self.facts = facts
        self.validation: Mapping[str, Any] = facts["validation"]
        self.metric = METRICS[self.validation["metric"]["name"]]
        self.own = number(self.validation["metric"]["value"])
        self.low, self.high = (number(self.validation["metric"][end]) for end in ("low", "high"))
        self.worse, self.better = (
            (self.low, self.high) if self.metric.direction == "higher" else (self.high, self.low)
        )
        trivial = [number(each["value"]) for each in facts.get("dumb") or ()]
        self.trivial = trivial[0] if trivial else math.nan

    def of(self, *keys: str) -> Any:
        """What lies at the end of `keys`, or an empty mapping."""
        found: Any = self.facts
        for key in keys:
            found = (found or {}).get(key)
        return {} if found is None else found

    def value(self, part: str) -> float:
        """The optimising metric on a part; NaN where it is not known."""
        return number(self.of(part, "metric").get("value"))

    def gain(self, to: float, start: float) -> float:
        """How much better `to` is than `start`, in the unit of gains."""
        if self.metric.direction == "higher":
            return to - start
        scale = (
            self.trivial
            if math.isfinite(self.trivial) and self.trivial > 0
            else max(abs(start), 1e-12)
        )
        return (start - to) / scale

    @property
    def name(self) -> str:
        """The optimising metric's name."""
        return self.metric.name


def number(value: Any) -> float:
    """A figure as it comes from JSON; NaN where it is not known."""
    return math.nan if value is None else float(value)


def step(
    code: str, sentence: str, figure: float, gain: float, evidence: Mapping[str, Any]
) -> NextStep:
    """A step: its code, the sentence, the figure that it rests on, what there is to gain, and
    the facts behind it.
    """
    gain = gain if math.isfinite(gain) else 0.0
    return NextStep(step=code, sentence=sentence, figure=figure, gain=gain, evidence=dict(evidence))


def top_of(view: View) -> float:
    """The best that can be hoped for on train: right up to the noise for shares, no error
    otherwise.
    """
    if view.metric.direction == "lower":
        return 0.0
    ceiling = number(view.of("ceiling").get("ceiling"))
    return (
        ceiling
        if view.name in ("accuracy", "macro-f1", "balanced-accuracy") and math.isfinite(ceiling)
        else 1.0
    )
