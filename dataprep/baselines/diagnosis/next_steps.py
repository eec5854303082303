"""What next: from the figures of a baseline to the steps that pay, one sentence each, those with
most to gain first.

Every rule is a function of the facts alone. Gains are in units of the optimising metric where
higher is better; where lower is better, as a share of the best answer that does not look at the
image. What a rule would gain is an upper bound of what its cause costs, not a promise.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from dataprep.baselines.diagnosis import data_rules, model_rules
from dataprep.baselines.diagnosis.findings import View, step
from dataprep.schemas.issues import evidence_of
from dataprep.schemas.results.baseline import NextStep

if TYPE_CHECKING:
    from dataprep.schemas.issues import Issues

_SHOWN = 3
#: What makes every other figure doubtful comes first; then that all is done.
_TIERS, _LAST = {"broken": 0, "leakage": 1, "shortcut": 1, "ship": 2}, 3

_RULES: tuple[Callable[[View], Iterator[NextStep]], ...] = (
    model_rules.find_useless,
    data_rules.find_shortcuts,
    model_rules.find_underfitting,
    model_rules.find_overfitting,
    data_rules.find_noise,
    data_rules.find_faulty,
    data_rules.find_mismatch,
    data_rules.find_behind,
    data_rules.find_slices,
    model_rules.find_unmet,
    data_rules.weigh_cleaning,
    model_rules.weigh_class_weights,
    model_rules.find_simpler,
    model_rules.hold_against_target,
    model_rules.hold_against_chance,
    model_rules.find_few_rows,
)


def what_next(facts: Mapping[str, Any]) -> list[NextStep]:
    """The steps that the figures ask for.

    Args:
        facts: what is known, each key where it is:

            ``validation`` (needed), ``train``, ``test``: results of
            `dataprep.baselines.evaluation.estimates.evaluate`, train without augmentation;
            ``dumb``: of `dataprep.baselines.evaluation.dummy.trivial_baselines` on validation;
            ``probe``: `evaluate` of the probe on validation; ``ceiling``: of `noise_ceiling`;
            ``calibration``: of `calibrate`; ``thresholds``: of `choose_thresholds`;
            ``class_weights``: of `compare_models` (its ``metric``; one without weights, other with)
            or of `paired_seeds` (before: without), and ``used``: whether the model has them;
            ``cleaning``: of `paired_seeds`, before and after cleaning; ``claims``: of `claims_of`;
            ``errors``: ``mistakes``, ``faulty`` (those on samples with an issue), ``wrong_label``
            (those among the listed wrong labels); ``training``: ``epochs``, ``best_epoch``,
            ``limit`` (epochs that were allowed).

    Returns:
        First what makes the other figures doubtful, then that the target is reached, then the rest,
        the largest gain first.
    """
    found: list[NextStep] = []
    view = View(facts)
    if math.isfinite(view.own):
        for rule in _RULES:
            found += rule(view)
    order = sorted(found, key=lambda each: (_TIERS.get(each.step, _LAST), -each.gain))
    if not order:
        sentence = (
            "nothing stands out in the figures: look at the worst mistakes, and collect "
            "more of what they show"
        )
        order = [step("mistakes", sentence, view.own, 0.0, {})]
    return order


def claims_of(issues: Issues | None) -> dict[str, Any]:
    """What `what_next` wants to know of an audit: check to what it claims.

    ``severity`` (the worst), ``warned`` (claims that are a warning or worse), ``count`` and the
    first ``targets`` (of claims that name one), and ``evidence`` of the worst claim.
    """
    if issues is None:
        return {}
    found = {}
    for check, table in issues.table.groupby("check", observed=True):
        rows = table[(table["target"] != "").to_numpy()]
        found[str(check)] = {
            "count": len(rows),
            "severity": str(table["severity"].iloc[0]),
            "warned": int(table["severity"].isin(("warning", "error")).sum()),
            "targets": [str(target) for target in rows["target"].iloc[:_SHOWN]],
            "evidence": evidence_of(str(table["evidence"].iloc[0])),
        }
    return found
