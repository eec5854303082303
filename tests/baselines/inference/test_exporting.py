"""Exported models: they say what the network says, alone, and what they are."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import onnx
import pytest

torch = pytest.importorskip("torch")

import onnxruntime  # noqa: E402

from dataprep.baselines.evaluation.calibration import probabilities  # noqa: E402
from dataprep.baselines.inference.exporting import compared, exported, onnx_bytes, program_bytes  # noqa: E402
from dataprep.baselines.inference.model_card import ModelCard  # noqa: E402
from dataprep.errors import InputError, WorkError  # noqa: E402
from tests.baselines.deployed import SIZE, small_network, toy_card  # noqa: E402
from tests.baselines.toys import toy_materials  # noqa: E402

KINDS = ("multi-class", "multi-label", "regression")


def made(kind: Any, **changes: Any) -> tuple[Any, ModelCard, np.ndarray]:
    materials = toy_materials(kind, count=12, val=12, size=SIZE)
    network = small_network(materials.goal.outputs)
    return network, toy_card(materials, network, **changes), np.array(materials.store.images)


@pytest.fixture(scope="module")
def classifier() -> tuple[Any, ModelCard, np.ndarray, bytes]:
    """A network, its card, images, and the bytes of its ONNX model: exporting takes seconds."""
    network, card, images = made("multi-class")
    return network, card, images, onnx_bytes(exported(network, card), card)


@pytest.mark.parametrize("kind", KINDS)
def test_an_onnx_model_says_what_the_network_says_from_pixels_to_calibrated_probabilities(
    kind: Any,
) -> None:
    network, card, images = made(
        kind, **({"centre": 40.0, "spread": 7.0} if kind == "regression" else {"temperature": 2.5})
    )
    data = onnx_bytes(exported(network, card), card)
    assert compared(network, card, data, images) <= 1e-4
    session = onnxruntime.InferenceSession(data)
    said = session.run(
        None, {"images": images[:5]}
    )  # another number of images than it was exported with
    with torch.inference_mode():
        logits = network(torch.from_numpy(images[:5]).permute(0, 3, 1, 2).float() / 255).numpy()
    scaled = logits[:, 0] * 7.0 + 40.0
    expected = (
        scaled
        if kind == "regression"
        else probabilities(logits, 2.5, several=kind == "multi-label")
    )
    np.testing.assert_allclose(said[0], logits, atol=1e-4)
    np.testing.assert_allclose(said[1], expected, atol=1e-4)
    assert said[1].shape == ((5,) if kind == "regression" else (5, 3))
    read = ModelCard.read(session.get_modelmeta().custom_metadata_map, "model.onnx")
    assert read == card
    assert (read.kind, read.size, read.fingerprint) == (kind, SIZE, card.fingerprint)


def test_the_same_network_gives_the_same_bytes_with_no_path_in_them(classifier: Any) -> None:
    network, card, _, first = classifier
    assert first == onnx_bytes(exported(network, card), card)
    assert b".py" not in first
    assert b"/dataprep/" not in first
    model = onnx.load_model_from_string(first)
    onnx.checker.check_model(model)
    assert [
        entry.type.tensor_type.shape.dim[0].dim_param
        for entry in (*model.graph.input, *model.graph.output)
    ] == ["batch"] * 3


def test_a_model_that_says_something_else_is_not_written(classifier: Any) -> None:
    network, card, images, data = classifier
    assert compared(network, card, data, images) <= 1e-4
    with pytest.raises(WorkError, match="differs from the trained one by"):
        compared(small_network(3, seed=1), card, data, images)


def test_an_exported_program_runs_without_this_package_and_knows_what_it_predicts() -> None:
    network, card, images = made("multi-class")
    extra = dict.fromkeys(card.metadata(), "")
    program = torch.export.load(
        io.BytesIO(program_bytes(exported(network, card), card)), extra_files=extra
    )
    logits, probs = program.module()(torch.from_numpy(images[:7]))
    with torch.inference_mode():
        np.testing.assert_allclose(
            logits,
            network(torch.from_numpy(images[:7]).permute(0, 3, 1, 2).float() / 255),
            atol=1e-4,
        )
    assert torch.allclose(probs.sum(1), torch.ones(7))
    assert ModelCard.read({key: _text(value) for key, value in extra.items()}, "model.pt2") == card


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def test_exporting_leaves_the_network_as_it_was() -> None:
    network, card, _ = made("multi-class")
    network.train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    exported(network, card)
    assert network.training
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert all(parameter.requires_grad for parameter in network.parameters())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"dataprep_model": "9"}, "another version"),
        ({"kind": '"poem"'}, "cannot read"),
        ({"labels": "[not json"}, "cannot read"),
    ],
)
def test_metadata_that_cannot_be_used_are_said(change: dict[str, str], said: str) -> None:
    card = ModelCard("multi-class", ("a", "b", "c"), 32, "lite0")
    with pytest.raises(InputError, match=said):
        ModelCard.read(card.metadata() | change, "model.onnx")
    with pytest.raises(InputError, match=r"is no model of dataprep"):
        ModelCard.read({}, "model.onnx")


def test_a_wished_risk_takes_the_nearest_threshold_that_keeps_it() -> None:
    levels = [
        {"wished": wished, "threshold": least, "bound": wished, "coverage": 0.5, "holds": holds}
        for wished, least, holds in ((0.01, 0.99, False), (0.05, 0.9, True), (0.1, 0.7, True))
    ]
    card = ModelCard("multi-class", ("a", "b"), 32, "lite0", abstention=tuple(levels))
    assert [card.abstain_below(risk) for risk in (0.05, 0.08, 0.1, 0.5)] == [0.9, 0.9, 0.7, 0.7]
    with pytest.raises(InputError, match=r"thresholds for 0.05, 0.1"):
        card.abstain_below(0.02)
    with pytest.raises(InputError, match="no thresholds for a wished error"):
        ModelCard("regression", (), 32, "lite0").abstain_below(0.05)
