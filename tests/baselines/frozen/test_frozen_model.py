"""The frozen model: fitted on the audit's embeddings, and the same in the file that is exported."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from dataprep.baselines.diagnosis.gradcam import class_maps
from dataprep.baselines.evaluation.linear_probe import FeatureSpace
from dataprep.baselines.frozen.model import FrozenModel
from dataprep.baselines.inference.predicting import predict
from dataprep.baselines.storing import read_baseline, write_baseline
from dataprep.baselines.training.settings import BaselineOptions
from dataprep.ingest import scan
from dataprep.measures.decode_pass import measure
from dataprep.measures.embedding.onnx_file import OnnxEmbedder
from dataprep.measures.options import PassOptions
from dataprep.schemas.baseline import HEAD, MODEL, PREDICTIONS
from dataprep.schemas.dataset import Dataset

pytest.importorskip("torch")
pytest.importorskip("onnx")

_PARTS = ("train", "train", "train", "val", "test")


def photos(folder: Path, count: int = 40) -> Dataset:
    """Larger JPEGs of two classes, in parts, measured."""
    rng = np.random.default_rng(0)
    folder.mkdir()
    for number in range(count):
        small = rng.integers(0, 255, (6, 8, 3)).astype(np.uint8)
        image = cv2.resize(small, (480, 360), interpolation=cv2.INTER_CUBIC)
        if number % 2:
            cv2.circle(image, (240, 180), 90, (0, 220, 255), -1)
        name = folder / ("round" if number % 2 else "plain") / f"{number}.jpg"
        name.parent.mkdir(exist_ok=True)
        cv2.imwrite(str(name), image)
    dataset = measure(scan(str(folder)), ["width", "height"], PassOptions(embedder="", jobs=1))
    rows = [int(Path(str(name)).stem) // 2 for name in dataset.samples.index]
    return dataset.assign(split=[_PARTS[row % len(_PARTS)] for row in rows])


@pytest.fixture
def embedded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[int]:
    """Images that went through the embedder, call by call; the cache starts empty."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    seen: list[int] = []
    call = OnnxEmbedder.__call__

    def counted(self: OnnxEmbedder, views: Any) -> Any:
        if views.any():  # black ones are those that time is measured on
            seen.append(len(views))
        return call(self, views)

    monkeypatch.setattr(OnnxEmbedder, "__call__", counted)
    return seen


def test_every_image_is_embedded_once_and_the_file_predicts_what_was_measured(
    tmp_path: Path, embedded: list[int]
) -> None:
    from dataprep.baselines.recipe import train_baseline

    dataset = photos(tmp_path / "photos")
    options = BaselineOptions(regime="frozen", device="cpu", threads=1)
    made = train_baseline(dataset, str(tmp_path / "out"), options)
    assert sum(embedded) == len(dataset)
    assert made.metrics.regime is not None
    assert made.metrics.regime.arch == "lite0-int8"
    paths = write_baseline(made, tmp_path / "out")
    assert sum(embedded) == len(dataset)
    assert made.metrics.sanity
    names = [str(tmp_path / "photos" / name) for name in made.predictions["sample"]]
    found = predict(names, paths[MODEL]).set_index("sample")
    table = made.predictions.copy()
    for each in (table, found):
        each.index = [Path(str(name)).name for name in each.get("sample", each.index)]
    columns = ["p:plain", "p:round"]
    theirs = found.loc[table.index, columns].to_numpy()
    assert theirs == pytest.approx(table[columns].to_numpy(), abs=2e-5)
    again = read_baseline(tmp_path / "out")
    assert isinstance(again.network, FrozenModel)
    assert np.array_equal(again.network.weight, made.network.weight)
    assert {HEAD, MODEL, PREDICTIONS} <= {path.name for path in (tmp_path / "out").iterdir()}
    assert not (tmp_path / "out" / "model.pt2").exists()


def model_of(rooted: bool = True) -> FrozenModel:
    rng = np.random.default_rng(0)
    weight = rng.normal(size=(3, 1280)).astype(np.float32)
    return FrozenModel(weight, np.zeros(3, np.float32), rooted, 64, np.zeros((0, 1280), np.float16))


@pytest.mark.parametrize("several", [False, True])
def test_slopes_are_the_gradient_of_a_logit(several: bool) -> None:
    rng = np.random.default_rng(1)
    model, codes = model_of(), np.array([0, 2])
    place = rng.uniform(0.5, 2, (2, 1280)).astype(np.float32)
    toward = rng.normal(size=(2, 1280)).astype(np.float32)

    def value(step: float) -> np.ndarray:
        moved = np.sqrt(place + step * toward).astype(np.float64)
        unit = moved / np.linalg.norm(moved, axis=1, keepdims=True)
        logits = unit @ model.weight.T.astype(np.float64)
        own = logits[np.arange(2), codes]
        return own if several else own - logits.mean(axis=1)

    numeric = (value(1e-3) - value(-1e-3)) / 2e-3
    found = (model.slopes(place, codes, several=several) * toward).sum(axis=1)
    assert found == pytest.approx(numeric, rel=1e-2)


def test_class_maps_of_a_frozen_model_lie_between_0_and_1() -> None:
    images = np.random.default_rng(0).integers(0, 255, (2, 64, 64, 3)).astype(np.uint8)
    heat = class_maps(model_of(), images, np.array([0, 1]))  # type: ignore[arg-type]
    assert heat.shape == (2, 2, 2)
    assert heat.max(axis=(1, 2)) == pytest.approx([1, 1])
    assert heat.min() >= 0


def test_a_classifier_on_the_space_folds_into_one_on_embeddings() -> None:
    rng = np.random.default_rng(0)
    features = rng.uniform(0, 3, (600, 700)).astype(np.float16)
    space = FeatureSpace.fitted_on(features, np.arange(560))
    weight, bias = rng.normal(size=(4, 512)).astype(np.float32), np.ones(4, np.float32)
    values = space(features)
    assert values.shape == (600, 512)
    folded = FrozenModel(*space.folded(weight, bias), space.rooted, 64, features)
    assert folded.logits(features) == pytest.approx(values @ weight.T + bias, abs=1e-4)
