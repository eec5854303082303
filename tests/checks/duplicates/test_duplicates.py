"""Duplicates from files to claims: exact, near, conflicting labels; stars, keepers, budgets, and
hashes alone.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from dataprep.checks.duplicates import search
from dataprep.checks.duplicates.exact_duplicate import ExactDuplicate
from dataprep.checks.duplicates.label_conflict import LabelConflict
from dataprep.checks.duplicates.near_duplicate import NearDuplicate
from dataprep.checks.duplicates.pairs import Duplicates, find_duplicates, swap_letters
from dataprep.checks.duplicates.search import verify_files
from dataprep.checks.second_look import SecondLook
from dataprep.ingest import scan
from dataprep.measures.decode_pass import measure
from dataprep.measures.options import PassOptions
from dataprep.measures.pairs.comparison import Confirmed
from dataprep.reports.messages import render
from dataprep.schemas.dataset import Dataset
from tests.conftest import save
from tests.measures.pairs.test_pairs import photo

OPTIONS = PassOptions(jobs=1, cache=False)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Three photos under labels a and b, with copies: see `EXPECTED`."""
    root = tmp_path_factory.mktemp("photos")
    first, second, third = photo(30), photo(31), photo(32)
    save(first, root / "a" / "first.png")
    save(first, root / "a" / "first copy.png", compress_level=1)
    save(first[:, ::-1], root / "b" / "first mirrored.jpg", quality=80)
    save(
        np.asarray(Image.fromarray(first).resize((200, 150))),
        root / "a" / "first small.jpg",
        quality=80,
    )
    save(second, root / "b" / "second.jpg", quality=90)
    (root / "a" / "second again.jpg").write_bytes((root / "b" / "second.jpg").read_bytes())
    save(third, root / "a" / "third.jpg", quality=90)
    (root / "a" / "broken.jpg").write_bytes((root / "a" / "third.jpg").read_bytes()[:4000])
    return measure(scan(str(root)), None, OPTIONS)


EXPECTED = {
    ("a/first.png", "a/first copy.png", "pixels"),
    ("b/first mirrored.jpg", "a/first copy.png", "near"),
    ("a/first small.jpg", "a/first copy.png", "near"),
    ("b/second.jpg", "a/second again.jpg", "bytes"),
}


@pytest.fixture(scope="module")
def look(photos: Dataset) -> SecondLook:
    return SecondLook(photos, OPTIONS)


def named(dataset: Dataset, duplicates: Duplicates) -> set[tuple[str, str, str]]:
    names = dataset.samples.index
    pairs = duplicates.pairs[["a", "b", "kind"]].itertuples(index=False)
    return {
        (names[a], names[b], kind) if duplicates.keep[b] else (names[b], names[a], kind)
        for a, b, kind in pairs
    }


def claims(check: object, dataset: Dataset, look: SecondLook) -> pd.DataFrame:
    return pd.concat(list(check.find(dataset, look)), ignore_index=True)  # type: ignore[attr-defined]


def test_pairs_groups_and_keepers(photos: Dataset, look: SecondLook) -> None:
    found = look.duplicates()
    assert named(photos, found) == EXPECTED
    groups = pd.Series(found.groups, index=photos.samples.index)
    assert groups["a/third.jpg"] == groups["a/broken.jpg"] == -1
    assert groups.drop(["a/third.jpg", "a/broken.jpg"]).groupby(groups).size().tolist() == [4, 2]
    kept = set(photos.samples.index[found.keep])
    assert kept == {"a/first copy.png", "a/second again.jpg", "a/third.jpg", "a/broken.jpg"}
    assert (found.pairs["a"] < found.pairs["b"]).all()
    assert found.notes == ()
    assert look.duplicates() is found


def test_order_of_rows_does_not_matter(photos: Dataset, look: SecondLook) -> None:
    order = np.random.default_rng(0).permutation(len(photos))
    arrays = {name: array[order] for name, array in photos.arrays.items()}
    shuffled = replace(photos, samples=photos.samples.iloc[order], arrays=arrays)
    found = find_duplicates(shuffled, OPTIONS)
    assert named(shuffled, found) == EXPECTED
    again = claims(NearDuplicate(), shuffled, SecondLook(shuffled, OPTIONS)).sort_values(
        "target", ignore_index=True
    )
    before = claims(NearDuplicate(), photos, look).sort_values("target", ignore_index=True)
    assert again.astype("str").equals(before.astype("str"))


