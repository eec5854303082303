"""Any ONNX file: what its shapes and the JSON file beside it say, and errors for what cannot be
used.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto

from dataprep.errors import InputError
from dataprep.measures.embedding.contract import load_embedder
from dataprep.measures.embedding.onnx_file import OnnxEmbedder
from tests.measures.embedding.models import save_means, save_tokens

VIEWS = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3), dtype=np.uint8)
MEANS = VIEWS.mean(axis=(1, 2))


def loaded(path: str, size: int = 32) -> Any:
    embedder = load_embedder(f"onnx:{path}", size=size, threads=1)
    assert isinstance(embedder, OnnxEmbedder)
    return embedder


def say(path: Path, **values: Any) -> None:
    path.write_text(json.dumps(values), encoding="utf-8")


@pytest.mark.parametrize(
    ("shape", "kind"),
    [
        (("b", 3, "h", "w"), TensorProto.FLOAT),
        (("b", 3, 32, 32), TensorProto.FLOAT),
        (("b", "h", "w", 3), TensorProto.FLOAT),
        ((1, 3, 32, 32), TensorProto.FLOAT),
        ((2, 32, 32, 3), TensorProto.FLOAT),
        (("b", 3, "h", "w"), TensorProto.FLOAT16),
    ],
)
def test_pixels_enter_normalised_in_every_layout(
    tmp_path: Path, shape: tuple[Any, ...], kind: int
) -> None:
    embedder = loaded(save_means(tmp_path / "m.onnx", shape=shape, kind=kind))
    expected = (MEANS / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    found = embedder(VIEWS)
    assert (embedder.dim, embedder.size, found.dtype) == (3, 32, np.float32)
    np.testing.assert_allclose(found, expected, atol=2e-2 if kind == TensorProto.FLOAT16 else 1e-4)
    assert embedder.batch == (shape[0] if isinstance(shape[0], int) else 16)
    assert embedder(VIEWS[:0]).shape == (0, 3)


def test_a_model_that_takes_bytes_gets_them_as_they_are(tmp_path: Path) -> None:
    embedder = loaded(
        save_means(tmp_path / "m.onnx", shape=("b", "h", "w", 3), kind=TensorProto.UINT8)
    )
    np.testing.assert_allclose(embedder(VIEWS), MEANS, atol=1e-3)


@pytest.mark.parametrize("beside", ["m.json", "m.onnx.json"])
def test_the_json_file_beside_it_decides(tmp_path: Path, beside: str) -> None:
    path = save_means(tmp_path / "m.onnx")
    say(tmp_path / beside, size=48, scale=1, mean=[10, 20, 30], std=[2, 4, 8], output="map")
    embedder = loaded(path)
    assert embedder.size == 48
    views = np.random.default_rng(1).integers(0, 256, (2, 48, 48, 3), dtype=np.uint8)
    np.testing.assert_allclose(
        embedder(views), (views.mean(axis=(1, 2)) - [10, 20, 30]) / [2, 4, 8], atol=1e-3
    )


@pytest.mark.parametrize("pool", ["cls", "mean"])
def test_tokens_are_pooled(tmp_path: Path, pool: str) -> None:
    path = save_tokens(tmp_path / "t.onnx")
    say(tmp_path / "t.json", scale=1, mean=[0, 0, 0], std=[1, 1, 1], pool=pool)
    red = VIEWS[..., 0].astype(float)
    np.testing.assert_allclose(
        loaded(path)(VIEWS), red[:, 0] if pool == "cls" else red.mean(axis=1), rtol=1e-5
    )


def test_the_size_asked_for_is_for_models_that_take_any(tmp_path: Path) -> None:
    assert loaded(save_means(tmp_path / "free.onnx"), size=96).size == 96
    assert loaded(save_means(tmp_path / "fixed.onnx", shape=("b", 3, 40, 40)), size=96).size == 40


def test_the_key_changes_with_the_model_its_weights_and_its_recipe(tmp_path: Path) -> None:
    path = save_means(tmp_path / "m.onnx")
    keys = [loaded(path).key, loaded(path, size=64).key]
    say(tmp_path / "m.json", mean=[0, 0, 0])
    keys.append(loaded(path).key)
    (tmp_path / "m.onnx.data").write_bytes(b"weights")
    keys.append(loaded(path).key)
    save_means(tmp_path / "m.onnx", shape=("batch", 3, "h", "w"))
    keys.append(loaded(path).key)
    assert len(set(keys)) == len(keys)
    assert loaded(path).key == keys[-1]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"sise": 3}, "no setting 'sise'. Did you mean 'size'"),
        ({"size": 2.5}, "whole number of pixels"),
        ({"mean": [1, 2]}, "three numbers"),
        ({"std": [1, 1, 0]}, "above 0"),
        ({"scale": "1/255"}, "scale cannot be"),
        ({"layout": "CHW"}, "NCHW or NHWC"),
        ({"pool": "max"}, "cls or mean"),
        ({"output": "embeding"}, "no output 'embeding'. Did you mean 'embedding'"),
    ],
)
def test_a_json_file_that_is_wrong(tmp_path: Path, values: dict[str, Any], words: str) -> None:
    path = save_means(tmp_path / "m.onnx")
    say(tmp_path / "m.json", **values)
    with pytest.raises(InputError, match=words):
        loaded(path)


@pytest.mark.parametrize("text", ["{", "[1]", "3"])
def test_a_json_file_that_is_none(tmp_path: Path, text: str) -> None:
    path = save_means(tmp_path / "m.onnx")
    (tmp_path / "m.json").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"m\.json"):
        loaded(path)


def test_models_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "text.onnx").write_text("not a model")
    with pytest.raises(InputError, match="no ONNX model"):
        loaded(str(tmp_path / "text.onnx"))
    with pytest.raises(InputError, match="square"):
        loaded(save_means(tmp_path / "oblong.onnx", shape=("b", 3, 32, 64)))
    with pytest.raises(InputError, match="3 colour channels"):
        loaded(save_means(tmp_path / "grey.onnx", shape=("b", 1, 32, 32)))
    with pytest.raises(InputError, match="expected one input"):
        loaded(save_means(tmp_path / "doubles.onnx", kind=TensorProto.DOUBLE))
    sized = save_means(tmp_path / "sized.onnx", shape=("b", 3, 32, 32))
    say(tmp_path / "sized.json", size=64)
    with pytest.raises(InputError, match="32 x 32 pixels, the JSON file beside it says size 64"):
        loaded(sized)
