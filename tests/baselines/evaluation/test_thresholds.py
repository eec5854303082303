"""Thresholds, refusing to answer, calibration."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import fbeta_score, precision_score, recall_score

from dataprep.baselines.evaluation.calibration import (
    calibrate,
    fit_temperature,
    probabilities,
    reliability,
)
from dataprep.baselines.evaluation.metrics import decide
from dataprep.baselines.evaluation.thresholds import (
    binomial_bound,
    choose_abstention,
    choose_threshold,
    choose_thresholds,
    precision_recall,
    report_abstention,
    risk_coverage,
    threshold_array,
)
from dataprep.schemas.goal import Goal, Requirement


@st.composite
def scored(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    n, levels = draw(st.integers(2, 60)), draw(st.sampled_from([2, 6, 500]))
    rng = np.random.default_rng(draw(st.integers(0, 9999)))
    positive = rng.random(n) < 0.4
    positive[0] = True
    return rng.integers(0, levels, n) / levels, positive


@settings(max_examples=12, deadline=None)
@given(scored())
def test_the_curve_is_what_thresholds_give(made: tuple[np.ndarray, np.ndarray]) -> None:
    scores, positive = made
    curve = precision_recall(scores, positive)
    assert curve is not None
    assert (np.diff(curve.thresholds) > 0).all()
    for threshold, precision, recall, f in zip(
        curve.thresholds, curve.precision, curve.recall, curve.f(2.0), strict=True
    ):
        said = scores >= threshold
        assert precision == pytest.approx(precision_score(positive, said))
        assert recall == pytest.approx(recall_score(positive, said))
        assert f == pytest.approx(fbeta_score(positive, said, beta=2.0))


def test_the_best_threshold_meets_the_requirement_at_the_least_cost() -> None:
    rng = np.random.default_rng(0)
    positive = rng.random(2000) < 0.2
    scores = 1 / (1 + np.exp(-(rng.normal(size=2000) + 2 * positive - 1)))
    free = choose_threshold(scores, positive)
    bound = choose_threshold(scores, positive, require=[Requirement("recall", "sick", True, 0.95)])
    strict = choose_threshold(
        scores, positive, require=[Requirement("precision", "sick", True, 0.9)]
    )
    never = choose_threshold(
        scores,
        positive,
        require=[Requirement(name, "sick", True, 0.99) for name in ("precision", "recall")],
    )
    assert free is not None and bound is not None and strict is not None and never is not None  # noqa: PT018
    assert free["recall"] < 0.95 <= bound["recall"] < 0.96, "no more is given up than is asked for"
    assert bound["recall_low"] < 0.95
    assert strict["precision"] >= 0.9 > free["precision"]
    assert free["threshold"] < strict["threshold"]
    assert (free["holds"], bound["holds"], strict["holds"], never["holds"]) == (
        True,
        True,
        True,
        False,
    )
    assert free["f_beta"] >= free["default"]["f_beta"]
    assert choose_threshold(scores, np.zeros(2000, bool)) is None


def test_chosen_thresholds_are_what_decisions_take() -> None:
    goal = Goal(
        "binary",
        ("sick", "well"),
        "macro-f1",
        positive="sick",
        requirements=(Requirement("recall", "sick", True, 1.0),),
    )
    labels, sick = np.array([0, 0, 1, 1, -1]), np.array([0.9, 0.3, 0.2, 0.1, 0.5])
    probs = np.stack([sick, 1 - sick], axis=1)
    chosen = choose_thresholds(goal, labels, probs)
    assert chosen["sick"]["threshold"] == pytest.approx(0.25)
    assert decide(goal, probs, threshold_array(goal, chosen)).tolist() == [0, 0, 1, 1, 0]
    several = Goal("multi-label", ("x", "y"), "macro-f1")
    found = choose_thresholds(
        several, np.array([[1, 0], [0, 1], [0, 0]]), np.array([[0.4, 0.1], [0.1, 0.9], [0.2, 0.2]])
    )
    assert decide(several, np.array([[0.35, 0.3]]), threshold_array(several, found)).tolist() == [
        [True, False]
    ]
    many = Goal(
        "multi-class",
        ("a", "b", "c"),
        "accuracy",
        requirements=(Requirement("recall", "b", True, 0.9),),
    )
    assert list(choose_thresholds(many, np.array([0, 1, 2]), np.eye(3))) == ["b"]


def test_risk_grows_with_coverage_where_confidence_tells() -> None:
    rng = np.random.default_rng(0)
    confidence = rng.random(4000)
    curve = risk_coverage(confidence, rng.random(4000) > confidence)
    assert curve is not None
    assert curve.risk[400] < 0.1 < 0.4 < curve.risk[-1]
    assert curve.area == pytest.approx(np.mean(curve.risk), abs=1e-9), (
        "without ties it is the mean risk"
    )
    assert risk_coverage(np.array([0.9, 0.5]), np.array([0, 1])).excess == 0  # type: ignore[union-attr]


def test_the_order_of_equal_confidences_says_nothing() -> None:
    confidence, wrong = np.full(6, 0.7), np.array([1, 1, 0, 0, 0, 0])
    one, other = risk_coverage(confidence, wrong), risk_coverage(confidence, wrong[::-1])
    assert one is not None and other is not None  # noqa: PT018
    assert one.area == other.area == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("errors", "of", "bound"),
    [(0, 1, 0.95), (0, 100, 0.029513), (3, 50, 0.147872), (50, 1000, 0.063), (99, 100, 0.999487)],
)
def test_the_binomial_bound_is_that_of_clopper_and_pearson(
    errors: int, of: int, bound: float
) -> None:
    from scipy.stats import beta

    assert binomial_bound(errors, of, 0.05) == pytest.approx(
        beta.ppf(0.95, errors + 1, of - errors), abs=1e-9
    )
    assert binomial_bound(errors, of, 0.05) == pytest.approx(bound, abs=1e-3)
    assert binomial_bound(of, of, 0.05) == 1.0


def test_the_guaranteed_risk_is_kept_on_new_data() -> None:
    broken = held = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        confidence = rng.random(1000)
        chosen = choose_abstention(confidence, rng.random(1000) > confidence, risk=0.2)
        if not chosen["holds"]:
            continue
        held += 1
        true = (1 - chosen["threshold"]) / 2  # mean error above the threshold
        assert chosen["risk"] <= chosen["bound"] <= 0.2
        broken += true > 0.2
    assert held >= 90
    assert broken <= 5


def test_units_count_once_and_what_cannot_be_promised_is_not() -> None:
    rng = np.random.default_rng(0)
    confidence = np.repeat(rng.random(40), 25)
    wrong = np.repeat(rng.random(40), 25) > confidence
    alone = choose_abstention(confidence, wrong, risk=0.2)
    together = choose_abstention(confidence, wrong, risk=0.2, units=np.repeat(np.arange(40), 25))
    assert alone["holds"]
    assert together["bound"] > alone["bound"] or not together["holds"]
    hopeless = choose_abstention(confidence, np.ones(1000), risk=0.01)
    assert (hopeless["holds"], hopeless["wished"]) == (False, 0.01)
    assert not choose_abstention(np.zeros(0), np.zeros(0), risk=0.1)["holds"]


def test_twenty_thresholds_share_the_probability_of_failing() -> None:
    """The bound of each is at a twentieth of delta, and rows at the threshold are answered."""
    confidence = np.repeat([0.9, 0.6], [100, 60])
    wrong = np.zeros(160, bool)
    wrong[:3] = True
    wrong[100:130] = True
    chosen = choose_abstention(confidence, wrong, risk=0.15, delta=0.1)
    assert (chosen.threshold, chosen.units, chosen.coverage) == (0.9, 100, 100 / 160)
    assert chosen.bound == pytest.approx(stats.beta.ppf(1 - 0.1 / 20, 4, 97))
    assert chosen.holds
    at_one_tenth = stats.beta.ppf(1 - 0.1, 4, 97)
    between = (at_one_tenth + chosen.bound) / 2
    assert not choose_abstention(confidence, wrong, risk=between, delta=0.1).holds


def test_what_reaches_a_threshold_exactly_is_a_yes_and_is_answered() -> None:
    binary = Goal("binary", ("sick", "well"), "accuracy", positive="sick")
    probs = np.array([[0.25, 0.75], [0.24, 0.76]])
    assert decide(binary, probs, np.array([0.25, 0.5])).tolist() == [0, 1]
    several = Goal("multi-label", ("x", "y"), "macro-f1")
    assert decide(several, probs, np.array([0.25, 0.76])).tolist() == [[True, False], [False, True]]
    assert decide(several, np.array([[0.5, 0.49]])).tolist() == [[True, False]]
    report = report_abstention(np.array([0.75, 0.5, 0.25]), np.array([0, 0, 1]), 0.5)
    assert (report.answered, report.risk) == (2, 0.0)
    chosen = choose_threshold(np.array([0.6, 0.5, 0.5, 0.1]), np.array([1, 1, 1, 0]))
    assert chosen is not None
    assert chosen.default.recall == 1.0, "0.5 itself is a yes"


def test_an_abstention_is_reported_on_other_rows() -> None:
    found = report_abstention(np.array([0.9, 0.8, 0.3, 0.2]), np.array([0, 1, 1, 1]), 0.5)
    assert (found["answered"], found["coverage"], found["risk"], found["refused_risk"]) == (
        2,
        0.5,
        0.5,
        1.0,
    )
    assert found["low"] < 0.5 < found["high"]
    assert report_abstention(np.array([0.2]), np.array([1]), 0.5)["risk"] is None


def test_the_calibration_error_is_the_mean_gap() -> None:
    found = reliability(np.array([0.95, 0.95, 0.55, 0.55]), np.array([1, 0, 1, 1]))
    assert found["error"] == pytest.approx(0.45)
    assert [(each["count"], each["accuracy"]) for each in found["bins"]] == [(2, 1.0), (2, 0.5)]
    mass = reliability(np.linspace(0.5, 1, 150), np.ones(150), equal="mass")
    assert [each["count"] for each in mass["bins"]] == [10] * 15
    assert mass["error"] == pytest.approx(0.25)
    assert reliability(np.full(9, 0.8), np.ones(9), equal="mass")["error"] == pytest.approx(0.2)
    assert reliability(np.zeros(0), np.zeros(0))["error"] is None


@pytest.mark.parametrize("several", [False, True])
def test_the_temperature_that_was_put_in_is_found(several: bool) -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(6000, 3)) * 2
    probs = probabilities(logits, several=several)
    labels = (
        rng.random((6000, 3)) < probs
        if several
        else (rng.random(6000)[:, None] > np.cumsum(probs, axis=1)[:, :-1]).sum(axis=1)
    )
    assert fit_temperature(logits * 3, labels) == pytest.approx(3, rel=0.06)
    goal = Goal("multi-label" if several else "multi-class", ("a", "b", "c"), "macro-f1")
    temperature, found = calibrate(goal, logits * 3, labels, units=rng.integers(0, 500, 6000))
    assert temperature == pytest.approx(3, rel=0.06)
    assert found["before"]["ece"] > 2 * found["before"]["by_chance"]
    assert found["after"]["ece"] < 1.2 * found["after"]["by_chance"]
    assert found["after"]["log_loss"] < found["before"]["log_loss"]
    assert sum(each["count"] for each in found["after"]["reliability"]) == (
        18_000 if several else 6000
    )


def test_the_temperature_has_the_least_log_loss() -> None:
    rng = np.random.default_rng(1)
    logits, labels = rng.normal(size=(200, 4)), rng.integers(0, 4, 200)
    logits[np.arange(200), labels] += 1

    def loss(temperature: float) -> float:
        return float(-np.log(probabilities(logits, temperature)[np.arange(200), labels]).mean())

    best = fit_temperature(logits, labels)
    assert loss(best) <= min(loss(best * 0.98), loss(best * 1.02))
    assert fit_temperature(np.zeros((0, 4)), np.zeros(0, int)) == 1.0
    sure = [
        fit_temperature(np.tile(np.eye(4) * 5, (times, 1)), np.tile(np.arange(4), times))
        for times in (1, 10, 1000)
    ]
    assert 1 > sure[0] > 0.5
    assert sure[0] > sure[1] > sure[2], "always right: the surer, the more rows say so"


def test_no_row_is_judged_by_a_temperature_that_it_helped_to_fit() -> None:
    """A temperature of the same rows can only flatter: the best of all is better than those of
    other folds.
    """
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 60)
    logits = 3 * rng.normal(size=(60, 3)) + 2 * np.eye(3)[labels]
    goal = Goal("multi-class", ("a", "b", "c"), "accuracy")
    units = np.repeat(np.arange(12), 5)
    temperature, found = calibrate(goal, logits, labels, units=units)
    own = probabilities(logits, temperature)[np.arange(60), labels]
    assert found.after.log_loss is not None
    assert found.after.log_loss > -np.log(own).mean() + 1e-4
    assert found.folds == 5
    plain = probabilities(logits)[np.arange(60), labels]
    assert found.before.log_loss == pytest.approx(-np.log(plain).mean())


def test_nothing_to_calibrate_leaves_everything_as_it_is() -> None:
    goal = Goal("multi-class", ("a", "b"), "accuracy")
    temperature, found = calibrate(goal, np.zeros((2, 2)), np.array([-1, -1]))
    assert (temperature, found["before"], found["samples"]) == (1.0, {}, 0)
