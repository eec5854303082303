"""The frozen model first, then a longer training within its budget."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")

from dataprep.baselines import frozen_first
from dataprep.baselines.frozen_first import comes_first, is_better
from dataprep.baselines.training.forecast import in_words, training_seconds
from dataprep.baselines.training.regimes import choose_regime
from dataprep.baselines.training.settings import BaselineOptions
from dataprep.cli.train_baseline import _seconds
from dataprep.errors import OptionError
from tests.baselines.test_bad_input import USUAL, make_split, rows_of
from tests.baselines.toys import toy_materials
from tests.cli.test_train_baseline import Command, command, out  # noqa: F401

#: As little work as there can be, of a regime that is chosen.
QUICK = ["--size", "32", "--threads", "1", "--device", "cpu", "--no-sanity", "--policy", "none"]


def test_it_comes_first_where_auto_has_enough_and_nothing_else_is_asked(tmp_path: Path) -> None:
    rows = rows_of(**{**USUAL, "train": {"red": 2, "green": 2, "blue": 2}})
    split = make_split(tmp_path, rows)
    assert not comes_first(split, BaselineOptions(), {})
    monkey = pytest.MonkeyPatch()
    monkey.setattr(frozen_first, "FEW", 6)
    assert comes_first(split, BaselineOptions(), {})
    assert not comes_first(split, BaselineOptions(), {"epochs": 3})
    for given in ({"regime": "fine-tune"}, {"arch": "lite0"}, {"tune": 2}, {"final": True}):
        assert not comes_first(split, BaselineOptions(**given), {})  # type: ignore[arg-type]
    monkey.undo()


@pytest.mark.parametrize(
    ("text", "seconds"), [("", 0), ("90", 90), ("90s", 90), ("5m", 300), ("1.5h", 5400)]
)
def test_a_budget_is_read(text: str, seconds: float) -> None:
    assert _seconds(text) == seconds


def test_another_budget_is_refused() -> None:
    for text in ("five", "5d", "m"):
        with pytest.raises(OptionError, match="expected 90s, 5m or 1h"):
            _seconds(text)


def test_time_is_forecast_by_steps_and_nothing_of_a_frozen_regime() -> None:
    materials = toy_materials(count=12, val=4, size=16)
    scratch = choose_regime(12, 32, regime="scratch", size=16, settings={"epochs": 2})
    longer = choose_regime(12, 32, regime="scratch", size=16, settings={"epochs": 2000})
    assert 0 < training_seconds(materials, scratch) < training_seconds(materials, longer)
    assert training_seconds(materials, choose_regime(12, 32, regime="frozen")) == 0
    assert [in_words(each) for each in (20, 70, 300, 36_000)] == [
        "under a minute",
        "1 minute",
        "5 minutes",
        "10 hours",
    ]


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A few images are enough to fine-tune on, and pages and models are not drawn; gives the
    regimes that were written.
    """
    written: list[str] = []

    def kept(made: Any, split: Any, audit: Any, folder: str) -> Any:
        from dataprep.schemas.baseline import BaselinePaths

        written.append(made.metrics.regime.name)
        return BaselinePaths(f"{folder}/baseline")

    monkeypatch.setattr(frozen_first, "FEW", 6)
    monkeypatch.setattr("dataprep.baselines.training.regimes.FEW", 6)
    module = import_module("dataprep.cli.train_baseline")  # the package has a function of that name
    monkeypatch.setattr(module, "_kept", kept)
    monkeypatch.setattr(module, "_print", lambda *_: None)
    return written


def test_beyond_the_budget_the_frozen_model_stays(
    out: Path,  # noqa: F811
    command: Command,  # noqa: F811
    few: list[str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("dataprep.baselines.recipe.training_seconds", lambda *_: 600.0)
    assert command("--out", str(out), *QUICK, "--budget", "5m") == 0
    said = capsys.readouterr().err
    assert few == ["frozen"]
    assert "at most about 10 minutes here, more than the budget of 5 minutes" in said
    assert "Ctrl-C keeps it" in said


def test_an_interrupted_fine_tuning_leaves_the_frozen_model(
    out: Path,  # noqa: F811
    command: Command,  # noqa: F811
    few: list[str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupted(*_: Any) -> float:
        raise KeyboardInterrupt

    monkeypatch.setattr("dataprep.baselines.recipe.training_seconds", interrupted)
    assert command("--out", str(out), *QUICK) == 130
    assert few == ["frozen"]
    assert "the frozen model" in capsys.readouterr().err


def test_the_better_one_on_validation_is_kept() -> None:
    class Made:
        def __init__(self, value: float | None) -> None:
            metric = type("Metric", (), {"value": value})()
            validation = type("Part", (), {"metric": metric})()
            self.metrics = type("Metrics", (), {"parts": {"validation": validation}})()
            self.goal = type("Goal", (), {"metric": "accuracy"})()

    assert is_better(Made(0.9), Made(0.8))  # type: ignore[arg-type]
    assert not is_better(Made(0.8), Made(0.8))  # type: ignore[arg-type]
    assert is_better(Made(0.1), Made(None))  # type: ignore[arg-type]
