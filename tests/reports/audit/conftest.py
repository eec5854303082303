"""An audit made by hand, so that reports are tested without the engine: real images, made-up
measures, a few made-up checks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from dataprep.checks.contract import Check
from dataprep.schemas.audit import Audit
from dataprep.schemas.dataset import Dataset
from dataprep.schemas.issues import Issues, batch
from dataprep.schemas.options import option
from dataprep.schemas.text.names import escape_name
from tests.conftest import save, textured

HOSTILE = "<img src=x onerror=alert(1)>.jpg"
CLOSING = "</script><script>document.title='hacked'</script>"


class _Silent(Check):
    """What it finds:
        A planted fault.
    Why it matters:
        It spoils training.

        Twice over: a second paragraph with <b>markup</b>.
    What to do:
        Look at it.
    How it works:
        It was planted.
    Known limits:
        None.
    Measured quality:
        Perfect.
    """

    def find(self, dataset: Dataset, look: Any) -> Iterator[pd.DataFrame]:
        yield from ()


@dataclass(frozen=True)
class Dark(_Silent):
    __doc__ = _Silent.__doc__
    code, family, severity = "dark", "quality", "warning"
    needs = ("luma_p99",)
    summary = "Dark images"
    advice = "Look at them; drop those in which you cannot tell the class."
    message = "99 % of the pixels are darker than {figure:.2f}; the limit is {threshold:.2f}"
    threshold: float = option(0.2, "luma", low=0, high=1)


@dataclass(frozen=True)
class Unreadable(_Silent):
    __doc__ = _Silent.__doc__
    code, family, severity = "unreadable", "files", "error"
    summary = "Files that cannot be read"
    advice = "Export or download them again, or drop them."
    message = "{reason}: {detail}"


@dataclass(frozen=True)
class NearDuplicate(_Silent):
    __doc__ = _Silent.__doc__
    code, family, severity, scope, suggestion = (
        "near-duplicate",
        "duplicates",
        "warning",
        "pair",
        "drop",
    )
    summary = "Almost the same picture"
    advice = "Keep the best of each group."
    message = "{relation} {related}"


@dataclass(frozen=True)
class LabelConflict(_Silent):
    __doc__ = _Silent.__doc__
    code, family, severity, scope = "label-conflict", "duplicates", "error", "pair"
    summary = "The same picture under two labels"
    advice = "Decide which label is right."
    message = "labelled {label}, its copy {related} {other}"


@dataclass(frozen=True)
class ClassImbalance(_Silent):
    __doc__ = _Silent.__doc__
    code, family, severity, scope = "class-imbalance", "labels", "warning", "class"
    needs = ("label",)
    summary = "Class imbalance"
    advice = "Weight the classes."
    message = "{target} has {figure:.0f} images, {ratio:.1f} times fewer than {largest}"


@dataclass(frozen=True)
class ConflictingRows(_Silent):
    __doc__ = _Silent.__doc__
    code, family, severity, scope = "conflicting-rows", "records", "error", "record"
    summary = "Rows that contradict each other"
    advice = "Mend the table."
    message = "{target} is listed under {labels}"


@dataclass(frozen=True)
class Grayscale(_Silent):
    __doc__ = _Silent.__doc__
    code, family, severity = "grayscale", "quality", "info"
    needs = ("chroma_p99",)
    summary = "Grayscale images among colour images"
    advice = "Nothing, unless colour matters."
    message = "chroma p99 is {figure:.3f}"


@dataclass(frozen=True)
class Blurry(_Silent):
    __doc__ = _Silent.__doc__
    code, family, severity = "blurry", "quality", "warning"
    needs = ("sharpness",)
    summary = "Blurred images"
    advice = "Look at them."
    message = "sharpness {figure:.2f}"


@dataclass(frozen=True)
class GroupLeakage(_Silent):
    __doc__ = _Silent.__doc__
    code, family, severity, scope = "group-leakage", "splits", "error", "pair"
    needs = ("group",)
    summary = "The same group in two splits"
    advice = "Split by group."
    message = "{group}"


@dataclass(frozen=True)
class WrongLabel(_Silent):
    __doc__ = _Silent.__doc__
    code, family, severity, suggestion = "wrong-label", "labels", "warning", "relabel"
    needs = ("label", "embedding")
    summary = "Likely label errors"
    advice = "Look at them beside their neighbours."
    message = "labelled {label}, its neighbours are {other}"


@dataclass(frozen=True)
class Shortcut(_Silent):
    __doc__ = _Silent.__doc__
    code, family, severity, scope = "shortcut", "shortcuts", "warning", "dataset"
    summary = "Something other than the content gives the label away"
    advice = "Even it out."
    message = "{what}"


CHECKS = (
    Unreadable(),
    ConflictingRows(),
    NearDuplicate(),
    LabelConflict(),
    ClassImbalance(),
    GroupLeakage(),
    Dark(),
    Blurry(),
    Grayscale(),
)


def planted(root: Path) -> Audit:
    """An audit of 24 images under `root`, with hostile names and labels and one claim of every
    kind.
    """
    names = [f"train/cat/{i:02d}.jpg" for i in range(12)] + [
        f"test/dog/{i:02d}.jpg" for i in range(9)
    ]
    names += [f"test/dog/{HOSTILE}", "train/cat/=cmd.jpg", escape_name("train/cat/caf\udce9.jpg")]
    for index, name in enumerate(names[:-1]):
        save(textured(index), root / name, quality=90)
    samples = _samples(names)
    claims = list(_claims(names))
    dataset = Dataset(
        str(root),
        samples,
        "classification",
        tuple(sorted(set(samples["label"].dropna()))),
        ignored={"Thumbs.db": 2},
    )
    options = {"pass": {"jobs": 1}, "only": []}
    run = {
        "stage": "audit",
        "root": str(root),
        "finished_at": "2030-01-02T03:04:05+00:00",
        "options": options,
    }
    run |= {"seconds": {"scan": 0.1}, "fingerprint": dataset.fingerprint}
    return Audit(dataset, Issues.collect(claims), {"group-leakage": "needs groups"}, CHECKS, run)


#: Evidence of every kind that the page draws.
CURVE = {
    "x": [50, 100, 200, 400, 800, 1600],
    "y": [0.5, 0.6, 0.68, 0.74, 0.79, 0.82],
    "low": [0.45, 0.56, 0.65, 0.72, 0.76, 0.78],
    "high": [0.55, 0.64, 0.71, 0.76, 0.82, 0.86],
    "x_label": "images",
    "y_label": "accuracy",
    "measured": 5,
}
MATRIX = {
    "classes": ["cat", "dog", CLOSING],
    "rows": [[0.9, 0.1, 0], [0.2, 0.8, 0], [0, 0.05, 0.95]],
}
HISTOGRAM = {
    "edges": [0, 0.25, 0.5, 0.75, 1],
    "series": {"cat": [9, 3, 1, 0], CLOSING: [0, 2, 5, 8]},
    "label": "luma_mean",
}
PATCH = {
    "pixels": [[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [255, 255, 0]]],
    "place": "bottom right corner",
}


def learned(root: Path, rows: int = 60) -> Audit:
    """An audit with embeddings in two clusters, one image that lies in the wrong one, and claims
    with evidence of every kind.
    """
    random = np.random.default_rng(1)
    names = [f"{'cat' if i % 2 else 'dog'}/{i:03d}.jpg" for i in range(rows)]
    for index, name in enumerate(names[:24]):
        save(textured(index), root / name, quality=90)
    labels = np.array([name.split("/")[0] for name in names], dtype=object)
    labels[-1] = CLOSING
    side = np.arange(rows) % 2
    side[0] = 1
    embedding = np.abs(random.normal(0, 0.1, (rows, 24)) + 2 * np.eye(2, 24)[side]).astype(
        np.float16
    )
    embedding[-2] = 0
    samples = pd.DataFrame(
        {
            "label": pd.Categorical(labels),
            "split": pd.Categorical(["train"] * rows),
            "width": 96,
            "height": 72,
            "bytes": 5000,
        },
        index=pd.Index(names, name="sample"),
    )
    near = {"label": "dog", "other": "cat", "neighbours": [*names[1:12:2], "gone.jpg"]}
    wrong = WrongLabel().claims(names[:1], evidence=near, value="cat", confidence=0.9)
    malformed = {
        "histogram": {"edges": "x"},
        "curve": {"x": [1], "y": []},
        "matrix": 3,
        "interval": [2, 1],
    }
    what = [
        {
            "what": f"brightness gives {CLOSING!r} away",
            "histogram": HISTOGRAM,
            "interval": [0.6, 0.8],
            "baseline": 0.5,
        },
        {"what": "a patch", "patch": PATCH | {"carriers": names[2:5]}},
        {"what": "more data helps", "curve": CURVE},
        {"what": "mixed up", "matrix": MATRIX, "drivers": names[20:23]},
        malformed | {"what": "malformed"},
    ]
    shortcut = Shortcut().claims([""] * len(what), figure=0.7, evidence=what)
    dataset = Dataset(
        str(root), samples, "classification", ("cat", "dog"), {"embedding": embedding}
    )
    run = {
        "root": str(root),
        "finished_at": "2030-01-02T03:04:05+00:00",
        "options": {},
        "fingerprint": dataset.fingerprint,
    }
    return Audit(
        dataset, Issues.collect([wrong, shortcut]), {}, (*CHECKS, WrongLabel(), Shortcut()), run
    )


def _samples(names: list[str]) -> pd.DataFrame:
    random = np.random.default_rng(0)
    n = len(names)
    lost = np.full(n, "", dtype=object)
    lost[-1] = "truncated"
    labels = [name.split("/")[1] for name in names]
    labels[0], labels[3] = CLOSING, None
    columns: dict[str, Any] = {
        "label": pd.Categorical(labels),
        "split": pd.Categorical([name.split("/")[0] for name in names]),
        "bytes": random.integers(2_000, 900_000, n),
        "file_hash": [f"{i:032x}" for i in range(n - 1)] + [""],
        "lost": pd.Categorical(lost),
        "lost_detail": ["" for _ in range(n)],
        "format": pd.Categorical(["JPEG"] * n),
        "extension": pd.Categorical(["jpg"] * n),
        "camera": pd.Categorical(["Canon of Smith"] * n),
        "width": pd.array([96] * (n - 1) + [None], dtype="Int32"),
        "height": pd.array([72] * (n - 1) + [None], dtype="Int32"),
        "luma_p99": np.append(random.uniform(0, 1, n - 1), np.nan),
        "chroma_p99": np.append(random.uniform(0, 1, n - 1), np.nan),
        "sharpness": np.append(random.lognormal(0, 1, n - 1), np.nan),
        "patient": ["Smith"] * n,
    }
    return pd.DataFrame(columns, index=pd.Index(names, name="sample"))


def _claims(names: list[str]) -> Iterator[pd.DataFrame]:
    broken = {"reason": "truncated", "detail": "ends after 12 bytes"}
    yield Unreadable().claims([names[-1]], evidence=broken)
    dark = {
        "figure": np.linspace(0.01, 0.19, 7),
        "unit": "luma",
        "confidence": np.linspace(0.99, 0.6, 7),
    }
    yield Dark().claims([*names[:6], names[21]], evidence={"threshold": 0.2}, **dark)
    near = {
        "group": ["g1", "g2", "g2"],
        "confidence": [0.9, 0.95, 0.8],
        "evidence": [{"relation": "a mirrored copy of"}] * 3,
    }
    yield NearDuplicate().claims(
        [names[2], names[13], names[22]], related=[names[1], names[12], names[12]], **near
    )
    yield LabelConflict().claims(
        [names[0]], related=[names[12]], evidence={"label": CLOSING, "other": "dog"}
    )
    yield ClassImbalance().claims(
        ["cat"], figure=12, unit="images", evidence={"ratio": 3.5, "largest": "dog"}
    )
    yield ConflictingRows().claims(
        [names[4]], location="labels.csv:17", evidence={"labels": "cat and dog"}
    )
    yield Grayscale().claims(names[7:9], figure=0.001)


@pytest.fixture
def audit(tmp_path: Path) -> Audit:
    return planted(tmp_path / "images")


@pytest.fixture
def empty_audit() -> Audit:
    samples = pd.DataFrame(index=pd.Index([], name="sample", dtype="str"))
    return Audit(
        Dataset("nowhere", samples),
        Issues.collect([batch("dark", "warning", "sample", [])]),
        {"dark": "no samples"},
        CHECKS,
    )
