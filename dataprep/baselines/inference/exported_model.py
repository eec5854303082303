"""What every exported ONNX model has: the names of its input and outputs, and the comparison with
the model that it was made from. torch is not imported.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from dataprep.measures.embedding.sessions import load_onnxruntime

if TYPE_CHECKING:
    from numpy.typing import NDArray

INPUT, LOGITS, PROBABILITIES, VALUES = "images", "logits", "probabilities", "values"
#: Greatest allowed difference between the outputs of a model and of its file for the same images.
TOLERANCE = 1e-3


def open_bytes(data: bytes) -> Any:
    """An onnxruntime session of a model's bytes, on the processor."""
    onnxruntime = load_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])


def greatest_gap(ours: Sequence[NDArray[Any]], theirs: Sequence[NDArray[Any]]) -> float:
    """The greatest difference between outputs of two models; of each output as a share of its
    greatest value where that is above 1.
    """
    gaps = [
        np.abs(one - other).max(initial=0.0) / max(1.0, np.abs(one).max(initial=0.0))
        for one, other in zip(ours, theirs, strict=True)
    ]
    return float(max(gaps))
