"""Every stage, interrupted and killed at its steps: its folder holds one run whole, the former
or the new one.
"""

from __future__ import annotations

import csv
import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from dataprep.augment.policies import POLICIES
from dataprep.augment.recording import Augmentation, write_augmentation
from dataprep.baselines import storing as writing
from dataprep.cleaning import apply_plan, clean, write_plan
from dataprep.known_issues import ignore
from dataprep.normalisation.normaliser import ChannelStatistics, Normaliser
from dataprep.normalisation.writing import write_normaliser
from dataprep.reports import report
from dataprep.reports.audit import html
from dataprep.schemas.audit import Audit
from dataprep.schemas.baseline import Baseline
from dataprep.schemas.dataset import Dataset
from dataprep.schemas.files.publishing import settle
from dataprep.schemas.files.writing import MARKER
from dataprep.schemas.goal import Goal
from dataprep.schemas.issues import Issues
from dataprep.schemas.results.baseline import BaselineMetrics
from dataprep.splits import split, write_split
from dataprep.splits.export.materialising import materialise
from tests import interruptions
from tests.cleaning.conftest import audit_of, claim, copy_claim
from tests.splits.made import patients

NAMES = ("a.jpg", "b.jpg", "c.jpg", "d.jpg")
#: What differs between two runs that make the same.
_TIMES = re.compile(rb'"(finished_at|applied_at)": "[^"]*"|"seconds": \{[^}]*\}')


@dataclass
class Stage:
    """Two results of one stage, and the folder that they go to.

    Attributes:
        folder: of the result.
        write: writes the first or the second (0 or 1).
        every: which of the steps are tried.
    """

    folder: Path
    write: Callable[[int], Any]
    every: int = 1


def made_dataset(root: Path) -> Dataset:
    root.mkdir()
    for name in NAMES:
        (root / name).write_bytes(name.encode())
    table = {
        "label": pd.Categorical(["cat", "cat", "dog", "dog"]),
        "bytes": 5,
        "file_hash": [f"hash-{name}" for name in NAMES],
    }
    samples = pd.DataFrame(table, index=pd.Index(NAMES, name="sample", dtype="str"))
    return Dataset(str(root), samples, "classification", ("cat", "dog"))


def of_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    monkeypatch.setattr(
        html, "render_html", lambda summary, audit, **more: str(audit.dataset.samples.index[0])
    )
    dataset = made_dataset(tmp_path / "images")
    audits = [
        audit_of(data, claim("dark", str(data.samples.index[0])))
        for data in (dataset, dataset.where([False, True, True, True]))
    ]
    return Stage(tmp_path / "audit", lambda which: report(audits[which], tmp_path / "audit"))


def of_plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    dataset = made_dataset(tmp_path / "images")
    plans = two_plans(dataset)
    return Stage(
        tmp_path / "clean",
        lambda which: write_plan(plans[which], tmp_path / "clean", overwrite=True),
    )


def two_plans(dataset: Dataset) -> list[Any]:
    """Plans that drop other samples, with other options."""
    pairs = (("a.jpg", "b.jpg"), ("c.jpg", "d.jpg"))
    return [
        clean(audit_of(dataset, copy_claim(*pair)), min_confidence=0.5 + n / 10)
        for n, pair in enumerate(pairs)
    ]


def of_applied_plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    monkeypatch.setattr(time, "perf_counter", lambda: 0.0)
    monkeypatch.setattr(
        "dataprep.schemas.run.datetime", _NoClock
    )  # the plan's record holds the hash of the run's
    dataset, folder = made_dataset(tmp_path / "images"), tmp_path / "clean"
    plans = two_plans(dataset)
    write_plan(plans[0], folder)
    return Stage(
        folder,
        lambda which: apply_plan(
            plans[which], dataset, manifest=folder / "clean.csv", record=folder
        ),
    )


def of_cleaned_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    dataset = made_dataset(tmp_path / "images")
    plans = two_plans(dataset)
    return Stage(
        tmp_path / "new",
        lambda which: apply_plan(plans[which], dataset, folder=tmp_path / "new", copy=True),
        every=3,
    )


