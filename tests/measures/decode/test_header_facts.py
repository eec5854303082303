"""EXIF, JPEG headers and the measures that repeat them."""

from __future__ import annotations

import math
import struct
import tracemalloc

import numpy as np
import pytest
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from dataprep.measures.decode.exif import Exif, read_exif
from dataprep.measures.decode.jpeg_header import estimate_quality, read_jpeg_header
from tests.measures.pictures import encoded, scene, value


def exif_block(order: str = "<") -> bytes:
    exif = Image.Exif()
    exif.endian = order
    exif[0x010F], exif[0x0110], exif[0x0112] = "Acme", "Acme One", 6
    exif.get_ifd(0x8769)[0x9003] = "2024:05:01 12:30:59"
    exif.get_ifd(0x8825).update({1: "N", 2: (48.0, 51.0, 24.0), 3: "E", 4: (2.0, 21.0, 3.0)})
    return exif.tobytes()


@pytest.mark.parametrize("order", ["<", ">"])
def test_exif_is_read_in_both_byte_orders(order):
    exif = read_exif(exif_block(order))
    assert (exif.orientation, exif.captured_at, exif.camera, exif.gps) == (
        6,
        "2024-05-01T12:30:59",
        "Acme One",
        True,
    )


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_exif_is_found_in_every_format_that_has_it(format):
    data = encoded(scene(0, 64, 48), format, exif=exif_block())
    assert value("orientation", data) == 6
    assert value("camera", data) == "Acme One"
    assert (value("width", data), value("height", data)) == (48, 64)
    if format != "TIFF":  # Pillow writes a TIFF's EXIF without these directories
        assert value("gps", data) is True
        assert value("captured_at", data) == "2024-05-01T12:30:59"


def test_every_cut_of_exif_is_harmless():
    block = exif_block()
    for end in range(len(block)):
        read_exif(block[:end])
    assert read_exif(b"nothing of the kind") == Exif()


def test_damaged_exif_is_harmless():
    rng, blocks = np.random.default_rng(0), [exif_block("<"), exif_block(">")]
    for turn in range(1000):
        damaged = bytearray(blocks[turn % 2])
        for at in rng.integers(0, len(damaged), 1 + turn % 4):
            damaged[at] = rng.integers(256)
        assert 1 <= read_exif(bytes(damaged)).orientation <= 8


def test_directories_that_point_at_themselves_end():
    entries = struct.pack("<HHHIIHHII", 2, 0x8769, 4, 1, 8, 0x8825, 4, 1, 8)
    assert read_exif(b"II*\x00" + struct.pack("<I", 8) + entries + bytes(4)) == Exif()


def test_a_directory_whose_entries_all_claim_the_whole_block_is_cheap():
    entries = b"".join(struct.pack("<HHII", tag, 2, 5_000, 8) for tag in range(1, 500))
    block = b"II*\x00" + struct.pack("<IH", 8, 499) + entries
    tracemalloc.start()
    read_exif(block)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20 * len(block)


def test_a_prefix_that_ends_in_ff_and_utf_8_names_are_read():
    exif = Image.Exif()
    exif[0x010F] = "Fot--grafo"
    block = exif.tobytes().replace(b"--", "ó".encode())
    assert read_exif(b"Exif\x00\xff" + block[6:]).camera == "Fotógrafo"


def test_a_position_of_zeros_over_zeros_is_none():
    exif = Image.Exif()
    nowhere = (IFDRational(0, 0),) * 3
    exif.get_ifd(0x8825).update({2: nowhere, 4: nowhere})
    assert read_exif(exif.tobytes()).gps is False


@pytest.mark.parametrize(
    "date",
    [
        "0000:00:00 00:00:00",
        "    :  :     :  :  ",
        "yesterday",
        "2024:13:01 00:00:00",
        "²024:1:1 0:0:0",
    ],
)
def test_placeholders_are_no_dates(date):
    exif = Image.Exif()
    exif[0x0132] = date
    assert read_exif(exif.tobytes()).captured_at == ""


def test_a_make_that_the_model_does_not_repeat_is_kept():
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "Acme  Corp\n", "One"
    assert read_exif(exif.tobytes()).camera == "Acme Corp One"


@pytest.mark.parametrize("quality", [1, 5, 25, 50, 75, 92, 100])
def test_quality_is_that_of_the_encoder(quality):
    data = encoded(scene(0, 64, 48), "JPEG", quality=quality)
    assert value("jpeg_quality", data) == quality


def test_quality_needs_a_table():
    assert math.isnan(estimate_quality(b""))
    assert math.isnan(value("jpeg_quality", encoded(scene(0, 64, 48), "PNG")))


def test_the_header_of_a_jpeg():
    data = encoded(scene(0, 64, 48), "JPEG", icc_profile=b"profile" * 100, exif=exif_block())
    header = read_jpeg_header(data)
    assert (header.width, header.height, header.precision, header.components, header.icc) == (
        64,
        48,
        8,
        3,
        True,
    )
    assert data[header.scan : header.scan + 2] == b"\xff\xda"
    assert value("icc", data) is True
    for end in range(0, len(data), 7):
        read_jpeg_header(data[:end])


def test_the_pictures_of_a_multi_picture_file_are_counted():
    images = [Image.fromarray(scene(seed, 64, 48)) for seed in range(3)]
    data = encoded(images[0], "MPO", save_all=True, append_images=images[1:])
    assert (value("format", data), value("frames", data)) == ("MPO", 3)


def test_a_position_in_xmp_is_found():
    data = encoded(scene(0, 64, 48), "JPEG", xmp=b'<x:xmpmeta exif:GPSLatitude="48,51N"/>')
    assert value("gps", data) is True
    assert value("gps", encoded(scene(0, 64, 48), "JPEG")) is False


def test_pixel_hash_is_of_pixels_and_shape():
    array = scene(1, 64, 48)
    png = value("pixel_hash", encoded(array, "PNG"))
    assert png == value("pixel_hash", encoded(array, "WEBP", lossless=True))
    assert png == value("pixel_hash", encoded(array, "BMP"))
    assert png != value(
        "pixel_hash", encoded(np.ascontiguousarray(array.transpose(1, 0, 2)), "PNG")
    )
    assert (
        len(
            {
                value("pixel_hash", np.zeros((height, 12 // height, 3), np.uint8))
                for height in (1, 2, 3, 4)
            }
        )
        == 4
    )
    grey = array[:, :, 0]
    assert value("pixel_hash", encoded(grey, "PNG")) == value(
        "pixel_hash", encoded(np.repeat(grey[:, :, None], 3, 2), "PNG")
    )
