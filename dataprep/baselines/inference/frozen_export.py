"""A frozen model as one ONNX file: the embedder's own graph with the classifier behind it, so that
it predicts what was measured.
"""

from __future__ import annotations

import io
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from dataprep.baselines.inference.exported_model import (
    INPUT,
    LOGITS,
    PROBABILITIES,
    TOLERANCE,
    VALUES,
    greatest_gap,
    open_bytes,
)
from dataprep.errors import FingerprintError, InputError, OptionError, WorkError
from dataprep.measures.embedding.lite0 import MODEL, ZERO
from dataprep.schemas.text.extras import how_to_install

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.baselines.frozen.model import FrozenModel
    from dataprep.baselines.inference.model_card import ModelCard


def frozen_onnx(model: FrozenModel, card: ModelCard) -> bytes:
    """The bytes of an ONNX model from uint8 images (B, size, size, 3) to logits and probabilities,
    or values of a regression.

    Embeddings are rounded to half precision in it, as the audit keeps them.

    Raises:
        OptionError: the package onnx is not installed.
    """
    onnx = _load_onnx()
    graph, embedding, _ = _embedder_graph(onnx, card.size)
    helper, numpy_helper = onnx.helper, onnx.numpy_helper
    for name, constant in (
        ("head.weight", np.ascontiguousarray(model.weight.T)),
        ("head.bias", model.bias),
        ("head.least", np.float32(1e-12)),
        ("head.scale", np.float32(card.spread)),
        ("head.shift", np.float32(card.centre)),
        ("head.temperature", np.float32(card.temperature)),
        ("head.axis", np.array([1], np.int64)),
    ):
        graph.graph.initializer.append(numpy_helper.from_array(np.asarray(constant), name))

    def add(operator: str, *inputs: str, name: str, **attributes: Any) -> str:
        graph.graph.node.append(helper.make_node(operator, inputs, [name], name=name, **attributes))
        return name

    half = add("Cast", embedding, name="head.half", to=onnx.TensorProto.FLOAT16)
    values = add("Cast", half, name="head.single", to=onnx.TensorProto.FLOAT)
    if model.rooted:
        values = add("Sqrt", add("Relu", values, name="head.relu"), name="head.root")
    length = add("ReduceL2", values, name="head.length", axes=[1], keepdims=1)
    unit = add("Div", values, add("Max", length, "head.least", name="head.norm"), name="head.unit")
    product = add("MatMul", unit, "head.weight", name="head.product")
    logits = add("Add", product, "head.bias", name=LOGITS)
    outputs = [(LOGITS, ["batch", len(model.bias)])]
    if card.kind == "regression":
        first = add("Squeeze", logits, "head.axis", name="head.first")
        scaled = add("Mul", first, "head.scale", name="head.scaled")
        outputs.append((add("Add", scaled, "head.shift", name=VALUES), ["batch"]))
    else:
        tempered = add("Div", logits, "head.temperature", name="head.tempered")
        if card.kind == "multi-label":
            add("Sigmoid", tempered, name=PROBABILITIES)
        else:
            add("Softmax", tempered, name=PROBABILITIES, axis=1)
        outputs.append((PROBABILITIES, ["batch", len(model.bias)]))
    del graph.graph.output[:]
    for name, shape in outputs:
        kind = onnx.TensorProto.FLOAT
        graph.graph.output.append(helper.make_tensor_value_info(name, kind, shape))
    for key, value in card.metadata().items():
        graph.metadata_props.add(key=key, value=value)
    onnx.checker.check_model(graph)
    return bytes(graph.SerializeToString(deterministic=True))


def compare_frozen(
    model: FrozenModel, data: bytes, images: NDArray[np.uint8], embedding: NDArray[Any]
) -> float:
    """The greatest difference between logits of the model, of known embeddings (n, d), and those of
    its file, of the same images; as shares of the greatest logit where that is above 1.

    Raises:
        WorkError: it is above `TOLERANCE`.
    """
    gap = greatest_gap([model.logits(embedding)], open_bytes(data).run([LOGITS], {INPUT: images}))
    if not gap <= TOLERANCE:
        raise WorkError(
            f"the exported model differs from the fitted one by {gap:.2g} on {len(images)} images "
            f"(allowed: {TOLERANCE:g}): it was not written"
        )
    return gap


