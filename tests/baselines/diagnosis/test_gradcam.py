"""Grad-CAM held against the gradient that it is named for, and against images whose answer is
known.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from dataprep.baselines.diagnosis.gradcam import class_maps, overlay, overlays
from dataprep.measures.decode.thumbnails import encode, thumbnails
from dataprep.measures.options import PassOptions
from tests.baselines.deployed import SIZE, small_network, toy_files


@pytest.mark.parametrize("several", [False, True])
def test_the_same_as_by_gradients(several: bool) -> None:
    network = small_network(3)
    images = np.random.default_rng(0).integers(0, 256, (4, SIZE, SIZE, 3), np.uint8)
    codes = np.array([0, 1, 2, 1])
    maps = (
        network.maps(torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255)
        .detach()
        .requires_grad_(True)
    )
    logits = network.classifier(maps.mean(dim=(2, 3)))
    own = logits[torch.arange(4), torch.from_numpy(codes)]
    own = own if several else own - logits.mean(dim=1)
    weights = torch.autograd.grad(own.sum(), maps)[0].mean(dim=(2, 3), keepdim=True)
    heat = torch.relu((weights * maps).sum(dim=1)).detach()
    heat = heat / heat.amax(dim=(1, 2), keepdim=True).clamp(min=1e-12)
    np.testing.assert_allclose(
        class_maps(network, images, codes, several=several), heat.numpy(), atol=1e-5
    )


def test_heat_lies_where_the_class_is_seen() -> None:
    """One channel that answers to brightness speaks for class 1: the bright corner is hot."""
    network = small_network(2)
    with torch.no_grad():
        next(network.body.parameters()).fill_(0.02)
        network.classifier.weight.copy_(torch.tensor([[-1.0], [1.0]]).expand(2, 8))
    image = np.zeros((1, SIZE, SIZE, 3), np.uint8)
    image[:, :8, :8] = 255
    heat = class_maps(network, image, np.array([1]))[0]
    assert heat[0, 0] == 1
    assert heat[2:, 2:].max() < 0.5
    assert class_maps(network, image, np.array([0])).max() == 0


def test_an_overlay_is_as_large_as_its_picture_and_leaves_cold_parts_their_shape() -> None:
    picture = encode(np.full((60, 90, 3), 120, np.uint8))
    heat = np.zeros((4, 4), np.float32)
    heat[0, 0] = 1
    import simplejpeg

    drawn = np.asarray(simplejpeg.decode_jpeg(overlay(picture, heat), colorspace="RGB"), int)
    assert drawn.shape == (60, 90, 3)
    assert abs(drawn[-1, -1] - 120).max() <= 3
    assert abs(drawn[2, 2] - 120).max() > 40


def test_samples_without_a_picture_are_left_out(tmp_path: Path) -> None:
    materials = toy_files(tmp_path, count=4, val=2)
    names = [str(name) for name in materials.names[:2]]
    pictures = thumbnails(materials.dataset, names, PassOptions(), side=64)
    wanted = {names[0]: 1, "5.png": 0}
    assert set(
        overlays(small_network(3), materials.dataset, SIZE, wanted, pictures, PassOptions())
    ) == {names[0]}
