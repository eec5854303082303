"""A baseline with everything that its page and its terminal output show, of toy images and a
small network, in seconds.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dataprep.baselines.diagnosis.errors import find_errors
from dataprep.baselines.diagnosis.facts import facts_of
from dataprep.baselines.diagnosis.feature_map import plane_of
from dataprep.baselines.diagnosis.next_steps import what_next
from dataprep.baselines.evaluation.comparing import compare_models, paired_seeds
from dataprep.baselines.evaluation.dummy import trivial_baselines
from dataprep.baselines.parts import evaluate_parts
from dataprep.baselines.training.materials import Materials
from dataprep.checks.labels.wrong_label import WrongLabel
from dataprep.checks.quality.dark import Dark
from dataprep.schemas.audit import Audit
from dataprep.schemas.baseline import Baseline
from dataprep.schemas.goal import Kind, Requirement
from dataprep.schemas.issues import Issues, batch
from dataprep.schemas.results.baseline import BaselineMetrics
from dataprep.schemas.results.evaluation import CleaningEffect
from dataprep.schemas.run import run_record
from tests.baselines.deployed import SIZE, small_network, toy_files

HOSTILE = "<img src=x onerror=alert(1)>.png"
CLOSING = "</script><script>document.title='hacked'</script>"


def hostile_materials(folder: Path, kind: Kind) -> Materials:
    """Toy materials with a class and a file of evil names, a test part, and a requirement."""
    materials = toy_files(folder, kind, count=30, val=40, noise=110)
    samples = materials.dataset.samples.copy()
    names = samples.index.tolist()
    (folder / names[45]).rename(folder / HOSTILE)
    names[45] = HOSTILE
    samples.index = pd.Index(names, name="sample")
    parts = {"train": np.arange(30), "val": np.arange(30, 60), "test": np.arange(60, 70)}
    samples["split"] = ["train"] * 30 + ["val"] * 30 + ["test"] * 10
    goal = replace(materials.goal, reason="asked for", target=0.99 if kind != "regression" else 0.5)
    if goal.classes:
        classes = (CLOSING, *goal.classes[1:])
        goal = replace(
            goal, classes=classes, requirements=(Requirement("recall", CLOSING, True, 0.5),)
        )
        samples["label"] = samples["label"].replace("class0", CLOSING)
        if kind == "multi-label":
            samples["label"] = ["|".join(np.array(classes)[row]) for row in materials.labels]
    dataset = replace(materials.dataset, samples=samples, classes=goal.classes)
    return replace(materials, dataset=dataset, goal=goal, parts=parts)


def hostile_audit(materials: Materials) -> Audit:
    """An audit that complains of two validation images and one of train."""
    names = [HOSTILE, "50.png", "3.png"]
    wrong = batch(
        "wrong-label",
        "error",
        "sample",
        names,
        evidence={"suggested": CLOSING, "share": 0.9},
        value=CLOSING,
    )
    dark = batch("dark", "warning", "sample", ["50.png"], figure=0.1, evidence={"threshold": 0.2})
    return Audit(materials.dataset, Issues.collect([wrong, dark]), {}, (WrongLabel(), Dark()))


def analysed(folder: Path, kind: Kind = "multi-class") -> tuple[Baseline, Audit]:
    """A baseline as `train_baseline` would give it, and the audit."""
    folder.mkdir(parents=True, exist_ok=True)
    materials = hostile_materials(folder, kind)
    audit = hostile_audit(materials)
    goal, network = materials.goal, small_network(materials.goal.outputs)
    judged = evaluate_parts(materials, network, measured={"latency_ms": 2.0})
    history = [
        {
            "epoch": epoch,
            "train_loss": 1.0 / (1 + epoch),
            "lr": 0.01,
            f"val_{goal.metric}": 0.4,
            "val_loss": 1.1,
            "score": 0.4,
        }
        for epoch in range(3)
    ]
    counts = {
        "parts": {name: len(rows) for name, rows in materials.parts.items()},
        "counts": {},
        "units": {},
        "lost": {},
    }
    metrics: dict[str, Any] = {
        "goal": {**asdict(goal), "requirements": [str(each) for each in goal.requirements]},
        "data": {**counts, "units": counts["parts"], "centre": 0.0, "spread": 1.0},
        "regime": {
            "name": "scratch",
            "arch": "small",
            "size": SIZE,
            "reason": CLOSING,
            "settings": {"epochs": 3, "lr": 0.01},
            "device": "cpu",
            "policy": "none",
            "policy_reasons": [CLOSING],
        },
        "dumb": trivial_baselines(goal, materials.labels, materials.train, materials.val),
        "history": history,
        "best_epoch": 1,
        "sanity": [
            {"check": "loss", "value": 1.1, "expected": "1.1", "passed": True, "sentence": CLOSING}
        ],
        "learning_rate": {
            "curve": [[1e-4, 2.0], [1e-3, 1.5], [1e-2, 1.2], [1e-1, 3.0]],
            "chosen": 1e-2,
            "reason": CLOSING,
        },
        "cross_validation": {
            "folds": [
                {"fold": fold, "train": 30, "samples": 30, "metrics": {goal.metric: 0.4}}
                for fold in range(2)
            ],
            "metrics": {goal.metric: {"mean": 0.4, "sd": 0.1, "low": 0.3, "high": 0.5}},
        },
        "tuning": {
            "trials": [{"trial": 0, "score": None}, {"trial": 1, "score": 0.4, "batch": 8}],
            "sentence": CLOSING,
        },
        "compare": cleaning_effect(materials),
        "final": {"epochs": 2, "samples": 60, "train_loss": None},
        "latency_ms": 2.0,
        "size_mb": 1.0,
        **judged.figures,
    }
    metrics["errors"] = find_errors(goal, judged.table, materials.dataset, audit)
    metrics["map"] = plane_of(materials, network)
    metrics["next"] = what_next(facts_of(metrics, materials.dataset, audit))
    run = run_record("train-baseline", materials.dataset, {}, {})
    return Baseline(
        materials.dataset, goal, judged.table, BaselineMetrics.read(metrics), network, run
    ), audit


def cleaning_effect(materials: Materials) -> CleaningEffect:
    """A comparison in which cleaning changes nothing, with a sentence of evil words."""
    goal, rows = materials.goal, materials.val
    shape = (len(rows),) if goal.kind == "regression" else (len(rows), len(goal.classes))
    same = np.full(shape, 1 / shape[-1])
    return CleaningEffect(
        paired=paired_seeds([0.4, 0.5], [0.4, 0.5], goal.metric),
        dropped=0,
        relabelled=1,
        judged=len(rows),
        rows=compare_models(goal, materials.labels[rows], same, same, draws=10),
        helped="no clear difference",
        sentence=CLOSING,
    )
