"""Deep judgement of labels: networks that did not see a label say whether it is right."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

torch = pytest.importorskip("torch")

import dataprep  # noqa: E402
from dataprep.baselines import deep_labels  # noqa: E402
from dataprep.baselines.deep_labels import CHECKS, judge_labels, refuse_unsuitable  # noqa: E402
from dataprep.baselines.training import networks  # noqa: E402
from dataprep.baselines.training.settings import BaselineOptions  # noqa: E402
from dataprep.cli import app  # noqa: E402
from dataprep.errors import InputError  # noqa: E402
from dataprep.probes.labels.given_probs import with_probs  # noqa: E402
from dataprep.schemas.text.extras import how_to_install  # noqa: E402
from tests.baselines.small import small_network  # noqa: E402
from tests.probes.made import dataset_of  # noqa: E402

SWAPPED = {f"red/{row:03d}.png" for row in range(3)} | {f"blue/{row:03d}.png" for row in range(3)}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 red and 60 blue pictures, of which three each lie in the other's folder."""
    root, rng = tmp_path_factory.mktemp("pictures"), np.random.default_rng(0)
    for name, channel in (("red", 0), ("blue", 2)):
        (root / name).mkdir()
        for row in range(60):
            pixels = rng.integers(0, 90, (48, 48, 3), np.uint8)
            pixels[..., 2 - channel if row < 3 else channel] += 150
            Image.fromarray(pixels).save(root / name / f"{row:03d}.png")
    return root


@pytest.fixture(scope="module")
def judged(
    pictures: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dataprep.Audit, dataprep.Audit, list[str]]:
    """The audit, what deep judgement made of it, and what it said."""
    audit = dataprep.audit(pictures, pass_options=dataprep.PassOptions(cache=False, embedder=""))
    told: list[str] = []
    options = BaselineOptions(regime="scratch", arch="resnet18", size=32, threads=1)
    settings = {"epochs": 4, "batch": 8, "lr": 0.02, "body_lr": 1.0, "dropout": 0.0}
    kept = str(tmp_path_factory.mktemp("kept") / "deep")
    with pytest.MonkeyPatch.context() as patched:  # a small network tells red from blue as well
        for module in (deep_labels, networks):
            patched.setattr(
                module, "make_network", lambda arch, outputs, **_: small_network(outputs)
            )
        after = judge_labels(
            audit, folds=2, options=options, settings=settings, keep=kept, say=told.append
        )
    return audit, after, told


def test_swapped_labels_are_the_first_to_look_at(judged) -> None:
    before, after, _ = judged
    assert not len(before.issues.of("label-candidates"))
    assert "label-candidates" in before.skipped
    table = after.issues.of("label-candidates").table
    first = table[table["scope"] == "sample"].sort_values("figure")["target"].head(6)
    assert set(first) == SWAPPED
    assert not set(CHECKS) & set(after.skipped)


def test_it_says_beforehand_how_long_it_takes_and_records_what_was_done(judged) -> None:
    before, after, told = judged
    assert len(told) == 2
    assert told[0].startswith("judging 120 labels by 2 networks (scratch, 32 pixels): about ")
    assert after.run["deep"]["folds"] == 2
    assert after.run["deep"]["accuracy"]["mean"] > 0.8
    assert "deep" not in before.run


def test_the_probabilities_are_kept_for_another_audit(judged) -> None:
    _, after, told = judged
    path = told[1].removeprefix("probabilities in ").partition(": ")[0]
    again = with_probs(after.dataset, path)
    assert again.arrays["probs"].sum(axis=1) == pytest.approx(np.ones(120), abs=1e-4)


def test_other_checks_keep_their_claims(judged) -> None:
    before, after, _ = judged
    others = [
        code
        for code in dict.fromkeys(before.issues.table["check"].astype("str"))
        if code not in CHECKS
    ]
    assert others
    assert (
        before.issues.of(*others)
        .table.astype("str")
        .equals(after.issues.of(*others).table.astype("str"))
    )


def test_labels_that_cannot_be_judged_are_refused() -> None:
    with pytest.raises(InputError, match="100 labelled images, got 2 and 40"):
        refuse_unsuitable(dataset_of(np.arange(40) % 2))
    with pytest.raises(InputError, match="at least 2 classes"):
        refuse_unsuitable(dataset_of(np.zeros(200, int)))


def test_the_command_refuses_before_the_work(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = CliRunner()
    arguments = [
        "audit",
        str(pictures),
        "--deep",
        "--out",
        str(tmp_path / "out"),
        "--no-embedding",
        "--quiet",
    ]
    found = runner.invoke(app, [*arguments, "--probs", "p.csv"])
    assert "--deep and --probs exclude each other" in str(found.exception)
    monkeypatch.setattr("importlib.util.find_spec", lambda name, *_: None)
    found = runner.invoke(app, arguments)
    assert how_to_install("train") in str(found.exception)
    assert not (tmp_path / "out").exists()
