"""One image held against known ones."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

import dataprep
from dataprep import KnownImages, PassOptions, audit, measure, scan
from dataprep.errors import InputError
from tests.conftest import save, textured

PLAIN = PassOptions(embedder="", jobs=1)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("known") / "photos"
    for number in range(30):
        save(textured(number, 160, 120), folder / f"{'ab'[number % 2]}/{number:02d}.png")
    return folder


@pytest.fixture(scope="module")
def known(photos: Path) -> KnownImages:
    return KnownImages.of(measure(scan(photos), options=PLAIN))


@pytest.fixture(scope="module")
def embedded(photos: Path) -> KnownImages:
    return KnownImages.of(measure(scan(photos), options=PassOptions(jobs=1, cache=False)))


def test_the_same_file_pixels_and_look_are_told_apart(known: KnownImages, photos: Path) -> None:
    path = photos / "a" / "04.png"
    same = known.examine(path)
    assert [(match.kind, match.sample, match.label) for match in same.copies] == [
        ("bytes", "a/04.png", "a")
    ]
    picture = Image.open(path)
    picture.load()
    file = io.BytesIO()
    picture.save(file, "BMP")
    assert known.examine(file.getvalue()).copies[0].kind == "pixels"
    mirrored = known.examine(np.asarray(ImageOps.mirror(picture)))
    assert [(match.kind, match.sample) for match in mirrored.copies] == [("near", "a/04.png")]
    assert mirrored.copies[0].figure <= 4


@pytest.mark.parametrize("kind", ["path", "bytes", "PIL", "array"])
def test_an_image_may_come_in_any_form(known: KnownImages, photos: Path, kind: str) -> None:
    path = photos / "b" / "07.png"
    image = {
        "path": path,
        "bytes": path.read_bytes(),
        "PIL": Image.open(path),
        "array": np.asarray(Image.open(path)),
    }[kind]
    assert known.examine(image, judge=False).copies[0].sample == "b/07.png"


def test_a_new_image_is_no_copy(known: KnownImages) -> None:
    found = known.examine(textured(999, 160, 120))
    assert found.copies == ()
    assert found.neighbours == ()
    assert np.isnan(found.as_far)


def test_a_file_that_is_no_image_is_lost_with_a_reason(known: KnownImages, tmp_path: Path) -> None:
    (tmp_path / "page.jpg").write_bytes(b"<html>")
    found = known.examine(tmp_path / "page.jpg")
    assert found.lost == "not-an-image"
    assert found.lost_detail
    assert set(found.issues.table["check"]) == {"unreadable"}
    assert known.examine(tmp_path / "nothing.jpg").lost == "missing"


def test_what_is_no_image_at_all_is_refused(known: KnownImages) -> None:
    with pytest.raises(InputError, match="expected the path of an image"):
        known.examine(3)


def test_an_unusual_image_is_judged_among_the_known(known: KnownImages) -> None:
    dark = (textured(999, 160, 120) // 6).astype(np.uint8)
    claims = known.examine(dark, name="new.png").issues.table
    assert ("dark", "new.png") in set(zip(claims["check"], claims["target"], strict=True))
    assert not len(known.examine(dark, judge=False).issues)
    usual = known.examine(textured(998, 160, 120)).issues
    assert not len(usual.of("dark") if len(usual) else usual)


def test_an_extension_that_does_not_match_is_claimed(known: KnownImages, tmp_path: Path) -> None:
    path = save(textured(999, 160, 120), tmp_path / "new.png").rename(tmp_path / "new.jpg")
    assert "extension-mismatch" in set(known.examine(path).issues.table["check"])


def test_neighbours_are_those_of_all_known_images(embedded: KnownImages, photos: Path) -> None:
    found = embedded.examine(photos / "a" / "10.png", most=5)
    assert found.neighbours[0].sample == "a/10.png"
    assert found.neighbours[0].figure == pytest.approx(1, abs=1e-3)
    features = embedded.arrays["features"]
    row = embedded.samples.index.get_loc("a/10.png")
    order = np.argsort(-(features @ features[row]))[:5]
    assert [match.sample for match in found.neighbours] == list(embedded.samples.index[order])
    assert 0 <= found.as_far <= 1


def test_as_far_is_the_share_of_known_images_that_lie_as_far(embedded: KnownImages) -> None:
    image = textured(999, 160, 120)
    found = embedded.examine(image, most=10)
    mean = np.mean([match.figure for match in found.neighbours])
    marks = np.sort(mean + np.array([-0.2, -0.1, -0.05, 0.1], np.float32))
    marked = replace(embedded, arrays={**embedded.arrays, "as_near": marks})
    assert marked.examine(image).as_far == 0.75


def test_saved_and_loaded_they_answer_the_same(
    embedded: KnownImages, photos: Path, tmp_path: Path
) -> None:
    embedded.save(tmp_path / "index")
    loaded = KnownImages.load(tmp_path / "index")
    path = photos / "b" / "13.png"
    before, after = embedded.examine(path), loaded.examine(path)
    assert before.copies == after.copies
    for ours, theirs in zip(before.neighbours, after.neighbours, strict=True):
        assert (ours.sample, ours.label) == (theirs.sample, theirs.label)
        assert ours.figure == pytest.approx(theirs.figure, abs=1e-5)
    assert before.as_far == after.as_far
    assert isinstance(loaded.arrays["features"], np.memmap)


def test_a_second_save_without_embedding_leaves_no_stale_files(
    embedded: KnownImages, known: KnownImages, tmp_path: Path
) -> None:
    embedded.save(tmp_path / "index")
    known.save(tmp_path / "index")
    assert not (tmp_path / "index" / "features.npy").exists()
    assert KnownImages.load(tmp_path / "index").space is None


@pytest.mark.parametrize("harm", ["record", "array", "missing"])
def test_a_damaged_folder_is_an_input_error(known: KnownImages, tmp_path: Path, harm: str) -> None:
    known.save(tmp_path / "index")
    if harm == "record":
        (tmp_path / "index" / "known.json").write_text("{")
    elif harm == "array":
        np.save(tmp_path / "index" / "phash.npy", np.zeros((3, 8), np.uint64))
    else:
        (tmp_path / "index" / "sketch.npy").unlink()
    with pytest.raises(InputError, match="Make it again"):
        KnownImages.load(tmp_path / "index")


def test_a_data_set_without_hashes_is_refused(photos: Path) -> None:
    with pytest.raises(InputError, match="all measured columns"):
        KnownImages.of(scan(photos))


def test_files_that_cannot_be_read_are_not_known(photos: Path, tmp_path: Path) -> None:
    save(textured(1), tmp_path / "set" / "good.png")
    (tmp_path / "set" / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    known = KnownImages.of(measure(scan(tmp_path / "set"), options=PLAIN))
    assert list(known.samples.index) == ["good.png"]


def test_an_audit_gives_its_options_to_the_checks(photos: Path) -> None:
    audited = audit(photos, pass_options=PLAIN, options={"dark": {"threshold": 0.0}}, progress=None)
    dark = (textured(999, 160, 120) // 6).astype(np.uint8)
    claims = KnownImages.of(audited).examine(dark).issues.table
    assert "dark" not in set(claims["check"])


def test_another_embedder_than_the_known_images_had_is_refused(embedded: KnownImages) -> None:
    assert embedded.space is not None
    shorter = replace(embedded.space, mean=embedded.space.mean[:100])
    with pytest.raises(dataprep.DataprepError, match="embeddings of 100 figures"):
        replace(embedded, space=shorter).examine(textured(1))
