"""Balance: rare classes come more often, copies are made of training images alone and stay with
their originals.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataprep.augment.balance import BalancedSampler, balanced_counts
from dataprep.augment.copies import materialise_augmented, verify_copies
from dataprep.augment.policies import policy
from dataprep.errors import FingerprintError, InputError, OptionError, OutputError
from dataprep.ingest import scan
from dataprep.measures.options import PassOptions
from dataprep.schemas.dataset import Dataset
from tests.conftest import save, textured

OPTIONS = PassOptions(jobs=1)


@pytest.fixture
def divided(tmp_path: Path) -> Dataset:
    """12 common and 4 rare images of which every fourth is for testing; the rare ones are of two
    units.
    """
    for n in range(12):
        save(textured(n, 40, 32), tmp_path / "images" / "common" / f"{n:02d}.png")
    for n in range(4):
        save(textured(50 + n, 40, 32), tmp_path / "images" / "rare" / f"{n}.png")
    dataset = scan(str(tmp_path / "images"))
    split = ["test" if n % 4 == 3 else "train" for n in range(16)]
    return dataset.assign(split=split, unit=[f"unit {n // 2}" for n in range(16)])


@given(
    st.dictionaries(st.text(max_size=3), st.integers(1, 1000), min_size=1, max_size=6),
    st.floats(0, 1),
    st.integers(1, 30),
)
def test_counts_reach_the_ratio_or_the_most(
    counts: dict[str, int], ratio: float, most: int
) -> None:
    made = balanced_counts(counts, ratio, most)
    largest = max(counts.values())
    for name, count in counts.items():
        assert made[name] >= count
        assert made[name] >= ratio * largest or made[name] == count * most
        assert made[name] <= max(largest, count)


def test_a_ratio_out_of_range_is_told() -> None:
    with pytest.raises(OptionError, match="ratio: expected 0"):
        balanced_counts({"a": 1}, 1.5)


def test_the_sampler_reaches_the_ratio_without_test_rows(divided: Dataset) -> None:
    sampler = BalancedSampler(divided, ratio=1.0)
    turns = sampler.epoch(0)
    classes = Counter(turn.sample.split("/")[0] for turn in turns)
    assert classes == {"common": 9, "rare": 9}
    assert len(sampler) == len(turns) == round(sampler.weights.sum())
    assert {turn.sample for turn in turns} == set(
        divided.samples.index[divided.samples["split"] == "train"]
    )
    assert len({(turn.sample, turn.copy) for turn in turns}) == len(turns)
    copies = Counter(turn.sample for turn in turns if turn.sample.startswith("rare"))
    assert max(copies.values()) - min(copies.values()) <= 1


def test_the_sampler_hangs_on_seed_and_epoch_and_not_on_the_order_of_rows(divided: Dataset) -> None:
    def names(dataset: Dataset, seed: int, epoch: int) -> list[tuple[str, int]]:
        return [
            (turn.sample, turn.copy) for turn in BalancedSampler(dataset, seed=seed).epoch(epoch)
        ]

    turned = Dataset(divided.root, divided.samples.iloc[::-1], divided.task, divided.classes)
    assert names(divided, 0, 1) == names(turned, 0, 1)
    assert names(divided, 0, 1) != names(divided, 0, 2)
    assert names(divided, 0, 1) != names(divided, 1, 1)
    sampler = BalancedSampler(divided)
    sampler.set_epoch(2)
    assert [sampler.dataset.samples.index[row] for row in sampler] == [
        name for name, _ in names(divided, 0, 2)
    ]


def test_copies_reach_the_ratio_and_know_where_they_came_from(
    divided: Dataset, tmp_path: Path
) -> None:
    before = {path: path.stat().st_mtime_ns for path in Path(divided.root).rglob("*")}
    made = materialise_augmented(
        divided, tmp_path / "copies", policy("light"), seed=5, options=OPTIONS
    )
    assert made.counts == {"common": 9, "rare": 9}
    table = verify_copies(made.folder, divided)
    assert len(table) == made.copies == 6
    assert set(table["split"]) == {"train"}
    samples = divided.samples.loc[table["source"]]
    assert (samples["unit"].to_numpy() == table["unit"].to_numpy()).all()
    assert all((Path(made.folder) / path).is_file() for path in table["path"])
    assert {path: path.stat().st_mtime_ns for path in Path(divided.root).rglob("*")} == before
    from PIL import Image

    row = table.iloc[0]
    original = np.asarray(Image.open(divided.path(row["source"])))
    expected = policy("light").augment(
        original, sample=row["source"], copy=int(row["copy"]), seed=5
    )
    assert (np.asarray(Image.open(Path(made.folder) / row["path"])) == expected).all()


def test_copies_that_a_new_division_moved_apart_are_refused(
    divided: Dataset, tmp_path: Path
) -> None:
    made = materialise_augmented(divided, tmp_path / "copies", policy("light"), options=OPTIONS)
    with pytest.raises(FingerprintError, match="no longer with their originals"):
        verify_copies(made.folder, divided.assign(split="test"))
    with pytest.raises(FingerprintError, match="no longer with their originals"):
        verify_copies(made.folder, divided.assign(unit="other"))
    with pytest.raises(InputError, match="cannot read the copies"):
        verify_copies(tmp_path, divided)
    with pytest.raises(InputError, match="shows in divided data"):
        verify_copies(made.folder, replace(divided, samples=divided.samples.drop(columns="split")))
    (Path(made.folder) / pd.read_csv(made.manifest)["path"][2]).unlink()
    with pytest.raises(InputError, match="1 of 6 copies in .* are gone"):
        verify_copies(made.folder, divided)


def test_without_units_copies_belong_to_their_group_or_else_to_their_original(
    divided: Dataset, tmp_path: Path
) -> None:
    groups = replace(
        divided,
        samples=divided.samples.drop(columns="unit").assign(group=[*[""] * 12, "a", "", None, "b"]),
    )
    made = materialise_augmented(groups, tmp_path / "copies", policy("light"), options=OPTIONS)
    table = verify_copies(made.folder, groups)
    assert dict(zip(table["source"], table["unit"])) == {
        "rare/0.png": "a",
        "rare/1.png": "rare/1.png",
        "rare/2.png": "rare/2.png",
    }


def test_where_copies_may_not_go(divided: Dataset, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="never written to"):
        materialise_augmented(
            divided, os.path.join(divided.root, "more"), policy("light"), options=OPTIONS
        )
    (tmp_path / "there").mkdir()
    with pytest.raises(OutputError, match="there already"):
        materialise_augmented(divided, tmp_path / "there", policy("light"), options=OPTIONS)
    with pytest.raises(OptionError, match="changes nothing"):
        materialise_augmented(divided, tmp_path / "new", policy("none"), options=OPTIONS)
    plain = Dataset(divided.root, divided.samples.drop(columns="split"), divided.task)
    with pytest.raises(InputError, match="not divided"):
        materialise_augmented(plain, tmp_path / "new", policy("light"), options=OPTIONS)


@pytest.mark.parametrize("task", ["multi-label", "regression", "detection", "segmentation"])
def test_labels_that_are_no_classes_are_not_balanced(
    divided: Dataset, tmp_path: Path, task: Any
) -> None:
    other = replace(divided, task=task)
    with pytest.raises(OptionError, match=f"one class per image.*task {task}"):
        BalancedSampler(other)
    with pytest.raises(OptionError, match="one class per image"):
        materialise_augmented(other, tmp_path / "new", policy("light"), options=OPTIONS)
    assert not (tmp_path / "new").exists()


def test_remote_images_are_copied_as_local_ones_are(divided: Dataset, tmp_path: Path) -> None:
    import fsspec

    for name in divided.samples.index:
        fsspec.filesystem("memory").pipe(f"/copies/{name}", Path(divided.path(name)).read_bytes())
    remote = Dataset("memory://copies", divided.samples, divided.task, divided.classes)
    here, there = (
        materialise_augmented(each, tmp_path / name, policy("light"), options=OPTIONS)
        for name, each in (("here", divided), ("there", remote))
    )
    assert there.lost == {}
    for path in pd.read_csv(here.manifest)["path"]:
        assert (Path(there.folder) / path).read_bytes() == (Path(here.folder) / path).read_bytes()


def test_no_folder_is_published_when_every_copy_is_lost(divided: Dataset, tmp_path: Path) -> None:
    nowhere = Dataset("memory://nothing", divided.samples, divided.task, divided.classes)
    with pytest.raises(
        InputError, match="none of the 3 images to copy could be read; the first, rare/"
    ):
        materialise_augmented(nowhere, tmp_path / "new", policy("light"), options=OPTIONS)
    assert [path.name for path in tmp_path.iterdir()] == ["images"]


def test_images_for_testing_are_never_copied_for_want_of_a_train_part(
    divided: Dataset, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="none of them is known to be for training"):
        materialise_augmented(
            divided.assign(split=["test", "val"] * 8),
            tmp_path / "new",
            policy("light"),
            options=OPTIONS,
        )
    folds = divided.assign(split=["fold1", "fold2", "fold3", "test"] * 4)
    with pytest.raises(InputError, match="which one is held out"):
        materialise_augmented(folds, tmp_path / "new", policy("light"), options=OPTIONS)
    made = materialise_augmented(folds, tmp_path / "new", policy("light"), fold=1, options=OPTIONS)
    assert set(pd.read_csv(made.manifest)["split"]) <= {"fold2", "fold3"}
    assert made.counts == {"common": 6, "rare": 6}


def test_a_failed_run_leaves_nothing_and_a_broken_image_is_named(
    divided: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    victim = next(name for name in divided.samples.index if name.startswith("rare"))
    Path(divided.path(victim)).write_bytes(b"no image")
    made = materialise_augmented(divided, tmp_path / "a", policy("light"), options=OPTIONS)
    assert list(made.lost) == [victim]
    assert victim not in set(pd.read_csv(made.manifest)["source"])
    monkeypatch.setattr(
        "dataprep.augment.copies._write", lambda *given: (_ for _ in ()).throw(KeyboardInterrupt)
    )
    with pytest.raises(KeyboardInterrupt):
        materialise_augmented(divided, tmp_path / "b", policy("light"), options=OPTIONS)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "images"]


def test_long_names_and_labels_that_look_alike_have_folders_of_their_own(
    divided: Dataset, tmp_path: Path
) -> None:
    long = divided.samples.index[12]
    (Path(divided.root) / long).rename(Path(divided.root) / "rare" / f"{'𠀀' * 60}.png")
    samples = divided.samples.rename(index={long: f"rare/{'𠀀' * 60}.png"})
    label = [
        "a b" if name.startswith("common") else "a/b" if name == samples.index[13] else "字" * 90
        for name in samples.index
    ]
    made = materialise_augmented(
        replace(divided, samples=samples.assign(label=label)),
        tmp_path / "copies",
        policy("light"),
        options=OPTIONS,
    )
    table = verify_copies(made.folder, replace(divided, samples=samples))
    assert table["path"].str.partition("/")[0].groupby(table["label"]).nunique().max() == 1
    assert table.groupby(table["path"].str.partition("/")[0])["label"].nunique().max() == 1
