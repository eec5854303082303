"""Very large images within the memory of a worker, and stacks of very many frames at the price
of their first.
"""

from __future__ import annotations

import io
import struct
import subprocess
import sys
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from dataprep.measures.decode import stacks
from dataprep.measures.decode.conversion import scale_deep, to_rgb
from dataprep.measures.decode.decoding import open_pixels
from dataprep.measures.decode.reducing import reduced_rgb, reduction
from dataprep.measures.options import PassOptions
from tests.conftest import textured

SMALL = PassOptions(scale_above_megapixels=0.1)


@pytest.fixture
def lower(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is done from 64 megapixels on is done from 0.4 on."""
    monkeypatch.setattr("dataprep.measures.decode.reducing._ABOVE", 0.4)
    monkeypatch.setattr("dataprep.measures.decode.reducing._AIM", 0.1)


def encoded(image: Image.Image, format: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


@cache
def pictures() -> dict[str, Image.Image]:
    rgb = Image.fromarray(textured(1, 501, 403))
    grey = np.asarray(rgb.convert("L"))
    clear = rgb.copy()
    clear.putalpha(Image.fromarray(np.where(grey > 128, 255, 80).astype(np.uint8)))
    return {
        "RGB": rgb,
        "L": Image.fromarray(grey),
        "RGBA": clear,
        "P": rgb.quantize(64),
        "CMYK": rgb.convert("CMYK"),
        "I;16": Image.fromarray(grey.astype(np.uint16) * 200),
        "F": Image.fromarray(grey.astype(np.float32) / 999 - 0.1),
        "I": Image.fromarray(grey.astype(np.int32) * 70_000),
        "1": rgb.convert("1"),
    }


@pytest.mark.parametrize("mode", list(pictures()))
@pytest.mark.parametrize("factor", [2, 4])
def test_strips_give_what_the_whole_image_gives(
    mode: str, factor: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dataprep.measures.decode.reducing._STRIP", 20_000)
    image = pictures()[mode]
    rgb, alpha = to_rgb(image)
    width, height = image.width // factor, image.height // factor
    whole = cv2.resize(
        rgb[: height * factor, : width * factor], (width, height), interpolation=cv2.INTER_AREA
    )
    made, found = reduced_rgb(image, factor)
    np.testing.assert_array_equal(made, whole)
    assert found == alpha == (mode == "RGBA")


@pytest.mark.parametrize("mode", ["I;16", "RGB"])
@pytest.mark.usefixtures("lower")
def test_large_images_are_reduced_and_say_so(mode: str) -> None:
    image = pictures()[mode].resize((1001, 803))
    pixels = open_pixels(encoded(image, "TIFF"), options=SMALL)
    assert (pixels.header.width, pixels.header.height, pixels.approximate) == (1001, 803, True)
    assert pixels.rgb.shape == (200, 250, 3)
    assert not open_pixels(
        encoded(image, "TIFF"), options=PassOptions(scale_above_megapixels=0.9)
    ).approximate


@pytest.mark.usefixtures("lower")
def test_a_turned_image_is_reduced_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    pixels = open_pixels(
        encoded(pictures()["RGB"].resize((1001, 803)), "PNG", exif=exif), options=SMALL
    )
    assert (pixels.header.width, pixels.header.height, pixels.rgb.shape) == (
        803,
        1001,
        (250, 200, 3),
    )


def test_a_small_view_reduces_no_image_that_is_not_very_large() -> None:
    assert reduction(8000, 8000, SMALL) == 1
    assert reduction(8001, 8000, SMALL) == reduction(8001, 8000, PassOptions()) == 4
    assert reduction(15_800, 15_800, PassOptions(scale_above_megapixels=250.0)) == 1


@pytest.mark.parametrize(
    ("width", "height"), [(1, 10**8), (10**8, 1), (3, 5 * 10**7), (0, 0), (10_000, 25_000)]
)
def test_no_side_is_reduced_to_nothing(width: int, height: int) -> None:
    factor = reduction(width, height, PassOptions())
    assert factor in (1, 2, 4, 8)
    assert min(width, height) // factor or not min(width, height)


@pytest.mark.parametrize(
    "values",
    [
        np.arange(60_000, dtype=np.uint16).reshape(200, 300) // 20,
        np.arange(60_000, dtype=">u2").reshape(200, 300),
        np.linspace(-3, 9, 60_000, dtype=np.float32).reshape(200, 300),
        np.full((5, 7), np.nan, np.float32),
        np.zeros((0, 4)),
    ],
)
def test_deep_values_are_scaled_the_same_in_blocks(
    values: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = scale_deep(values)
    monkeypatch.setattr("dataprep.measures.decode.conversion._BLOCK", 1000)
    np.testing.assert_array_equal(scale_deep(values), whole)


#: VmHWM is the peak of this program alone; ru_maxrss begins at the size of the one that started it.
_PEAK = """
import re, sys
import numpy as np
from dataprep.measures.options import PassOptions
from dataprep.measures.work import Setup, measures_of, measuring
measure = measuring(Setup(tuple(each.column for each in measures_of()), PassOptions(), view=160))
row = measure(sys.argv[1])
peak = re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())
print(int(peak[1]) // 1024, "out-of-memory" in row[1])
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_16_bit_tiff_of_108_megapixels_needs_a_quarter_of_a_workers_memory(
    tmp_path: Path,
) -> None:
    grey = np.repeat(
        np.repeat(np.random.default_rng(0).integers(0, 65_535, (90, 120), np.uint16), 100, 0),
        100,
        1,
    )
    cv2.imwrite(str(tmp_path / "large.tif"), grey)
    done = subprocess.run(
        [sys.executable, "-c", _PEAK, str(tmp_path / "large.tif")],
        capture_output=True,
        text=True,
        check=True,
    )
    megabytes, lost = done.stdout.split()
    assert int(megabytes) < PassOptions().memory_limit_mb / 2
    assert lost == "False"


def tiff_of(pages: int, order: str = "<", big: bool = False) -> bytes:
    """A TIFF with a first page of 2 x 2 grey pixels and further directories without an entry."""
    mark = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}H", 43 if big else 42)
    head = 16 if big else 8
    form, size = ("Q", 8) if big else ("I", 4)
    mark += (
        struct.pack(f"{order}HHQ", 8, 0, head + 4) if big else struct.pack(f"{order}I", head + 4)
    )
    entries = [
        (256, 2),
        (257, 2),
        (258, 8),
        (259, 1),
        (262, 1),
        (273, head),
        (277, 1),
        (278, 2),
        (279, 4),
    ]
    fields = b"".join(
        struct.pack(f"{order}HH{form}{form}", tag, 4, 1, value) for tag, value in entries
    )
    count = "Q" if big else "H"
    data = mark + bytes([10, 200, 90, 30]) + struct.pack(f"{order}{count}", len(entries)) + fields
    parts, place = [data], len(data) + size
    for _ in range(pages - 1):
        parts.append(struct.pack(f"{order}{form}{count}", place, 0))
        place += size + struct.calcsize(count)
    return b"".join([*parts, struct.pack(f"{order}{form}", 0)])


