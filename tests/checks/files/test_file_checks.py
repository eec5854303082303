"""Each check of the family "files": files that it must name, and files that it must not."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from dataprep import registry
from dataprep.measures.options import PassOptions
from tests.checks.measured import issues, measured, messages, targets, with_columns
from tests.measures.pictures import encoded, scene


def check_of(code: str):
    return registry.load("dataprep.checks", code)()


def tagged(orientation: int = 1, position: bool = False) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    if position:
        exif.get_ifd(0x8825).update({1: "N", 2: (48.0, 51.0, 24.0), 3: "E", 4: (2.0, 21.0, 3.0)})
    return encoded(scene(0, 60, 40), "JPEG", exif=exif)


def clear_corner() -> Image.Image:
    image = Image.fromarray(scene(0, 60, 40)).convert("RGBA")
    image.paste((0, 0, 0, 0), (0, 0, 20, 20))
    return image


RGB = Image.fromarray(scene(0, 60, 40))
FRAMES = {"save_all": True, "append_images": [RGB.rotate(90), RGB.rotate(180)]}
CUT = encoded(RGB, "JPEG")[:-300]
#: Check to files that it must name and files that it must not; each is looked at among thirty
#: ordinary JPEGs.
FILES = {
    "unreadable": (
        {"empty.jpg": b"", "cut.jpg": CUT, "page.jpg": b"<html></html>", "zeros.png": bytes(900)},
        {"odd.name": encoded(RGB, "PNG")},
    ),
    "extension-mismatch": (
        {
            "png.jpg": encoded(RGB, "PNG"),
            "jpeg.png": encoded(RGB, "JPEG"),
            "webp.gif": encoded(RGB, "WEBP"),
        },
        {
            "cut.png": CUT,
            "a.jpeg": encoded(RGB, "JPEG"),
            "b.JFIF": encoded(RGB, "JPEG"),
            "c.tif": encoded(RGB, "TIFF"),
            "d.data": encoded(RGB, "PNG"),
            "e.png": b"no image",
        },
    ),
    "decompression-bomb": (
        {
            "bomb.png": encoded(Image.new("L", (12000, 9000)), "PNG"),
            "dense.png": encoded(Image.new("1", (8000, 7000)), "PNG"),
        },
        {"plain.png": encoded(Image.new("L", (2000, 2000)), "PNG")},
    ),
    "multi-frame": (
        {"moving.gif": encoded(RGB, "GIF", **FRAMES), "pages.tif": encoded(RGB, "TIFF", **FRAMES)},
        {"still.gif": encoded(RGB, "GIF"), "phone.jpg": encoded(RGB, "MPO", **FRAMES)},
    ),
    "odd-mode": (
        {
            "cmyk.jpg": encoded(RGB.convert("CMYK"), "JPEG"),
            "clear.png": encoded(clear_corner(), "PNG"),
            "deep.png": encoded(Image.fromarray(np.full((8, 8), 9000, np.uint16)), "PNG"),
        },
        {
            "grey.jpg": encoded(RGB.convert("L"), "JPEG"),
            "opaque.png": encoded(RGB.convert("RGBA"), "PNG"),
        },
    ),
    "exif-rotated": ({"six.jpg": tagged(6), "two.jpg": tagged(2)}, {"one.jpg": tagged(1)}),
    "gps-metadata": ({"paris.jpg": tagged(position=True)}, {"nowhere.jpg": tagged(6)}),
}
ORDINARY = {
    f"ordinary{index}.jpg": encoded(scene(200 + index, 60, 40), "JPEG") for index in range(30)
}


def test_every_file_check_has_files():
    known = registry.names("dataprep.checks")
    assert set(FILES) == {
        code for code in known if registry.load("dataprep.checks", code).family == "files"
    }


@pytest.mark.parametrize("code", FILES)
def test_bad_files_are_named_and_good_ones_are_not(code):
    bad, good = FILES[code]
    dataset = measured({**ORDINARY, **bad, **good}, PassOptions(max_megapixels=100.0))
    assert targets(check_of(code), dataset) == set(bad)
    assert all(messages(check_of(code), dataset))


def test_the_reason_is_told():
    bad, _ = FILES["unreadable"]
    told = sorted(messages(check_of("unreadable"), measured(bad)))
    assert told[0] == "empty: the file has no bytes"
    assert [message.partition(":")[0] for message in told] == [
        "empty",
        "not-an-image",
        "not-an-image",
        "truncated",
    ]


def test_what_is_odd_is_told():
    dataset = measured({**ORDINARY, **FILES["odd-mode"][0]})
    claims = issues(check_of("odd-mode"), dataset)
    told = dict(zip(claims.table["target"], messages(check_of("odd-mode"), dataset), strict=True))
    assert told["cmyk.jpg"].startswith("stored as CMYK")
    assert told["deep.png"].startswith("stored as 16-bit grey")
    assert told["clear.png"].startswith("transparent pixels")


@pytest.mark.parametrize(
    ("code", "columns"),
    [
        ("exif-rotated", {"orientation": np.repeat([1.0, 6.0], [30, 10])}),
        (
            "gps-metadata",
            {"gps": np.repeat([False, True], [30, 10]), "format": np.repeat(["JPEG"], 40)},
        ),
        (
            "multi-frame",
            {"frames": np.repeat([1.0, 5.0], [10, 30]), "format": np.repeat(["GIF"], 40)},
        ),
    ],
)
def test_what_is_common_is_said_once(code, columns):
    dataset = with_columns(40, **columns)
    assert (targets(check_of(code), dataset), targets(check_of(code), dataset, "dataset")) == (
        set(),
        {""},
    )


def test_half_cmyk_is_no_odd_mode():
    columns = {
        "mode": np.repeat(["RGB", "CMYK"], 20),
        "bit_depth": np.full(40, 8.0),
        "alpha": np.zeros(40, bool),
    }
    assert targets(check_of("odd-mode"), with_columns(40, **columns)) == set()


def test_a_file_that_is_too_heavy_is_no_bomb():
    dataset = measured({"heavy.png": bytes(300_000)}, PassOptions(max_file_mb=0.1)).assign(
        width=np.nan, height=np.nan
    )
    assert targets(check_of("decompression-bomb"), dataset) == set()
    assert targets(check_of("unreadable"), dataset) == {"heavy.png"}
