"""The compiled measures give what the Python ones give, whatever the image; where they are missing
or of another version, Python measures.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from dataprep.measures import builtin_measures, compiled
from dataprep.measures.decode.decoding import open_pixels
from dataprep.measures.decode.pixels import Pixels
from dataprep.measures.image.edge_widths import measure_edges
from dataprep.measures.image.enlargement import measure_resampling
from dataprep.measures.image.marks import marks_of
from tests.measures.pictures import encoded, pixels_of, scene

needs_kernel = pytest.mark.skipif(compiled.KERNEL is None, reason="the kernel was not built")
_SIDES = st.one_of(st.integers(1, 40), st.sampled_from([1, 2, 3, 16, 17, 31, 32, 33, 64, 200, 530]))
_KINDS = ("noise", "constant", "gradient", "grey", "blocks", "framed", "quiet", "black and white")


def picture(kind: str, height: int, width: int, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    rows, columns = np.arange(height)[:, None, None], np.arange(width)[None, :, None]
    if kind == "constant":
        made = np.full((height, width, 3), random.integers(0, 256, 3))
    elif kind == "gradient":
        made = (rows * random.integers(0, 4, 3) + columns * random.integers(0, 4, 3)) % 256
    elif kind == "grey":
        made = np.repeat(random.integers(0, 256, (height, width, 1)), 3, axis=2)
    elif kind == "blocks":
        small = random.integers(0, 256, (height // 8 + 1, width // 8 + 1, 3))
        made = small.repeat(8, axis=0).repeat(8, axis=1)[:height, :width]
    elif kind == "quiet":
        made = random.integers(118, 124, (height, width, 3))
    elif kind == "black and white":
        made = random.integers(0, 2, (height, width, 1)) * np.full(3, 255)
    else:
        made = random.integers(0, 256, (height, width, 3))
        if kind == "framed":
            deep, wide = height // 5, width // 6
            made[:deep], made[height - deep :], made[:, :wide] = 3, 3, 3
    return made.astype(np.uint8)


def measured(pixels: Pixels, kernel: Any) -> dict[str, Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiled, "KERNEL", kernel)
        again = Pixels(pixels.data, pixels.header, pixels.rgb, approximate=pixels.approximate)
        return {measure.column: measure(again) for measure in builtin_measures()}


def assert_equal(pixels: Pixels) -> None:
    fast, reference = (measured(pixels, kernel) for kernel in (compiled.KERNEL, None))
    for column, expected in reference.items():
        if isinstance(expected, np.ndarray):
            assert fast[column].dtype == expected.dtype, column
            np.testing.assert_array_equal(fast[column], expected, column)
        elif isinstance(expected, float):
            assert fast[column] == pytest.approx(expected, rel=1e-9, abs=1e-15, nan_ok=True), column
        else:
            assert fast[column] == expected, column


@needs_kernel
@settings(max_examples=150, deadline=None)
@given(st.sampled_from(_KINDS), _SIDES, _SIDES, st.integers(0, 1000))
@example("noise", 1, 1, 0)
@example("noise", 1, 5000, 0)
@example("noise", 5000, 1, 0)
@example("noise", 2, 3, 0)
@example("blocks", 17, 17, 0)
@example("noise", 32, 32, 0)
@example("noise", 20, 9000, 0)
@example("blocks", 1100, 700, 0)
@example("grey", 1030, 2070, 0)
@example("framed", 1700, 1550, 0)
def test_compiled_and_python_measures_are_equal(
    kind: str, height: int, width: int, seed: int
) -> None:
    assert_equal(pixels_of(picture(kind, height, width, seed)))


@needs_kernel
@pytest.mark.parametrize("seed", range(4))
def test_they_are_equal_of_scenes(seed: int) -> None:
    assert_equal(pixels_of(scene(seed, 300 + 111 * seed, 420 + 77 * seed)))


@needs_kernel
@pytest.mark.parametrize("mode", ["RGBA", "I;16", "L", "1", "P", "CMYK", "turned", "jpeg"])
def test_they_are_equal_of_every_kind_of_source(mode: str) -> None:
    image = Image.fromarray(scene(1, 90, 61))
    if mode == "RGBA":
        image.putalpha(Image.linear_gradient("L").resize(image.size))
    elif mode == "I;16":
        deep = np.asarray(image.convert("L")).astype(np.uint16) * 200
        image = Image.fromarray(deep)
    elif mode not in ("turned", "jpeg"):
        image = image.convert(mode)
    exif = Image.Exif()
    exif[0x0112] = 7 if mode == "turned" else 1
    kind = "JPEG" if mode == "jpeg" else "TIFF" if mode == "CMYK" else "PNG"
    assert_equal(open_pixels(encoded(image, kind, exif=exif)))


@needs_kernel
def test_pixels_with_strides_are_measured_too() -> None:
    whole = scene(2, 200, 150)
    for view in (whole[::-1, ::2], whole.swapaxes(0, 1), whole[:, :, ::-1]):
        pixels = pixels_of(np.zeros((1, 1), np.uint8))
        given = Pixels(b"", pixels.header, view)
        copied = Pixels(b"", pixels.header, view.copy())
        assert np.array_equal(given.luma, copied.luma)
        assert_equal(given)


@needs_kernel
@settings(max_examples=60, deadline=None)
@given(st.sampled_from(_KINDS), st.integers(20, 300), st.integers(20, 300), st.integers(0, 1000))
@example("noise", 1100, 60, 0)
@example("blocks", 90, 2300, 0)
@example("gradient", 200, 200, 3)
def test_close_ups_are_equal(kind: str, height: int, width: int, seed: int) -> None:
    pixels = pixels_of(picture(kind, height, width, seed))
    assert_close_ups_equal(pixels.luma)
    assert_close_ups_equal(cv2.GaussianBlur(pixels.luma, (0, 0), 2.0))


@needs_kernel
@pytest.mark.parametrize("seed", range(3))
def test_close_ups_of_scenes_are_equal(seed: int) -> None:
    luma = pixels_of(scene(seed, 260, 330)).luma
    for plane in (luma, cv2.resize(luma, (700, 500), interpolation=cv2.INTER_CUBIC)):
        assert_close_ups_equal(plane)
        assert measure_edges(plane).edges > 0


def assert_close_ups_equal(luma: Any) -> None:
    fast = [*measure_edges(luma), *measure_resampling(luma)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiled, "KERNEL", None)
        np.testing.assert_array_equal(fast, [*measure_edges(luma), *measure_resampling(luma)])


@needs_kernel
@settings(max_examples=80, deadline=None)
@given(st.sampled_from(_KINDS), _SIDES, _SIDES, st.integers(0, 1000))
@example("noise", 8, 8, 0)
@example("noise", 9, 15, 0)
@example("noise", 16, 5, 0)
@example("black and white", 40, 60, 0)
def test_marks_are_equal(kind: str, height: int, width: int, seed: int) -> None:
    rgb = picture(kind, height, width, seed)
    rgb[height // 2, width // 2] ^= 255
    fast = marks_of(rgb)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiled, "KERNEL", None)
        for one, other in zip(fast, marks_of(rgb), strict=True):
            assert one.dtype == other.dtype
            np.testing.assert_array_equal(one, other)


_WRONG: dict[str, tuple[Any, ...]] = {
    "luma": (np.zeros((4, 4, 3), np.uint8), bytearray(15)),
    "tones": (np.zeros((4, 4), np.uint8), 0, b""),
    "chroma": (np.zeros((4, 4), np.uint8), 1, b""),
    "colours": (np.zeros((4, 4, 3), np.float32), 1),
    "edge": (np.zeros((4, 4), np.uint8), 5),
    "uniform_lines": (np.zeros((0, 4), np.uint8), 8),
    "steps": (np.zeros((17, 17), np.uint8), np.array([1])),
    "quiet_blocks": (np.zeros((17, 17), np.uint8), np.array([-1]), 16, 0.1, 0.2),
    "block_steps": (np.zeros((17, 16), np.uint8), np.array([0])),
    "reduce": (
        np.zeros((40, 40), np.uint8),
        (np.full(32, 39, np.int32), np.zeros((32, 2), np.int32)),
        (np.zeros(32, np.int32), np.zeros((32, 2), np.int32)),
    ),
    "hashes": (bytes(1023),),
    "sketch": (bytes(1025),),
    "pack": (bytes(0),),
    "powers": (np.zeros((9, 127), np.uint8), np.zeros(128)),
    "patches": (np.zeros((5, 9, 3), np.uint8),),
    "marks": (*np.zeros((2, 9, 4), np.uint8), np.zeros((9, 5), np.uint8), 40),
    "slopes_and_bends": (np.zeros((9, 4), np.uint8), 1, 2, 8, 80, 80),
    "edges": (np.zeros((8, 60), np.uint8), 4, 30, 64, np.ones(4)),
    "edge_groups": (bytes(13), 0, 5, 0, 0.0, 0.0, 0.0),
    "areas": (np.zeros((9, 9, 3), np.uint8), 10, 9),
    "parts": (np.zeros((2, 512), np.uint8), np.zeros((1, 512), np.uint8)),
    "nearest_words": (np.zeros((2, 32), np.uint8), np.zeros((2, 31), np.uint8)),
}


@needs_kernel
@pytest.mark.parametrize("name", _WRONG)
def test_what_does_not_fit_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        getattr(compiled.KERNEL, name)(*_WRONG[name])


@needs_kernel
def test_weights_that_could_overflow_are_refused() -> None:
    weights = np.zeros(32, np.int32), np.full((32, 2), 2**22, np.int32)
    with pytest.raises(ValueError, match="expected 32 places"):
        compiled.KERNEL.reduce(np.zeros((9, 9), np.uint8), weights, weights)  # type: ignore[union-attr]


def _version(setup: str = "", **environment: str) -> str:
    code = f"{setup}\nimport sys; sys.argv = ['dataprep', '--version']\n"
    code += "from dataprep.__main__ import main; main()"
    command = [sys.executable, "-c", code]
    return subprocess.run(
        command, capture_output=True, text=True, env=os.environ | environment, check=True
    ).stdout


def test_the_version_says_which_measures_are_used() -> None:
    missing = "import sys; sys.modules['dataprep.measures._kernel'] = None"
    stale = (
        "import sys, types; old = types.ModuleType('k'); old.VERSION = 0; "
        "sys.modules['dataprep.measures._kernel'] = old"
    )
    if compiled.KERNEL is not None:
        assert "\nmeasures: compiled\n" in _version()
    assert "Python (no C compiler when it was installed; slower)" in _version(missing)
    assert "of another version: install again" in _version(stale)
    assert "Python (DATAPREP_MEASURES" in _version(DATAPREP_MEASURES="python")


def test_source_and_loader_name_the_same_version() -> None:
    source = Path(compiled.__file__).with_name("kernel.c")
    if not source.exists():
        pytest.skip("installed without the source")
    named = re.findall(r"#define KERNEL_VERSION (\d+)", source.read_text())
    assert named == [str(compiled._VERSION)]
