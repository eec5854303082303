"""Fixtures that every test may use. Nothing here reads anything outside the repository."""

from __future__ import annotations

import os
import signal
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

#: For `subprocess` of children that get SIGINT: they obey it though the suite may run with it
#: ignored (``nohup make test``).
OBEYING = (
    {} if os.name == "nt" else {"preexec_fn": partial(signal.signal, signal.SIGINT, signal.SIG_DFL)}
)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or fills the cache of whoever runs it."""
    monkeypatch.setenv("DATAPREP_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test cuts the power: what was written need not have reached the disk."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)


def textured(seed: int, width: int = 96, height: int = 72) -> np.ndarray:
    """A photo-like image: smooth colour fields, edges and a little grain; uint8 (height, width,
    3).
    """
    random = np.random.default_rng(seed)
    coarse = random.integers(20, 235, (6, 8, 3), dtype=np.uint8)
    field = np.asarray(
        Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC), dtype=np.float32
    )
    for _ in range(6):
        x, y = random.integers(0, width - 12), random.integers(0, height - 12)
        w, h = random.integers(8, max(9, width // 3)), random.integers(8, max(9, height // 3))
        field[y : y + h, x : x + w] = random.integers(0, 255, 3)
    return np.clip(field + random.normal(0, 4, field.shape), 0, 255).astype(np.uint8)


def save(array: np.ndarray, path: Path, **options: object) -> Path:
    """Write an image, making its folder; the format follows the suffix."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path, **options)
    return path


@pytest.fixture
def class_folders(tmp_path: Path) -> Path:
    """Two classes of six good photos each, as class folders."""
    root = tmp_path / "images"
    for index in range(12):
        save(
            textured(index), root / ("cat" if index % 2 else "dog") / f"{index:02d}.jpg", quality=92
        )
    return root
