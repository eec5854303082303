"""A network that is small enough for tests of what is done with networks."""

from __future__ import annotations

import torch

from dataprep.baselines.training.networks import Network


class _Body(torch.nn.Module):
    """Two convolutions with batch norm: enough to tell colours."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm = torch.nn.Conv2d(3, 16, 3, 2, 1), torch.nn.BatchNorm2d(16)
        self.second = torch.nn.Conv2d(16, 32, 3, 2, 1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.second(torch.relu(self.norm(self.first(images)))))


def small_network(outputs: int = 3, seed: int = 0) -> Network:
    torch.manual_seed(seed)
    body = _Body()
    network = Network(
        body, 32, outputs, [body.first, body.second], mean=(0.5,) * 3, std=(0.25,) * 3, dropout=0.0
    )
    torch.nn.init.normal_(network.classifier.weight, std=0.01)
    torch.nn.init.zeros_(network.classifier.bias)
    return network
