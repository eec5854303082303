"""The history of a training: whole after every epoch, and given to whoever asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pytest

pytest.importorskip("torch")

from dataprep.baselines.recipe import train_baseline
from dataprep.baselines.training import networks
from dataprep.baselines.training.history import history_logger
from dataprep.baselines.training.settings import BaselineOptions
from dataprep.errors import OutputError
from tests.baselines.small import small_network
from tests.baselines.test_bad_input import USUAL, make_split, rows_of

ROWS = [
    {"epoch": 0, "train_loss": 1.5, "lr": 0.1},
    {"epoch": 1, "train_loss": 1.25, "lr": 0.05, "val_loss": 1.0},
]


def test_history_is_whole_after_every_epoch(tmp_path: Path) -> None:
    write = history_logger(str(tmp_path))
    write(ROWS[:1])
    assert (tmp_path / "history.csv").read_text() == "epoch,train_loss,lr\n0,1.5,0.1\n"
    write(ROWS)
    expected = "epoch,train_loss,lr,val_loss\n0,1.5,0.1,\n1,1.25,0.05,1.0\n"
    assert (tmp_path / "history.csv").read_text() == expected


def test_a_callable_gets_every_epoch_and_its_figures(tmp_path: Path) -> None:
    calls: list[tuple[int, Mapping[str, float]]] = []
    write = history_logger(str(tmp_path), lambda epoch, figures: calls.append((epoch, figures)))
    write(ROWS[:1])
    write(ROWS)
    assert calls == [
        (0, {"train_loss": 1.5, "lr": 0.1}),
        (1, {"train_loss": 1.25, "lr": 0.05, "val_loss": 1.0}),
    ]
    assert ROWS[0]["epoch"] == 0, "the history is left as it was"


def test_history_that_cannot_be_written_ends_the_training(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        history_logger(str(tmp_path / "file" / "below"))(ROWS)


def test_train_baseline_gives_every_epoch_to_the_callable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(networks, "make_network", lambda arch, outputs, **_: small_network(outputs))
    calls: list[tuple[int, Mapping[str, float]]] = []
    train_baseline(
        make_split(tmp_path / "images", rows_of(**USUAL)),
        str(tmp_path / "out"),
        BaselineOptions(regime="scratch", size=16, sanity=False, evaluate_test=False, device="cpu"),
        settings={"epochs": 2},
        log=lambda epoch, figures: calls.append((epoch, figures)),
    )
    table = pd.read_csv(tmp_path / "out" / "history.csv")
    assert [epoch for epoch, _ in calls] == table["epoch"].tolist() == [0, 1]
    assert [row["train_loss"] for _, row in calls] == pytest.approx(table["train_loss"].tolist())