def test_claims_name_the_kept_image_and_the_relation(photos: Dataset, look: SecondLook) -> None:
    near = claims(NearDuplicate(), photos, look).set_index("target")
    assert set(near["related"]) == set(near["group"]) == {"a/first copy.png"}
    assert set(near["suggestion"]) == {"drop"}
    text = dict(
        zip(
            near.index,
            render(near.reset_index(), {"near-duplicate": NearDuplicate.message}),
            strict=True,
        )
    )
    assert text["b/first mirrored.jpg"].startswith(
        "B is A mirrored, saved as JPEG; A is a/first copy.png"
    )
    assert text["a/first small.jpg"].startswith("B is A reduced to 50 %, saved as JPEG")
    exact = claims(ExactDuplicate(), photos, look)
    assert dict(zip(exact["target"], exact["related"], strict=True)) == {
        "a/first.png": "a/first copy.png",
        "b/second.jpg": "a/second again.jpg",
    }
    assert exact["confidence"].eq(1).all()


def test_conflicting_labels(photos: Dataset, look: SecondLook) -> None:
    found = claims(LabelConflict(), photos, look).set_index("target")
    assert set(found.index) == {"b/first mirrored.jpg", "b/second.jpg"}
    assert found.loc["b/first mirrored.jpg", ["suggestion", "value"]].tolist() == ["relabel", "a"]
    assert found.loc["b/second.jpg", ["suggestion", "value"]].tolist() == ["review", ""]
    assert found.loc["b/second.jpg", "related"] == "a/second again.jpg"
    assert found["confidence"].between(0.9, 1).all()
    agreeing = photos.assign(label=pd.Categorical(["a"] * len(photos)))
    assert list(LabelConflict().find(agreeing, look)) == []


def test_hashes_alone_are_believed_when_files_are_out_of_reach(photos: Dataset) -> None:
    gone = replace(photos, root="no-such-folder")
    found = find_duplicates(gone, OPTIONS, verify=None)
    near = found.pairs[found.pairs["kind"] == "near"]
    assert {pair[:2] for pair in named(gone, found)} == {pair[:2] for pair in EXPECTED}
    assert near["relation"].str.contains("of 64 bits differ").all()
    assert near["confidence"].lt(0.9).all()


def test_files_that_workers_cannot_reach_are_read_for_them(photos: Dataset) -> None:
    import fsspec

    memory = fsspec.filesystem("memory")
    for sample in photos.samples.index:
        memory.pipe_file(f"/second-look/{sample}", Path(photos.path(sample)).read_bytes())
    remote = replace(photos, root="memory://second-look")
    assert named(remote, find_duplicates(remote, OPTIONS)) == EXPECTED


def test_budget_takes_the_nearest_and_says_what_was_left(photos: Dataset) -> None:
    asked: list[tuple[int, int]] = []

    def verify(
        dataset: Dataset, links: list[tuple[int, int]], *rest: object, **more: object
    ) -> Confirmed:
        asked.extend(links)
        return Confirmed(unseen={"crashed": 1})

    found = find_duplicates(photos, OPTIONS, verify=verify, most_pairs=1)
    assert len(asked) == 1
    assert len(found.notes) == 2
    assert "least similar ones, were not compared" in found.notes[0]
    notes = claims(
        NearDuplicate(), photos, SecondLook(photos, OPTIONS, verify=verify, most_pairs=1)
    )
    assert notes["scope"].tolist() == ["dataset", "dataset"]
    assert (
        "1 candidate pairs could not be compared: crashed."
        in render(notes, {"near-duplicate": NearDuplicate.message})[1]
    )


def test_the_first_candidates_are_not_compared_twice(
    photos: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[int, set[tuple[int, int]]]] = []

    def verify(*given: Any, **more: Any) -> Confirmed:
        calls.append((len(given[1]), set(more.get("known") or ())))
        return verify_files(*given, **more)

    monkeypatch.setattr(search, "_FIRST", 2)
    assert named(photos, find_duplicates(photos, OPTIONS, verify=verify)) == EXPECTED
    (first, nothing), (every, known) = calls[:2]
    assert (first, nothing) == (2, set())
    assert every > 2
    assert len(known) == 2


