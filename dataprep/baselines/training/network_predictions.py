"""Predictions of a network for rows of a pixel store: logits and features."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dataprep.baselines.frozen.model import FrozenModel

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from torch import Tensor

    from dataprep.baselines.training.networks import Network
    from dataprep.baselines.training.pixel_store import PixelStore

_BATCH = 64


def logits_of(
    network: Network | FrozenModel, store: PixelStore, rows: NDArray[np.int64]
) -> NDArray[np.float32]:
    """(len(rows), k) logits, in evaluation mode and in single precision."""
    if isinstance(network, FrozenModel):
        return network.logits(network.embedding[rows])
    return _through(network, network, store, rows, network.classifier.out_features)


def deep_features(
    network: Network | FrozenModel, store: PixelStore, rows: NDArray[np.int64]
) -> NDArray[np.float32]:
    """(len(rows), width) values of the penultimate layer."""
    if isinstance(network, FrozenModel):
        return network.embedding[rows].astype(np.float32)
    return _through(network, network.features, store, rows, network.width)


def _through(
    network: Network,
    function: Callable[[Tensor], Tensor],
    store: PixelStore,
    rows: NDArray[np.int64],
    width: int,
) -> NDArray[np.float32]:
    import torch

    from dataprep.baselines.training.distributed import PIECE, thread_map
    from dataprep.baselines.training.feeding import Feeder

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
