"""What next, from made-up facts."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from dataprep.baselines.diagnosis.next_steps import claims_of, what_next
from dataprep.baselines.evaluation.dummy import trivial_baselines
from dataprep.baselines.evaluation.estimates import evaluate
from dataprep.baselines.evaluation.thresholds import choose_thresholds
from dataprep.schemas.goal import Goal, Requirement
from dataprep.schemas.issues import Issues, batch


def figures(
    value: float, half: float = 0.01, *, name: str = "accuracy", **more: Any
) -> dict[str, Any]:
    """What an evaluation says, as far as rules read it."""
    own = {"value": value, "low": value - half, "high": value + half}
    direction = "lower" if name in ("mae", "log-loss") else "higher"
    return {
        "samples": 1000,
        "metric": {"name": name, "direction": direction, **own},
        "metrics": {name: own},
        **more,
    }


def steps(**facts: Any) -> list[str]:
    return [each["step"] for each in what_next(facts)]


def sentence(step: str, **facts: Any) -> str:
    return next(str(each["sentence"]) for each in what_next(facts) if each["step"] == step)


def claims(**evidence: Any) -> dict[str, Any]:
    return {
        name.replace("_", "-"): {
            "severity": "warning",
            "count": 3,
            "targets": ["a", "b"],
            "evidence": each,
        }
        for name, each in evidence.items()
    }


CEILING = {"known": True, "ceiling": 0.9, "low": 0.88, "high": 0.92, "rate": 0.1}
CURVE = {"now": 0.8, "twice": 0.85, "low": 0.83, "high": 0.87}


def test_no_better_than_a_trivial_baseline_comes_before_everything() -> None:
    found = what_next(
        {"validation": figures(0.5), "train": figures(0.9), "dumb": [{"value": 0.495}]}
    )
    assert [each["step"] for each in found] == ["broken", "regularise"]
    assert found[0]["figure"] == pytest.approx(0.005)
    assert "broken" not in steps(validation=figures(0.5), dumb=[{"value": 0.4}])


def test_far_below_reach_on_train_is_underfitting() -> None:
    assert steps(validation=figures(0.7), train=figures(0.71)) == ["capacity"]
    assert steps(validation=figures(0.93), train=figures(0.96)) == ["regularise"], (
        "a gap, and little headroom"
    )
    assert steps(validation=figures(0.945), train=figures(0.96)) == ["mistakes"], (
        "a gap of 0.015 is none"
    )
    assert "capacity" not in steps(
        validation=figures(0.87), train=figures(0.87), ceiling=CEILING
    ), "noise takes the headroom"
    text = sentence(
        "capacity",
        validation=figures(0.7),
        train=figures(0.72),
        training={"epochs": 9, "best_epoch": 9, "limit": 9},
    )
    assert "train longer" in text
    assert "0.720" in text


def test_a_gap_beyond_the_interval_is_overfitting_and_says_what_more_data_brings() -> None:
    assert steps(validation=figures(0.8), train=figures(0.99)) == ["regularise"]
    assert "regularise" not in steps(validation=figures(0.8, 0.04), train=figures(0.83)), (
        "within the interval"
    )
    text = sentence(
        "regularise",
        validation=figures(0.8),
        train=figures(0.99),
        claims=claims(learning_curve=CURVE),
    )
    assert "0.800 → 0.850 (between 0.830 and 0.870)" in text
    flat = claims(learning_curve=CURVE | {"twice": 0.805})
    assert "brings little" in sentence(
        "regularise", validation=figures(0.8), train=figures(0.99), claims=flat
    )
    assert "unknown" in sentence("regularise", validation=figures(0.8), train=figures(0.99))


def test_errors_are_better_the_lower() -> None:
    dumb = [{"value": 4.0}]
    assert steps(
        validation=figures(2.0, 0.1, name="mae"), train=figures(0.1, name="mae"), dumb=dumb
    ) == ["regularise"]
    assert steps(
        validation=figures(2.0, 0.1, name="mae"), train=figures(1.9, name="mae"), dumb=dumb
    ) == ["capacity"]
    assert steps(validation=figures(4.0, 0.1, name="mae"), dumb=dumb) == ["broken"]


def test_the_noise_ceiling_asks_for_labels_by_number() -> None:
    facts = {"validation": figures(0.885), "ceiling": CEILING, "claims": claims(wrong_label={})}
    assert steps(**facts) == ["labels"]
    text = sentence("labels", **facts)
    assert "10.0%" in text
    assert "the 3 labels that wrong-label lists" in text
    assert steps(validation=figures(0.8), ceiling=CEILING) == ["mistakes"]
    assert steps(validation=figures(0.885), ceiling={"known": False}) == ["mistakes"]
    target = {"value": 0.95, "reached": False, "surely": False}
    assert steps(validation=figures(0.7, target=target), ceiling=CEILING) == ["labels", "target"], (
        "a target above the ceiling"
    )


def test_mistakes_on_faulty_samples_ask_for_cleaning_first() -> None:
    errors = {"mistakes": 100, "faulty": 40, "wrong_label": 25}
    assert sentence("data", validation=figures(0.9), errors=errors).startswith(
        "40% of the 100 mistakes"
    )
    assert steps(validation=figures(0.9), errors=errors | {"faulty": 10}) == ["mistakes"]


def test_doubt_comes_first_then_the_finish_then_gains() -> None:
    target = {"value": 0.8, "reached": True, "surely": True}
    found = what_next(
        {
            "validation": figures(0.85, target=target),
            "train": figures(0.99),
            "dumb": [{"value": 0.3}],
            "claims": claims(shortcut={"what": "luma_mean alone predicts the label"}),
            "errors": {"mistakes": 10, "faulty": 9},
        }
    )
    assert [each["step"] for each in found] == ["shortcut", "ship", "regularise", "data"]
    assert "luma_mean alone" in found[0]["sentence"]
    for severity, why in (
        ("info", "a model that sees pixels cannot use it"),
        ("fact", "it may be what the class looks like"),
    ):
        told = claims(shortcut={"what": "the file name"})
        told["shortcut"]["severity"] = severity
        assert steps(validation=figures(0.85), claims=told) == ["mistakes"], why
    assert steps(validation=figures(0.85), claims=claims(split_leakage={})) == ["leakage"]


def test_validation_and_test_apart_beyond_chance_are_a_mismatch() -> None:
    known = claims(distribution_mismatch={"text": "test is darker"})
    text = sentence("mismatch", validation=figures(0.9), test=figures(0.8), claims=known)
    assert "make validation look like test" in text
    assert "test is darker" in text
    assert "easier" in sentence("mismatch", validation=figures(0.8), test=figures(0.9))
    assert steps(validation=figures(0.9, 0.04), test=figures(0.86, 0.04)) == ["mistakes"]


def made_classes(
    *values: float, supports: tuple[int, ...] = (100, 100, 100, 10)
) -> list[dict[str, Any]]:
    return [
        {
            "class": name,
            "support": support,
            "f1": {"value": value, "low": value - 0.05, "high": value + 0.05},
        }
        for name, value, support in zip("abcd", values, supports, strict=True)
    ]


def test_classes_behind_are_named_as_rare_or_as_hard() -> None:
    assert "'d' (0.50 of 10)" in sentence(
        "rare-classes", validation=figures(0.9, classes=made_classes(0.9, 0.9, 0.9, 0.5))
    )
    assert "not rarer" in sentence(
        "hard-classes", validation=figures(0.9, classes=made_classes(0.5, 0.9, 0.9, 0.9))
    )
    assert steps(validation=figures(0.9, classes=made_classes(0.82, 0.9, 0.9, 0.85))) == [
        "mistakes"
    ]


def test_the_slice_on_which_most_is_lost_is_told() -> None:
    dark = {
        "slice": "luma_mean 0 to 0.1",
        "rows": 100,
        "value": 0.5,
        "difference": -0.4,
        "worse": True,
    }
    narrow = {"slice": "camera = x", "rows": 30, "value": 0.3, "difference": -0.6, "worse": True}
    found = what_next(
        {"validation": figures(0.9, slices=[narrow, dark, dark | {"worse": False, "rows": 900}])}
    )
    assert [each["step"] for each in found] == ["slice"]
    assert found[0]["gain"] == pytest.approx(0.04)
    assert "luma_mean 0 to 0.1 (100 images), 0.400 worse" in found[0]["sentence"]


def test_calibration_is_poor_only_beyond_chance() -> None:
    def of(before: float, after: float) -> dict[str, Any]:
        return {
            "temperature": 1.7,
            **{
                name: {"ece": ece, "by_chance": 0.04}
                for name, ece in (("before", before), ("after", after))
            },
        }

    assert "temperature of 1.70" in sentence(
        "calibrate", validation=figures(0.9), calibration=of(0.1, 0.03)
    )
    assert "even after" in sentence("calibrate", validation=figures(0.9), calibration=of(0.1, 0.08))
    assert steps(validation=figures(0.9), calibration=of(0.039, 0.02)) == ["mistakes"]


@pytest.mark.parametrize(
    ("verdict", "used", "words", "gain"),
    [
        ("better", False, "use them", 0.05),
        ("better", True, "keep them", 0),
        ("worse", True, "leave them out", 0.05),
        ("no clear difference", True, "no clear help", 0),
    ],
)
def test_class_weights_are_weighed(verdict: str, used: bool, words: str, gain: float) -> None:
    weights = {"difference": 0.05, "low": 0.01, "high": 0.09, "verdict": verdict, "used": used}
    found = what_next({"validation": figures(0.9), "class_weights": weights})
    assert words in found[0]["sentence"]
    assert found[0]["gain"] == pytest.approx(gain)


def test_an_unmet_requirement_says_which_threshold_would_meet_it() -> None:
    rng = np.random.default_rng(0)
    goal = Goal(
        "binary",
        ("sick", "well"),
        "macro-f1",
        positive="sick",
        requirements=(Requirement("recall", "sick", True, 0.95),),
    )
    labels = (rng.random(600) > 0.3).astype(int)
    score = 1 / (1 + np.exp(-(rng.normal(size=600) + 2.5 * (labels == 0) - 1.5)))
    probs = np.stack([score, 1 - score], axis=1)
    facts = {
        "validation": evaluate(goal, labels, probs, draws=100),
        "thresholds": choose_thresholds(goal, labels, probs),
    }
    facts["dumb"] = trivial_baselines(goal, labels, np.arange(300), np.arange(300, 600))
    text = sentence("requirement", **facts)
    threshold = facts["thresholds"]["sick"]["threshold"]
    assert f"a threshold of {threshold:.3f} would reach it (recall 0.9" in text
    json.dumps(what_next(facts), allow_nan=False)


def test_requirements_without_a_threshold() -> None:
    slow = {
        "requirement": "latency_ms<=5",
        "figure": "latency_ms",
        "of": "",
        "bound": 5.0,
        "value": 12.0,
        "known": True,
        "holds": False,
    }
    found = what_next({"validation": figures(0.9, requirements=[slow])})
    assert "smaller network" in found[0]["sentence"]
    unknown = slow | {"known": False, "value": None}
    assert (
        "could not be measured"
        in what_next({"validation": figures(0.9, requirements=[unknown])})[0]["sentence"]
    )
    recall = slow | {
        "requirement": "recall[b]>=0.9",
        "figure": "recall",
        "of": "b",
        "bound": 0.9,
        "value": 0.5,
    }
    assert "a better model must" in sentence(
        "requirement", validation=figures(0.9, requirements=[recall])
    )
    never = {"b": {"holds": False, "threshold": 0.1, "precision": 0.2, "recall": 0.8}}
    assert "no threshold reaches it" in sentence(
        "requirement", validation=figures(0.9, requirements=[recall]), thresholds=never
    )


def test_the_target_is_reached_or_nearly_or_not() -> None:
    sure, near, missed = (
        {"value": value, "reached": reached, "surely": surely}
        for value, reached, surely in (
            (0.85, True, True),
            (0.895, True, False),
            (0.95, False, False),
        )
    )
    assert steps(validation=figures(0.9, target=sure)) == ["ship"]
    assert "look at test once" in sentence("ship", validation=figures(0.9, target=sure))
    assert "the test part confirms" in sentence(
        "ship", validation=figures(0.9, target=sure), test=figures(0.9)
    )
    assert "about 4,000 validation images (now 1,000)" in sentence(
        "validate", validation=figures(0.9, target=near)
    )
    assert "misses the target 0.95 by 0.050" in sentence(
        "target", validation=figures(0.9, target=missed)
    )
    unmet = {
        "requirement": "size_mb<=5",
        "figure": "size_mb",
        "of": "",
        "bound": 5.0,
        "value": 9.0,
        "known": True,
        "holds": False,
    }
    assert steps(validation=figures(0.9, target=sure, requirements=[unmet])) == ["requirement"], (
        "not yet"
    )


def test_cleaning_and_the_probe_are_weighed() -> None:
    cleaning = {"difference": 0.04, "low": 0.02, "high": 0.06, "verdict": "better", "seeds": 5}
    assert "cleaning helps" in sentence("cleaning", validation=figures(0.9), cleaning=cleaning)
    assert "no clear difference" in sentence(
        "cleaning", validation=figures(0.9), cleaning=cleaning | {"verdict": "no clear difference"}
    )
    assert "within the interval" in sentence(
        "simplify", validation=figures(0.9), probe=figures(0.895)
    )
    assert "better than" in sentence("simplify", validation=figures(0.9), probe=figures(0.95))
    assert steps(validation=figures(0.9), probe=figures(0.8)) == ["mistakes"]
    assert steps(validation=figures(0.9, 0.07)) == ["validate"]


def test_nothing_known_and_nothing_defined_still_say_something() -> None:
    nothing = figures(0.9)
    nothing["metric"]["value"] = None
    assert steps(validation=nothing) == ["mistakes"]
    assert len(what_next({"validation": figures(0.9)})) == 1


def test_claims_are_read_from_issues() -> None:
    issues = Issues.collect([
        batch("wrong-label", "warning", "sample", [f"{i}.png" for i in range(5)]),
        batch("learning-curve", "info", "dataset", [""], evidence=CURVE),
        batch("shortcut", "warning", "class", ["cat"], evidence={"what": "darkness"}),
        batch("shortcut", "info", "class", ["dog"], evidence={"what": "names"}),
    ])  # fmt: skip
    found = claims_of(issues)
    assert found["wrong-label"] == {
        "severity": "warning",
        "warned": 5,
        "count": 5,
        "targets": ["0.png", "1.png", "2.png"],
        "evidence": {},
    }
    assert found["shortcut"]["warned"] == 1
    assert found["learning-curve"]["evidence"] == CURVE
    assert (found["shortcut"]["count"], found["shortcut"]["evidence"]["what"]) == (2, "darkness")
    assert claims_of(None) == claims_of(Issues.collect([])) == {}


def test_real_evaluations_are_understood() -> None:
    rng = np.random.default_rng(0)
    goal = Goal("multi-class", ("a", "b", "c"), "macro-f1", target=0.9)
    labels = rng.integers(0, 3, 400)
    probs = np.eye(3)[np.where(rng.random(400) < 0.7, labels, (labels + 1) % 3)] * 0.9 + 0.1 / 3
    found = evaluate(goal, labels, probs, slices=pd.DataFrame({"x": rng.random(400)}), draws=100)
    train = evaluate(goal, labels, np.eye(3)[labels], draws=100)
    assert steps(validation=found, train=train, test=found, probe=found) == [
        "regularise",
        "simplify",
        "target",
    ]