def test_another_source_of_candidates_joins(
    photos: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataprep.neighbours import Pairs

    def everyone(dataset: Dataset, rows: np.ndarray, jobs: int) -> Pairs:
        a, b = np.triu_indices(len(rows), 1)
        return Pairs(a.astype(np.int32), b.astype(np.int32), np.full(len(a), 9.0))

    monkeypatch.setattr(search, "SOURCES", (everyone,))
    assert named(photos, find_duplicates(photos, OPTIONS)) == EXPECTED


@pytest.fixture(scope="module")
def halves(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """A photo, its half, and a small copy of that, among other photos; by embedding the half is
    the photo's nearest.
    """
    root = tmp_path_factory.mktemp("halves")
    whole = cv2.GaussianBlur(
        photo(33), (0, 0), 4
    )  # detail finer than a thumb's pixels would hide in them what is the same
    pictures = {"a whole.png": whole, "half.png": whole[44:256, 58:342]}
    pictures["half small.png"] = np.asarray(
        Image.fromarray(pictures["half.png"]).resize((200, 150))
    )
    pictures |= {f"other {seed}.png": photo(seed) for seed in range(34, 38)}
    for name, picture in pictures.items():
        save(picture, root / name)
    data = measure(scan(str(root)), None, OPTIONS)
    embedding = np.random.default_rng(0).normal(size=(len(data), 64)).astype(np.float16)
    near = [
        list(data.samples.index).index(name)
        for name in ("a whole.png", "half.png", "half small.png")
    ]
    embedding[near[1:]] = embedding[near[0]] + 0.1 * embedding[near[1:]]
    return data.with_arrays(embedding=embedding)


def test_embeddings_name_candidates_that_hashes_do_not(halves: Dataset) -> None:
    without = replace(
        halves, arrays={name: array for name, array in halves.arrays.items() if name != "embedding"}
    )
    assert named(halves, find_duplicates(without, OPTIONS)) == {
        ("half small.png", "half.png", "near")
    }
    found = named(halves, find_duplicates(halves, OPTIONS))
    # The half turns out to be a copy: what was its own copy is held against the whole.
    assert found == {("half.png", "a whole.png", "near"), ("half small.png", "a whole.png", "near")}
    assert named(halves, SecondLook(halves, OPTIONS).duplicates()) == found


def test_embeddings_alone_are_not_believed(halves: Dataset) -> None:
    gone = replace(halves, root="no-such-folder")
    assert ("half.png", "a whole.png", "near") not in named(
        gone, find_duplicates(gone, OPTIONS, verify=None)
    )


def test_without_measured_columns_there_is_nothing_to_find() -> None:
    bare = Dataset("nowhere", pd.DataFrame(index=pd.Index(["x.jpg", "y.jpg"], name="sample")))
    found = find_duplicates(bare, OPTIONS)
    assert len(found.pairs) == 0
    assert found.groups.tolist() == [-1, -1]
    assert found.keep.all()


def test_letters_swap() -> None:
    relations = pd.Series(["B is A mirrored", "A is B, byte for byte"])
    assert swap_letters(relations).tolist() == ["A is B mirrored", "B is A, byte for byte"]


def test_files_that_hold_no_image_are_no_copies_of_each_other(tmp_path: Path) -> None:
    save(photo(30), tmp_path / "a" / "first.png")
    broken = (tmp_path / "a" / "first.png").read_bytes()[:3000]
    for folder in "ab":
        (tmp_path / folder).mkdir(exist_ok=True)
        for name, data in {
            "empty.png": b"",
            "page.jpg": b"<html>404</html>",
            "cut.png": broken,
        }.items():
            (tmp_path / folder / name).write_bytes(data)
    look = SecondLook(measure(scan(str(tmp_path)), None, OPTIONS), OPTIONS)
    (copies,) = ExactDuplicate().find(look.dataset, look)
    assert copies["target"].tolist() == ["b/cut.png"]
    assert [
        row for batch in LabelConflict().find(look.dataset, look) for row in batch["target"]
    ] == ["b/cut.png"]
