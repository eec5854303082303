"""``dataprep train-baseline`` as a user meets it: what is made, what is said, what is recorded,
and the exit codes.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dataprep.cleaning import apply_plan, clean, write_plan
from dataprep.cli.plans import IN_OUT
from dataprep.cli.train_baseline import _older_than_plan, _plan
from dataprep.errors import OptionError
from dataprep.schemas.audit import Audit
from dataprep.schemas.issues import Issues, batch
from dataprep.schemas.results.proof import Proof
from dataprep.schemas.text.extras import how_to_install
from dataprep.splits import read_split, write_split
from tests.baselines.test_bad_input import USUAL, make_split, rows_of

pytest.importorskip("torch")

#: As little work as there can be.
QUICK = [
    "--regime",
    "frozen",
    "--size",
    "32",
    "--threads",
    "1",
    "--device",
    "cpu",
    "--no-sanity",
    "-q",
]
Command = Callable[..., int]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A folder with a split of a few pictures."""
    split = make_split(tmp_path / "images", rows_of(**USUAL))
    run = {
        **split.run,
        "fingerprint": split.dataset.fingerprint,
        "root": split.dataset.root,
        "task": "classification",
    }
    proof = Proof(split.dataset.fingerprint, parts=("train", "val", "test"))
    folder = tmp_path / "out"
    monkey = pytest.MonkeyPatch()
    monkey.setattr("dataprep.splits.page.draw_proof", lambda split: "")
    write_split(type(split)(split.dataset, proof, run), folder / "split")
    monkey.undo()
    return folder


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Command:
    """The command in this process: its exit code."""
    from dataprep.cli import main

    def run(*arguments: str) -> int:
        monkeypatch.setattr(sys, "argv", ["dataprep", "train-baseline", *arguments])
        with pytest.raises(SystemExit) as left:
            main()
        return int(left.value.code or 0)

    monkeypatch.setattr("signal.signal", lambda *_: None)
    return run


def test_a_baseline_from_the_last_split_is_written_and_its_look_at_test_recorded(
    out: Path, command: Command, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "dataprep.baselines.storing._model_files", lambda *_: {}
    )  # exports take long, and have their own tests
    assert (
        command(
            "--out",
            str(out),
            *QUICK,
            "--final",
            "--require",
            "latency_ms<=10000",
            "--require",
            "size_mb<=1",
        )
        == 0
    )
    said = capsys.readouterr()
    assert "looked at" not in said.err
    assert {"metrics.json", "predictions.parquet", "run.json", "history.csv"} <= {
        path.name for path in (out / "baseline").iterdir()
    }
    metrics = json.loads((out / "baseline" / "metrics.json").read_text())
    assert (
        metrics["final"]["samples"]
        == metrics["data"]["parts"]["train"] + metrics["data"]["parts"]["val"]
    )
    figures = {each["requirement"]: each for each in metrics["test"]["requirements"]}
    assert figures["latency_ms<=10000"]["holds"] is True
    assert figures["size_mb<=1"]["holds"] is False
    lines = (out / "split" / "test_ledger.jsonl").read_text().splitlines()
    assert len(lines) == 1
    assert len(json.loads(lines[0])["model_hash"]) == 32

    assert command("--out", str(out), *QUICK, "--no-test", "--format", "json") == 0
    metrics = json.loads(capsys.readouterr().out)
    assert "test" not in metrics
    assert len((out / "split" / "test_ledger.jsonl").read_text().splitlines()) == 1, (
        "no look, no line"
    )

    assert command("--out", str(out), *QUICK) == 0
    assert "test was used once before" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--metric", "f2"], "f2"),
        (["--require", "speed<=1"], "speed"),
        (["--set", "lr=1"], "expected train.KEY=VALUE"),
        (["--set", "train.warmup=1"], "Did you mean 'warmup_epochs'"),
        (["--set", "train.warmup_epochs=much"], "expected float"),
        (["--optimiser", "lion"], "adamw, sgd"),
        (["--regime", "huge"], "expected auto, frozen, fine-tune, scratch"),
        (["--regime", "frozen", "--arch", "resnet18"], "resnet18 has none"),
        (["--arch", "vgg"], "no network is called 'vgg'"),
        (["--device", "tpu"], "tpu"),
        (["--compare", "cleaned"], "needs the audit"),
        (["--plan"], "--plan goes with images"),
    ],
)
def test_mistakes_are_one_line_and_exit_code_2(
    out: Path, command: Command, capsys: pytest.CaptureFixture[str], flags: list[str], words: str
) -> None:
    assert (
        command("--out", str(out), "--size", "32", "--threads", "1", "--no-sanity", "-q", *flags)
        == 2
    )
    assert words in capsys.readouterr().err


