"""Rules of the diagnosis about the model: capacity, regularisation, thresholds, probabilities,
targets.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from dataprep.baselines.diagnosis.findings import View, number, step, top_of
from dataprep.schemas.results.baseline import NextStep

#: Headroom on train from which on a model underfits.
FAR = 0.05
#: Gap between train and validation, beyond the interval, from which on a model overfits.
GAP = 0.02
#: Accuracy that twice the data has to bring by the learning curve.
PAYS = 0.01
#: Calibration error from which on probabilities mislead, where it is beyond chance.
MISLEADING = 0.03
#: Half an interval from which on a validation part is too small to choose by.
WIDE = 0.05


def find_useless(view: View) -> Iterator[NextStep]:
    """Not beyond the interval better than an answer that does not look."""
    if math.isfinite(view.trivial) and not view.gain(view.worse, view.trivial) > 0:
        yield step(
            "broken",
            f"the model ({view.name} {view.own:.3f}, interval {view.low:.3f} to {view.high:.3f}) "
            "does not beat an answer that "
            f"does not look at the image ({view.trivial:.3f}): look at the sanity checks and the "
            "labels before anything else",
            view.own - view.trivial,
            1.0,
            {"dumb": view.trivial, "low": view.low, "high": view.high},
        )


def find_underfitting(view: View) -> Iterator[NextStep]:
    """Train far from what can be hoped for, and validation nearer to train than train is to
    that.
    """
    train, top = view.value("train"), top_of(view)
    head, gap = view.gain(top, train), view.gain(train, view.own)
    if math.isfinite(train) and head > FAR and head > gap:
        training = view.of("training")
        still = training and training.get("best_epoch", 0) >= training.get(
            "epochs", 0
        ) >= training.get("limit", math.inf)
        larger = "take a larger model or larger images"
        longer = f"train longer (the last epoch was the best), then {larger}" if still else larger
        yield step(
            "capacity",
            f"underfitting: even on the images it was trained on {view.name} is {train:.3f} "
            f"(validation {view.own:.3f}, "
            f"within reach {top:.3f}): {longer}, and weaken the regularisation",
            train,
            head,
            {"train": train, "validation": view.own, "top": top},
        )


def find_overfitting(view: View) -> Iterator[NextStep]:
    """Train beyond the interval of validation."""
    train = view.value("train")
    gap = view.gain(train, view.own)
    if math.isfinite(train) and gap > GAP and view.gain(train, view.better) > 0:
        curve = view.of("claims", "learning-curve", "evidence")
        yield step(
            "regularise",
            f"overfitting: {view.name} is {train:.3f} on train and {view.own:.3f} on validation "
            f"(interval {view.low:.3f} to "
            f"{view.high:.3f}): augment more, regularise more{_by_curve(curve)}",
            train - view.own,
            gap,
            {"train": train, "validation": view.own, "learning_curve": curve},
        )


def _by_curve(curve: Mapping[str, Any]) -> str:
    """What the learning curve says of more data, in words."""
    if not curve:
        return "; what more data would bring is unknown (no learning curve in the audit)"
    now, twice = float(curve["now"]), float(curve["twice"])
    span = (
        f"{now:.3f} → {twice:.3f} (between {float(curve['low']):.3f} and "
        f"{float(curve['high']):.3f}) by the audit's probe"
    )
    if twice - now >= PAYS:
        return f", and collect more: twice the data gives an accuracy of {span}"
    return f"; more of the same data brings little: twice as much gives {span}"


def find_unmet(view: View) -> Iterator[NextStep]:
    """Requirements that are not met, and what would meet them."""
    for each in view.validation.get("requirements") or ():
        if not each["known"]:
            yield step(
                "requirement",
                f"{each['requirement']} is not known to hold: {each['figure']} could not be "
                "measured",
                math.nan,
                0.0,
                each,
            )
        elif not each["holds"]:
            value, bound = float(each["value"]), float(each["bound"])
            short = abs(value - bound) / max(abs(bound), 1e-12)
            yield step(
                "requirement",
                f"{each['requirement']} does not hold ({value:.3g}): {_remedy(view, each)}",
                value,
                min(1.0, short),
                each,
            )


def _remedy(view: View, wanted: Mapping[str, Any]) -> str:
    if wanted["figure"] in ("latency_ms", "size_mb"):
        return "take a smaller network or smaller images, or fewer bits (quantise)"
    chosen = (
        view.of("thresholds", wanted["of"])
        if wanted["of"]
        else next(iter(view.of("thresholds").values()), {})
    )
    if chosen and chosen.get("holds") and wanted["figure"] in ("precision", "recall", "f1"):
        other = "precision" if wanted["figure"] != "precision" else "recall"
        reached = (
            f" ({wanted['figure']} {chosen[wanted['figure']]:.3f})"
            if wanted["figure"] in chosen
            else ""
        )
        return (
            f"a threshold of {chosen['threshold']:.3f} would reach it{reached}, at a {other} "
            "of "
            f"{chosen[other]:.3f}"
        )
    if chosen:
        best = f"precision {chosen['precision']:.3f} and recall {chosen['recall']:.3f}"
        return f"no threshold reaches it (the best has {best}): a better model must"
    return "a better model must reach it"


def hold_against_target(view: View) -> Iterator[NextStep]:
    """The target: reached for sure, by the figure alone, or not."""
    target = view.of("validation", "target")
    if not target:
        return
    wished, rows = float(target["value"]), int(view.validation.get("samples", 0))
    unmet = [each for each in view.validation.get("requirements") or () if not each["holds"]]
    if target["surely"] and not unmet:
        tested = (
            "the test part confirms it"
            if math.isfinite(view.value("test"))
            else "lock the choices, look at test once"
        )
        yield step(
            "ship",
            f"the target is reached: {view.name} {view.own:.3f}, at worst {view.worse:.3f}, wished "
            f"{wished:g}: {tested}, "
            "retrain on train and validation (--final) and ship",
            view.own,
            0.0,
            target,
        )
    elif target["reached"] and not target["surely"]:
        ahead, half = abs(view.own - wished), abs(view.own - view.worse)
        needed = math.ceil(rows * (half / ahead) ** 2) if ahead > 0 else 0
        more = (
            f"about {needed:,} validation images (now {rows:,}) would tell"
            if 0 < needed < 1e9
            else "it is reached by a hair"
        )
        yield step(
            "validate",
            f"{view.name} {view.own:.3f} reaches the target {wished:g}, but may be no better than "
            f"{view.worse:.3f}: {more}",
            view.own,
            0.0,
            target,
        )
    elif not target["reached"]:
        yield step(
            "target",
            f"{view.name} {view.own:.3f} misses the target {wished:g} by "
            f"{abs(wished - view.own):.3f}: take these steps in turn",
            view.own,
            0.0,
            target,
        )


def hold_against_chance(view: View) -> Iterator[NextStep]:
    """Probabilities that mislead, before or even after a temperature."""
    before, after = view.of("calibration", "before"), view.of("calibration", "after")
    if not before or not after:
        return
    temperature = float(view.facts["calibration"]["temperature"])
    if after["ece"] > max(MISLEADING, after["by_chance"]):
        yield step(
            "calibrate",
            f"probabilities mislead even after temperature scaling: off by {after['ece']:.3f} on "
            "average, where chance "
            f"explains {after['by_chance']:.3f}: do not take them for odds; decide by thresholds "
            "chosen on validation",
            after["ece"],
            0.0,
            after,
        )
    elif before["ece"] > max(MISLEADING, before["by_chance"]):
        yield step(
            "calibrate",
            f"as trained, probabilities are off by {before['ece']:.3f} on average; divided by a "
            "temperature of "
            f"{temperature:.2f} (which the exported model does) by {after['ece']:.3f}: keep it "
            "when you deploy the model",
            temperature,
            0.0,
            {"before": before["ece"], "after": after["ece"]},
        )


def weigh_class_weights(view: View) -> Iterator[NextStep]:
    """What class weights did."""
    found = view.of("class_weights")
    if not found:
        return
    low, high, difference = (number(found.get(key)) for key in ("low", "high", "difference"))
    verdict, used = found.get("verdict"), bool(found.get("used"))
    sentence = (
        f"on frozen features, class weights change {view.name} by {difference:+.3f} (interval "
        f"{low:+.3f} to {high:+.3f})"
    )
    ends = {
        "better": "they help: " + ("keep them" if used else "use them"),
        "worse": "they harm: " + ("leave them out" if used else "stay without"),
    }
    todo = ends.get(str(verdict), "no clear help: the simpler loss will do")
    pays = (verdict == "better" and not used) or (verdict == "worse" and used)
    yield step(
        "class-weights",
        f"{sentence}: {todo}",
        difference,
        abs(view.gain(difference, 0.0)) if pays else 0.0,
        dict(found),
    )


def find_simpler(view: View) -> Iterator[NextStep]:
    """The probe on frozen features does as well."""
    probe = view.value("probe")
    if math.isfinite(probe) and not view.gain(view.worse, probe) > 0:
        than = "better than" if view.gain(probe, view.own) > 0 else "within the interval of"
        yield step(
            "simplify",
            f"a linear model on frozen features has {view.name} {probe:.3f}, {than} the trained "
            f"network's {view.own:.3f} "
            f"(interval {view.low:.3f} to {view.high:.3f}): fine-tune with a smaller learning "
            "rate, or keep the simple model",
            probe,
            max(0.0, view.gain(probe, view.own)),
            {"probe": probe, "model": view.own},
        )


def find_few_rows(view: View) -> Iterator[NextStep]:
    """An interval too wide to choose models by."""
    half = abs(view.gain(view.high, view.low)) / 2
    if half > WIDE:
        rows = int(view.validation.get("samples", 0))
        yield step(
            "validate",
            f"{view.name} on validation is only known to ± {abs(view.high - view.low) / 2:.3f} "
            f"({rows:,} images): judge by "
            "cross-validation, or four times the images for half of that",
            half,
            0.0,
            {"samples": rows, "low": view.low, "high": view.high},
        )
