"""Data that no one would train on by choice: said in words, or trained on without what cannot be
used.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from dataprep.baselines.training.settings import BaselineOptions
from dataprep.errors import InputError, OptionError, WorkError
from dataprep.schemas.dataset import Dataset
from dataprep.schemas.split import Split
from tests.conftest import save

torch = pytest.importorskip("torch")

from dataprep.baselines.recipe import train_baseline  # noqa: E402
from dataprep.baselines.training import networks  # noqa: E402
from dataprep.baselines.training.feeding import Feeder  # noqa: E402
from dataprep.baselines.training.fitting import train_network  # noqa: E402
from dataprep.baselines.training.pixel_store import PixelStore, store_pixels  # noqa: E402
from dataprep.baselines.training.preparing import prepare  # noqa: E402
from dataprep.baselines.training.regimes import Regime  # noqa: E402
from dataprep.baselines.training.settings import TrainSettings  # noqa: E402
from dataprep.measures.options import PassOptions  # noqa: E402
from tests.baselines.deployed import small_network  # noqa: E402
from tests.baselines.toys import toy_materials  # noqa: E402

PASS = {"embedder": "", "jobs": 1}
TINTS = {"red": (220, 40, 40), "green": (40, 200, 60), "blue": (50, 60, 230)}
FROZEN = BaselineOptions(regime="frozen", size=32, threads=1, sanity=False, device="cpu")


@pytest.fixture(autouse=True)
def _quick_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network of one convolution in place of EfficientNet-Lite0: the data are what matters."""
    monkeypatch.setattr(networks, "make_network", lambda arch, outputs, **_: small_network(outputs))


def make_split(root: Path, rows: Sequence[tuple[str, str]]) -> Split:
    """One small picture per (label, part), in the colour of its label."""
    rng = np.random.default_rng(0)
    names = [f"{number:03d}.png" for number in range(len(rows))]
    for name, (label, _) in zip(names, rows, strict=True):
        save(
            np.clip(rng.normal(TINTS[label], 20, (32, 32, 3)), 0, 255).astype(np.uint8), root / name
        )
    samples = pd.DataFrame(
        {
            "label": pd.Categorical([label for label, _ in rows]),
            "split": pd.Categorical([part for _, part in rows]),
            "unit": names,
        },
        index=pd.Index(names, name="sample"),
    )
    classes = tuple(sorted({label for label, _ in rows}))
    return Split(Dataset(str(root), samples, "classification", classes), run={"pass": PASS})


def rows_of(**counts: dict[str, int]) -> list[tuple[str, str]]:
    """``train={"red": 3}`` to (label, part) of each sample."""
    return [
        (label, part)
        for part, each in counts.items()
        for label, count in each.items()
        for _ in range(count)
    ]


USUAL: dict[str, dict[str, int]] = {
    part: dict.fromkeys(TINTS, count) for part, count in (("train", 6), ("val", 3), ("test", 2))
}


def train(split: Split, tmp_path: Path, options: BaselineOptions = FROZEN, **more: Any) -> Any:
    return train_baseline(split, str(tmp_path / "out"), options, **more)


def test_a_class_that_is_absent_from_train_is_named(tmp_path: Path) -> None:
    split = make_split(tmp_path / "images", rows_of(**{**USUAL, "train": {"red": 6, "green": 6}}))
    with pytest.raises(InputError, match="blue"):
        train(split, tmp_path)


def test_one_class_alone_is_nothing_to_tell_apart(tmp_path: Path) -> None:
    split = make_split(tmp_path / "images", rows_of(train={"red": 4}, val={"red": 2}))
    with pytest.raises(InputError, match="at least two classes"):
        train(split, tmp_path)


