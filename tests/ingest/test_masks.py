"""Masks beside pictures are known by name and by their pixels, named and left out; pictures
never are.
"""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image

from dataprep.errors import OptionError
from dataprep.ingest import scan


def picture(seed: int, height: int = 48, width: int = 64) -> np.ndarray:
    """(h, w, 3) smooth and a little noisy, as photographs are."""
    rng = np.random.default_rng(seed)
    smooth = cv2.GaussianBlur(rng.normal(0, 1, (height, width, 3)), (0, 0), 5)
    return np.clip(
        smooth / smooth.std() * 40 + 128 + rng.normal(0, 5, smooth.shape), 0, 255
    ).astype(np.uint8)


def mask(seed: int, height: int = 48, width: int = 64, values: int = 3) -> np.ndarray:
    """(h, w) a few regions, each of one value."""
    levels = cv2.GaussianBlur(np.random.default_rng(seed).normal(0, 1, (height, width)), (0, 0), 9)
    return ((levels - levels.min()) / np.ptp(levels) * (values - 0.01)).astype(np.uint8)


def save(path, pixels, **options) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)


def left_out(dataset) -> dict[str, str]:
    masks = dataset.faults[dataset.faults["check"] == "mask-beside-image"]
    return dict(zip(masks["target"], masks["related"], strict=True))


def test_a_png_beside_each_photo_is_its_mask_and_classes_come_from_photos(tmp_path):
    for label in ("crack", "whole"):
        for i in range(8):
            save(tmp_path / label / "Imgs" / f"{i}.jpg", picture(i))
            save(
                tmp_path / label / "Imgs" / f"{i}.png",
                mask(i) * 0 if label == "whole" else mask(i) * 100,
            )
    dataset = scan(tmp_path)
    assert len(dataset) == 16
    assert set(dataset.samples.index.str[-4:]) == {".jpg"}
    assert dataset.samples["label"].value_counts().to_dict() == {"crack": 8, "whole": 8}
    assert left_out(dataset)["crack/Imgs/3.png"] == "crack/Imgs/3.jpg"
    assert dataset.ignored == {"masks of the pictures beside them": 16}
    assert len(scan(tmp_path, masks="keep")) == 32
    with pytest.raises(OptionError, match="masks"):
        scan(tmp_path, masks="drop")


@pytest.mark.parametrize(
    "name",
    ["{}_mask.png", "{}_label.png", "{}_seg.png", "{}_L.png", "{}_segmentation.gif", "mask-{}.png"],
)
def test_a_file_called_after_a_photo_is_its_mask(tmp_path, name):
    for i in range(4):
        save(tmp_path / f"scan_{i}.png", picture(i))
        save(tmp_path / name.format(f"scan_{i}"), mask(i))
    dataset = scan(tmp_path)
    assert sorted(dataset.samples.index) == [f"scan_{i}.png" for i in range(4)]
    assert left_out(dataset)[name.format("scan_2")] == "scan_2.png"


@pytest.mark.parametrize(
    ("pictures", "masks"),
    [
        ("images", "masks"),
        ("train", "trainannot"),
        ("images/a", "labels/a"),
        ("images", "images/masks"),
        ("JPEGImages", "SegmentationClass"),
    ],
)
def test_a_folder_of_masks_makes_no_class(tmp_path, pictures, masks):
    for i in range(9):
        save(tmp_path / "set" / pictures / f"{i:04d}.jpg", picture(i))
        save(tmp_path / "set" / masks / f"{i:04d}.png", mask(i))
    dataset = scan(tmp_path)
    assert len(dataset) == 9
    assert not any(
        "annot" in name or name in ("masks", "labels", "SegmentationClass")
        for name in dataset.classes
    )
    assert len(left_out(dataset)) == 9


def test_splits_with_a_folder_of_masks_each_stay_splits(tmp_path):
    for split, count in (("train", 7), ("val", 4), ("test", 4)):
        for i in range(count):
            save(tmp_path / split / f"0001_{i:05d}.png", picture(i))
            save(tmp_path / f"{split}annot" / f"0001_{i:05d}.png", mask(i, values=11))
    dataset = scan(tmp_path)
    assert dataset.task == "none"
    assert dataset.samples["split"].value_counts().to_dict() == {"train": 7, "val": 4, "test": 4}


def test_one_photo_in_two_formats_is_no_mask(tmp_path):
    for i in range(8):
        save(tmp_path / "cat" / f"{i}.jpg", picture(i))
        save(tmp_path / "cat" / f"{i}.png", picture(i))
        drawing = mask(i)[..., None].repeat(3, axis=2) * 100
        save(tmp_path / "drawn" / f"{i}.jpg", drawing, quality=95)
        save(tmp_path / "drawn" / f"{i}.png", drawing)
    dataset = scan(tmp_path)
    assert len(dataset) == 32
    assert not left_out(dataset)


def test_classes_called_labels_and_masks_stay_where_they_hold_photos(tmp_path):
    for k, label in enumerate(("labels", "masks", "tags")):
        for i in range(8):
            save(tmp_path / label / f"{i:04d}.jpg", picture(100 * k + i))
    assert scan(tmp_path).classes == ("labels", "masks", "tags")


def test_drawings_numbered_like_those_of_another_class_stay(tmp_path):
    for i in range(8):
        save(tmp_path / "labels" / f"{i}.png", mask(i, 40, 40) * 100)
        save(tmp_path / "forms" / f"{i}.png", mask(i, 48, 64) * 100)
    assert len(scan(tmp_path)) == 16


def test_a_face_with_a_mask_is_no_mask_of_the_face(tmp_path):
    for i in range(5):
        save(tmp_path / f"{i}.jpg", picture(i))
        save(tmp_path / f"{i}_mask.jpg", picture(50 + i))
    assert len(scan(tmp_path)) == 10


def test_broken_files_and_black_photos_are_judged_without_a_crash(tmp_path):
    for i in range(4):
        save(tmp_path / "images" / f"{i}.jpg", picture(i) // 8)
        save(tmp_path / "masks" / f"{i}.png", mask(i) * 0)
    (tmp_path / "images" / "4.jpg").write_bytes(b"no image")
    (tmp_path / "masks" / "4.png").write_bytes(b"nor this")
    assert sorted(scan(tmp_path).samples.index) == [
        *(f"images/{i}.jpg" for i in range(5)),
        "masks/4.png",
    ]


def test_masks_that_a_manifest_does_not_list_are_named_and_those_it_lists_stay(tmp_path):
    for i in range(4):
        save(tmp_path / f"{i}.jpg", picture(i))
        save(tmp_path / f"{i}.png", mask(i))
    rows = "\n".join(f"{i}.jpg,a" for i in range(4))
    (tmp_path / "labels.csv").write_text(f"path,label\n{rows}\n")
    dataset = scan(tmp_path, manifest=tmp_path / "labels.csv")
    assert left_out(dataset) == {f"{i}.png": f"{i}.jpg" for i in range(4)}
    assert "unlisted-file" not in set(dataset.faults["check"])
    (tmp_path / "labels.csv").write_text(f"path,label\n{rows}\n0.png,b\n")
    assert len(scan(tmp_path, manifest=tmp_path / "labels.csv")) == 5
