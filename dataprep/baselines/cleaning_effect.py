"""Before and after cleaning: the same training twice, once on the labels as given and once on what
a plan leaves of them.

Only the training part is cleaned. Both sides are judged on the same rows of val, with their labels
as given: those that the plan neither drops nor relabels. Judging on relabelled rows would ask the
tool that proposed the labels whether they are right. The test part stays unseen.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from dataprep.baselines.evaluation.comparing import compare_models, paired_seeds
from dataprep.baselines.evaluation.metrics import METRICS, known_labels
from dataprep.baselines.evaluation.scoring import predictions
from dataprep.baselines.frozen.linear import linear_on
from dataprep.baselines.frozen.model import linear_in_space
from dataprep.baselines.goal import codes_of
from dataprep.baselines.training.fitting import train_network
from dataprep.baselines.training.network_predictions import deep_features, logits_of
from dataprep.errors import InputError, OptionError
from dataprep.schemas.results.evaluation import CleaningEffect, PairedSeeds

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.augment.policies import Policy
    from dataprep.baselines.training.fitting import TrainedNetwork
    from dataprep.baselines.training.loop import Report
    from dataprep.baselines.training.materials import Materials
    from dataprep.baselines.training.regimes import Regime
    from dataprep.schemas.plan import Plan

#: A classifier on frozen features knows no luck: each seed trains it on another such share of the
#: training units instead.
_SHARE = 0.9


def compare_cleaned(
    materials: Materials,
    regime: Regime,
    trained: TrainedNetwork,
    plan: Plan,
    *,
    seeds: int = 5,
    policy: Policy | None = None,
    device: str = "cpu",
    workers: int = 0,
    report: Report | None = None,
) -> CleaningEffect:
    """Whether cleaning the training part helps, over paired seeds.

    Args:
        materials, regime, policy, device, workers, report: as of
            `dataprep.baselines.training.fitting.train_network`.
        trained: the model on the labels as given: how many epochs were best.
        plan: what to drop and relabel.
        seeds: trainings of each side; the two of a seed share their order, augmentation and first
            weights.

    Raises:
        InputError: the plan changes nothing in train, or leaves no row of val to judge on.
    """
    before, after, facts = sides(materials, plan)
    epochs = 1 if trained.fitted is None else trained.fitted.best_epoch + 1
    features = _features(before, trained) if regime.name == "frozen" else None
    answers: tuple[list[Any], list[Any]] = ([], [])
    for number in range(seeds):
        settings = replace(
            regime.settings, seed=regime.settings.seed + number, epochs=max(1, epochs), patience=0
        )
        once = replace(regime, settings=settings)
        if features is not None:
            made = _linear_pair(before, after, once, features)
        else:
            made = (
                _answers(
                    side,
                    train_network(
                        side,
                        once,
                        policy=policy,
                        device=device,
                        workers=workers,
                        report=report,
                        choose=False,
                    ),
                )
                for side in (before, after)
            )
        for place, each in zip(answers, made, strict=True):
            place.append(each)
    return _weighed(before, answers, facts)


def sides(materials: Materials, plan: Plan) -> tuple[Materials, Materials, dict[str, int]]:
    """Materials before and after cleaning the training part, with the rows of val that the plan
    does not touch; and counts.
    """
    table = plan.table
    names = materials.dataset.samples.index
    dropped = names.isin(table.loc[table["action"] == "drop", "sample"])
    new = table[table["action"] == "relabel"].set_index("sample")["new_label"]
    renamed = names.isin(new.index)
    texts = materials.dataset.samples["label"].astype("object").copy()
    texts[names[renamed]] = new[names[renamed]]
    labels = codes_of(materials.dataset.assign(label=texts), materials.goal)
    changed = renamed & np.asarray(
        texts.astype("str") != materials.dataset.samples["label"].astype("str")
    )
    judged = materials.val[~(dropped | renamed)[materials.val]]
    kept = materials.train[
        ~dropped[materials.train] & known_labels(materials.goal, labels)[materials.train]
    ]
    facts = {
        "dropped": int(dropped[materials.train].sum()),
        "relabelled": int((changed & ~dropped)[materials.train].sum()),
        "judged": len(judged),
    }
    if not facts["dropped"] + facts["relabelled"]:
        raise InputError(
            "--compare cleaned: the plan drops and relabels nothing in train. Where the split was "
            "made from the cleaned data "
            "already, make it again: dataprep split --no-plan"
        )
    if not len(judged) or not len(kept):
        raise InputError(
            "--compare cleaned: the plan leaves no sample to train on in train, or none to judge "
            "on in val"
        )
    before = replace(materials, parts={"train": materials.train, "val": judged})
    return before, replace(before, labels=labels, parts={"train": kept, "val": judged}), facts


def refuse_no_comparison(wanted: str, materials: Materials, plan: Plan | None) -> None:
    """Say before the work that there is nothing to compare, where a comparison is `wanted`.

    Raises:
        OptionError: no plan.
        InputError: the plan changes nothing in train, or leaves nothing to train or judge on.
    """
    if not wanted:
        return
    if plan is None:
        raise OptionError(
            "compare cleaned: expected the plan of a cleaning (dataprep.clean), got none"
        )
    sides(materials, plan)


def _answers(side: Materials, trained: TrainedNetwork) -> NDArray[np.float64]:
    return predictions(side, logits_of(trained.network, side.store, side.val))


def _features(side: Materials, trained: TrainedNetwork) -> NDArray[np.float32]:
    """(n, d) penultimate values of every row that is used; zeros elsewhere."""
    rows = np.concatenate([side.train, side.val])
    features = np.zeros((len(side.dataset), trained.network.width), np.float32)
    features[rows] = deep_features(trained.network, side.store, rows)
    return features


def _linear_pair(
    before: Materials, after: Materials, regime: Regime, features: NDArray[np.float32]
) -> Iterator[NDArray[np.float64]]:
    """Answers of classifiers on the same features and the same share of the units."""
    units = np.unique(before.units[before.train])
    rng = np.random.default_rng(regime.settings.seed)
    drawn = rng.choice(units, max(1, round(_SHARE * len(units))), replace=False)
    for side in (before, after):
        inside = side.train[np.isin(side.units[side.train], drawn)]
        if side.embedding is not None:
            linear = linear_in_space(side, inside, regime.settings)
            yield predictions(side, linear(side.values[side.val]))
            continue
        yield predictions(
            side, linear_on(side, features[inside], inside, regime.settings)(features[side.val])
        )


def _weighed(
    side: Materials, answers: tuple[list[Any], list[Any]], facts: dict[str, int]
) -> CleaningEffect:
    goal, labels, units = side.goal, side.labels[side.val], side.units[side.val]
    own = METRICS[goal.metric]
    values = [[own.function(goal, labels, each) for each in place] for place in answers]
    paired = paired_seeds(values[0], values[1], goal.metric)
    rows = compare_models(
        goal, labels, np.mean(answers[0], axis=0), np.mean(answers[1], axis=0), units=units
    )
    verdicts = {paired.verdict, rows.metric.verdict}
    helped = verdicts.pop() if len(verdicts) == 1 else "no clear difference"
    return CleaningEffect(
        paired=paired,
        dropped=facts["dropped"],
        relabelled=facts["relabelled"],
        judged=facts["judged"],
        rows=rows,
        helped=helped,
        sentence=_sentence(paired, facts, helped),
    )


def _sentence(paired: PairedSeeds, facts: dict[str, int], helped: str) -> str:
    meaning = {"better": "cleaning helped", "worse": "cleaning did harm"}.get(
        helped, "no clear difference"
    )
    reach = (
        ""
        if paired.low is None
        else f" ({paired.low:+.3f} to {paired.high:+.3f} over {paired.seeds} paired seeds)"
    )
    change = (
        "is not defined"
        if paired.difference is None
        else f"changes by {paired.difference:+.3f}{reach}"
    )
    return (
        f"{meaning}: with {facts['dropped']:,} training samples dropped and "
        f"{facts['relabelled']:,} relabelled, "
        f"{paired.metric} on {facts['judged']:,} untouched samples of val {change}"
    )