def of_split(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    made = [split(patients(60, 20), seed=seed, tests=False) for seed in (0, 1)]
    monkeypatch.setattr(
        "dataprep.splits.page.draw_proof", lambda split: str(split.run["options"]["seed"])
    )
    return Stage(tmp_path / "split", lambda which: write_split(made[which], tmp_path / "split"))


def of_laid_out_split(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    dataset, made = made_dataset(tmp_path / "images"), []
    for parts in (("train", "train", "val", "test"), ("test", "val", "train", "train")):
        divided = dataset.assign(split=pd.Categorical(parts), unit=list(NAMES))
        made.append(replace(split(patients(12, 6), tests=False), dataset=divided))
    return Stage(
        tmp_path / "new",
        lambda which: materialise(made[which], tmp_path / "new", link="copy"),
        every=3,
    )


def of_normaliser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    made = [
        Normaliser(
            "z-score",
            ChannelStatistics((mean,) * 3, (0.2,) * 3, (0.0,) * 3, (1.0,) * 3, 9, 9),
            part="train",
        )
        for mean in (0.4, 0.5)
    ]
    exports = ("timm", "torchvision")
    return Stage(
        tmp_path / "normalise",
        lambda which: write_normaliser(
            made[which], tmp_path / "normalise", exports=exports, run={"which": which}
        ),
    )


def of_augmentation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    monkeypatch.setattr("dataprep.augment.recording.render_page", lambda policy, *more: policy.name)
    made = [
        Augmentation(policy, ("why",), None, policy.name.encode(), "root", {"which": policy.name})
        for policy in list(POLICIES.values())[:2]
    ]
    return Stage(
        tmp_path / "augment", lambda which: write_augmentation(made[which], tmp_path / "augment")
    )


def of_baseline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    monkeypatch.setattr(
        writing, "draw_baseline", lambda baseline, audit: str(baseline.run["which"])
    )
    dataset = made_dataset(tmp_path / "images").assign(split=["train", "train", "val", "test"])
    goal, made = Goal("binary", ("cat", "dog"), "accuracy"), []
    for which in (0, 1):
        predictions = pd.DataFrame({"sample": NAMES, "confidence": np.full(4, which / 2)})
        metrics = BaselineMetrics.read({"history": [{"epoch": 0, "loss": which}]})
        data = dataset.where([True, True, True, which == 0])
        made.append(
            Baseline(
                data,
                goal,
                predictions,
                metrics,
                None,
                {"which": which},
                predictions if which else None,
            )
        )
    (tmp_path / "baseline" / "pixels").mkdir(parents=True)
    (tmp_path / "baseline" / "pixels" / "32.u8").write_bytes(b"pixels")
    return Stage(
        tmp_path / "baseline",
        lambda which: writing.write_baseline(made[which], tmp_path / "baseline"),
    )


STAGES = [
    of_report,
    of_plan,
    of_applied_plan,
    of_cleaned_folder,
    of_split,
    of_laid_out_split,
    of_normaliser,
    of_augmentation,
    of_baseline,
]


def snapshot(folder: Path) -> dict[str, bytes]:
    """Path of each file below a folder to its content, times apart."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): _TIMES.sub(b"", path.read_bytes()) for path in files}


@pytest.mark.parametrize("of_stage", STAGES, ids=lambda make: make.__name__)
def test_a_stage_is_there_whole_whatever_ends_it(
    of_stage: Callable[[Path, pytest.MonkeyPatch], Stage],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stage = of_stage(tmp_path, monkeypatch)
    wanted = []
    for which in (0, 1):
        stage.write(which)
        wanted.append(snapshot(stage.folder))
    same = {name for name in wanted[0] if wanted[0][name] == wanted[1].get(name)}
    same -= {MARKER, "pixels/32.u8", "plan.csv", "plan.json"}
    assert all(name.endswith(".jpg") for name in same), "else a mix could not be told"

    def work() -> None:
        stage.write(int(snapshot(stage.folder) == wanted[0]))

    for end in interruptions.every_end(work, tmp_path, monkeypatch, every=stage.every):
        settle(stage.folder)
        assert snapshot(stage.folder) in wanted, end
    work()
    assert not interruptions.leftovers(tmp_path)


class _NoClock:
    @classmethod
    def now(cls, zone: Any) -> _NoClock:
        return cls()

    def isoformat(self, timespec: str) -> str:
        return "now"


def test_a_list_of_dismissed_issues_is_never_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset, path = made_dataset(tmp_path / "images"), tmp_path / "ignore.csv"
    number = 0

    def work() -> None:
        nonlocal number
        number += 1
        ignore(Issues.collect([claim("dark", NAMES[number % 4])]), dataset, path, note=str(number))

    work()
    for end in interruptions.every_end(work, tmp_path, monkeypatch):
        rows = list(csv.DictReader(path.read_text().splitlines()))
        assert rows, end
        assert all(len(row["id"]) == 16 for row in rows), end
        os.unlink(path)
        work()


def test_an_audit_may_be_read_while_its_move_was_interrupted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where folders cannot be swapped: the reader carries on with what a killed run had made
    certain.
    """
    from dataprep.cleaning import read_audit
    from dataprep.schemas.files import exchange

    monkeypatch.setattr(exchange, "_swapper", lambda: None)
    stage = of_report(tmp_path, monkeypatch)
    stage.write(0)

    def work() -> None:
        stage.write(1 if len(audit().dataset) == 4 else 0)

    def audit() -> Audit:
        return read_audit(stage.folder)

    for end in interruptions.every_end(work, tmp_path, monkeypatch, every=7):
        found = audit()
        assert found.issues.table["target"].tolist() == [found.dataset.samples.index[0]], end