def test_pixels_that_are_no_numbers_and_broken_files_do_not_stop_a_training(tmp_path: Path) -> None:
    """One float TIFF full of NaN, one half NaN, one file of text, one cut in the middle, one
    that is gone.
    """
    split = make_split(tmp_path / "images", rows_of(**USUAL))
    names = list(split.dataset.samples.index)
    whole, half = (
        np.full((32, 32), np.nan, np.float32),
        np.linspace(0, 1, 1024, dtype=np.float32).reshape(32, 32),
    )
    half[:16] = np.nan
    for name, pixels in zip(names[:2], (whole, half), strict=True):
        Image.fromarray(pixels).save(tmp_path / "images" / name, format="TIFF")
    (tmp_path / "images" / names[2]).write_text("no image")
    content = (tmp_path / "images" / names[7]).read_bytes()
    (tmp_path / "images" / names[7]).write_bytes(content[: len(content) // 2])
    (tmp_path / "images" / names[20]).unlink()
    made = train(split, tmp_path)
    lost = made.metrics["data"]["lost"]
    assert set(lost) >= {names[2], names[7], names[20]}
    assert set(lost) <= {*names[:3], names[7], names[20]}
    assert sum(made.metrics["data"]["parts"].values()) == len(names) - len(lost)
    assert np.isfinite(made.predictions.filter(like="p:").to_numpy()).all()
    assert not set(lost) & set(made.predictions["sample"])


def test_a_part_that_holds_nothing_readable_is_named_or_left_out(tmp_path: Path) -> None:
    split = make_split(tmp_path / "images", rows_of(**USUAL))
    parts = split.dataset.samples["split"]
    for name in parts.index[parts == "test"]:
        (tmp_path / "images" / name).write_text("no image")
    made = train(split, tmp_path)
    assert made.metrics["data"]["parts"]["test"] == 0
    assert "test" not in made.metrics
    for name in parts.index[parts == "val"]:
        (tmp_path / "images" / name).write_text("no image")
    with pytest.raises(InputError, match="the part val has no sample"):
        train(split, tmp_path)


def test_without_val_a_part_of_train_is_held_back(tmp_path: Path) -> None:
    made = train(
        make_split(tmp_path / "images", rows_of(train=USUAL["train"], test=USUAL["test"])), tmp_path
    )
    assert made.metrics["data"]["parts"] == {"train": 15, "val": 3, "test": 6}


def test_a_class_with_a_single_image_in_val_and_none_in_test(tmp_path: Path) -> None:
    split = make_split(
        tmp_path / "images",
        rows_of(
            train=USUAL["train"], val={"red": 4, "green": 4, "blue": 1}, test={"red": 3, "green": 3}
        ),
    )
    made = train(split, tmp_path)
    support = {each["class"]: each["support"] for each in made.metrics["validation"]["classes"]}
    assert support == {"blue": 1, "green": 4, "red": 4}
    assert {each["class"]: each["recall"]["value"] for each in made.metrics["test"]["classes"]}[
        "blue"
    ] is None


def test_two_runs_of_one_seed_predict_the_same(tmp_path: Path) -> None:
    split = make_split(tmp_path / "images", rows_of(**USUAL))
    first, again = train(split, tmp_path), train(split, tmp_path)
    pd.testing.assert_frame_equal(first.predictions, again.predictions)
    for (name, ours), theirs in zip(
        first.network.state_dict().items(), again.network.state_dict().values(), strict=True
    ):
        assert np.array_equal(ours, theirs), name


def test_without_a_look_at_test_nothing_is_judged_on_it(tmp_path: Path) -> None:
    split = make_split(tmp_path / "images", rows_of(**USUAL))
    made = train(split, tmp_path, BaselineOptions(**{**vars(FROZEN), "evaluate_test": False}))
    assert "test" not in made.metrics
    assert set(made.predictions["split"]) == {"train", "val"}
    assert "test" not in made.metrics["probe"]


def test_a_file_of_pixels_that_is_gone_or_cut_short_is_made_again(tmp_path: Path) -> None:
    split = make_split(tmp_path / "images", rows_of(**USUAL))
    folder = tmp_path / "pixels"
    options = PassOptions(**PASS)  # type: ignore[arg-type]
    first = np.array(store_pixels(split.dataset, 16, str(folder), options=options).images)
    path = folder / "16.u8"
    for damage in (lambda: path.unlink(), lambda: os.truncate(path, 100)):
        damage()
        assert np.array_equal(
            store_pixels(split.dataset, 16, str(folder), options=options).images, first
        )


def test_a_file_of_pixels_that_is_cut_short_in_use_does_not_kill_the_process(
    tmp_path: Path,
) -> None:
    path = tmp_path / "8.u8"
    np.zeros((4, 8, 8, 3), np.uint8).tofile(path)
    store = PixelStore(np.memmap(path, np.uint8, "r", shape=(4, 8, 8, 3)), np.ones(4, bool), {})
    feeder = Feeder(store, np.arange(4), np.zeros(4, np.int64), 2)
    assert len(list(feeder(0))) == 2
    os.truncate(path, 100)
    with pytest.raises(WorkError, match="cut short"):
        list(feeder(1))


def test_worker_processes_are_sent_the_path_of_the_pixels_and_not_the_pixels(
    tmp_path: Path,
) -> None:
    import pickle

    path = tmp_path / "64.u8"
    pixels = np.random.default_rng(0).integers(0, 255, (20, 64, 64, 3), dtype=np.uint8)
    pixels.tofile(path)
    store = PixelStore(
        np.memmap(path, np.uint8, "r", shape=pixels.shape), np.ones(20, bool), {"a.png": "why"}
    )
    sent = pickle.dumps(store)
    assert len(sent) < 5000 < pixels.nbytes
    assert np.array_equal(pickle.loads(sent).images, pixels)


def test_no_room_for_the_pixels_is_said_before_any_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    split = make_split(tmp_path / "images", rows_of(**USUAL))
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(100, 99, 1))
    options = BaselineOptions(**{**vars(FROZEN), "arch": "lite0"})
    with pytest.raises(WorkError, match="Take a smaller --size"):
        train(split, tmp_path, options)


@pytest.mark.parametrize(("size", "fits"), [(4, False), (8, True)])
def test_one_image_at_a_time_needs_maps_of_more_than_one_place(size: int, fits: bool) -> None:
    materials = toy_materials(count=4, val=3, size=size)
    regime = Regime("scratch", "small", size, TrainSettings(epochs=1, batch=1), "asked for")
    if fits:
        assert train_network(materials, regime).fitted is not None
        return
    with pytest.raises(OptionError, match="--batch 2 or more"):
        train_network(materials, regime)


def test_goals_that_do_not_suit_the_labels_are_refused(tmp_path: Path) -> None:
    split = make_split(tmp_path / "images", rows_of(**USUAL))
    with pytest.raises(OptionError):
        prepare(
            split.dataset,
            BaselineOptions(**{**vars(FROZEN), "metric": "mae"}),
            {},
            str(tmp_path / "pixels"),
        )
