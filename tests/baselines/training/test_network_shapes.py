"""The networks: as many weights, and maps as large, as their papers say; what is frozen stays."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from dataprep.baselines.training.fitting import feeder_for
from dataprep.baselines.training.networks import Network, _Same, make_network
from dataprep.baselines.training.settings import TrainSettings
from tests.baselines.toys import toy_materials


def weights_of(module: nn.Module) -> int:
    return sum(each.numel() for each in module.parameters())


def test_lite0_is_as_published() -> None:
    network = make_network("lite0", 1000, size=64, pretrained=False)
    assert weights_of(network) == 4_652_008
    assert [len(list(stage.parameters())) > 0 for stage in network.stages] == [True] * 9
    with torch.no_grad():
        assert network.eval().maps(torch.zeros(1, 3, 65, 64)).shape == (1, 1280, 3, 2)
    strides = [
        module.stride[0]
        for module in network.body.modules()
        if isinstance(module, nn.Conv2d) and module.kernel_size[0] > 1
    ]
    assert strides == [2, 1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1]


@pytest.mark.parametrize(("size", "weights", "side"), [(64, 11_168_832, 8), (65, 11_176_512, 3)])
def test_resnet18_is_as_published_and_keeps_the_resolution_of_small_images(
    size: int, weights: int, side: int
) -> None:
    network = make_network("resnet18", 7, size=size)
    assert weights_of(network.body) == weights
    assert weights_of(network.classifier) == 512 * 7 + 7
    with torch.no_grad():
        assert network.eval().maps(torch.zeros(1, 3, size, size)).shape == (1, 512, side, side)
    zero = [name for name, value in network.named_parameters() if not value.any()]
    assert len([name for name in zero if name.endswith("bn2.weight")]) == 8
    assert float(network.classifier.weight.std()) == pytest.approx(0.01, rel=0.1)
    assert not network.classifier.bias.any()


def test_same_padding_adds_more_at_the_end() -> None:
    layer = _Same(1, 1, 3, 2, bias=False)
    nn.init.ones_(layer.weight)
    with torch.no_grad():
        even = layer(torch.ones(1, 1, 4, 4))[0, 0]
        odd = layer(torch.ones(1, 1, 5, 5))[0, 0]
        oblong = layer(torch.ones(1, 1, 4, 5))[0, 0]
    assert even.tolist() == [[9, 6], [6, 4]]
    assert odd.tolist() == [[4, 6, 4], [6, 9, 6], [4, 6, 4]]
    assert oblong.tolist() == [[6, 9, 6], [4, 6, 4]]


def test_frozen_stages_neither_learn_nor_count() -> None:
    network = make_network("resnet18", 2, size=32)
    network.freeze(2)
    network.train()
    assert [stage.training for stage in network.stages] == [False, False, True, True, True]
    moving = [next(stage.parameters()).requires_grad for stage in network.stages]
    assert moving == [False, False, True, True, True]
    assert network.classifier.training
    network.freeze(0)
    assert all(stage.training for stage in network.stages)
    network.freeze(99)
    assert network.frozen == 5


def test_images_are_brought_to_the_mean_and_spread_that_the_weights_want() -> None:
    network = make_network("resnet18", 2, size=32)
    seen: list[torch.Tensor] = []
    network.body = nn.Identity()
    network.body.register_forward_hook(lambda module, given, result: seen.append(given[0]))
    network.maps(torch.full((1, 3, 1, 1), 0.5))
    wanted = [(0.5 - 0.485) / 0.229, (0.5 - 0.456) / 0.224, (0.5 - 0.406) / 0.225]
    assert seen[0].ravel().tolist() == pytest.approx(wanted, rel=1e-5)
    lite0 = make_network("lite0", 2, size=32, pretrained=False)
    assert lite0.mean.ravel().tolist() == pytest.approx([127 / 255] * 3)
    assert lite0.std.ravel().tolist() == pytest.approx([128 / 255] * 3)


def test_a_balanced_sampler_draws_each_class_as_often_and_anew_each_epoch() -> None:
    materials = toy_materials(count=60, val=6)
    rare = materials.labels.copy()
    rare[rare == 2] = 1
    rare[:3] = 2
    materials = type(materials)(**{**vars(materials), "labels": rare})
    settings = TrainSettings(sampler="balanced", class_weights="none", seed=1)
    feeder = feeder_for(materials, settings, None)
    assert feeder.draw is not None
    drawn = np.concatenate([feeder.draw(epoch) for epoch in range(20)])
    assert set(drawn.tolist()) <= set(range(60))
    assert np.bincount(rare[drawn]) / len(drawn) == pytest.approx([1 / 3] * 3, abs=0.05)
    assert len(feeder.draw(0)) == 60
    assert feeder.draw(0).tolist() == feeder.draw(0).tolist() != feeder.draw(1).tolist()
    other = feeder_for(materials, TrainSettings(**{**vars(settings), "seed": 2}), None)
    assert other.draw is not None
    assert feeder.draw(0).tolist() != other.draw(0).tolist()


def test_defaults_of_training_are_those_that_are_documented() -> None:
    assert vars(TrainSettings()) == {
        "epochs": 20, "batch": 32, "lr": 2e-3, "body_lr": 0.25, "optimiser": "adamw",
        "weight_decay": 0.02, "schedule": "cosine", "warmup_epochs": 1.0, "dropout": 0.2,
        "smoothing": 0.1, "focal": 0.0, "class_weights": "inverse", "sampler": "plain",
        "clip": 5.0, "accumulate": 1, "precision": "fp32", "patience": 6, "freeze": 0,
        "norms": "batch", "depthwise": "learned", "seed": 0,
    }  # fmt: skip


def stirred_lite0(outputs: int = 3) -> Network:
    """Lite0 with random weights whose norms have statistics of their own."""
    torch.manual_seed(0)
    network = make_network("lite0", outputs, size=48, dropout=0.0, pretrained=False)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_mean, -0.2, 0.2)
            nn.init.uniform_(module.running_var, 0.5, 2.0)
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.2, 0.2)
    return network


def plainly(network: Network, images: torch.Tensor) -> torch.Tensor:
    """Logits of Lite0, layer by layer as it is published."""
    body, out = network.body, (images - network.mean) / network.std
    out = nn.functional.relu6(body._bn0(body._conv_stem(out)))
    for block in body._blocks:
        start = out
        if hasattr(block, "_expand_conv"):
            out = nn.functional.relu6(block._bn0(block._expand_conv(out)))
        out = nn.functional.relu6(block._bn1(block._depthwise_conv(out)))
        out = block._bn2(block._project_conv(out)) + (start if block.residual else 0)
    out = nn.functional.relu6(body._bn1(body._conv_head(out)))
    return network.classifier(out.mean(dim=(2, 3)))


@pytest.mark.parametrize("frozen", [0, 2, 3, 9])
@pytest.mark.parametrize("training", [True, False])
def test_lite0s_shorter_ways_give_the_same_logits_and_gradients(
    frozen: int, training: bool
) -> None:
    network = stirred_lite0().double()
    network.freeze(frozen)
    network.train(training)
    images = torch.rand(5, 3, 48, 48, dtype=torch.float64)
    wanted = torch.rand(5, 3, dtype=torch.float64)
    results = []
    for function in (network, lambda images: plainly(network, images)):
        network.zero_grad()
        logits = function(images)
        nn.functional.mse_loss(logits, wanted).backward()
        gradients = [each.grad for each in network.parameters() if each.requires_grad]
        results.append([logits.detach(), *(each.clone() for each in gradients)])
    for short, plain in zip(*results, strict=True):
        assert torch.allclose(short, plain, rtol=1e-7, atol=1e-9)
    with torch.inference_mode():
        network.eval()
        assert torch.allclose(network(images), plainly(network, images), rtol=1e-7)


def test_blocks_that_learn_nothing_see_a_few_images_at_a_time() -> None:
    network = stirred_lite0()
    network.freeze(3)
    network.train()
    seen: dict[int, list[int]] = {}
    for number, block in enumerate(network.body._blocks):
        block.register_forward_hook(
            lambda module, given, result, number=number: seen.setdefault(number, []).append(
                len(given[0])
            )
        )
    network(torch.rand(5, 3, 48, 48))
    assert [seen[number] for number in range(4)] == [[2, 2, 1]] * 3 + [[5]]
