"""Predictions of a network for rows of a pixel store: logits, features, probabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from dataprep.baselines.evaluation.calibration import probabilities
from dataprep.baselines.training.distributed import PIECE, thread_map
from dataprep.baselines.training.feeding import Feeder

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from dataprep.baselines.training.materials import Materials
    from dataprep.baselines.training.networks import Network
    from dataprep.baselines.training.pixel_store import PixelStore

_BATCH = 64


def logits_of(network: Network, store: PixelStore, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """(len(rows), k) logits, in evaluation mode and in single precision."""
    return _through(network, network, store, rows, network.classifier.out_features)


def deep_features(
    network: Network, store: PixelStore, rows: NDArray[np.int64]
) -> NDArray[np.float32]:
    """(len(rows), width) values of the penultimate layer."""
    return _through(network, network.features, store, rows, network.width)


def _through(
    network: Network,
    function: Callable[[Tensor], Tensor],
    store: PixelStore,
    rows: NDArray[np.int64],
    width: int,
) -> NDArray[np.float32]:
    device = next(network.parameters()).device
    out = np.empty((len(rows), width), np.float32)
    network.eval()
    feeder = Feeder(store, rows, np.zeros(len(store.known), np.int64), _BATCH)

    def result_of(images: Tensor) -> Tensor:
        with torch.inference_mode():  # which holds for one thread
            return function(images.to(device).float() / 255).float().cpu()

    size = PIECE if device.type == "cpu" else _BATCH
    with thread_map(_BATCH // size) as mapped:
        start = 0
        for images, _ in feeder():
            out[start : start + len(images)] = torch.cat(
                mapped(result_of, torch.split(images, size))
            )
            start += len(images)
    return out


def predictions(
    materials: Materials, logits: NDArray[Any], temperature: float = 1.0
) -> NDArray[np.float64]:
    """What logits (n, k) mean: (n, k) probabilities, or (n,) values of a regression."""
    if materials.goal.kind == "regression":
        return np.asarray(logits, np.float64)[:, 0] * materials.spread + materials.centre
    return probabilities(logits, temperature, several=materials.goal.kind == "multi-label")
