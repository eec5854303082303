"""The ceiling that wrong labels put on accuracy: what no model can beat."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dataprep.schemas.issues import evidence_of
from dataprep.schemas.results.evaluation import CeilingEstimate, NoiseCeiling

if TYPE_CHECKING:
    from dataprep.schemas.issues import Issues


def noise_ceiling(issues: Issues | None) -> NoiseCeiling:
    """The accuracy that a perfect model reaches when it is judged by labels of which some are
    wrong.

    Args:
        issues: of an audit; None without one. The claim of label-noise is taken; without it that
            of wrong-label, which tells a rate but no interval.
    """
    for check in ("label-noise", "wrong-label"):
        found = _claim_on_all(issues, check)
        if check == "label-noise" and "ceiling" in found:
            low, high = float(found["ceiling_low"]), float(found["ceiling_high"])
            return _ceiling(float(found["rate"]), low, high, check)
        if check == "wrong-label" and found.get("judged"):
            rate = float(found.get("expected_wrong", 0.0)) / float(found["judged"])
            if "expected_wrong" in found:
                return _ceiling(rate, None, None, check)
    why = (
        "no audit was given"
        if issues is None
        else "the audit has no claim about how many labels are wrong"
    )
    if _claim_on_all(issues, "label-noise"):
        why = "how many labels are wrong could not be told"
    return NoiseCeiling(
        known=False, sentence=f"the ceiling that wrong labels put on accuracy is unknown: {why}"
    )


def _claim_on_all(issues: Issues | None, check: str) -> dict[str, Any]:
    """The evidence of a check's claim about the whole data set; empty without one."""
    if issues is None:
        return {}
    table = issues.where_check(check).table
    table = table[(table["scope"].astype("str") == "dataset").to_numpy()]
    return evidence_of(str(table["evidence"].iloc[0])) if len(table) else {}


def _ceiling(rate: float, low: float | None, high: float | None, source: str) -> NoiseCeiling:
    between = "" if low is None or high is None else f" (between {low:.3f} and {high:.3f})"
    return NoiseCeiling(
        known=True,
        estimate=CeilingEstimate(ceiling=1 - rate, low=low, high=high, rate=rate, source=source),
        sentence=f"about {rate:.1%} of the labels are wrong: judged by such labels, a perfect "
        f"model's accuracy is about {1 - rate:.3f}{between}",
    )
