"""What a network costs where it is used: milliseconds for one image on one thread, and
megabytes.
"""

from __future__ import annotations

import copy
import os
import statistics
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from dataprep.baselines.frozen.model import EMBEDDER, FrozenModel
from dataprep.measures.embedding.contract import load_embedder
from dataprep.measures.embedding.lite0 import MODEL

if TYPE_CHECKING:
    from dataprep.baselines.training.networks import Network

_WARM, _RUNS, _SECONDS = 3, 50, 3.0


def measure_cost(network: Network | FrozenModel, size: int) -> dict[str, float]:
    """What requirements on ``latency_ms`` and ``size_mb`` are held against.

    Args:
        network: on whatever device; a copy on the processor is timed.
        size: pixels a side of its images.

    Returns:
        ``latency_ms``: median over warm runs of one image at a time, on one thread of the processor
            at hand; ``size_mb``:
        megabytes (10^6 bytes) of its weights as they are stored.
    """
    if isinstance(network, FrozenModel):
        return _frozen_cost(network, size)
    import torch

    copied = copy.deepcopy(network).to("cpu").eval()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        image = torch.zeros(1, 3, size, size).to(memory_format=torch.channels_last)
        with torch.inference_mode():
            taken = _times(lambda: copied(image))
    finally:
        torch.set_num_threads(threads)
    stored = sum(tensor.numel() * tensor.element_size() for tensor in network.state_dict().values())
    return {"latency_ms": statistics.median(taken) * 1000, "size_mb": stored / 1e6}


def _frozen_cost(model: FrozenModel, size: int) -> dict[str, float]:
    """The same of a frozen model: its embedder on one thread, and the file that holds it."""
    embedder = load_embedder(EMBEDDER, size=size, threads=1)
    image = np.zeros((1, size, size, 3), np.uint8)
    taken = _times(lambda: model.logits(embedder(image)))
    stored = os.path.getsize(MODEL) + sum(value.nbytes for value in model.state_dict().values())
    return {"latency_ms": statistics.median(taken) * 1000, "size_mb": stored / 1e6}


def _times(predict: Callable[[], object]) -> list[float]:
    """Seconds of each warm run."""
    taken: list[float] = []
    while len(taken) < _WARM + _RUNS and (len(taken) <= _WARM or sum(taken) < _SECONDS):
        since = time.perf_counter()
        predict()
        taken.append(time.perf_counter() - since)
    return taken[_WARM:]
