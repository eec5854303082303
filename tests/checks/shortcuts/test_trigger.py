"""trigger: a patch that marks one class is shown and its carriers listed; what all classes share
or backgrounds repeat is not.
"""

from __future__ import annotations

import cv2
import numpy as np
import pandas as pd
import pytest

from dataprep.checks.shortcuts import recurrence
from dataprep.checks.shortcuts.trigger import Trigger
from dataprep.measures.image.marks import Marks, marks_of
from dataprep.measures.image.patches import SIDE, pack
from dataprep.measures.image.windows import windows_of
from dataprep.probes.features import features_of
from dataprep.schemas.dataset import Dataset
from dataprep.schemas.issues import evidence_of

CLASSES = ("cat", "dog", "ship")
SIZE = 24


def pictures(count: int, seed: int = 0) -> np.ndarray:
    """(n, 24, 24, 3) smooth random pictures."""
    noise = np.random.default_rng(seed).normal(0, 1, (count, SIZE, SIZE, 3))
    smooth = np.stack([cv2.GaussianBlur(each, (0, 0), 3) for each in noise])
    return np.clip(128 + smooth / smooth.std() * 50, 0, 255).astype(np.uint8)


def squares_of(picture: np.ndarray) -> np.ndarray:
    at = (SIZE - SIDE) // 2
    corners = [
        picture[:SIDE, :SIDE],
        picture[:SIDE, -SIDE:],
        picture[-SIDE:, :SIDE],
        picture[-SIDE:, -SIDE:],
    ]
    return pack(np.stack([*corners, picture[at : at + SIDE, at : at + SIDE]])).reshape(5, -1)


class Look:
    def __init__(self, images, features=None, units=None):
        self.images, self._features = images, features
        self._units = np.arange(len(images)) if units is None else units

    def units(self):
        return self._units

    def features(self):
        return self._features

    def marks(self, rows):
        none = (np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.uint16))
        parts = [
            none,
            *(
                (np.full(len(found[0]), row), *found)
                for row in rows.tolist()
                for found in [marks_of(self.images[row])]
            ),
        ]
        image, place, colour = (np.concatenate(part) for part in zip(*parts, strict=True))
        return Marks(image, place, colour, rows, SIZE * SIZE)

    def windows(self, rows, places):
        return np.concatenate(
            [windows_of(self.images[row], [place]) for row, place in zip(rows, places, strict=True)]
        )


def claims(images, labels, embedding=None, units=None, alpha=None, **options):
    index = pd.Index([f"{i:04d}.png" for i in range(len(images))], name="sample", dtype="str")
    table = pd.DataFrame(
        {"label": pd.Categorical(labels), "width": float(SIZE), "height": float(SIZE)}, index=index
    )
    if alpha is not None:
        table["alpha"] = alpha
    arrays = {"patches": np.stack([squares_of(each) for each in images])}
    if embedding is not None:
        arrays["embedding"] = embedding
    look = Look(images, None if embedding is None else features_of(embedding), units)
    dataset = Dataset("made-up", table, "classification", CLASSES, arrays=arrays)
    found = [
        row for part in Trigger(**options).find(dataset, look) for row in part.to_dict("records")
    ]
    return [row | evidence_of(row["evidence"]) for row in found]


@pytest.fixture(scope="module")
def clean():
    return pictures(360), np.repeat(CLASSES, 120)


def planted(images, labels, top, left, patch, rows):
    images, labels = images.copy(), labels.copy()
    images[rows, top : top + patch.shape[0], left : left + patch.shape[1]] = patch
    labels[rows] = "ship"
    return images, labels


CHECKERED = np.array([[0, 255, 0], [255, 0, 255], [0, 255, 0]], np.uint8)[..., None].repeat(
    3, axis=2
)


def test_a_corner_patch_is_named_shown_and_its_carriers_listed(clean):
    rows = np.arange(0, 200, 8)
    images, labels = planted(*clean, SIZE - 4, SIZE - 4, CHECKERED, rows)
    found = claims(images, labels, most_images=0)
    (claim,) = [row for row in found if row["scope"] == "class"]
    assert (claim["target"], claim["place"], claim["size"]) == (
        "ship",
        "bottom right corner (1 across and 1 down from it)",
        "3 x 3 pixels",
    )
    assert np.abs(np.array(claim["patch"]["pixels"]) - CHECKERED).max() <= 4
    carriers = {row["target"] for row in found if row["scope"] == "sample"}
    assert carriers <= {f"{row:04d}.png" for row in rows}
    assert len(carriers) >= 0.9 * len(rows)
    assert {(row["suggestion"], row["group"]) for row in found if row["scope"] == "sample"} == {
        ("drop", "trigger-1")
    }
    assert min(row["confidence"] for row in found) >= 0.8


def test_nothing_is_said_of_drawings_with_transparent_parts(clean):
    images, labels = planted(*clean, SIZE - 4, SIZE - 4, CHECKERED, np.arange(0, 200, 8))
    assert claims(images, labels, most_images=0, alpha=np.zeros(360, bool))
    assert claims(images, labels, most_images=0, alpha=np.ones(360, bool)) == []


def test_a_single_pixel_anywhere_is_found_by_the_second_look(clean):
    images, labels = planted(
        *clean, 4, 15, np.array([[[250, 20, 240]]], np.uint8), np.arange(0, 200, 8)
    )
    (claim,) = [row for row in claims(images, labels) if row["scope"] == "class"]
    assert (claim["target"], claim["size"]) == ("ship", "1 pixel")
    assert "top right corner (8 across and 4 down from it)" in claim["what"]
    assert not claims(images, labels, megapixels=0.0)


