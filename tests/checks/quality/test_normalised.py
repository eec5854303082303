"""The checks already-normalised and normalisation-mismatch: pictures changed one by one, and
parts changed otherwise.
"""

from __future__ import annotations

import cv2
import numpy as np
import pandas as pd
import pytest

from dataprep.checks.quality.already_normalised import AlreadyNormalised
from dataprep.checks.splits.normalisation_mismatch import NormalisationMismatch, _log_chance
from dataprep.measures.image.surround import SURROUND
from dataprep.measures.image.tones import TONES
from dataprep.schemas.dataset import Dataset
from tests.checks.measured import issues, messages
from tests.measures.pictures import pixels_of, scene

COUNT = 60


def lit(seed: int) -> np.ndarray:
    """A picture in its own light, of its own contrast and cast, before a background of its own;
    every tenth has a lamp in it.
    """
    rng = np.random.default_rng(seed)
    values = scene(seed, 96, 72).astype(float) / 255
    ground = np.empty_like(values)
    ground[:] = rng.uniform(0, 0.8) + np.linspace(0, 0.3, 96)[None, :, None]
    ground[16:56, 20:76] = values[16:56, 20:76]
    values = (values + 2 * ground) / 3
    if seed % 10 == 0:
        values[30:44, 40:60] = 2.0
    return to_bytes(
        (values * rng.uniform(0.5, 1.0) + rng.uniform(0, 0.2)) * rng.uniform(0.92, 1.08, 3) * 255
    )


def to_bytes(values: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def standardised(picture: np.ndarray) -> np.ndarray:
    values = picture.astype(float)
    return to_bytes((values - values.mean()) / values.std() * 42 + 127.5)


def standardised_by_channel(picture: np.ndarray) -> np.ndarray:
    values = picture.astype(float)
    return to_bytes((values - values.mean((0, 1))) / (values.std((0, 1)) + 1) * 42 + 127.5)


def equalised(picture: np.ndarray) -> np.ndarray:
    tones = cv2.cvtColor(picture, cv2.COLOR_RGB2YCrCb)
    tones[..., 0] = cv2.equalizeHist(tones[..., 0])
    return cv2.cvtColor(tones, cv2.COLOR_YCrCb2RGB)


def halved(picture: np.ndarray) -> np.ndarray:
    return to_bytes(picture * 0.5)


def burnt(picture: np.ndarray) -> np.ndarray:
    return to_bytes(picture * 2.2)


PICTURES = [lit(seed) for seed in range(COUNT)]


def rows_of(pictures: list[np.ndarray]) -> list[dict[str, float]]:
    return [
        {m.column: m(pixels) for m in (*TONES, *SURROUND)} for pixels in map(pixels_of, pictures)
    ]


PLAIN = rows_of(PICTURES)


def divided(rows: list[dict[str, float]], names: tuple[str, str] = ("train", "val")) -> Dataset:
    """Two thirds of the pictures in the first part, as they are, and the others as `rows` has
    them.
    """
    part = [names[row % 3 == 2] for row in range(COUNT)]
    both = [rows[row] if part[row] == names[1] else PLAIN[row] for row in range(COUNT)]
    table = pd.DataFrame(
        both, index=pd.Index([f"{row}.png" for row in range(COUNT)], name="sample", dtype="str")
    )
    return Dataset("in-memory", table.assign(split=part))


def whole(rows: list[dict[str, float]]) -> Dataset:
    return Dataset(
        "in-memory",
        pd.DataFrame(
            rows, index=pd.Index([f"{row}.png" for row in range(len(rows))], name="sample")
        ),
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (standardised, "the same mean"),
        (standardised_by_channel, "the same mean"),
        (equalised, "equalised"),
    ],
)
def test_pictures_that_were_normalised_one_by_one_are_named_once(change, words):
    rows = rows_of([change(picture) for picture in PICTURES])
    (message,) = messages(AlreadyNormalised(), whole(rows))
    assert words in message
    assert set(issues(AlreadyNormalised(), whole(rows)).table["scope"]) == {"dataset"}
    assert not messages(AlreadyNormalised(), whole(rows[:19]))


def test_ordinary_pictures_are_not():
    assert not messages(AlreadyNormalised(), whole(PLAIN))
    assert not messages(
        AlreadyNormalised(), whole(rows_of([halved(picture) for picture in PICTURES]))
    )


def test_a_fixed_camera_before_a_fixed_scene_is_not():
    rng = np.random.default_rng(0)
    frames = [to_bytes(PICTURES[0] + rng.normal(0, 3, PICTURES[0].shape)) for _ in range(30)]
    assert not messages(AlreadyNormalised(), whole(rows_of(frames)))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (standardised_by_channel, "those of train unprocessed"),
        (equalised, "equalised, those of train"),
        (halved, "no image comes closer to white"),
        (burnt, "clipped at white"),
    ],
)
def test_a_part_that_was_changed_is_named(change, words):
    dataset = divided(rows_of([change(picture) for picture in PICTURES]))
    claims = issues(NormalisationMismatch(), dataset).table
    assert list(claims["target"]) == ["val"]
    assert words in messages(NormalisationMismatch(), dataset)[0]


def test_a_training_part_that_was_changed_is_told_by_the_others():
    dataset = divided(rows_of([equalised(picture) for picture in PICTURES]), ("val", "train"))
    assert list(issues(NormalisationMismatch(), dataset).table["target"]) == ["val"]


def test_folds_are_compared_with_all_others():
    dataset = divided(rows_of([halved(picture) for picture in PICTURES]), ("fold0", "fold1"))
    assert set(issues(NormalisationMismatch(), dataset).table["target"]) == {"fold0", "fold1"}


def test_parts_that_were_not_changed_or_all_alike_are_not_named():
    assert not messages(NormalisationMismatch(), divided(PLAIN))
    changed = whole(rows_of([equalised(picture) for picture in PICTURES]))
    part = ["val" if row % 3 == 2 else "train" for row in range(COUNT)]
    assert not messages(NormalisationMismatch(), changed.assign(split=part))


def test_few_images_are_not_judged():
    dataset = divided(rows_of([halved(picture) for picture in PICTURES]))
    few = dataset.where((dataset.samples["split"] == "train").to_numpy() | (np.arange(COUNT) < 30))
    assert not messages(NormalisationMismatch(), few)


def test_chance_that_a_split_misses_the_extreme_images():
    # Two of four images, and both of the two extreme ones are elsewhere: 1 of 6 ways.
    assert np.exp(_log_chance(2, 2, 4)) == pytest.approx(1 / 6)
    assert _log_chance(3, 2, 4) == -np.inf
    assert _log_chance(0, 2, 4) == 0
