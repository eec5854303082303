"""Grad-CAM (Selvaraju et al. 2017): which parts of an image spoke for a class.

A network here is a linear classifier on the mean of its last maps, so that the gradient of a logit
by a map is the classifier's weight, the same everywhere: the weighted sum of the maps is Grad-CAM
exactly, without a backward pass (Zhou et al. 2016).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import simplejpeg

from dataprep.baselines.frozen.model import FrozenModel
from dataprep.baselines.inference.frozen_export import last_maps
from dataprep.measures.decode.thumbnails import encode
from dataprep.measures.decode.views import views_of
from dataprep.schemas.lost import Lost

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.baselines.training.networks import Network
    from dataprep.measures.options import PassOptions
    from dataprep.schemas.dataset import Dataset

_BATCH = 32
#: How much of the heat is laid over the picture where it is hottest.
_STRENGTH = 0.62


def class_maps(
    network: Network | FrozenModel,
    images: NDArray[np.uint8],
    codes: NDArray[np.integer[Any]],
    *,
    several: bool = False,
) -> NDArray[np.float32]:
    """(n, h, w) heat of each image for one class each: 0 where nothing speaks for it, 1 where most
    does.

    Softmax looks at differences between logits alone, so the mean of all classes' weights is taken
    off: what speaks for every class alike speaks for none.

    Args:
        network: the model.
        images: (n, side, side, 3) uint8 RGB of the network's size.
        codes: (n,) class of each.
        several: whether each class is decided for itself (several labels, a regression).
    """
    if isinstance(network, FrozenModel):
        return _frozen_maps(network, images, codes, several)
    import torch

    device = next(network.parameters()).device
    weights = network.classifier.weight.detach()
    weights = (
        weights if several or len(weights) < 2 else weights - weights.mean(dim=0, keepdim=True)
    )
    network.eval()
    found = []
    with torch.inference_mode():
        for start in range(0, len(images), _BATCH):
            batch = torch.from_numpy(np.ascontiguousarray(images[start : start + _BATCH])).permute(
                0, 3, 1, 2
            )
            maps = network.maps(batch.to(device).float() / 255)  # (B, C, h, w)
            chosen = weights[
                torch.as_tensor(codes[start : start + _BATCH], device=device)
            ]  # (B, C)
            heat = torch.relu(torch.einsum("bchw,bc->bhw", maps, chosen))
            top = heat.amax(dim=(1, 2), keepdim=True)
            found.append(
                (heat / torch.where(top > 0, top, torch.ones_like(top))).float().cpu().numpy()
            )
    return np.concatenate(found) if found else np.zeros((0, 1, 1), np.float32)


def _frozen_maps(
    model: FrozenModel, images: NDArray[np.uint8], codes: NDArray[Any], several: bool
) -> NDArray[np.float32]:
    """The same of a frozen model: an embedding is the mean of the last maps, so that the gradient
    of a logit by it weighs them.
    """
    found = []
    for start in range(0, len(images), _BATCH):
        maps = last_maps(images[start : start + _BATCH])  # (B, C, h, w)
        chosen = model.slopes(
            maps.mean(axis=(2, 3)), codes[start : start + _BATCH], several=several
        )  # (B, C)
        heat = np.maximum(np.einsum("bchw,bc->bhw", maps, chosen), 0)
        top = heat.max(axis=(1, 2), keepdims=True)
        found.append((heat / np.where(top > 0, top, 1)).astype(np.float32))
    return np.concatenate(found) if found else np.zeros((0, 1, 1), np.float32)


def overlay(picture: bytes, heat: NDArray[np.float32]) -> bytes:
    """A JPEG with heat (h, w), 0 to 1, laid over it; as large as the picture."""
    rgb = simplejpeg.decode_jpeg(picture, colorspace="RGB")
    height, width = rgb.shape[:2]
    spread = np.clip(cv2.resize(heat, (width, height), interpolation=cv2.INTER_CUBIC), 0, 1)[
        ..., None
    ]  # (h, w, 1)
    colours = cv2.applyColorMap((spread * 255).astype(np.uint8), cv2.COLORMAP_INFERNO)[..., ::-1]
    grey = rgb.astype(np.float32).mean(axis=2, keepdims=True)
    mixed = (1 - _STRENGTH * spread) * (0.6 * grey + 0.4 * rgb) + _STRENGTH * spread * colours
    return encode(np.clip(mixed, 0, 255).astype(np.uint8))


def overlays(
    network: Network | FrozenModel,
    dataset: Dataset,
    side: int,
    wanted: Mapping[str, int],
    pictures: Mapping[str, bytes],
    options: PassOptions,
    *,
    several: bool = False,
) -> dict[str, bytes]:
    """Sample to its picture with what spoke for a class laid over it; samples that cannot be
    decoded are left out.

    Args:
        network: the model.
        dataset: where the samples are.
        side: pixels a side that the network was trained on.
        wanted: sample to the code of the class.
        pictures: sample to a JPEG of it.
        options: limits of decoding.
        several: as in `class_maps`.
    """
    names = [name for name in wanted if name in pictures]
    views = {
        names[index]: view
        for index, view in views_of(
            dataset, names, side, options, reduced=not isinstance(network, FrozenModel)
        )
        if not isinstance(view, Lost)
    }
    names = [name for name in names if name in views]
    if not names:
        return {}
    codes = np.array([wanted[name] for name in names])
    heats = class_maps(network, np.stack([views[name] for name in names]), codes, several=several)
    return {name: overlay(pictures[name], heat) for name, heat in zip(names, heats, strict=True)}
