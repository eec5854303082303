"""Distribution mismatch: found where it is, named by what differs, and not found in random
divisions.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from dataprep.checks.splits.distribution_mismatch import DistributionMismatch
from dataprep.schemas.dataset import Dataset
from dataprep.schemas.issues import evidence_of
from dataprep.testing import SyntheticLook

_PLACES = {"p01": 0.02, "p05": 0.1, "p25": 0.3, "p50": 0.45, "p75": 0.6, "p95": 0.85, "p99": 0.95}


def photos(
    rows: int, seed: int = 0, *, splits: tuple[str, ...] = ("train", "test"), classes: int = 4
) -> Dataset:
    """A made-up Dataset whose figures hang together as those of photos do, in random splits."""
    rng = np.random.default_rng(seed)
    level, spread = rng.normal(0.5, 0.1, rows), rng.normal(1, 0.15, rows)
    columns = {
        f"luma_{name}": level + (place - 0.5) * spread + rng.normal(0, 0.03, rows)
        for name, place in _PLACES.items()
    }
    columns |= {"luma_mean": level, "contrast": 0.2 * spread, "saturation": rng.beta(2, 6, rows)}
    columns |= {
        "sharpness": rng.normal(1, 0.2, rows),
        "width": rng.choice([400.0, 600.0], rows),
        "height": np.full(rows, 400.0),
    }
    table = pd.DataFrame(
        columns, index=pd.Index([f"{i:05d}.jpg" for i in range(rows)], name="sample", dtype="str")
    )
    table["format"] = pd.Categorical(rng.choice(["JPEG", "PNG"], rows, p=[0.9, 0.1]))
    table["label"] = pd.Categorical(rng.choice([f"c{i}" for i in range(classes)], rows))
    table["split"] = pd.Categorical(rng.choice(splits, rows))
    embedding = rng.normal(size=(rows, 24)).astype(np.float16)
    return Dataset(
        "made-up",
        table,
        "classification",
        tuple(table["label"].cat.categories),
        {"embedding": embedding},
    )


def changed(dataset: Dataset, split: str = "test", **changes: float) -> Dataset:
    """The data set with a constant added to columns in one split."""
    own = (dataset.samples["split"] == split).to_numpy()
    return dataset.assign(
        **{name: dataset.samples[name] + by * own for name, by in changes.items()}
    )


class Look(SyntheticLook):
    _PAIRS = ()


def claims(
    dataset: Dataset, reference: Dataset | None = None, **options
) -> dict[tuple[str, str], dict]:
    look = Look(dataset)
    look.compared_with = reference
    found = [
        row
        for batch in DistributionMismatch(**options).find(dataset, look)
        for row in batch.to_dict("records")
    ]
    return {
        (row["target"], (evidence := evidence_of(row["evidence"]))["what"]): row | evidence
        for row in found
    }


def test_random_splits_raise_no_alarm():
    assert sum(bool(claims(photos(160, seed))) for seed in range(15)) <= 2


def test_a_darker_split_is_named_with_its_effect_and_shown():
    dark = {name: -0.05 for name in photos(8).samples if name.startswith("luma")}
    found = claims(changed(photos(400), **dark))
    assert list(found) == [("test", "brightness")]
    claim = found["test", "brightness"]
    assert claim["text"].startswith("darker than train: mean luma 0.4")
    low, high = claim["interval"]
    assert -0.9 < low < claim["figure"] < high < -0.1
    assert low < -0.5 < high
    assert set(claim["histogram"]["series"]) == {"test", "train"}
    assert sum(claim["histogram"]["series"]["test"]) == claim["of"][0]
    table = photos(400).samples
    drivers = table.loc[claim["drivers"]]
    assert (drivers["split"] == "test").all()
    assert drivers["luma_mean"].max() < 0.4


def test_a_shift_of_brightness_is_mostly_found_at_64_a_side():
    up = {name: 0.08 for name in photos(8).samples if name.startswith("luma")}
    found = [
        ("test", "brightness") in claims(changed(photos(128, seed), **up)) for seed in range(10)
    ]
    assert sum(found) >= 7


@pytest.mark.parametrize(
    ("column", "by", "what", "words"),
    [
        ("saturation", 0.2, "colour", "more colourful than train"),
        ("sharpness", -0.3, "sharpness", "softer than train"),
        ("width", 300.0, "size", "wider than train"),
    ],
)
def test_what_differs_is_named(column, by, what, words):
    found = claims(changed(photos(300), **{column: by}))
    assert found["test", what]["text"].startswith(words)


def test_a_format_that_one_split_has_more_often():
    dataset = photos(300)
    own = (dataset.samples["split"] == "test").to_numpy()
    formats = np.where(
        own & (np.arange(300) % 2 == 0), "PNG", dataset.samples["format"].astype(str)
    )
    found = claims(dataset.assign(format=pd.Categorical(formats)))
    claim = found["test", "format"]
    assert "PNG" in claim["text"] or "JPEG" in claim["text"]
    assert claim["unit"] == "share"
    assert 0.3 < abs(claim["figure"]) < 0.6


def test_a_split_that_varies_more():
    dataset = photos(600)
    own = (dataset.samples["split"] == "test").to_numpy()
    sharpness = np.where(
        own, 1 + 2.5 * (dataset.samples["sharpness"] - 1), dataset.samples["sharpness"]
    )
    claim = claims(dataset.assign(sharpness=sharpness))["test", "sharpness"]
    assert "varies more than in train" in claim["text"]
    assert claim["figure"] == pytest.approx(np.log(2.5), abs=0.2)


def test_other_content_is_told_by_the_embedding_alone():
    dataset = photos(400)
    own = (dataset.samples["split"] == "test").to_numpy()
    embedding = dataset.arrays["embedding"].copy()
    embedding[own, :4] += 0.6
    found = claims(dataset.with_arrays(embedding=embedding))
    assert list(found) == [("test", "content")]
    claim = found["test", "content"]
    assert claim["unit"] == "AUC"
    assert 0.65 < claim["figure"] < 0.9
    assert claim["interval"][0] > 0.5
    assert (dataset.samples.loc[claim["drivers"], "split"] == "test").all()


def test_another_mix_of_classes_explains_a_difference():
    rng = np.random.default_rng(1)
    dataset = photos(600, classes=2)
    label = dataset.samples["label"].astype(str).to_numpy()
    split = np.where(rng.random(600) < np.where(label == "c0", 0.8, 0.2), "train", "test")
    darker = dataset.assign(
        split=pd.Categorical(split), luma_mean=dataset.samples["luma_mean"] - 0.3 * (label == "c0")
    )
    assert not claims(darker)
    assert ("test", "brightness") in claims(replace(darker.assign(label=np.nan), task="none"))


def test_groups_that_were_kept_together_are_moved_as_one():
    def grouped(seed: int) -> Dataset:
        rng = np.random.default_rng(seed)
        group = np.repeat(np.arange(16), 25)
        split = np.where(rng.permutation(16) < 8, "train", "test")[group]
        dataset = photos(400, seed).assign(split=pd.Categorical(split))
        return dataset.assign(
            sharpness=dataset.samples["sharpness"] + rng.normal(0, 0.5, 16)[group],
            group=pd.Categorical(group),
        )

    sets = [grouped(seed) for seed in range(8)]
    together = sum(bool(claims(each)) for each in sets)
    apart = sum(
        bool(claims(replace(each, samples=each.samples.drop(columns="group")))) for each in sets
    )
    assert together <= 1
    assert apart >= 2


def test_small_effects_are_left_unsaid_however_sure():
    dataset = photos(3000)
    shifted = changed(dataset, sharpness=0.03)
    assert not claims(shifted)
    assert ("test", "sharpness") in claims(shifted, threshold=0.05)


def test_without_train_each_split_is_compared_with_the_others():
    dataset = changed(photos(600, splits=("fold1", "fold2", "fold3")), "fold2", saturation=0.2)
    assert claims(dataset)["fold2", "colour"]["reference"] == "the other splits"


def test_a_reference_is_compared_with_the_training_split_or_all():
    reference = photos(300, seed=9)
    brighter = {name: 0.08 for name in reference.samples if name.startswith("luma")}
    dataset = changed(photos(300), "train", **brighter)
    found = claims(dataset, reference)
    assert found["train", "brightness"]["text"].startswith("brighter than the reference")
    whole = replace(dataset, samples=dataset.samples.drop(columns="split"))
    row = claims(whole, reference)["", "brightness"]
    assert row["scope"] == "dataset"
    assert not claims(
        replace(photos(300), samples=photos(300).samples.drop(columns="split")), reference
    )


def test_a_reference_with_another_mix_of_classes():
    dataset, reference = photos(400, classes=2), photos(400, seed=3, classes=2)
    few = (dataset.samples["label"] == "c0").to_numpy() & (np.arange(400) % 4 != 0)
    found = claims(dataset.where(~few), reference)
    assert "different class balance from the reference" in found["train", "labels"]["text"]


def test_splits_are_needed_only_without_a_reference():
    dataset = replace(photos(20), samples=photos(20).samples.drop(columns="split"))
    look = Look(dataset)
    assert DistributionMismatch().lacks(dataset, look) == ["split"]
    look.compared_with = photos(20, seed=1)
    assert DistributionMismatch().lacks(dataset, look) == []


def test_large_sets_are_drawn_from_and_that_is_said():
    dataset = changed(photos(600, classes=2), saturation=0.2)
    claim = claims(replace(dataset, arrays={}), most_rows=200)["test", "colour"]
    assert claim["compared"] == [200, 200]
    assert claim["text"].endswith("of 200 samples drawn of a side")
