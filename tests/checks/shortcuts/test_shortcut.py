"""shortcut: what gives the label away is named with its size; chance, imbalance and the label's
own name are not.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from dataprep.checks.shortcuts.prediction import FOLDS, Predictor, bins_of
from dataprep.checks.shortcuts.shortcut import Shortcut
from dataprep.probes.classifiers.folds import folds_of
from dataprep.schemas.dataset import Dataset
from dataprep.schemas.issues import evidence_of


class Look:
    def __init__(self, units) -> None:
        self._units = np.asarray(units)

    def units(self):
        return self._units


def dataset_of(labels, names=None, task="classification", **columns) -> Dataset:
    labels = np.asarray(labels)
    index = pd.Index(
        names or [f"{i:05d}.jpg" for i in np.random.default_rng(1).permutation(len(labels))],
        name="sample",
        dtype="str",
    )
    table = pd.DataFrame({"label": pd.Categorical(labels.astype(str)), **columns}, index=index)
    return Dataset("made-up", table, task, tuple(table["label"].cat.categories))


def claims(dataset: Dataset, units=None, **options) -> list[dict]:
    look = Look(np.arange(len(dataset)) if units is None else units)
    found = [
        row for batch in Shortcut(**options).find(dataset, look) for row in batch.to_dict("records")
    ]
    for row in found:
        row |= {
            "text": Shortcut.message.format(
                **{**evidence_of(row["evidence"]), "figure": row["figure"]}
            )
        }
        row |= evidence_of(row["evidence"])
    return found


def test_a_class_photographed_in_the_sun_is_told_by_its_brightness():
    rng = np.random.default_rng(0)
    labels = rng.choice(["tank", "tree", "road"], 600)
    luma = rng.normal(0.4, 0.08, 600) + 0.3 * (labels == "tank")
    (claim,) = claims(dataset_of(labels, luma_mean=luma, noise=rng.random(600)))
    assert (claim["scope"], claim["target"], claim["severity"], claim["property"]) == (
        "class",
        "tank",
        "fact",
        "luma_mean",
    )
    assert claim["figure"] > 0.93
    assert claim["low"] < claim["figure"] < claim["high"]
    assert claim["baseline"] == 0.5
    assert claim["text"].startswith(
        "brightness alone tells 'tank' from the other classes (typically 69% against 40%)"
    )
    assert "fine if the classes really look like that" in claim["text"]
    assert sum(claim["histogram"]["series"]["tank"]) == (labels == "tank").sum()


def test_what_is_brighter_even_in_its_darkest_parts_and_at_its_edges_was_exposed_otherwise():
    rng = np.random.default_rng(0)
    labels = rng.choice(["tank", "tree", "road"], 600)
    tones = {
        "luma_mean": rng.normal(0.4, 0.08, 600),
        "luma_p01": rng.uniform(0, 0.1, 600),
        "edge_luma": rng.normal(0.4, 0.1, 600),
    }
    sunny = {name: values + 0.25 * (labels == "tank") for name, values in tones.items()}
    (claim,) = [
        each for each in claims(dataset_of(labels, **sunny)) if each["severity"] == "warning"
    ]
    assert (claim["target"], claim["property"] in tones) == ("tank", True)
    assert "darkest parts" in claim["text"]
    shown = sunny | {"luma_p01": tones["luma_p01"]}
    assert {each["severity"] for each in claims(dataset_of(labels, **shown))} == {"fact"}


def test_plain_edges_of_one_class_are_a_studio_or_a_frame_and_of_all_classes_a_drawing():
    rng = np.random.default_rng(0)
    labels = rng.choice(["bag", "hat", "shoe"], 600)
    plain = np.where(labels == "bag", 0.01, 0.15) + 0.01 * rng.random(600)
    (claim,) = claims(dataset_of(labels, edge_contrast=plain))
    assert (claim["target"], claim["severity"]) == ("bag", "warning")
    border = np.where(labels == "bag", 0.4, 0.0)
    assert claims(dataset_of(labels, border=border, edge_contrast=rng.uniform(0.1, 0.2, 600)))
    assert not claims(dataset_of(labels, border=border, edge_contrast=np.zeros(600)))


def test_what_nobody_sees_is_not_told():
    rng = np.random.default_rng(0)
    labels = rng.choice(["a", "b", "c"], 600)
    faint = {
        "noise": 0.001 + 0.002 * (labels == "a"),
        "luma_mean": 0.4 + 0.03 * (labels == "a") + 0.001 * rng.random(600),
    }
    assert not claims(dataset_of(labels, jpeg_quality=np.where(labels == "a", 95.0, 92.0), **faint))
    assert claims(dataset_of(labels, jpeg_quality=np.where(labels == "a", 60.0, 92.0)))


def test_running_numbers_and_folders_or_columns_that_name_the_classes_are_no_causes():
    labels = np.repeat(["cat", "dog", "fox"], 100)
    codes = dict(zip(("cat", "dog", "fox"), ("n01", "n02", "n03"), strict=True))
    names = [
        f"{codes[label]}/{label == 'fox'}{row % 5}/{codes[label]}_{row:05d}.jpg"
        for row, label in enumerate(labels)
    ]
    dataset = dataset_of(
        labels,
        names=names,
        row=np.arange(300),
        breed=[f"{label}{row % 4}" for row, label in enumerate(labels)],
    )
    assert [claim["target"] for claim in claims(dataset)] == []


def test_a_frame_that_most_classes_have_is_the_margin_of_drawings():
    labels = np.repeat(["a", "b", "c"], 100)
    framed = np.where(labels == "a", 0.86, 0.4)
    assert not claims(dataset_of(labels, border=framed))
    assert claims(dataset_of(labels, border=np.where(labels == "a", 0.12, 0.0)))


def test_a_property_that_predicts_all_classes_is_one_claim_about_the_data_set():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 5, 1000)
    quality = 50 + 10 * labels + rng.integers(-2, 3, 1000)
    (claim,) = claims(dataset_of(labels, jpeg_quality=quality, blockiness=rng.random(1000)))
    assert (claim["scope"], claim["target"], claim["baseline"]) == (
        "dataset",
        "",
        pytest.approx(0.2),
    )
    assert claim["figure"] > 0.9


def test_one_value_that_part_of_a_class_has_and_no_other_gives_it_away():
    rng = np.random.default_rng(0)
    labels = rng.choice(["a", "b", "c", "d"], 800)
    quality = rng.choice([80.0, 85.0, 90.0], 800)
    quality[np.flatnonzero(labels == "b")[:60]] = 61.0
    (claim,) = claims(dataset_of(labels, jpeg_quality=quality))
    assert (claim["scope"], claim["target"], claim["value"]) == ("slice", "JPEG quality = 61", "b")
    assert claim["figure"] == 1.0


def test_the_camera_counts_and_unknown_is_a_value_too():
    rng = np.random.default_rng(0)
    labels = rng.choice(["a", "b"], 400)
    camera = np.where((labels == "a") & (rng.random(400) < 0.9), "Acme One", "")
    (claim,) = claims(dataset_of(labels, camera=pd.Categorical(camera)))
    assert (claim["property"], claim["severity"]) == ("camera", "warning")
    assert claim["histogram"]["categories"] == ["none", "Acme One"]


@pytest.mark.parametrize("share", [0.5, 0.76, 0.95])
def test_noise_is_no_shortcut_whatever_the_imbalance(share):
    alarms = 0
    for seed in range(8):
        rng = np.random.default_rng(seed)
        labels = np.where(rng.random(500) < share, "common", "rare")
        noise = {
            name: rng.random(500)
            for name in ("luma_mean", "contrast", "sharpness", "border", "bytes")
        }
        alarms += bool(claims(dataset_of(labels, camera=rng.choice(["x", "y"], 500), **noise)))
    assert alarms == 0


def test_a_small_difference_is_no_shortcut_however_significant():
    rng = np.random.default_rng(0)
    labels = rng.choice(["a", "b"], 5000)
    quality = rng.normal(70, 10, 5000) + 12 * (labels == "a")
    assert not claims(dataset_of(labels, jpeg_quality=quality))
    assert claims(dataset_of(labels, jpeg_quality=quality), threshold=0.6)


def test_without_an_effect_size_random_labels_still_raise_few_alarms():
    alarms = 0
    for seed in range(10):
        rng = np.random.default_rng(seed)
        labels = rng.choice(["a", "b", "c"], 150)
        table = dataset_of(
            labels,
            **{name: rng.random(150) for name in ("luma_mean", "contrast", "noise", "border")},
        )
        alarms += bool(
            claims(table, threshold=0.5, colour_threshold=0.5, excess=0.0, permutations=100)
        )
    assert alarms <= 1


def test_copies_and_bursts_count_once():
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(24), 20)  # 24 scenes of 20 frames each, 12 of each class
    labels = np.where(group < 12, "a", "b")
    table = dataset_of(labels, jpeg_quality=100 * rng.random(24)[group])
    assert claims(table, threshold=0.75)
    assert not claims(table, units=group, threshold=0.75)


def test_folders_and_names_that_bear_the_label_are_the_label():
    labels = ["cat"] * 50 + ["dog"] * 50
    named = [f"data/{label}/{label}_{i:03d}.jpg" for i, label in enumerate(["cat", "dog"] * 50)]
    assert not claims(dataset_of(["cat", "dog"] * 50, names=named))
    sources = [
        f"{'hospital-1' if label == 'cat' else 'hospital-2'}/{i * 37 % 100:03d}.jpg"
        for i, label in enumerate(labels)
    ]
    (claim,) = claims(dataset_of(labels, names=sources))
    assert (claim["property"], claim["severity"], claim["figure"]) == ("folder 1", "info", 1.0)
    assert "different sources" in claim["text"]


def test_a_column_of_the_user_is_a_fact_beside_the_pixels():
    rng = np.random.default_rng(0)
    labels = rng.choice(["a", "b"], 200)
    (claim,) = claims(
        dataset_of(
            labels,
            site=np.where(labels == "a", "north", "south"),
            id=[f"id{i}" for i in range(200)],
        )
    )
    assert (claim["property"], claim["severity"]) == ("site", "info")


@pytest.mark.parametrize("task", ["regression", "multi-label"])
def test_other_targets_are_not_judged(task):
    labels = ["1", "2"] * 100
    assert not claims(dataset_of(labels, task=task, luma_mean=np.tile([0.1, 0.9], 100)))


def test_scores_agree_with_the_definition_of_balanced_accuracy():
    rng = np.random.default_rng(3)
    labels = rng.choice(3, 400, p=[0.7, 0.2, 0.1])
    codes, folds = bins_of(rng.normal(labels, 1.0), 3), folds_of(np.arange(400), None, FOLDS)
    predicted = np.empty(400, int)
    for fold in np.unique(folds):
        train, bins = folds != fold, int(codes.max()) + 1
        table = np.zeros((bins, 3))
        np.add.at(table, (codes[train], labels[train]), 1)
        rates = (table + 1 / bins) / (np.bincount(labels[train], minlength=3) + 1)
        predicted[folds == fold] = rates.argmax(axis=1)[codes[folds == fold]]
    score = Predictor([codes], labels, folds).scores.overall[0]
    assert score == pytest.approx(
        np.mean([(predicted[labels == label] == label).mean() for label in range(3)])
    )


def test_equal_values_share_a_bin_and_unknown_ones_have_their_own():
    values = np.array([1.0] * 50 + [2.0] * 3 + [np.nan] * 7 + list(np.linspace(3, 4, 40)))
    codes = bins_of(values, 2)
    assert len(set(codes[:50])) == 1
    assert set(codes[53:60]) == {0}
    assert 0 not in codes[:53]
    assert (np.diff(codes[60:]) >= 0).all()


def test_sprites_cut_to_their_size_are_not_told_by_it_nor_drawings_by_their_ink():
    rng = np.random.default_rng(0)
    labels = np.repeat(["bat", "bee", "fox"], 100)
    side = 40.0 + rng.integers(0, 30, 300) + 60 * (labels == "bat")
    luma = 0.2 + 0.5 * (labels == "bat") + 0.01 * rng.random(300)
    drawn = {
        "width": side,
        "height": 40.0 + rng.integers(0, 30, 300),
        "edge_contrast": np.zeros(300),
    }
    assert not claims(dataset_of(labels, luma_mean=luma, **drawn))
