"""The second look: edits are confirmed and named, other pictures are refuted, groups are stars."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from dataprep.measures.options import PassOptions
from dataprep.measures.pairs.alignment import match, turn_matrix
from dataprep.measures.pairs.comparison import (
    Compared,
    Job,
    Subject,
    _Work,
    compare_each,
    confirm,
    verifying,
)
from dataprep.measures.pairs.picture import Picture
from dataprep.measures.pairs.relations import Facts, name_relation
from tests.measures.pictures import scene

WIDTH, HEIGHT = 400, 300
PLAIN = Facts("JPEG", 90.0, chroma=0.5, noise=0.01)


def photo(seed: int) -> np.ndarray:
    """A picture with enough texture to align: a scene with sharp shapes all over."""
    random = np.random.default_rng(seed)
    picture = scene(seed, WIDTH, HEIGHT).copy()
    for _ in range(70):
        x, y = random.integers(0, WIDTH - 20), random.integers(0, HEIGHT - 20)
        colour = tuple(int(level) for level in random.integers(40, 200, 3))
        cv2.rectangle(
            picture,
            (int(x), int(y)),
            (int(x + random.integers(6, 40)), int(y + random.integers(6, 40))),
            colour,
            -1,
        )
    return picture


def as_picture(array: np.ndarray) -> Picture:
    return Picture.of(np.ascontiguousarray(array), array.shape[1], array.shape[0])


def relation(a: np.ndarray, b: np.ndarray, before: Facts = PLAIN, after: Facts = PLAIN) -> str:
    first, second = as_picture(a), as_picture(b)
    found = match(first, second)
    return (
        name_relation(first, second, found, before, after)
        if found.kind in ("edit", "overlay")
        else ""
    )


def turned_by(array: np.ndarray, angle: float) -> np.ndarray:
    turn = cv2.getRotationMatrix2D((WIDTH / 2, HEIGHT / 2), angle, 1)
    return cv2.warpAffine(array, turn, (WIDTH, HEIGHT))


def noisy(array: np.ndarray) -> np.ndarray:
    return np.clip(array + np.random.default_rng(0).normal(0, 12, array.shape), 0, 255).astype(
        np.uint8
    )


def covered(array: np.ndarray) -> np.ndarray:
    array = array.copy()
    array[100:120, 100:240] = 255
    return array


def photographed(array: np.ndarray, quality: int = 92) -> np.ndarray:
    """As a camera gives it: a little soft, a little noisy, compressed."""
    soft = cv2.GaussianBlur(array, (0, 0), 1.2) + np.random.default_rng(0).normal(0, 3, array.shape)
    return compressed(np.clip(soft, 0, 255).astype(np.uint8), quality)


def compressed(array: np.ndarray, quality: int) -> np.ndarray:
    return np.asarray(
        cv2.imdecode(
            cv2.imencode(".jpg", array, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR
        )
    )


EDITS: dict[str, tuple[Callable[[np.ndarray], np.ndarray], str]] = {
    "reduced to 50 %": (
        lambda a: cv2.resize(a, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA),
        "B is A",
    ),
    "cropped to 81 %": (lambda a: a[15:-15, 20:-20], "B is A"),
    "stretched (narrower by 20 %)": (
        lambda a: cv2.resize(a, (320, 300), interpolation=cv2.INTER_AREA),
        "B is A",
    ),
    "brightened": (lambda a: np.clip(a * 1.25, 0, 255).astype(np.uint8), "B is A"),
    "lowered in contrast": (lambda a: (a.mean() + 0.6 * (a - a.mean())).astype(np.uint8), "B is A"),
    "blurred": (lambda a: cv2.GaussianBlur(a, (0, 0), 2.5), "B is A"),
    "turned by 4°": (lambda a: turned_by(a, 4), "B is A"),
}


@pytest.mark.parametrize("words", list(EDITS))
def test_edits_are_found_and_named(words: str) -> None:
    edit, head = EDITS[words]
    for seed in (1, 2):
        picture = photo(seed)
        assert relation(picture, edit(picture)) == f"{head} {words}, re-encoded"


@pytest.mark.parametrize(
    "words", ["reduced to 50 %", "cropped to 81 %", "blurred", "lowered in contrast"]
)
def test_the_one_that_lost_something_is_the_copy(words: str) -> None:
    edit, _ = EDITS[words]
    picture = photo(3)
    assert relation(edit(picture), picture) == f"A is B {words}, re-encoded"


@pytest.mark.parametrize(
    ("turn", "words"),
    [
        (lambda a: a[:, ::-1], "mirrored"),
        (lambda a: a[::-1], "mirrored top to bottom"),
        (lambda a: a[::-1, ::-1], "turned by 180°"),
        (lambda a: np.rot90(a, -1), "turned by 90° clockwise"),
        (lambda a: np.rot90(a, 1), "turned by 90° counter-clockwise"),
    ],
)
def test_turns_are_named_as_seen_from_the_original(
    turn: Callable[[np.ndarray], np.ndarray], words: str
) -> None:
    picture = photo(4)
    assert relation(picture, turn(picture)) == f"B is A {words}, re-encoded"


def test_columns_name_what_pixels_do_not() -> None:
    picture = photo(5)
    grey, framed = (
        Facts("JPEG", 90.0, chroma=0.01, noise=0.01),
        Facts("JPEG", 90.0, chroma=0.5, noise=0.01, border=0.2),
    )
    assert relation(picture, picture, after=grey) == "B is A made grey, re-encoded"
    assert (
        relation(picture, np.pad(picture, ((20, 20), (20, 20), (0, 0))), after=framed)
        == "B is A set in a frame, re-encoded"
    )
    assert (
        relation(picture, noisy(picture), after=Facts("JPEG", 90.0, chroma=0.5, noise=0.05))
        == "B is A noisier, re-encoded"
    )
    assert (
        relation(picture, picture, after=Facts("PNG", math.nan, chroma=0.5, noise=0.01))
        == "B is A saved as PNG"
    )
    worse = Facts("JPEG", 40.0, chroma=0.5, noise=0.01)
    assert relation(picture, picture, after=worse) == "B is A re-encoded (JPEG quality 40)"
    assert relation(picture, picture, before=worse) == "A is B re-encoded (JPEG quality 40)"


def test_something_laid_over_a_part_is_found_and_named() -> None:
    for seed in (1, 2, 3, 4):
        picture = photographed(photo(seed))
        assert (
            relation(picture, compressed(covered(picture), 85))
            == "B is A partly covered or written over, re-encoded"
        )


def test_other_pictures_are_refuted() -> None:
    pictures = [photo(seed) for seed in range(10, 18)]
    assert not any(
        match(as_picture(a), as_picture(b)).kind != "other"
        for i, a in enumerate(pictures)
        for b in pictures[i + 1 :]
    )


def test_one_scene_with_another_subject_is_refuted() -> None:
    picture, other = photo(6), photo(7)
    picture[90:, :330] = other[90:, :330]
    assert relation(photo(6), picture) == ""


def seen_from(shift: float, seed: int = 8) -> np.ndarray:
    """A floor and what lies on it from a place `shift` pixels (of its near edge) to the side:
    the further, the less it moves.
    """
    down, across = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    moved = across + np.float32(shift) * (down / HEIGHT) ** 2
    return cv2.remap(photo(seed), moved, down, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)


def test_a_scene_from_another_place_is_another_shot() -> None:
    found = match(as_picture(seen_from(0)), as_picture(seen_from(9)))
    assert found.kind == "shot"
    assert found.strength >= 12
    assert relation(seen_from(0), seen_from(9)) == ""


def test_a_template_with_other_content_is_no_edit() -> None:
    template, other = photo(9), photo(9)
    for number, (top, left) in enumerate([(20, 30), (150, 90), (220, 260), (60, 240), (120, 180)]):
        other[top : top + 40, left : left + 90] = photo(60 + number)[
            top : top + 40, left : left + 90
        ]
    assert match(as_picture(template), as_picture(other)).kind in ("shot", "other")


def test_pictures_without_texture_say_nothing() -> None:
    grey, same = (np.full((60, 80, 3), level, np.uint8) for level in (90, 91))
    assert relation(grey, same) == ""


@pytest.mark.parametrize("orientation", range(8))
def test_turn_matrix_moves_pixels_as_turning_does(orientation: int) -> None:
    plane = np.zeros((5, 9, 3), np.uint8)
    plane[1, 6] = 255
    there = turn_matrix(orientation, 9, 5) @ [6.5, 1.5, 1]
    turned = Picture(plane, 9, 5).turned(orientation).plane
    assert turned[int(there[1]), int(there[0])] == 255


def subjects(folder: Path, arrays: list[np.ndarray]) -> list[Subject]:
    made = []
    for row, array in enumerate(arrays):
        path = folder / f"{row}.png"
        Image.fromarray(np.ascontiguousarray(array)).save(path)
        made.append(Subject(row, str(path), PLAIN))
    return made


def test_a_job_gives_stars(tmp_path: Path) -> None:
    one, two = photo(20), photo(21)
    half = cv2.resize(one, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    images = subjects(tmp_path, [one, two, one[:, ::-1], half, two[5:-5, 5:-5]])
    job = Job(tuple(images), ((0, 2), (2, 3), (1, 2), (1, 4)))
    pairs = verifying(PassOptions())(job)
    copies = [pair for pair in pairs if pair.is_copy]
    assert {(copy.keeper, copy.row) for copy in copies} == {(0, 2), (0, 3), (1, 4)}
    assert {copy.relation for copy in copies if copy.row == 2} == {"B is A mirrored, re-encoded"}
    assert [(pair.keeper, pair.row) for pair in pairs if not pair.is_copy] == [
        (0, 1)
    ]  # asked for because 2, a copy of 0, is linked with 1


def test_a_file_that_is_gone_confirms_nothing(tmp_path: Path) -> None:
    images = subjects(tmp_path, [photo(22), photo(22)])
    (tmp_path / "1.png").unlink()
    assert verifying(PassOptions())(Job(tuple(images), ((0, 1),))) == [Compared(0, 1, "other", 0.0)]


@pytest.mark.parametrize(("least", "kind"), [(0.0, "edit"), (2.0, "other")])
def test_what_was_compared_before_is_not_decoded_again(
    tmp_path: Path, least: float, kind: str
) -> None:
    images = subjects(tmp_path, [photo(22), photo(22)])
    for path in tmp_path.iterdir():
        path.unlink()
    before = Compared(0, 1, "edit", 1.5, small=True, relation="B is A")
    job = Job(tuple(images), ((0, 1),), least=least, known={(0, 1): before})
    (pair,) = verifying(PassOptions())(job)
    assert (pair.kind, pair.relation) == (kind, "B is A" if kind == "edit" else "")
    done = confirm(
        [(0, 1)],
        images.__getitem__,
        [0, 1],
        PassOptions(jobs=1),
        least=least,
        known={(0, 1): before},
    )
    assert list(done.by_rows()) == [(0, 1)]
    assert bool(done.copies) == (kind == "edit")


def test_each_link_may_be_looked_at_for_itself(tmp_path: Path) -> None:
    images = subjects(tmp_path, [photo(25), photo(25)[:, ::-1], photo(25)[4:-4]])
    pairs = compare_each([(0, 1), (0, 2), (1, 2)], images.__getitem__, PassOptions(jobs=1))
    assert {(pair.keeper, pair.row) for pair in pairs if pair.is_copy} == {(0, 1), (0, 2), (1, 2)}


def test_confirm_over_workers(tmp_path: Path) -> None:
    one = photo(23)
    images = subjects(tmp_path, [one[8:-8], one, photo(24)])
    seen: list[tuple[int, int]] = []
    done = confirm(
        [(0, 1), (1, 2)],
        images.__getitem__,
        [1, 0, 2],
        PassOptions(jobs=1),
        progress=lambda n, of, note: seen.append((n, of)),
    )
    assert [(copy.keeper, copy.row) for copy in done.copies] == [(1, 0)]
    assert (done.compared, done.unseen) == (2, {})
    assert seen[-1] == (2, 2)


def test_crowds_are_worked_off_in_rounds() -> None:
    """200 images in one long chain, all the same: jobs are small, but in the end all hang on the
    best one.
    """
    rank = list(range(200))
    work = _Work({(i, i + 1): None for i in range(199)}, rank)
    for _ in range(6):
        for rows, links in work.take_jobs():
            assert len(rows) <= 48
            assert {row for link in links for row in link} == set(rows)
            work.accept(
                [Compared(rows[0], row, "edit", 5.0, relation="B is A") for row in rows[1:]]
            )
    assert {copy.keeper for copy in work.copies.values()} == {0}
    assert len(work.copies) == 199
    assert work.take_jobs() == []
