"""Names become embedders, or errors that say what to do; views show the whole image."""

from __future__ import annotations

import re
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataprep import registry
from dataprep.errors import InputError, OptionError, RegistryError
from dataprep.measures.embedding.contract import Embedder, load_embedder, view_of
from dataprep.schemas.text.extras import how_to_install


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        ("lite1", RegistryError, "Did you mean 'lite0'"),
        ("onnx:", OptionError, "path of an .onnx file"),
        ("hf:", OptionError, "name of a model"),
        ("onnx:/no/such/file.onnx", InputError, "no model file"),
        ("torch:x", RegistryError, "no embedder"),
    ],
)
def test_wrong_names(name: str, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        load_embedder(name)


@pytest.mark.parametrize("size", [0, 31, 4096])
def test_sizes_out_of_range(size: int) -> None:
    with pytest.raises(OptionError, match="32 to 1024"):
        load_embedder("lite0", size=size)


class Brightness:
    """A plug-in's embedder."""

    name, dim, key, batch = "brightness", 1, "brightness 1", 4

    def __init__(self, size: int, threads: int) -> None:
        self.size, self.threads = size, threads

    def __call__(self, views: np.ndarray) -> np.ndarray:
        return views.mean(axis=(1, 2, 3), dtype=np.float32)[:, None]


def test_a_plug_in_is_an_embedder(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = EntryPoint("brightness", f"{__name__}:Brightness", "dataprep.embedders")
    monkeypatch.setattr(registry, "entry_points", lambda group: [entry])
    registry._table.cache_clear()
    try:
        embedder: Embedder = load_embedder("brightness", size=64, threads=3)
        assert embedder.size == 64
        assert embedder(np.full((2, 64, 64, 3), 7, np.uint8)).tolist() == [[7.0], [7.0]]
    finally:
        monkeypatch.undo()
        registry._table.cache_clear()


@settings(max_examples=60, deadline=None)
@given(
    height=st.integers(1, 700),
    width=st.integers(1, 700),
    size=st.sampled_from([32, 128, 160]),
    value=st.integers(0, 255),
)
def test_a_view_has_its_size_and_invents_nothing(
    height: int, width: int, size: int, value: int
) -> None:
    view = view_of(np.full((height, width, 3), value, np.uint8), size)
    assert view.shape == (size, size, 3)
    assert view.dtype == np.uint8
    assert view.flags.c_contiguous
    assert (view == value).all()


def test_a_view_shows_every_corner_and_keeps_the_means() -> None:
    image = np.zeros((531, 1203, 3), np.uint8)
    image[:60, :120, 0] = image[:60, -120:, 1] = image[-60:, :120, 2] = image[-60:, -120:] = 255
    view = view_of(image, 160)
    assert view[2, 2].tolist() == [255, 0, 0]
    assert view[2, -3].tolist() == [0, 255, 0]
    assert view[-3, 2].tolist() == [0, 0, 255]
    assert view[-3, -3].tolist() == [255, 255, 255]
    np.testing.assert_allclose(view.mean(axis=(0, 1)), image.mean(axis=(0, 1)), atol=1.0)


def test_fine_grain_is_averaged_away_not_sampled() -> None:
    board = np.indices((1280, 1280)).sum(axis=0) % 2 * 255
    view = view_of(np.repeat(board[..., None], 3, axis=2).astype(np.uint8), 160)
    assert abs(view.astype(int) - 128).max() <= 2


def test_an_image_of_the_right_size_is_left_alone_and_the_source_is_not_written_to() -> None:
    image = np.random.default_rng(0).integers(0, 256, (160, 160, 3), dtype=np.uint8)
    before = image.copy()
    np.testing.assert_array_equal(view_of(image, 160), image)
    view_of(image, 128)
    np.testing.assert_array_equal(image, before)


def test_a_library_that_is_missing_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "onnxruntime", None)
    monkeypatch.setitem(__import__("sys").modules, "transformers", None)
    with pytest.raises(
        OptionError, match="pip install onnxruntime; an audit can do with --no-embedding"
    ):
        load_embedder(f"onnx:{tmp_path / 'model.onnx'}")
    with pytest.raises(OptionError, match=re.escape(how_to_install("hf"))):
        load_embedder("hf:some/model")