def gif_of(frames: int) -> bytes:
    file = io.BytesIO()
    Image.new("P", (2, 2)).save(file, "GIF")
    data = file.getvalue()
    start = data.index(b",", 13 + stacks._table_bytes(data, 10))
    return data[:start] + data[start:-1] * frames + b";"


@pytest.mark.parametrize(("order", "big"), [("<", False), (">", False), ("<", True)])
def test_a_stack_of_sixty_thousand_pages_is_counted_and_its_first_read(
    order: str, big: bool
) -> None:
    pixels = open_pixels(tiff_of(60_000, order, big))
    assert pixels.header.frames == 60_000
    assert pixels.rgb[:, :, 0].tolist() == [[10, 200], [90, 30]]


def test_pages_are_counted_in_every_form_of_tiff() -> None:
    assert stacks._tiff_pages(tiff_of(50, ">", True)) == 50


def test_no_more_frames_than_the_bound_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stacks, "MOST_FRAMES", 1000)
    assert open_pixels(tiff_of(1_500)).header.frames == 1000
    assert open_pixels(gif_of(1_500)).header.frames == 1000
    monkeypatch.setattr(stacks, "_MOST_BLOCKS", 500)
    assert open_pixels(gif_of(1_500)).header.frames == 500


def test_a_gif_of_a_million_frames_costs_its_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "PIL.GifImagePlugin.GifImageFile.n_frames",
        property(lambda _: pytest.fail("every frame is opened")),
    )
    assert open_pixels(gif_of(1_000_000)).header.frames == stacks.MOST_FRAMES


@pytest.mark.parametrize("format", ["GIF", "TIFF"])
@pytest.mark.parametrize("frames", [1, 2, 7])
def test_frames_are_counted_as_pillow_does(format: str, frames: int) -> None:
    images = [Image.fromarray(textured(index, 40, 30)).convert("P") for index in range(frames)]
    data = encoded(images[0], format, save_all=True, append_images=images[1:])
    with Image.open(io.BytesIO(data)) as image:
        assert stacks.count_frames(image, data) == image.n_frames == frames


def test_a_chain_that_bites_its_tail_or_leaves_the_file_ends() -> None:
    data = bytearray(tiff_of(3))
    data[-4:] = struct.pack("<I", 12)
    assert open_pixels(bytes(data)).header.frames == 3
    data[-4:] = struct.pack("<I", 10**9)
    assert open_pixels(bytes(data)).header.frames == 3
    assert open_pixels(gif_of(5)[:-8]).header.frames == 5


@pytest.mark.parametrize(
    ("longest", "size"), [(0, (533, 400)), (192, (200, 150)), (66, (67, 50)), (900, (533, 400))]
)
def test_a_jpeg_is_decoded_no_larger_than_it_is_needed(longest: int, size: tuple[int, int]) -> None:
    scene = Image.linear_gradient("L").resize((400, 533)).convert("RGB")
    pixels = open_pixels(encoded(scene, "JPEG", quality=95), longest=longest)
    assert pixels.rgb.shape[:2] == size
    assert (pixels.header.width, pixels.header.height) == (400, 533)
    assert pixels.approximate == (size != (533, 400))
    small = scene.resize(size[::-1], Image.Resampling.BOX)
    assert np.abs(pixels.rgb.astype(int) - np.asarray(small)).mean() < 3
