"""A baseline on disk: all of it or nothing, and back again."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

torch = pytest.importorskip("torch")

from dataprep.baselines import storing as writing  # noqa: E402
from dataprep.baselines.storing import ExportWarning, read_baseline, write_baseline  # noqa: E402
from dataprep.baselines.training import networks as models  # noqa: E402
from dataprep.errors import FingerprintError, InputError, OutputError  # noqa: E402
from dataprep.schemas.baseline import Baseline  # noqa: E402
from dataprep.schemas.results.baseline import ExportResult  # noqa: E402
from tests.baselines.deployed import small_network, toy_baseline  # noqa: E402

FILES = {
    "metrics.json",
    "predictions.parquet",
    "history.csv",
    "samples.parquet",
    "run.json",
    "baseline.html",
    "weights.pt",
    "model.onnx",
    "model.pt2",
}


@pytest.fixture(scope="module", autouse=True)
def _quick_networks() -> Iterator[None]:
    """What is written and read back is the same for every network; a small one is exported
    sooner.
    """
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(models, "make_network", lambda arch, outputs, **_: small_network(outputs))
        yield


@pytest.fixture(scope="module")
def baseline(tmp_path_factory: pytest.TempPathFactory) -> Baseline:
    return toy_baseline(tmp_path_factory.mktemp("toys") / "images")


@pytest.fixture(autouse=True)
def _plain_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page has tests of its own."""
    monkeypatch.setattr(
        writing,
        "draw_baseline",
        lambda baseline, audit: f"<p>{baseline.metrics['export']['known']}</p>",
    )


@pytest.fixture(scope="module")
def folder(baseline: Baseline, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("written")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(writing, "draw_baseline", lambda baseline, audit: "<p></p>")
        write_baseline(baseline, place)
    return place


def quick(baseline: Baseline) -> Baseline:
    """Without the network, whose export takes seconds."""
    return replace(
        baseline, network=None, metrics=replace(baseline.metrics, export=ExportResult(known=False))
    )


def test_a_baseline_comes_back_as_it_was(baseline: Baseline, folder: Path) -> None:
    assert not FILES - set(os.listdir(folder))
    back = read_baseline(folder)
    assert back.goal == baseline.goal
    assert back.dataset.fingerprint == baseline.dataset.fingerprint
    assert back.dataset.classes == baseline.dataset.classes
    pd.testing.assert_frame_equal(back.predictions, baseline.predictions, check_dtype=False)
    assert replace(back.metrics, fingerprint=None, export=None) == baseline.metrics
    assert back.metrics.parts == baseline.metrics.parts
    assert json.loads((folder / "metrics.json").read_text()) == back.metrics
    assert back.metrics["export"]["known"]
    assert back.metrics["export"]["difference"] <= 1e-4
    assert back.metrics["export"]["images"] == 16
    expected = baseline.network.state_dict()
    assert all(
        torch.equal(value, expected[name]) for name, value in back.network.state_dict().items()
    )
    assert pd.read_csv(folder / "history.csv")["train_loss"].tolist() == [1.0, 0.5]


def test_weights_are_data_alone(folder: Path) -> None:
    state = torch.load(folder / "weights.pt", weights_only=True)
    assert state["network"] == {
        "arch": "resnet18",
        "outputs": 3,
        "size": 32,
        "dropout": pytest.approx(0.2),
    }


def test_out_of_fold_predictions_go_along_and_go_away(baseline: Baseline, tmp_path: Path) -> None:
    table = baseline.predictions.assign(fold=0)
    write_baseline(replace(quick(baseline), out_of_fold=table), tmp_path)
    pd.testing.assert_frame_equal(read_baseline(tmp_path).out_of_fold, table, check_dtype=False)
    write_baseline(quick(baseline), tmp_path)
    assert read_baseline(tmp_path).out_of_fold is None


def test_models_of_an_earlier_run_do_not_stay_beside_other_figures(
    baseline: Baseline, tmp_path: Path
) -> None:
    for name in ("model.onnx", "model.pt2", "weights.pt"):
        (tmp_path / name).write_bytes(b"earlier")
    write_baseline(quick(baseline), tmp_path)
    assert not {"model.onnx", "model.pt2", "weights.pt"} & set(os.listdir(tmp_path))
    assert read_baseline(tmp_path).network is None


def test_without_the_exporter_everything_else_is_kept_and_said(
    baseline: Baseline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataprep.baselines.inference import exporting
    from dataprep.errors import OptionError

    def missing(*_: Any) -> bytes:
        raise OptionError("exporting to ONNX needs onnxscript")

    monkeypatch.setattr(exporting, "exported", lambda *_: None)
    monkeypatch.setattr(exporting, "program_bytes", lambda *_: b"program")
    monkeypatch.setattr(exporting, "onnx_bytes", missing)
    with pytest.warns(ExportWarning, match="needs onnxscript"):
        write_baseline(baseline, tmp_path)
    back = read_baseline(tmp_path)
    assert "model.onnx" not in os.listdir(tmp_path)
    assert (tmp_path / "model.pt2").read_bytes() == b"program"
    assert back.network is not None
    assert back.metrics["export"] == {
        "known": False,
        "reason": "exporting to ONNX needs onnxscript",
    }


def test_a_full_disk_leaves_the_earlier_baseline_whole(
    baseline: Baseline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_baseline(quick(baseline), tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writing, "write_samples", full)
    with pytest.raises(OutputError, match="the disk is full"):
        write_baseline(
            replace(quick(baseline), metrics=replace(quick(baseline).metrics, best_epoch=3)),
            tmp_path,
        )
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_what_is_no_baseline_is_said(baseline: Baseline, folder: Path, tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"which lacks metrics.json, .* Make one: dataprep train-baseline"
    ):
        read_baseline(tmp_path)
    write_baseline(quick(baseline), tmp_path)
    (tmp_path / "weights.pt").write_bytes(b"not weights")
    with pytest.raises(InputError, match="cannot read the weights"):
        read_baseline(tmp_path)
    (tmp_path / "weights.pt").write_bytes((folder / "weights.pt").read_bytes())
    other = replace(baseline.dataset, samples=baseline.dataset.samples.assign(label="class0"))
    run = {**baseline.run, "fingerprint": other.fingerprint}
    write_baseline(replace(quick(baseline), dataset=other, run=run), tmp_path / "other")
    (tmp_path / "other" / "weights.pt").write_bytes((folder / "weights.pt").read_bytes())
    with pytest.raises(FingerprintError, match="belongs to a model of other data"):
        read_baseline(tmp_path / "other")
    (tmp_path / "samples.parquet").write_bytes(
        (tmp_path / "other" / "samples.parquet").read_bytes()
    )
    with pytest.raises(FingerprintError, match="not of the same baseline"):
        read_baseline(tmp_path)


def test_a_goal_with_requirements_comes_back(baseline: Baseline, tmp_path: Path) -> None:
    from dataprep.baselines.goal import parse_requirement

    require = parse_requirement("recall[class1]>=0.9", "multi-class", baseline.goal.classes)
    goal = replace(baseline.goal, requirements=(require,), target=0.8)
    given = {**(baseline.metrics.goal or {}), "requirements": [str(require)], "target": 0.8}
    metrics = replace(quick(baseline).metrics, goal=given)
    write_baseline(replace(quick(baseline), goal=goal, metrics=metrics), tmp_path)
    assert read_baseline(tmp_path).goal == goal
