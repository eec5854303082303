"""Deep judgement of labels: networks trained on the images, each on other folds, take the place
of the probes on an embedding.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from dataprep.augment.choice import choose_policy
from dataprep.backends.capacity import worker_count
from dataprep.baselines.out_of_fold import OutOfFold, out_of_fold
from dataprep.baselines.training.fitting import device_for
from dataprep.baselines.training.network_predictions import logits_of
from dataprep.baselines.training.networks import make_network
from dataprep.baselines.training.preparing import prepare
from dataprep.baselines.training.settings import BaselineOptions
from dataprep.checks.second_look import SecondLook
from dataprep.engine import run_checks
from dataprep.errors import InputError
from dataprep.measures.options import PassOptions
from dataprep.progress import Progress
from dataprep.schemas.files.writing import mark_output, write_atomically
from dataprep.schemas.issues import Issues
from dataprep.splits.units import units_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.baselines.training.materials import Materials
    from dataprep.baselines.training.regimes import Regime
    from dataprep.schemas.audit import Audit
    from dataprep.schemas.dataset import Dataset

#: progress(stage, done, total, note): `total` is 0 while unknown.

#: Checks that judge labels by class probabilities.
CHECKS: tuple[str, ...] = ("wrong-label", "label-candidates", "ambiguous-classes", "label-noise")
#: The file with the probabilities.
_PROBS = "predictions_out_of_fold.parquet"
#: Labelled images for each fold without which training says nothing.
_LEAST_A_FOLD = 20
#: Cost of a training step in forward passes, and images whose forward pass is timed.
_STEP_COST, _TIMED = 3.0, 64


def judge_labels(
    audit: Audit,
    *,
    folds: int = 5,
    settings: dict[str, Any] | None = None,
    options: BaselineOptions | None = None,
    keep: str = "",
    say: Callable[[str], None] = lambda text: None,
    progress: Progress | None = None,
) -> Audit:
    """The audit, with its labels judged by networks that did not see them.

    One network for each fold learns from the others, whole groups and copies together; what it
    predicts for its own takes the place of the probes in the checks `CHECKS`. Labels of every part
    are judged, test too, and no model is kept.

    Args:
        audit: a live audit, whose images are within reach.
        folds: how many, 2 at least.
        settings: settings of the training loop, as of ``dataprep train-baseline``.
        options: of what is trained; the metric and the evaluation have no say here.
        keep: folder for ``predictions_out_of_fold.parquet``, which ``dataprep audit --probs``
            takes; "" for none.
        say: told beforehand how long it will take, and afterwards where the probabilities are.
        progress: called with (stage, done, total, note) now and then.

    Raises:
        InputError: no classes to tell apart, or too few labelled images.
    """
    refuse_unsuitable(audit.dataset, folds)
    report = progress or (lambda stage, done, total, note: None)
    options = options or BaselineOptions()
    device, since = device_for(options.device), time.perf_counter()
    torch.set_num_threads(options.threads or worker_count())
    dataset, passing = _as_one_part(audit), PassOptions.of_run(audit.run)
    with tempfile.TemporaryDirectory(prefix="dataprep-deep-") as folder:
        materials, regime = prepare(
            dataset,
            options,
            settings or {},
            folder,
            passing=passing,
            progress=lambda *done: report("deep", *done),
        )
        say(_forecast(materials, regime, folds, device))

        def live(fold: int, of: int) -> Any:
            return lambda epoch, step, steps, _: report(
                "deep", step, steps, f"network {fold + 1} of {of}, epoch {epoch + 1}"
            )

        policy = None if regime.name == "frozen" else choose_policy(audit).policy
        found = out_of_fold(
            materials, regime, folds=folds, policy=policy, device=device, report=live
        )
    if keep:
        say(
            f"probabilities in {_kept(found, keep)}: to audit again without training, give that to "
            "--probs"
        )
    facts = {
        "folds": folds,
        "regime": regime.name,
        "size": regime.size,
        "arch": regime.arch,
        **dict(found.figures)["metrics"],
    }
    return judged_by(
        audit,
        found,
        materials.goal.classes,
        {**facts, "seconds": round(time.perf_counter() - since, 1)},
    )


def _kept(found: OutOfFold, folder: str) -> str:
    """Where the probabilities were written."""
    mark_output(folder)
    path = os.path.join(folder, _PROBS)
    with write_atomically(path) as file:
        found.table.to_parquet(file, index=False)
    return path


def refuse_unsuitable(dataset: Dataset, folds: int = 5) -> None:
    """Raise InputError where there are no classes to tell apart, or too few labelled images to
    train on.
    """
    if dataset.task != "classification" or "label" not in dataset.samples:
        raise InputError(
            "--deep judges labels of classes, one for each image; there are none here (task: "
            f"{dataset.task})"
        )
    labels = dataset.samples["label"].dropna()
    if labels.nunique() < 2 or len(labels) < folds * _LEAST_A_FOLD:
        raise InputError(
            f"--deep needs at least 2 classes and {folds * _LEAST_A_FOLD} labelled images, got "
            f"{labels.nunique()} and "
            f"{len(labels):,}"
        )


def judged_by(
    audit: Audit, found: OutOfFold, classes: Sequence[str], facts: dict[str, Any]
) -> Audit:
    """The audit, with the checks `CHECKS` asked again with these probabilities; `facts` go into
    its record.
    """
    dataset = found.given_to(audit.dataset, tuple(classes))
    checks = [check for check in audit.checks if check.code in CHECKS]
    look = _Look(dataset, PassOptions.of_run(audit.run), unit=_units(audit))
    issues, skipped = run_checks(checks, dataset, look)
    kept = audit.issues.where(~audit.issues.table["check"].isin(CHECKS))
    others = {code: why for code, why in audit.skipped.items() if code not in CHECKS}
    return replace(
        audit,
        issues=replace(kept, table=Issues.collect([kept.table, issues.table]).table),
        skipped={**others, **skipped},
        run={**audit.run, "deep": facts},
    )


@dataclass
class _Look(SecondLook):
    """A second look that knows already what belongs together."""

    unit: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))

    def units(self) -> NDArray[np.int64]:
        return self.unit


def _units(audit: Audit) -> NDArray[np.int64]:
    """(n,) number of what belongs together, by row."""
    units = units_of(audit)
    unit = np.empty(len(units), np.int64)
    unit[units.order] = units.unit
    return unit


def _as_one_part(audit: Audit) -> Dataset:
    """Every image as one part to learn from, with the units of the audit."""
    rows = len(audit.dataset)
    return audit.dataset.assign(split=["train"] * rows, unit=_units(audit))


def _forecast(materials: Materials, regime: Regime, folds: int, device: str) -> str:
    """How long it will take, in words, by the time of a forward pass of some images."""
    rows = np.concatenate([materials.train, materials.val])
    if materials.embedding is not None:
        return f"judging {len(rows):,} labels by {folds} classifiers on the audit's embeddings"
    network = make_network(
        regime.arch, materials.goal.outputs, size=regime.size, dropout=0.0, pretrained=False
    ).to(device)
    logits_of(network, materials.store, rows[:8])
    since = time.perf_counter()
    logits_of(network, materials.store, rows[:_TIMED])
    each = (time.perf_counter() - since) / min(_TIMED, len(rows))
    seen = (
        len(rows)
        if regime.name == "frozen"
        else folds * len(rows) * (1 + _STEP_COST * regime.settings.epochs)
    )
    minutes = each * seen / 60
    long = (
        "a minute"
        if minutes < 1.5
        else f"{minutes:.0f} minutes"
        if minutes < 100
        else f"{minutes / 60:.0f} hours"
    )
    return (
        f"judging {len(rows):,} labels by {folds} networks ({regime.name}, {regime.size} "
        f"pixels): about {long} on this machine"
    )
