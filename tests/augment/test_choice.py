"""Choosing and safety on made-up classes: mirrored pairs, sides, characters, colours, and things
without an upper side.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dataprep.augment.choice import choose_policy
from dataprep.augment.policies import policy
from dataprep.augment.preview import preview
from dataprep.augment.probe import AugmentationProbe
from dataprep.augment.recording import prepare, write_augmentation
from dataprep.augment.strength import safety_report
from dataprep.errors import InputError
from dataprep.ingest import scan
from dataprep.measures.decode_pass import measure
from dataprep.measures.options import PassOptions
from dataprep.schemas.audit import Audit
from dataprep.schemas.dataset import Dataset
from dataprep.schemas.issues import Issues, batch
from tests.conftest import save

OPTIONS = PassOptions(jobs=1, embedder_size=64)
COUNT = 24


def ground(random: np.random.Generator) -> np.ndarray:
    return np.clip(random.normal(random.integers(100, 200), 10, (48, 48, 3)), 0, 255).astype(
        np.uint8
    )


def arrow(random: np.random.Generator, kind: int) -> np.ndarray:
    """Points to the right (0) or to the left (1)."""
    image, row, ink = ground(random), random.integers(14, 34), random.integers(0, 40)
    image[row - 2 : row + 3, 6:42] = ink
    for k in range(11):
        image[row - k : row + k + 1, 41 - k] = ink
    return image[:, ::-1] if kind else image


def patch(random: np.random.Generator, kind: int) -> np.ndarray:
    """A square anywhere, red (0), green (1) or blue (2), of one luma."""
    image, (y, x) = ground(random), random.integers(0, 24, 2)
    image[y : y + 24, x : x + 24] = ((220, 40, 40), (20, 140, 40), (60, 70, 255))[kind]
    return image


def stripes(random: np.random.Generator, kind: int) -> np.ndarray:
    """Upright (0) or level (1): a quarter turn makes one of the other."""
    image, at = ground(random), random.integers(0, 8)
    image[:, at::8] = image[:, (at + 1) % 8 :: 8] = 10
    return image.transpose(1, 0, 2) if kind else image


def data(folder: Path, draw, names: tuple[str, ...]) -> Dataset:
    random = np.random.default_rng(0)
    for kind, name in enumerate(names):
        for n in range(COUNT):
            save(np.ascontiguousarray(draw(random, kind)), folder / name / f"{n}.png")
    return measure(scan(str(folder)), None, OPTIONS)


def choice_of(dataset: Dataset):
    return choose_policy(dataset, options=OPTIONS)


def test_a_mirrored_pair_of_classes_is_found_by_data(tmp_path: Path) -> None:
    choice = choice_of(data(tmp_path, arrow, ("alpha", "beta")))
    assert "mirror" not in choice.policy.changes
    assert any(
        "of alpha become beta when mirrored" in reason or "of beta become alpha" in reason
        for reason in choice.reasons
    )


def test_classes_named_by_sides_are_not_mirrored(tmp_path: Path) -> None:
    choice = choice_of(data(tmp_path, patch, ("hand_left", "hand_right")))
    assert "mirror" not in choice.policy.changes
    assert any("named by a side" in reason for reason in choice.reasons)


def test_characters_get_the_policy_document(tmp_path: Path) -> None:
    choice = choice_of(data(tmp_path, arrow, ("b", "d")))
    assert choice.policy.changes == ()
    assert any("the policy document" in reason for reason in choice.reasons)


def test_numbers_that_stand_for_other_things_are_no_characters(tmp_path: Path) -> None:
    choice = choice_of(data(tmp_path, patch, ("0", "1", "2")))
    assert choice.policy.name.split()[0] != "document"
    assert "mirror" in choice.policy.changes


def test_where_colour_is_the_class_it_is_left_alone(tmp_path: Path) -> None:
    choice = choice_of(data(tmp_path, patch, ("red", "green", "blue")))
    assert "colour" not in choice.policy.changes
    assert any("without their colours" in reason for reason in choice.reasons)
    assert "mirror" in choice.policy.changes


def test_the_claim_that_colour_tells_the_label_is_heard(tmp_path: Path) -> None:
    dataset = data(tmp_path, stripes, ("up", "across"))
    evidence = {
        "what": "brightness alone predicts the label",
        "properties": {"luma_mean": 0.99, "warmth": 0.97},
    }
    claims = batch(
        "shortcut",
        "fact",
        "dataset",
        ["data"],
        figure=0.99,
        unit="balanced accuracy",
        evidence=evidence,
    )
    choice = choose_policy(Audit(dataset, Issues.collect([claims])), options=OPTIONS)
    assert "colour" not in choice.policy.changes
    assert any("0.97" in reason for reason in choice.reasons)


def test_what_a_quarter_turn_makes_of_another_class_is_not_turned(tmp_path: Path) -> None:
    choice = choice_of(data(tmp_path, stripes, ("one way", "other way")))
    assert "turn" not in choice.policy.changes
    assert "mirror" in choice.policy.changes
    assert any("when turned by a quarter" in reason for reason in choice.reasons)


def test_without_labels_or_with_random_ones_the_choice_is_light_and_says_so(tmp_path: Path) -> None:
    dataset = data(tmp_path, patch, ("a class", "another"))
    plain = choose_policy(
        Dataset(dataset.root, dataset.samples.drop(columns="label"), arrays=dataset.arrays),
        options=OPTIONS,
    )
    assert plain.policy.name.split()[0] == "light"
    assert "cannot be told" in plain.reasons[0]
    random = np.random.default_rng(1).permutation(dataset.samples["label"].to_numpy())
    lost = choice_of(dataset.assign(label=pd.Categorical(random)))
    assert lost.policy.name.split()[0] == "light"
    assert "nothing can be told" in lost.reasons[0]


def test_too_strong_is_a_figure(tmp_path: Path) -> None:
    probe = AugmentationProbe(data(tmp_path, patch, ("red", "green", "blue")), options=OPTIONS)
    grey = policy("colour").from_yaml(
        "policy: grey\ntransform: {transforms: [{__class_fullname__: ToGray, p: 1.0}]}"
    )
    safety = safety_report(probe, [policy("none"), policy("light"), grey])
    assert safety.overall["none"].changed == 0
    assert safety.overall["none"].distance == pytest.approx(0, abs=1e-3)
    assert not safety.is_too_strong("none")
    assert safety.is_too_strong("grey")
    assert "too strong" in safety.verdict("grey")
    assert safety.overall["grey"].interval[0] > 0.3
    assert 0 < safety.overall["light"].distance < safety.overall["grey"].distance
    assert set(safety.by_class["grey"]) == {"red", "green", "blue"}
    assert safety_report(probe, [grey]).to_dict() == safety_report(probe, [grey]).to_dict()


def test_only_training_rows_are_looked_at(tmp_path: Path) -> None:
    dataset = data(tmp_path, patch, ("red", "green"))
    dataset = dataset.assign(split=np.where(np.arange(len(dataset)) % 3 == 0, "test", "train"))
    probe = AugmentationProbe(dataset, options=OPTIONS)
    assert set(probe.dataset.samples["split"]) == {"train"}
    with pytest.raises(InputError, match="no readable training image"):
        AugmentationProbe(dataset.where(np.zeros(len(dataset), bool)), options=OPTIONS)


def test_files_of_a_run(tmp_path: Path) -> None:
    dataset = data(tmp_path / "images", patch, ("red", "<b>green"))
    made = prepare(dataset, "standard", seed=3, options=OPTIONS)
    folder = Path(write_augmentation(made, tmp_path / "out"))
    names = {path.name for path in folder.iterdir() if not path.name.startswith(".")}
    assert names == {"policy.yaml", "preview.png", "augment.html", "safety.json", "run.json"}
    page = (folder / "augment.html").read_text()
    assert "&lt;b&gt;green" in page
    assert "<b>green" not in page
    assert policy(str(folder / "policy.yaml")).name == "standard"


def test_a_preview_is_the_same_picture_every_time(tmp_path: Path) -> None:
    probe = AugmentationProbe(data(tmp_path, patch, ("red", "green")), options=OPTIONS)
    one, two = (
        preview(probe, [policy("light"), policy("strong")], rows=3, draws=2) for _ in range(2)
    )
    assert one == two
    assert one != preview(probe, [policy("light"), policy("strong")], rows=3, draws=2, seed=1)
