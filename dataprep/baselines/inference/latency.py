"""What a network costs where it is used: milliseconds for one image on one thread, and
megabytes.
"""

from __future__ import annotations

import copy
import statistics
import time
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from dataprep.baselines.training.networks import Network

_WARM, _RUNS, _SECONDS = 3, 50, 3.0


def measure_cost(network: Network, size: int) -> dict[str, float]:
    """What requirements on ``latency_ms`` and ``size_mb`` are held against.

    Args:
        network: on whatever device; a copy on the processor is timed.
        size: pixels a side of its images.

    Returns:
        ``latency_ms``: median over warm runs of one image at a time, on one thread of the processor
            at hand; ``size_mb``:
        megabytes (10^6 bytes) of its weights as they are stored.
    """
    copied = copy.deepcopy(network).to("cpu").eval()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        taken = _times(copied, torch.zeros(1, 3, size, size).to(memory_format=torch.channels_last))
    finally:
        torch.set_num_threads(threads)
    stored = sum(tensor.numel() * tensor.element_size() for tensor in network.state_dict().values())
    return {"latency_ms": statistics.median(taken) * 1000, "size_mb": stored / 1e6}


def _times(network: Network, image: torch.Tensor) -> list[float]:
    """Seconds of each warm run."""
    taken: list[float] = []
    with torch.inference_mode():
        while len(taken) < _WARM + _RUNS and (len(taken) <= _WARM or sum(taken) < _SECONDS):
            since = time.perf_counter()
            network(image)
            taken.append(time.perf_counter() - since)
    return taken[_WARM:]
