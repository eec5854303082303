"""Models of transformers, tiny and made here, are embedded by their pooler, class token or mean,
without a network.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dataprep.errors import InputError
from dataprep.measures.embedding.contract import load_embedder

torch = pytest.importorskip("torch")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
transformers = pytest.importorskip("transformers")

VIEWS = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
TINY = {
    "hidden_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "patch_size": 16,
}


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise OSError("no network in tests")

    monkeypatch.setattr("socket.getaddrinfo", refuse)
    monkeypatch.setattr("socket.socket.connect", refuse)


def saved(folder: Path, model: Any, **preprocessing: Any) -> str:
    model.save_pretrained(folder)
    if preprocessing:
        (folder / "preprocessor_config.json").write_text(
            json.dumps(preprocessing), encoding="utf-8"
        )
    return f"hf:{folder}"


def vit(folder: Path, seed: int = 0, *, pooler: bool = True, **preprocessing: Any) -> str:
    torch.manual_seed(seed)
    return saved(
        folder,
        transformers.ViTModel(
            transformers.ViTConfig(image_size=32, **TINY), add_pooling_layer=pooler
        ),
        **preprocessing,
    )


def outputs(name: str, images: np.ndarray) -> Any:
    model = transformers.AutoModel.from_pretrained(
        name.removeprefix("hf:"), local_files_only=True
    ).eval()
    with torch.no_grad():
        return model(pixel_values=torch.from_numpy(images.transpose(0, 3, 1, 2).astype(np.float32)))


def test_the_trained_pooler_is_the_embedding(tmp_path: Path) -> None:
    name = vit(
        tmp_path,
        image_mean=[0.5, 0.4, 0.3],
        image_std=[0.5, 0.25, 0.125],
        size={"height": 32, "width": 32},
    )
    embedder = load_embedder(name, size=160, threads=1)
    assert (embedder.name, embedder.size, embedder.dim) == (name, 32, 24)
    expected = outputs(name, (VIEWS / 255 - [0.5, 0.4, 0.3]) / [0.5, 0.25, 0.125]).pooler_output
    found = embedder(VIEWS)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected.numpy(), atol=1e-4)
    np.testing.assert_allclose(embedder(VIEWS[1:2]), found[1:2], atol=1e-5)


def test_without_a_trained_pooler_it_is_the_class_token(tmp_path: Path) -> None:
    """transformers would fill the pooler with random figures, other ones each time."""
    name = vit(tmp_path, pooler=False)
    expected = outputs(
        name, (VIEWS / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    ).last_hidden_state[:, 0]
    first, second = (load_embedder(name, threads=1) for _ in range(2))
    np.testing.assert_allclose(first(VIEWS), expected.numpy(), atol=1e-4)
    np.testing.assert_array_equal(first(VIEWS), second(VIEWS))
    assert first.key == second.key


def test_convolutional_and_two_tower_models(tmp_path: Path) -> None:
    torch.manual_seed(0)
    config = transformers.ResNetConfig(
        embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], layer_type="basic"
    )
    embedder = load_embedder(
        saved(tmp_path / "resnet", transformers.ResNetModel(config)), size=64, threads=1
    )
    assert embedder(np.zeros((2, embedder.size, embedder.size, 3), np.uint8)).shape == (2, 16)
    text = {
        "hidden_size": 16,
        "intermediate_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "vocab_size": 9,
    }
    config = transformers.CLIPConfig(
        text_config=text, vision_config={**TINY, "image_size": 32}, projection_dim=12
    )
    embedder = load_embedder(saved(tmp_path / "clip", transformers.CLIPModel(config)), threads=1)
    assert embedder(VIEWS).shape == (3, 12)
    assert embedder.size == 32


def test_the_key_follows_the_weights_and_the_preprocessing(tmp_path: Path) -> None:
    keys = [
        load_embedder(vit(tmp_path / "a", 0), threads=1).key,
        load_embedder(vit(tmp_path / "b", 1), threads=1).key,
        load_embedder(vit(tmp_path / "c", 0, image_mean=[0.5] * 3), threads=1).key,
    ]
    assert len(set(keys)) == 3
    assert load_embedder(f"hf:{tmp_path / 'a'}", threads=1).key == keys[0]


def test_models_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for place, words in (
        (tmp_path / "absent", "there is no folder"),
        (tmp_path / "empty", "no vision model"),
    ):
        with pytest.raises(InputError, match=words):
            load_embedder(f"hf:{place}", threads=1)
    text = transformers.BertModel(
        transformers.BertConfig(
            hidden_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=16,
            vocab_size=9,
        )
    )
    with pytest.raises(InputError, match="does not take images"):
        load_embedder(saved(tmp_path / "bert", text), threads=1)


def test_a_name_that_is_not_cached_needs_the_network_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "huggingface_hub.constants.HF_HUB_OFFLINE", True
    )  # else the hub's client tries for half a minute
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(InputError, match="in the cache or on huggingface.co"):
        load_embedder("hf:nobody/no-such-model", threads=1)


def test_a_model_without_all_its_weights_is_refused(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    name = vit(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    save_file(
        {key: value for key, value in weights.items() if "layernorm" not in key},
        tmp_path / "model.safetensors",
        {"format": "pt"},
    )
    with pytest.raises(InputError, match="lacks trained weights"):
        load_embedder(name, threads=1)
