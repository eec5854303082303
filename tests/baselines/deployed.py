"""Baselines of toy images for tests of what leaves training: files on disk, a small network,
figures as of a real run.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from dataprep.baselines.inference.model_card import ModelCard
from dataprep.baselines.parts import evaluate_parts
from dataprep.baselines.training import networks as models
from dataprep.baselines.training.materials import Materials
from dataprep.baselines.training.networks import Network
from dataprep.schemas.baseline import Baseline
from dataprep.schemas.goal import Kind
from dataprep.schemas.results.baseline import BaselineMetrics, DataFigures, RegimeFigures
from dataprep.schemas.run import run_record
from tests.baselines.toys import toy_materials
from tests.conftest import save

SIZE = 32


def toy_files(folder: Path, kind: Kind = "multi-class", **options: Any) -> Materials:
    """Toy materials whose images lie in `folder`, as PNG."""
    materials = toy_materials(kind, size=SIZE, **options)
    for name, image in zip(materials.names, materials.store.images, strict=True):
        save(image, folder / str(name))
    samples = materials.dataset.samples.assign(unit=[str(name) for name in materials.names])
    if kind == "regression":
        samples = samples.assign(label=materials.labels)
    elif kind != "multi-label":
        samples = samples.assign(label=[materials.goal.classes[code] for code in materials.labels])
    task = {"multi-label": "multi-label", "regression": "regression"}.get(kind, "classification")
    dataset = replace(materials.dataset, root=str(folder), samples=samples, task=task)  # type: ignore[arg-type]
    return replace(materials, dataset=dataset)


def small_network(outputs: int, seed: int = 0) -> Network:
    """A network of one strided convolution: quick to export."""
    torch.manual_seed(seed)
    body = nn.Sequential(nn.Conv2d(3, 8, 4, 4), nn.BatchNorm2d(8), nn.ReLU())
    network = Network(
        body, 8, outputs, [body], mean=(0.5, 0.4, 0.3), std=(0.2, 0.2, 0.3), dropout=0.2
    )
    body[1].running_mean.uniform_(-0.2, 0.2)
    return network.eval()


def toy_metrics(materials: Materials, network: Network, arch: str = "resnet18") -> BaselineMetrics:
    """What `train_baseline` would have measured, as far as files need it."""
    goal = materials.goal
    return BaselineMetrics.read(
        {
            "goal": {**asdict(goal), "requirements": [str(each) for each in goal.requirements]},
            "data": DataFigures(
                parts={},
                counts={},
                lost={},
                units={},
                centre=materials.centre,
                spread=materials.spread,
            ),
            "regime": RegimeFigures(
                name="scratch",
                arch=arch,
                size=SIZE,
                reason="asked for",
                device="cpu",
                settings={},
                policy="none",
                policy_reasons=[],
            ),
            "history": [
                {"epoch": 0, "train_loss": 1.0, "score": 0.5},
                {"epoch": 1, "train_loss": 0.5, "score": 0.6},
            ],
            **evaluate_parts(materials, network).figures,
        }
    )


def toy_baseline(folder: Path, *, arch: str = "resnet18") -> Baseline:
    """A baseline of images in `folder` with a network that make_network knows."""
    materials = toy_files(folder, count=12, val=12)
    torch.manual_seed(0)
    network = models.make_network(arch, materials.goal.outputs, size=SIZE, pretrained=False).eval()
    table = evaluate_parts(materials, network).table
    run = run_record("train-baseline", materials.dataset, {}, {})
    return Baseline(
        materials.dataset,
        materials.goal,
        table,
        toy_metrics(materials, network, arch),
        network,
        run,
    )


def toy_card(materials: Materials, network: Network, **changes: Any) -> ModelCard:
    """The card of a small network."""
    metrics = toy_metrics(materials, network)
    return replace(ModelCard.of(materials.goal, metrics, materials.dataset.fingerprint), **changes)
