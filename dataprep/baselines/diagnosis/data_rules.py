"""Rules of the diagnosis about the data: labels, shortcuts, parts that differ, classes and
slices that are left behind.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from dataprep.baselines.diagnosis.findings import View, number, step, top_of
from dataprep.schemas.results.baseline import NextStep

#: Share of wrong labels below which they are not worth a step.
NOISE = 0.01
#: Share of mistakes on faulty samples that is worth a step.
FAULTY = 0.15
#: F1 below the median of the classes by which a class is behind, beyond its interval.
BEHIND = 0.1
#: Checks that put what was learned in doubt: the step, how sure it is, and what to do.
_DOUBTS = {
    "shortcut": (
        "shortcut",
        "may in part come from how pictures were made",
        "score the images of that class that do not have it apart, or even it out (augment, "
        "re-encode, crop) and compare",
    ),
    "trigger": (
        "shortcut",
        "may in part come from a mark",
        "cover it on the images that carry it, and see whether predictions change",
    ),
    "leaked-score": (
        "shortcut",
        "may come from a column that holds the answer",
        "leave it out of what the model is given",
    ),
    "split-leakage": (
        "leakage",
        "is too high where copies of training images are judged",
        "divide anew with dataprep split",
    ),
    "group-leakage": (
        "leakage",
        "is too high where groups lie in two parts",
        "divide anew with dataprep split",
    ),
}
#: Names that a sentence lists.
_NAMED = 3


def find_shortcuts(view: View) -> Iterator[NextStep]:
    """What the audit warns of: something other than the subject gives the label away, so that all
    that was learned may be that.

    Facts and information are not repeated: they are of how classes look, or of what a model that
    sees pixels cannot use.
    """
    for check, (code, doubt, todo) in _DOUBTS.items():
        claim = view.of("claims", check)
        if claim and claim["severity"] in ("warning", "error"):
            evidence = claim["evidence"]
            what = (
                evidence.get("what")
                or evidence.get("text")
                or ", ".join(claim["targets"])
                or "see the audit"
            )
            more = f" and {claim['warned'] - 1:,} more" if claim.get("warned", 1) > 1 else ""
            stake = view.gain(view.own, view.trivial) / 2 if math.isfinite(view.trivial) else 0.5
            yield step(
                code,
                f"{view.name} {view.own:.3f} {doubt} ({check}: {what}{more}): {todo}",
                view.own,
                stake,
                {"check": check, **claim},
            )


def find_noise(view: View) -> Iterator[NextStep]:
    """Accuracy up to the ceiling that wrong labels put on it, or a target above it."""
    ceiling = view.of("ceiling")
    accuracy = view.of("validation", "metrics", "accuracy")
    if not ceiling.get("known") or not accuracy or number(ceiling.get("rate")) < NOISE:
        return
    top, high = float(ceiling["ceiling"]), number(accuracy["high"])
    claim = view.of("claims", "wrong-label")
    listed = claim.get("count", 0) if claim.get("severity") != "info" else 0
    look = (
        f"look at the {listed:,} labels that wrong-label lists (dataprep clean; its --relabel "
        "takes the suggestions)"
    )
    todo = look if listed else "have labels checked"
    low = top if ceiling.get("low") is None else float(ceiling["low"])
    evidence = {"ceiling": top, "low": low, "rate": ceiling["rate"], "listed": listed}
    if high >= low:
        yield step(
            "labels",
            f"the noise ceiling is reached: accuracy {number(accuracy['value']):.3f} (up to "
            f"{high:.3f}) against labels of "
            f"which {float(ceiling['rate']):.1%} are wrong, where a perfect model gets {top:.3f}: "
            f"{todo}, test first",
            top,
            float(ceiling["rate"]),
            evidence,
        )
    target = view.of("validation", "target")
    if target and view.name == "accuracy" and float(target["value"]) > top:
        yield step(
            "labels",
            f"the target {float(target['value']):g} is above {top:.3f}, what a perfect model gets "
            "against labels of which "
            f"{float(ceiling['rate']):.1%} are wrong: {todo}, or lower the target",
            top,
            float(target["value"]) - top,
            evidence,
        )


def find_faulty(view: View) -> Iterator[NextStep]:
    """Many of the mistakes lie on samples that the audit has something against."""
    errors = view.of("errors")
    mistakes = int(errors.get("mistakes", 0))
    share = errors.get("faulty", 0) / mistakes if mistakes else 0.0
    if share >= FAULTY:
        wrong = int(errors.get("wrong_label", 0))
        yield step(
            "data",
            f"{share:.0%} of the {mistakes:,} mistakes on validation are on samples with an issue "
            f"({wrong:,} with a probably "
            "wrong label): look at them before tuning the model",
            share,
            share * view.gain(top_of(view), view.own),
            dict(errors),
        )


def find_mismatch(view: View) -> Iterator[NextStep]:
    """Validation and test differ beyond what their sizes explain."""
    test = view.of("test", "metric")
    value = number(test.get("value"))
    spread = (
        math.hypot(view.high - view.low, number(test.get("high")) - number(test.get("low"))) / 2
    )
    if math.isfinite(spread) and abs(value - view.own) > spread:
        claim = view.of("claims", "distribution-mismatch")
        text = claim.get("evidence", {}).get("text", "")
        known = f"; the audit says: {text}" if text else ""
        worse = view.gain(view.own, value) > 0
        todo = (
            "make validation look like test, and choose by it again"
            if worse
            else "test is the easier one"
        )
        yield step(
            "mismatch",
            f"{view.name} is {view.own:.3f} on validation and {value:.3f} on test, "
            f"{abs(value - view.own):.3f} apart where "
            f"chance explains {spread:.3f}: {todo}{known}",
            value - view.own,
            abs(view.gain(value, view.own)) if worse else 0.0,
            {
                "validation": view.own,
                "test": value,
                "chance": spread,
                "claims": claim.get("targets", []),
            },
        )


def find_behind(view: View) -> Iterator[NextStep]:
    """Classes whose F1 is below the median class's beyond its interval."""
    classes = [
        each for each in view.validation.get("classes") or () if each["f1"]["value"] is not None
    ]
    if len(classes) < 3:
        return
    values = sorted(float(each["f1"]["value"]) for each in classes)
    median = values[len(values) // 2]
    behind = [
        each
        for each in classes
        if median - float(each["f1"]["value"]) > BEHIND and (each["f1"]["high"] or 0) < median
    ]
    if behind:
        worst = sorted(behind, key=lambda each: float(each["f1"]["value"]))
        named = ", ".join(
            f"{each['class']!r} ({each['f1']['value']:.2f} of {each['support']:,})"
            for each in worst[:_NAMED]
        )
        more = f" and {len(worst) - _NAMED} more" if len(worst) > _NAMED else ""
        missing = sum(median - float(each["f1"]["value"]) for each in behind) / len(classes)
        supports = sorted(each["support"] for each in classes)
        rare = worst[0]["support"] < supports[len(supports) // 2]
        todo = (
            "collect more of them, or weigh them up"
            if rare
            else "they are not rarer: look at what they are confused with"
        )
        yield step(
            "rare-classes" if rare else "hard-classes",
            f"{named}{more}: F1 beyond chance below the typical class's {median:.2f}: {todo}",
            float(worst[0]["f1"]["value"]),
            missing,
            {"classes": [each["class"] for each in worst], "median": median},
        )


def find_slices(view: View) -> Iterator[NextStep]:
    """The flagged slice on which most is lost."""
    rows = max(1, int(view.validation.get("samples", 1)))
    flagged = [each for each in view.validation.get("slices") or () if each["worse"]]
    if flagged:
        worst = max(flagged, key=lambda each: abs(each["difference"]) * each["rows"])
        lost = abs(worst["difference"]) * worst["rows"] / rows
        error = view.of("validation", "metrics", "mae")
        unit = "mean error" if error else "accuracy"
        yield step(
            "slice",
            f"{unit} {worst['value']:.3f} on {worst['slice']} ({worst['rows']:,} images), "
            f"{abs(worst['difference']):.3f} "
            f"worse than on the same classes elsewhere ({len(flagged)} slices flagged): collect or "
            "augment towards it",
            worst["difference"],
            lost / number(error["value"]) if error else lost,
            worst,
        )


def weigh_cleaning(view: View) -> Iterator[NextStep]:
    """Whether cleaning helped, over paired seeds."""
    found = view.of("cleaning")
    if not found or found.get("difference") is None:
        return
    low, high, difference = (number(found.get(key)) for key in ("low", "high", "difference"))
    words = {
        "better": "cleaning helps: train on the cleaned data",
        "worse": "cleaning harms: look at what it dropped or relabelled",
    }
    todo = words.get(str(found["verdict"]), "cleaning makes no clear difference here")
    yield step(
        "cleaning",
        f"{todo}: {view.name} changes by {difference:+.3f} (interval {low:+.3f} to {high:+.3f}, "
        f"{found['seeds']} paired seeds)",
        difference,
        abs(view.gain(difference, 0.0)) if found["verdict"] in words else 0.0,
        dict(found),
    )