def head_bytes(model: FrozenModel, fingerprint: str) -> bytes:
    """The classifier of a frozen model as the bytes of an ``.npz`` file."""
    file = io.BytesIO()
    facts: dict[str, Any] = {"rooted": model.rooted, "size": model.size, "fingerprint": fingerprint}
    np.savez(file, allow_pickle=False, weight=model.weight, bias=model.bias, **facts)
    return file.getvalue()


def read_head(path: str, fingerprint: str, advice: str) -> FrozenModel:
    """The frozen model that `head_bytes` gave, without embeddings.

    Raises:
        InputError: it cannot be read.
        FingerprintError: it is of other data.
    """
    from dataprep.baselines.frozen.model import FrozenModel

    try:
        with np.load(path, allow_pickle=False) as found:
            weight, bias = found["weight"], found["bias"]
            rooted, size = bool(found["rooted"]), int(found["size"])
            made_for = str(found["fingerprint"])
    except Exception as error:  # a damaged zip raises half a dozen classes
        raise InputError(
            f"cannot read the weights {path} ({type(error).__name__}). {advice}"
        ) from error
    if made_for != fingerprint:
        raise FingerprintError(f"{path} belongs to a model of other data. {advice}")
    return FrozenModel(weight, bias, rooted, size, np.zeros((0, weight.shape[1]), np.float16))


def last_maps(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(n, d, h, w) last maps of the embedder, whose mean is the embedding, of (n, size, size, 3)
    images.
    """
    onnx = _load_onnx()
    graph, _, maps = _embedder_graph(onnx, images.shape[1])
    del graph.graph.output[:]
    info = onnx.helper.make_tensor_value_info(maps, onnx.TensorProto.FLOAT, None)
    graph.graph.output.append(info)
    return np.asarray(
        open_bytes(graph.SerializeToString()).run([maps], {INPUT: images})[0], np.float32
    )


def _embedder_graph(onnx: Any, size: int) -> tuple[Any, str, str]:
    """The embedder's model, taking `images` of `size`; and the names of its embedding and of the
    maps that the embedding is the mean of.
    """
    model = onnx.load(MODEL)
    windows = model.graph.input[0].name
    nodes, constants = _window_nodes(onnx, size, windows)
    for node in reversed(nodes):
        model.graph.node.insert(0, node)
    model.graph.initializer.extend(constants)
    del model.graph.input[:]
    model.graph.input.append(
        onnx.helper.make_tensor_value_info(INPUT, onnx.TensorProto.UINT8, ["batch", size, size, 3])
    )
    pooling = next(node for node in model.graph.node if node.op_type == "GlobalAveragePool")
    return model, model.graph.output[0].name, pooling.input[0]


def _window_nodes(onnx: Any, size: int, output: str) -> tuple[list[Any], list[Any]]:
    """Nodes, and their constants, that make of images what
    `dataprep.measures.embedding.lite0.windows_of` does.
    """
    helper, constants = onnx.helper, []

    def constant(name: str, values: Any, kind: Any = np.int64) -> str:
        constants.append(onnx.numpy_helper.from_array(np.array(values, kind), name))
        return name

    places, before = -(-size // 2), size % 2
    pads = constant("windows.pads", [0, before, before, 0, 0, 2 - before, 2 - before, 0])
    zero = constant("windows.zero", ZERO, np.uint8)
    nodes = [helper.make_node("Pad", [INPUT, pads, zero], ["windows.padded"])]
    axes, steps = constant("windows.axes", [1, 2]), constant("windows.steps", [2, 2])
    parts = []
    for row in range(3):
        for column in range(3):
            name = f"windows.{row}.{column}"
            first = constant(f"{name}.first", [row, column])
            end = [row + 2 * places - 1, column + 2 * places - 1]
            last = constant(f"{name}.last", end)
            nodes.append(
                helper.make_node("Slice", ["windows.padded", first, last, axes, steps], [name])
            )
            parts.append(name)
    # the value that has no weight: whatever is at hand
    one, none = constant("windows.one", [1]), constant("windows.none", [0])
    channel = constant("windows.channel", [3])
    nodes.append(helper.make_node("Slice", [parts[0], none, one, channel], ["windows.unused"]))
    nodes.append(helper.make_node("Concat", [*parts, "windows.unused"], [output], axis=3))
    return nodes, constants


def _load_onnx() -> Any:
    if find_spec("onnx") is None:
        raise OptionError(f"exporting to ONNX needs onnx: {how_to_install('train')}")
    import onnx

    return onnx
