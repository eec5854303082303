"""Tiny ONNX models whose embeddings can be worked out by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnx
from onnx import TensorProto, helper

Axis = int | str | None


def save_means(
    path: Path, *, shape: tuple[Axis, ...] = ("b", 3, "h", "w"), kind: int = TensorProto.FLOAT
) -> str:
    """A model that gives the mean of each channel, (b, 3) as ``embedding``, and (b, 3, 1, 1) as
    ``map``.
    """
    axes = [2, 3] if shape[1] == 3 else [1, 2]
    nodes = [
        helper.make_node("Cast", ["image"], ["figures"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["figures"], ["map"], axes=axes, keepdims=1),
        helper.make_node("ReduceMean", ["figures"], ["embedding"], axes=axes, keepdims=0),
    ]
    outputs = [
        helper.make_tensor_value_info("map", TensorProto.FLOAT, [shape[0], None, None, None]),
        helper.make_tensor_value_info("embedding", TensorProto.FLOAT, [shape[0], 3]),
    ]
    return save(path, nodes, outputs, shape, kind)


def save_tokens(path: Path) -> str:
    """A model that gives the rows of the red channel as tokens, (b, h, w)."""
    nodes = [
        helper.make_node("Slice", ["image", "zero", "one", "one"], ["red"]),
        helper.make_node("Squeeze", ["red", "one"], ["tokens"]),
    ]
    constants = [
        helper.make_tensor(name, TensorProto.INT64, [1], [value])
        for name, value in (("zero", 0), ("one", 1))
    ]
    outputs = [helper.make_tensor_value_info("tokens", TensorProto.FLOAT, ["b", "h", "w"])]
    return save(path, nodes, outputs, ("b", 3, "h", "w"), TensorProto.FLOAT, constants)


def save(
    path: Path,
    nodes: list[Any],
    outputs: list[Any],
    shape: tuple[Axis, ...],
    kind: int,
    constants: list[Any] | None = None,
) -> str:
    image = helper.make_tensor_value_info("image", kind, shape)
    graph = helper.make_graph(nodes, "tiny", [image], outputs, constants or [])
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path
    )
    return str(path)