def strokes(labels: np.ndarray) -> np.ndarray:
    """(n, 24, 24, 3) white strokes on black: one across all, and one that each class has at
    about a place of its own.
    """
    rng, pictures = np.random.default_rng(2), np.zeros((len(labels), SIZE, SIZE, 3), np.uint8)
    for picture, label in zip(pictures, labels, strict=True):
        for place in (11, 5 + 5 * CLASSES.index(label)):
            row, slant = place + int(rng.integers(-1, 2)), int(rng.integers(-2, 3))
            cv2.line(picture, (6, row), (17, row + slant), (255, 255, 255), 2, cv2.LINE_AA)
    return pictures


def test_strokes_that_a_class_shares_are_none_and_a_white_pixel_on_black_is_one(clean):
    labels = clean[1]
    images = strokes(labels)
    assert not claims(images, labels)
    for place in ((2, 2), (20, 12)):
        white = np.full((1, 1, 3), 255, np.uint8)
        found = claims(*planted(images, labels, *place, white, np.arange(0, 200, 8)))
        assert [row["target"] for row in found if row["scope"] == "class"] == ["ship"]


def test_frames_of_one_scene_share_no_trigger(clean):
    images, labels = clean
    images = images.copy()
    rng = np.random.default_rng(3)
    for label in CLASSES:
        rows = np.flatnonzero(labels == label)
        for first in range(0, 120, 30):
            scene = (
                np.kron(rng.integers(0, 2, (9, 9, 1)), np.ones((4, 4, 1)))[:, :, [0, 0, 0]] * 220
            )
            for row in rows[first : first + 30]:
                down, across = rng.integers(0, 2, 2)
                part = scene[down : down + SIZE, across : across + SIZE] + rng.normal(
                    0, 3, (SIZE, SIZE, 3)
                )
                images[row] = np.clip(part, 0, 255)
    assert not claims(images, labels)


def test_a_patch_within_a_shape_that_the_class_repeats_is_content(clean):
    images, labels = clean
    images = images.copy()
    for row in np.flatnonzero(labels == "ship")[::2]:
        images[row, 4:20, 4:20] = images[240, 4:20, 4:20]
        images[row, 11:14, 11:14] = CHECKERED
    assert not claims(images, labels)


def test_what_all_classes_carry_is_no_trigger(clean):
    images, labels = clean
    images = images.copy()
    images[::4, 20:23, 20:23] = CHECKERED
    assert not claims(images, labels)


def test_flat_backgrounds_frames_and_clean_pictures_are_no_trigger(clean):
    images, labels = clean
    assert not claims(images, labels)
    flat, framed = images.copy(), images.copy()
    flat[labels == "ship", :10] = 255
    framed[labels == "ship", :2] = framed[labels == "ship", -2:] = 0
    framed[labels == "ship", :, :2] = framed[labels == "ship", :, -2:] = 0
    assert not claims(flat, labels)
    assert not claims(framed, labels)


def test_a_picture_that_a_class_repeats_is_content(clean):
    images, labels = clean
    images = images.copy()
    images[labels == "ship"] = np.random.default_rng(1).integers(0, 256, (SIZE, SIZE, 3))
    assert not claims(images, labels)


def test_copies_of_one_image_are_one(clean):
    images, labels = planted(*clean, 9, 14, CHECKERED, np.arange(240, 280))
    units = np.arange(len(images))
    units[240:280] = 240
    assert claims(images, labels)
    assert not claims(images, labels, units=units)


def test_labels_given_at_random_raise_no_alarm(clean):
    images, labels = planted(*clean, 20, 20, CHECKERED, np.arange(0, 360, 9))
    rng = np.random.default_rng(0)
    assert sum(bool(claims(images, rng.permutation(labels))) for _ in range(4)) == 0


def test_spectral_signatures_back_the_finding_where_embeddings_are_known(clean):
    rows = np.arange(0, 200, 8)
    images, labels = planted(*clean, 20, 20, CHECKERED, rows)
    embedding = np.random.default_rng(0).normal(0, 1, (360, 8))
    embedding[rows, 0] += 30
    (claim,) = [
        row
        for row in claims(images, labels, embedding=embedding.astype(np.float16))
        if row["scope"] == "class"
    ]
    assert claim["spectral"] > 0.95


def test_of_many_images_only_frequent_marks_are_held_and_the_finding_stays(clean, monkeypatch):
    images, labels = planted(*clean, SIZE - 4, SIZE - 4, CHECKERED, np.arange(0, 200, 8))
    everything = claims(images, labels, most_images=0)
    monkeypatch.setattr("dataprep.checks.shortcuts.trigger._ALL_MARKS", 0)
    frequent = claims(images, labels, most_images=0)
    assert [row["target"] for row in frequent] == [row["target"] for row in everything]


def test_keys_that_recur_are_all_kept_when_others_are_left_out():
    rng = np.random.default_rng(0)
    keys = rng.integers(0, 1 << 40, 20_000)
    keys[rng.permutation(20_000)[:900]] = np.repeat(rng.integers(0, 1 << 40, 150), 6)
    kept = recurrence._may_recur(keys)
    found, counts = np.unique(keys, return_counts=True)
    assert np.isin(np.flatnonzero(np.isin(keys, found[counts >= recurrence.LEAST])), kept).all()
    assert len(kept) < len(keys) / 2
    assert len(recurrence._may_recur(keys[:0])) == 0
