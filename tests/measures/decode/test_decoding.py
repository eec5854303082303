"""Every format and mode gives the displayed pixels; every failure has its reason."""

from __future__ import annotations

import io
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageOps

from dataprep.measures import builtin_measures
from dataprep.measures.decode.decoding import Undecodable, open_pixels, read_bytes
from dataprep.measures.decode.pixels import Pixels
from dataprep.measures.options import PassOptions
from dataprep.schemas.lost import REASONS
from tests.measures.pictures import encoded, scene, value


def reason(data: bytes, options: PassOptions | None = None) -> str:
    with pytest.raises(Undecodable) as caught:
        open_pixels(data, options or PassOptions())
    assert caught.value.reason in REASONS
    return caught.value.reason


def colour(width: int = 40, height: int = 30) -> Image.Image:
    """A bright picture whose quarters differ, so that every turn and mirror image of it is
    another.
    """
    array = np.full((height, width, 3), (250, 220, 200), np.uint8)
    array[: height // 2, : width // 2] = (255, 255, 230)
    array[height // 2 :, width // 2 :] = (180, 240, 190)
    return Image.fromarray(array)


def expected_luma(image: Image.Image) -> float:
    return float(np.asarray(image.convert("RGB").convert("L"), dtype=float).mean() / 255)


@pytest.mark.parametrize("format", ["PNG", "WEBP", "TIFF", "BMP", "PPM", "TGA", "JPEG2000", "AVIF"])
def test_formats_are_told_by_content_and_give_their_pixels(format):
    options = (
        {"lossless": True}
        if format == "WEBP"
        else {"quality": 100, "subsampling": "4:4:4"}
        if format == "AVIF"
        else {}
    )
    pixels = open_pixels(encoded(colour(), format, **options))
    assert pixels.header.format == format
    assert (pixels.header.width, pixels.header.height) == (40, 30)
    assert np.abs(pixels.rgb.astype(int) - np.asarray(colour()).astype(int)).max() <= (
        6 if format == "AVIF" else 0
    )


@pytest.mark.parametrize(
    ("mode", "options"),
    [("RGB", {}), ("L", {}), ("RGB", {"progressive": True}), ("RGB", {"subsampling": 0})],
)
def test_jpeg_gives_pillows_pixels(mode, options):
    data = encoded(Image.fromarray(scene(1)).convert(mode), "JPEG", quality=90, **options)
    pixels = open_pixels(data)
    np.testing.assert_array_equal(
        pixels.rgb, np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    )
    assert (pixels.header.format, pixels.header.mode) == ("JPEG", mode)
    assert not pixels.approximate


@pytest.mark.parametrize("mode", ["CMYK", "YCbCr", "L", "1"])
def test_jpeg_and_tiff_of_other_modes_show_the_same_brightness(mode):
    image = colour().convert(mode)
    for kind in ("TIFF",) if mode in ("1", "YCbCr") else ("TIFF", "JPEG"):
        data = encoded(image, kind)
        assert value("luma_mean", data) == pytest.approx(expected_luma(image), abs=0.02), kind
        assert value("mode", data) == mode


def test_bright_cmyk_with_adobes_inversion_is_bright():
    data = encoded(Image.new("CMYK", (32, 32), (10, 5, 0, 0)), "JPEG")
    assert b"Adobe" in data
    assert value("luma_mean", data) > 0.9


@pytest.mark.parametrize("mode", ["P", "LA", "RGBA"])
def test_palette_and_transparency_are_shown_over_white(mode):
    image = colour().convert("RGBA")
    image.putalpha(Image.new("L", image.size, 255))
    image.paste((0, 0, 0, 0), (0, 0, 20, 15))  # black beneath, but transparent
    over_white = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    pixels = open_pixels(encoded(image.quantize(16) if mode == "P" else image.convert(mode), "PNG"))
    assert pixels.header.mode == mode
    assert pixels.header.alpha
    assert pixels.rgb[:15, :20].min() == 255
    assert value("luma_mean", pixels) == pytest.approx(expected_luma(over_white), abs=0.02)


def test_an_alpha_channel_without_transparency_is_no_alpha():
    assert not open_pixels(encoded(colour().convert("RGBA"), "PNG")).header.alpha


@pytest.mark.parametrize(
    ("array", "luma", "depth"),
    [
        (np.full((8, 8), 52428, np.uint16), 0.8, 16),
        (np.full((8, 8), 3276, np.uint16), 0.8, 16),  # 12 bits in a container of 16
        (np.full((8, 8), 0.8, np.float32), 0.8, 32),
        (np.full((8, 8), 204.0, np.float32), 0.8, 32),
    ],
)
def test_deep_data_are_scaled_by_their_range(array, luma, depth):
    data = encoded(Image.fromarray(array), "TIFF")
    assert value("luma_mean", data) == pytest.approx(luma, abs=0.01)
    assert value("bit_depth", data) == depth


def test_values_that_are_no_numbers_are_black():
    array = np.full((8, 8), 0.5, np.float32)
    array[:4] = np.nan
    assert value("luma_mean", encoded(Image.fromarray(array), "TIFF")) == pytest.approx(
        0.25, abs=0.01
    )


def test_png_of_16_bits_and_of_1_bit():
    deep = encoded(Image.fromarray(np.full((8, 8), 40000, np.uint16)), "PNG")
    assert value("luma_mean", deep) == pytest.approx(40000 / 65535, abs=0.01)
    assert value("bit_depth", deep) == 16
    assert value("luma_mean", encoded(Image.new("1", (8, 8), 1), "PNG")) == 1.0
    assert value("bit_depth", encoded(Image.new("1", (8, 8), 1), "PNG")) == 1


def test_lab_is_converted():
    lab = ImageCms.applyTransform(
        colour(),
        ImageCms.buildTransform(
            ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB"
        ),
    )
    assert value("luma_mean", encoded(lab, "TIFF")) == pytest.approx(
        expected_luma(colour()), abs=0.03
    )


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG", "TIFF"])
def test_the_first_frame_is_measured_and_all_are_counted(format):
    frames = [
        Image.new("RGB", (16, 16), shade) for shade in ((240, 240, 240), (0, 0, 0), (9, 9, 9))
    ]
    pixels = open_pixels(encoded(frames[0], format, save_all=True, append_images=frames[1:]))
    assert pixels.header.frames == 3
    assert value("luma_mean", pixels) == pytest.approx(240 / 255, abs=0.02)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF"])
def test_orientation_is_applied_before_measuring(format, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = colour()
    pixels = open_pixels(
        encoded(image, format, exif=exif, **({"quality": 100} if format == "JPEG" else {}))
    )
    image.info["exif"] = exif.tobytes()
    upright = np.asarray(ImageOps.exif_transpose(image)).astype(int)
    assert pixels.rgb.shape == upright.shape
    assert np.abs(pixels.rgb.astype(int) - upright).mean() < 3
    assert (pixels.header.width, pixels.header.height) == (upright.shape[1], upright.shape[0])
    assert pixels.header.orientation == orientation
    assert pixels.rgb.flags.c_contiguous


def test_large_jpegs_are_decoded_at_reduced_scale():
    data = encoded(scene(2, 800, 600), "JPEG")
    pixels = open_pixels(data, options=PassOptions(scale_above_megapixels=0.2))
    assert pixels.approximate
    assert pixels.rgb.shape == (300, 400, 3)
    assert (pixels.header.width, pixels.header.height) == (800, 600)
    assert value("luma_mean", pixels) == pytest.approx(value("luma_mean", data), abs=0.01)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "AVIF"])
def test_files_that_end_early_are_truncated(format):
    data = encoded(scene(3, 120, 90), format)
    for share in (0.5, 0.9):
        assert reason(data[: int(len(data) * share)]) in ("truncated", "unreadable"), share
    if format in ("JPEG", "PNG", "BMP", "WEBP"):
        assert reason(data[: int(len(data) * 0.5)]) == "truncated"


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_a_tail_of_zeros_is_truncated(format):
    data = encoded(scene(3, 120, 90), format)
    kept = len(data) * 2 // 3
    with pytest.raises(Undecodable) as caught:
        open_pixels(data[:kept] + bytes(len(data) - kept))
    assert caught.value.reason == "truncated"
    assert "zeros" in caught.value.detail


def test_padding_after_the_end_harms_nothing():
    for kind in ("JPEG", "PNG", "GIF"):
        whole = encoded(colour(), kind)
        np.testing.assert_array_equal(open_pixels(whole + bytes(500)).rgb, open_pixels(whole).rgb)


def test_a_damaged_entropy_code_is_unreadable():
    data = bytearray(encoded(scene(4), "JPEG", quality=90))
    middle = len(data) // 2
    data[middle : middle + 40] = bytes(range(100, 140))
    assert reason(bytes(data)) in ("unreadable", "truncated")


@pytest.mark.parametrize(
    ("data", "expected", "words"),
    [
        (b"", "empty", "no bytes"),
        (b"<!DOCTYPE html><html><body>404</body></html>", "not-an-image", "HTML"),
        (b"just some words\n", "not-an-image", "text"),
        (b"%PDF-1.7 ...", "not-an-image", "PDF"),
        (b"PK\x03\x04" + bytes(40), "not-an-image", "zip"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "not-an-image", "Git LFS"),
        (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "not-an-image", "SVG"),
        (bytes(4000), "not-an-image", "zero bytes"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "unsupported", "PostScript"),
        (b"\xff\x0a" + bytes(64), "unsupported", "JPEG XL"),
        (b"v/1\x01" + bytes(64), "unsupported", "OpenEXR"),
        (b"\x00\x00\x00\x18ftypmp42" + bytes(64), "not-an-image", "video"),
        (b"II*\x00" + b"\xff" * 80, "unreadable", "TIFF"),
        (b"\xff\xd8\xff", "truncated", "JPEG"),
    ],
)
def test_what_is_no_image_is_named(data, expected, words):
    with pytest.raises(Undecodable) as caught:
        open_pixels(data)
    assert caught.value.reason == expected
    assert words in caught.value.detail
    assert caught.value.facts["bytes"] == len(data)


@pytest.mark.parametrize("format", ["PNG", "JPEG"])
def test_bombs_are_refused_by_their_header_and_their_size_is_known(format):
    data = encoded(Image.new("L", (3000, 2000)), format)
    with pytest.raises(Undecodable) as caught:
        open_pixels(data, options=PassOptions(max_megapixels=5.0))
    assert caught.value.reason == "too-large"
    assert {
        "width": 3000,
        "height": 2000,
        "format": format,
        "bytes": len(data),
    }.items() <= caught.value.facts.items()


def test_pillows_own_limit_is_left_as_it_was(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    assert open_pixels(encoded(Image.new("L", (100, 100)), "PNG")).rgb.shape == (100, 100, 3)
    assert Image.MAX_IMAGE_PIXELS == 1000


def test_heavy_files_are_not_read(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(bytes(200_000))
    with pytest.raises(Undecodable) as caught:
        read_bytes(str(path), PassOptions(max_file_mb=0.1))
    assert (caught.value.reason, caught.value.facts) == ("too-large", {"bytes": 200_000})
    assert reason(bytes(200_000), PassOptions(max_file_mb=0.1)) == "too-large"


def test_files_that_cannot_be_read(tmp_path):
    for path, expected in ((tmp_path / "none.jpg", "missing"), (tmp_path, "unreadable")):
        with pytest.raises(Undecodable) as caught:
            read_bytes(str(path))
        assert caught.value.reason == expected


def test_heic_needs_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(Undecodable) as caught:
        open_pixels(b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(100))
    assert caught.value.reason == "unsupported"
    assert "pip install pillow-heif" in caught.value.detail


def test_heic_is_read_with_its_extra():
    heif = pytest.importorskip("pillow_heif")
    buffer = io.BytesIO()
    heif.from_pillow(colour(64, 64)).save(buffer, quality=90)
    pixels = open_pixels(buffer.getvalue())
    assert (pixels.header.format, pixels.rgb.shape) == ("HEIF", (64, 64, 3))
    assert value("luma_mean", pixels) == pytest.approx(expected_luma(colour(64, 64)), abs=0.02)


SEEDS = [
    encoded(scene(5, 48, 36), "JPEG"),
    encoded(scene(5, 48, 36), "PNG"),
    encoded(scene(5, 24, 20), "GIF"),
    encoded(scene(5, 48, 36), "WEBP"),
    encoded(scene(5, 24, 20), "TIFF", compression="tiff_lzw"),
    encoded(scene(5, 24, 20), "BMP"),
    encoded(Image.fromarray(scene(5, 48, 36)).convert("CMYK"), "JPEG"),
]
MUTATIONS = st.lists(
    st.tuples(st.floats(0, 0.999), st.binary(min_size=1, max_size=6)), min_size=0, max_size=8
)


def opened(data: bytes) -> Pixels | Undecodable:
    try:
        return open_pixels(data, PassOptions(max_megapixels=4.0))
    except Undecodable as failure:
        return failure


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(SEEDS), MUTATIONS, st.floats(0.05, 1))
def test_no_bytes_raise_anything_but_undecodable(seed, mutations, kept):
    data = bytearray(seed)
    for place, patch in mutations:
        at = int(place * len(data))
        data[at : at + len(patch)] = patch
    result = opened(bytes(data[: int(len(data) * kept)]))
    if isinstance(result, Undecodable):
        assert result.reason in REASONS
        assert "\n" not in result.detail
        return
    assert (result.rgb.dtype, result.rgb.ndim) == (np.uint8, 3)
    for measure in builtin_measures():
        measure(result)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=400))
def test_random_bytes_are_no_crash(data):
    result = opened(data)
    assert isinstance(result, Pixels) or result.facts["bytes"] == len(data)


SHAPES = [
    (1, 1),
    (1, 300),
    (300, 1),
    (7, 9),
    (16, 16),
    (17, 17),
    (20, 200),
    (200, 20),
    (129, 127),
    (2, 70_000),
    (70_000, 2),
]


@pytest.mark.parametrize("shape", SHAPES)
def test_every_measure_survives_every_shape(shape):
    array = np.random.default_rng(0).integers(0, 255, (*shape, 3), dtype=np.uint8)
    pixels = open_pixels(encoded(array, "PNG"))
    for measure in builtin_measures():
        measured = measure(pixels)
        looks_at_all = measure.column != "close_up"  # small images are not looked at
        assert measured is not None or not looks_at_all, measure.column
