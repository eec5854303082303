"""Logs of training: what is there after every epoch, and what is said where a log cannot be
kept.
"""

from __future__ import annotations

import sys
import types
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")

from dataprep.baselines.training import logs
from dataprep.baselines.training.logs import LogWarning, logged
from dataprep.errors import InputError, OptionError, OutputError

ROWS = [
    {"epoch": 0, "train_loss": 1.5, "lr": 0.1},
    {"epoch": 1, "train_loss": 1.25, "lr": 0.05, "val_loss": 1.0},
]


@pytest.fixture(autouse=True)
def _no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


def installed(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    monkeypatch.setattr(
        logs, "find_spec", lambda name: ModuleSpec(name, None) if name in names else None
    )


def test_history_is_whole_after_every_epoch_and_after_going_on(tmp_path: Path) -> None:
    with logged((), str(tmp_path), {}) as log:
        log(ROWS[:1])
        assert (tmp_path / "history.csv").read_text() == "epoch,train_loss,lr\n0,1.5,0.1\n"
        log(ROWS)
    assert (
        tmp_path / "history.csv"
    ).read_text() == "epoch,train_loss,lr,val_loss\n0,1.5,0.1,\n1,1.25,0.05,1.0\n"
    with logged((), str(tmp_path), {}) as log:
        log([*ROWS, {"epoch": 2, "train_loss": 1.0, "lr": 0.0, "val_loss": 0.5}])
    assert [line.split(",")[0] for line in (tmp_path / "history.csv").read_text().splitlines()] == [
        "epoch",
        "0",
        "1",
        "2",
    ]


def test_history_that_cannot_be_written_ends_the_training(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError), logged((), str(tmp_path / "file" / "below"), {}) as log:
        log(ROWS)


def test_what_is_missing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch)
    for names, error, said in (
        (["tensorboard"], InputError, "pip install tensorboard"),
        (["mlflow"], InputError, "pip install mlflow"),
        (["wandb"], OptionError, "expected tensorboard or mlflow, got 'wandb'"),
    ):
        with pytest.raises(error, match=said), logged(names, str(tmp_path), {}):
            pass
    installed(monkeypatch, "mlflow")
    with (
        pytest.raises(InputError, match="set MLFLOW_TRACKING_URI"),
        logged(["mlflow"], str(tmp_path), {}),
    ):
        pass
    installed(monkeypatch)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    with pytest.warns(LogWarning, match="mlflow is not installed"), logged((), str(tmp_path), {}):
        pass


class FakeServer(types.ModuleType):
    """MLflow's four functions, which note what they are told."""

    def __init__(self) -> None:
        super().__init__("mlflow")
        self.told: list[Any] = []
        self.fails = False

    def start_run(self, run_name: str) -> None:
        import os

        self.told.append(("start", os.environ.get("MLFLOW_DISABLE_TELEMETRY")))

    def log_params(self, params: dict[str, Any]) -> None:
        self.told.append(params)

    def log_metrics(self, metrics: dict[str, float], step: int) -> None:
        if self.fails:
            raise ConnectionError("the server is gone\nand more")
        self.told.append((metrics, step))

    def end_run(self, status: str) -> None:
        self.told.append(status)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> FakeServer:
    fake = FakeServer()
    installed(monkeypatch, "mlflow")
    monkeypatch.setitem(sys.modules, "mlflow", fake)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "file:///nowhere")
    for name in ("MLFLOW_DISABLE_TELEMETRY", "DO_NOT_TRACK"):
        monkeypatch.setenv(name, "")
    return fake


def test_mlflow_is_told_of_every_epoch_where_it_is_configured(
    server: FakeServer, tmp_path: Path
) -> None:
    with logged((), str(tmp_path), {"lr": 0.1}) as log:
        log(ROWS[:1])
        log(ROWS)
    first, last = ({name: value for name, value in row.items() if name != "epoch"} for row in ROWS)
    assert server.told == [("start", "true"), {"lr": 0.1}, (first, 0), (last, 1), "FINISHED"]


def test_a_run_that_fails_is_marked_so(server: FakeServer, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), logged((), str(tmp_path), {}):
        raise RuntimeError
    assert server.told[-1] == "FAILED"


def test_a_server_that_is_gone_does_not_end_the_training(
    server: FakeServer, tmp_path: Path
) -> None:
    server.fails = True
    with logged((), str(tmp_path), {}) as log:
        with pytest.warns(
            LogWarning, match="MLflow is no longer logged to: ConnectionError: the server is gone$"
        ):
            log(ROWS[:1])
        server.fails = False
        log(ROWS)
    assert len(server.told) == 3
    assert len((tmp_path / "history.csv").read_text().splitlines()) == 3


def test_tensorboard_gets_a_figure_per_epoch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[str, float, int]] = []

    class Writer:
        def __init__(self, folder: str) -> None:
            assert folder == str(tmp_path / "tensorboard")

        def add_scalar(self, name: str, value: float, step: int) -> None:
            told.append((name, value, step))

        def flush(self) -> None: ...

        close = flush

    installed(monkeypatch, "tensorboard")
    module = types.ModuleType("torch.utils.tensorboard")
    module.SummaryWriter = Writer  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", module)
    with logged(["tensorboard"], str(tmp_path), {}) as log:
        log(ROWS[:1])
    assert told == [("train_loss", 1.5, 0), ("lr", 0.1, 0)]
