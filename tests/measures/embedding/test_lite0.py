"""The default embedder: the shipped file, its figures beside the reference implementation's, and
how it is called.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from dataprep.measures.embedding import lite0 as module
from dataprep.measures.embedding.contract import SIZES, load_embedder
from dataprep.measures.embedding.lite0 import DIM, MODEL, SHA256, WINDOW, lite0, windows_of
from dataprep.measures.embedding.onnx_file import OnnxEmbedder
from dataprep.measures.embedding.sessions import has_openvino, open_session, open_vino_session
from tools.drawings import draw_scenes

#: Embeddings (8, 1280) of ``draw_scenes(8, side, seed=1)`` for each side, by
#: efficientnet_lite_pytorch 0.1.0 on torch in 32 bits with the published weights. The 32-bit graph
#: that ``tools/make_embedder.py`` builds agrees with that package to 3e-5, class scores included;
#: its 8-bit form, calibrated on other drawn scenes, is the file that is shipped.
REFERENCE = np.load(Path(__file__).parent / "reference.npz")
#: Sums of the figures of three vectors, by side, of the model as it was first shipped.
FIRST_SHIPPED: dict[int, list[float]] = {
    160: [315.928, 340.529, 280.096],
    33: [687.682, 504.059, 393.482],
}
REPOSITORY = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def embedder() -> OnnxEmbedder:
    return lite0(160, threads=1)


@cache
def scenes(side: int) -> np.ndarray:
    return draw_scenes(8, side, seed=1)


def cosines(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    a, b = a.astype(np.float64), b.astype(np.float64)
    return (a * b).sum(axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)


def test_the_shipped_model_is_the_one_that_was_measured() -> None:
    assert hashlib.sha256(Path(MODEL).read_bytes()).hexdigest() == SHA256
    assert SHA256 in (REPOSITORY / "NOTICE").read_text(encoding="utf-8")


@pytest.mark.parametrize("side", SIZES)
def test_agrees_with_the_reference_implementation(side: int) -> None:
    expected = REFERENCE[f"embedding_{side}"]
    found = lite0(side, threads=1)(scenes(side))
    assert found.shape == (8, DIM)
    agreement = cosines(found, expected)
    assert np.median(agreement) > 0.985
    # One of the scenes is nearly blank: little stirs in the network, and rounding weighs more.
    stirred = np.linalg.norm(expected.astype(np.float64), axis=1) > 10
    assert stirred.sum() >= 6
    assert agreement[stirred].min() > 0.95
    # Each image is nearest to itself, by a wide margin: what is left of quantisation does not blur
    # one image into another.
    centre = expected.astype(np.float64).mean(axis=0)
    all_pairs = np.array(
        [
            cosines(found - centre, np.broadcast_to(row, found.shape) - centre)
            for row in expected.astype(np.float64)
        ]
    )
    np.testing.assert_array_equal(all_pairs.argmax(axis=1), np.arange(8))


@pytest.mark.parametrize("side", SIZES)
def test_class_scores_rank_as_the_reference_ranks_them(side: int) -> None:
    """The published class head, of the 8 classes that the reference scores highest, on the 8-bit
    embedding.
    """
    head, bias, expected = (
        REFERENCE[f"{name}_{side}"].astype(np.float64) for name in ("head", "bias", "scores")
    )
    found = lite0(side, threads=1)(scenes(side)) @ head.T + bias
    best = expected.argmax(axis=1)
    short = (
        expected.max(axis=1)
        - np.take_along_axis(expected, found.argmax(axis=1)[:, None], axis=1)[:, 0]
    )
    assert (found.argmax(axis=1) == best).mean() >= 0.5
    assert (
        short.mean() < 1.0
    )  # of scores that reach 8 to 17: where another class wins, the reference had it close


def test_a_vector_does_not_depend_on_its_batch(embedder: OnnxEmbedder) -> None:
    views = draw_scenes(5, 160, seed=2)
    together = embedder(views)
    alone = np.concatenate([embedder(views[i : i + 1]) for i in range(5)])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    np.testing.assert_allclose(embedder(views[::-1])[::-1], together, atol=1e-5)


def test_threads_do_not_change_the_figures(embedder: OnnxEmbedder) -> None:
    views = draw_scenes(2, 160, seed=3)
    np.testing.assert_array_equal(lite0(160, threads=2)(views), embedder(views))


@pytest.mark.parametrize("side", [32, 33])
def test_windows_are_what_a_convolution_sees(side: int) -> None:
    views = np.random.default_rng(side).integers(0, 256, (3, side, side, 3), dtype=np.uint8)
    found = windows_of(views)
    # What ONNX calls SAME_UPPER: the odd line, if any, lies below and to the right.
    around = np.pad(views, ((0, 0), (side % 2, 1), (side % 2, 1), (0, 0)), constant_values=127)
    assert found.shape == (3, (side + 1) // 2, (side + 1) // 2, 28)
    assert (found[..., 27] == 127).all()
    for y, x in ((0, 0), (3, 5), (-(-side // 2) - 1, -(-side // 2) - 1)):
        window = around[:, 2 * y : 2 * y + 3, 2 * x : 2 * x + 3]
        np.testing.assert_array_equal(found[:, y, x, :27], window.reshape(3, 27))


def test_vectors_are_those_that_stores_hold() -> None:
    # Of the model as it was first shipped (sha256 `module._FIGURES`), on scenes: sums of the
    # vectors, which another first layer, order of weights or padding would change.
    if has_openvino():
        pytest.skip("OpenVINO's vectors have a key of their own")
    for side, sums in FIRST_SHIPPED.items():
        found = lite0(side, threads=1)(draw_scenes(3, side, seed=5)).astype(np.float64).sum(axis=1)
        np.testing.assert_allclose(found, sums, rtol=2e-3)


def test_extreme_views_and_none(embedder: OnnxEmbedder) -> None:
    flat = np.stack([np.full((160, 160, 3), value, np.uint8) for value in (0, 127, 255)])
    found = embedder(flat)
    assert found.dtype == np.float32
    assert np.isfinite(found).all()
    assert 0 <= found.min() < found.max() <= 6
    assert embedder(flat[:0]).shape == (0, DIM)


def test_the_key_tells_models_sizes_and_libraries_apart(
    embedder: OnnxEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert module._FIGURES in embedder.key
    assert "onnxruntime" in embedder.key or "openvino" in embedder.key
    keys = {lite0(size, threads=1).key for size in SIZES}
    assert embedder.key in keys
    assert len(keys) == len(SIZES)
    assert lite0(160, threads=2).key == embedder.key
    monkeypatch.setattr(module, "_FIGURES", "another")
    assert lite0(160, threads=1).key != embedder.key


def test_is_the_default_name() -> None:
    embedder = load_embedder("lite0", size=128, threads=1)
    assert (embedder.name, embedder.size, embedder.dim) == ("lite0", 128, DIM)


def test_openvino_where_it_is_installed_agrees() -> None:
    pytest.importorskip("openvino")
    views = draw_scenes(6, 160, seed=4)
    one, other = open_session(MODEL, 1), open_vino_session(MODEL, 1, (80, 80, WINDOW))
    windows = windows_of(views)
    assert one.family != other.family
    assert cosines(one.run(windows, "embedding"), other.run(windows, "embedding")).min() > 0.98
    # A convolution of the views is the same as the product of their windows.
    np.testing.assert_allclose(lite0(160, 1)(views), other.run(windows, "embedding"), atol=1e-5)


def test_packaging_takes_the_model_and_its_notice_along() -> None:
    text = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
    assert 'license-files = ["LICENSE", "NOTICE"]' in text
    assert Path(MODEL).is_relative_to(REPOSITORY / "dataprep")
