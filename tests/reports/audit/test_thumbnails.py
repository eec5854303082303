"""Thumbnails as the report embeds them."""

from __future__ import annotations

from pathlib import Path

import fsspec
import numpy as np
import pandas as pd
import pytest
import simplejpeg
from PIL import Image

from dataprep.measures.decode.thumbnails import shrink, thumbnailing, thumbnails
from dataprep.measures.options import PassOptions
from dataprep.schemas.dataset import Dataset
from dataprep.schemas.lost import Lost
from tests.conftest import save, textured


def dataset(root: str, names: list[str]) -> Dataset:
    return Dataset(root, pd.DataFrame(index=pd.Index(names, name="sample")))


def drawn(data: bytes) -> np.ndarray:
    return simplejpeg.decode_jpeg(data)


@pytest.mark.parametrize(
    ("size", "expected"),
    [((400, 300), (64, 48)), ((30, 20), (30, 20)), ((1000, 1), (64, 6)), ((1, 1), (6, 6))],
)
def test_longer_side_fits_and_slivers_stay_visible(
    size: tuple[int, int], expected: tuple[int, int]
) -> None:
    small = shrink(np.zeros((size[1], size[0], 3), np.uint8), 64)
    assert (small.shape[1], small.shape[0]) == expected


def test_orientation_transparency_and_scaled_decoding(tmp_path: Path) -> None:
    tall = np.zeros((900, 1600, 3), np.uint8)
    tall[:450] = 255
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(tall).save(tmp_path / "turned.jpg", exif=exif)
    Image.new("RGBA", (50, 50), (255, 0, 0, 0)).save(tmp_path / "clear.png")
    made = thumbnails(
        dataset(str(tmp_path), ["turned.jpg", "clear.png"]),
        ["turned.jpg", "clear.png"],
        PassOptions(jobs=1),
        side=90,
    )
    turned = drawn(made["turned.jpg"])
    assert turned.shape == (90, 51, 3)
    assert turned[45, 45].min() > 200  # the white upper half, turned to the right
    assert turned[45, 5].max() < 50
    assert drawn(made["clear.png"]).min() > 250


def test_what_cannot_be_decoded_is_absent_and_costs_nothing_else(tmp_path: Path) -> None:
    save(textured(1), tmp_path / "good.jpg")
    (tmp_path / "bad.jpg").write_bytes(b"\xff\xd8\xff broken")
    made = thumbnails(
        dataset(str(tmp_path), []), ["bad.jpg", "gone.jpg", "good.jpg"], PassOptions(jobs=1)
    )
    assert list(made) == ["good.jpg"]


def test_files_of_a_remote_root(tmp_path: Path) -> None:
    save(textured(2), tmp_path / "a.png")
    memory = fsspec.filesystem("memory")
    memory.pipe("/thumbs/a.png", (tmp_path / "a.png").read_bytes())
    assert list(
        thumbnails(dataset("memory://thumbs", []), ["a.png", "missing.png"], PassOptions(jobs=1))
    ) == ["a.png"]


def test_limits_hold() -> None:
    task = thumbnailing((PassOptions(max_megapixels=0.1), 64))
    png = Path(__file__).parent / "none"
    lost = task(str(png))
    assert isinstance(lost, Lost)
    assert lost.reason == "missing"