def test_without_a_split_the_command_that_makes_one_is_named(
    tmp_path: Path, command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("--out", str(tmp_path)) == 2
    assert "Make one: dataprep split" in capsys.readouterr().err


def test_without_torch_one_line_says_how_to_get_it(
    out: Path, command: Command, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    known = importlib.util.find_spec
    monkeypatch.setattr(
        "importlib.util.find_spec",
        lambda name, *more: None if name == "torch" else known(name, *more),
    )
    assert command("--out", str(out), "--regime", "fine-tune", "-q") == 2
    *_, said = capsys.readouterr().err.splitlines()
    assert said.startswith("dataprep: training needs torch")
    assert how_to_install("train") in said


def test_a_frozen_model_needs_no_torch(out: Path) -> None:
    """In a process of its own: others of this one have loaded torch. None in sys.modules raises
    where it is imported.
    """
    code = (
        "import sys; sys.modules.update(torch=None)\n"
        f"sys.argv = ['dataprep', 'train-baseline', '--out', {str(out)!r}, '--regime', 'frozen', "
        "'--size', '32', '--no-sanity', '-q']\n"
        "from dataprep.__main__ import main\n"
        "main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    folder = out / "baseline"
    assert {"model.onnx", "baseline.html"} <= {path.name for path in folder.iterdir()}


def test_an_interrupted_run_says_how_to_go_on(
    out: Path, command: Command, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(source: Any, folder: str, *_: Any, **__: Any) -> None:
        Path(folder).mkdir()
        (Path(folder) / "checkpoint.pt").write_bytes(b"")
        raise KeyboardInterrupt

    monkeypatch.setattr("dataprep.baselines.recipe.train_baseline", interrupted)
    assert command("--out", str(out), *QUICK) == 130
    assert "--resume" in capsys.readouterr().err


def applied(out: Path) -> tuple[Any, Audit]:
    """The split in `out` and an audit of its samples, with a plan that drops the first of them
    in OUT/clean.
    """
    split = read_split(out / "split")
    samples = split.dataset.samples
    found = batch("dark", "warning", "sample", [samples.index[0]])
    audit = Audit(split.dataset, Issues.collect([found]))
    write_plan(clean(audit, drop=["dark"], test=True), out / "clean")
    return split, audit


def test_the_plan_to_compare_with_is_the_named_or_the_applied_one(
    out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, audit = applied(out)
    flags = {"out": str(out), "compare": "cleaned", "plan": "", "no_plan": False}
    with pytest.raises(OptionError, match="needs a plan"):
        _plan(audit, flags)
    assert "was not applied" in capsys.readouterr().err
    assert _plan(audit, flags | {"plan": IN_OUT}).counts["drop"] == 1
    apply_plan(out / "clean", audit, manifest=out / "clean" / "clean.csv", record=out / "clean")
    assert _plan(audit, flags).counts["drop"] == 1
    assert _plan(audit, flags | {"compare": None}) is None


def test_a_split_made_before_the_plan_was_applied_is_named(out: Path) -> None:
    split, audit = applied(out)
    flags = {"out": str(out), "compare": None, "no_plan": False}
    assert _older_than_plan(flags, split, audit) == ""
    apply_plan(out / "clean", audit, manifest=out / "clean" / "clean.csv", record=out / "clean")
    assert "made without the plan that was applied (1 sample that it drops)" in _older_than_plan(
        flags, split, audit
    )
    assert _older_than_plan(flags | {"no_plan": True}, split, audit) == ""
    rows = split.dataset.samples.index != split.dataset.samples.index[0]
    assert _older_than_plan(flags, type(split)(split.dataset.where(rows)), audit) == ""


def test_images_that_changed_since_the_split_are_named(
    out: Path, command: Command, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "images" / "003.png").unlink()
    assert command("--out", str(out), *QUICK) == 2
    assert "003.png" in capsys.readouterr().err
