"""Pictures for tests of measures: drawn arrays, files in memory, and their Pixels."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image

from dataprep.measures import builtin_measures
from dataprep.measures.decode.decoding import open_pixels
from dataprep.measures.decode.pixels import Header, Pixels


def encoded(array: np.ndarray | Image.Image, format: str, **options: Any) -> bytes:
    """The bytes of an image file."""
    image = array if isinstance(array, Image.Image) else Image.fromarray(array)
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def pixels_of(array: np.ndarray) -> Pixels:
    """Pixels of an array (h, w) or (h, w, 3) uint8, as if it came from a PNG."""
    rgb = np.ascontiguousarray(
        array if array.ndim == 3 else np.repeat(array[:, :, None], 3, axis=2)
    )
    return Pixels(b"", Header("PNG", "RGB", rgb.shape[1], rgb.shape[0]), rgb)


def value(column: str, pixels: Pixels | np.ndarray | bytes) -> Any:
    """What the built-in measure of `column` says."""
    if isinstance(pixels, bytes):
        pixels = open_pixels(pixels)
    elif isinstance(pixels, np.ndarray):
        pixels = pixels_of(pixels)
    measure = next(measure for measure in builtin_measures() if measure.column == column)
    return measure(pixels)


def scene(seed: int = 0, width: int = 400, height: int = 300) -> np.ndarray:
    """A photo-like picture: a spectrum falling like the inverse square, stronger to the right,
    and edges; (h, w, 3) uint8.
    """
    random = np.random.default_rng(seed)
    rows, columns = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)
    frequency = np.maximum(np.hypot(rows, columns), 1 / width)
    waves = (
        random.normal(size=frequency.shape) + 1j * random.normal(size=frequency.shape)
    ) / frequency
    field = np.fft.irfft2(waves, (height, width))
    field = 128 + 30 * field / field.std() * np.linspace(0.1, 1.6, width)
    for _ in range(12):
        x, y = random.integers(0, width * 9 // 10), random.integers(0, height * 9 // 10)
        w, h = random.integers(4, max(width // 3, 5)), random.integers(4, max(height // 3, 5))
        field[y : y + h, x : x + w] += random.uniform(-70, 70)
    tint = random.uniform(0.6, 1.2, 3)
    return np.clip(field[:, :, None] * tint, 0, 255).astype(np.uint8)
