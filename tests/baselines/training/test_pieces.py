"""Batches in pieces: the gradients of the whole batch, with any number of threads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from dataprep.baselines.training.distributed import PIECE, Gradients, ahead, thread_map  # noqa: E402
from dataprep.baselines.training.loop import fit  # noqa: E402
from dataprep.baselines.training.networks import Network, make_network  # noqa: E402
from dataprep.baselines.training.settings import TrainSettings  # noqa: E402
from tests.baselines.small import small_network  # noqa: E402

COUNT = 2 * PIECE + 7
IMAGES = torch.randint(0, 256, (COUNT, 3, 8, 8), generator=torch.manual_seed(0)).to(torch.uint8)
TARGETS = torch.arange(COUNT) % 3


@pytest.fixture(autouse=True)
def same_threads() -> Iterator[None]:
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def network_with(norms: bool, dropout: float = 0.5) -> Network:
    network = small_network()
    network.dropout.p = dropout
    network.freeze(0, norms=norms)
    return network.train()


def gradients_of(network: Network, threads: int, times: int = 1) -> list[Any]:
    """The loss of the batch, and the gradients of the network after `times` batches."""
    torch.set_num_threads(threads)
    torch.manual_seed(1)  # dropout
    made = Gradients(network, torch.nn.CrossEntropyLoss(), nullcontext, COUNT)
    with made.running([(IMAGES, TARGETS)] * times) as (batches, backward):
        losses = [backward(*batch, lambda value: value / 2) for batch in batches]
    return [*losses, *(each.grad for each in network.parameters())]


@pytest.mark.parametrize("times", [1, 2])
def test_pieces_have_the_gradients_of_the_whole_batch(times: int) -> None:
    in_pieces = network_with(norms=True)
    assert Gradients(in_pieces, torch.nn.Identity(), nullcontext, COUNT).pieces == 3
    whole = network_with(norms=True)
    whole.fixed_norms = False  # its norms are in evaluation mode already
    found, expected = (gradients_of(each, 2, times) for each in (in_pieces, whole))
    for one, other in zip(found, expected, strict=True):
        assert torch.allclose(one, other, rtol=1e-4, atol=1e-7)


def test_the_number_of_threads_changes_nothing() -> None:
    found = [gradients_of(network_with(norms=True), threads) for threads in (1, 2, 3)]
    for others in found[1:]:
        assert all(torch.equal(one, other) for one, other in zip(found[0], others, strict=True))


def test_batches_whose_images_depend_on_each_other_stay_whole() -> None:
    network = network_with(norms=False)
    assert Gradients(network, torch.nn.Identity(), nullcontext, COUNT).pieces == 1
    sizes: list[int] = []
    network.body.register_forward_hook(lambda module, given, result: sizes.append(len(result)))
    gradients_of(network, 2)
    assert sizes == [COUNT]


def test_a_body_that_stays_leaves_the_classifier_to_learn() -> None:
    network = network_with(norms=True)
    network.body.requires_grad_(False)
    *_, weight, bias = gradients_of(network, 2)
    assert weight.abs().sum() > 0
    assert bias.abs().sum() > 0
    assert all(each.grad is None for each in network.body.parameters())


def test_a_map_gives_torch_its_threads_back_whatever_happens() -> None:
    torch.set_num_threads(4)
    with thread_map(2) as mapped:
        assert torch.get_num_threads() == 2
        assert mapped(lambda a, b: a * b, [1, 2, 3], [4, 5, 6]) == [4, 10, 18]
    assert torch.get_num_threads() == 4
    with pytest.raises(ZeroDivisionError), thread_map(8) as mapped:
        mapped(lambda value: 1 / value, [1, 0])
    assert torch.get_num_threads() == 4


def test_what_is_made_ahead_comes_in_its_order_and_so_do_errors() -> None:
    def items() -> Iterator[int]:
        yield from range(3)
        raise ValueError("the fourth")

    assert list(ahead(range(4))) == [0, 1, 2, 3]
    assert list(ahead([])) == []
    coming = ahead(items())
    assert [next(coming) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="the fourth"):
        next(coming)


@pytest.mark.parametrize("learns", [False, True])
def test_norms_and_depthwise_kernels_stay_unless_they_are_to_learn(learns: bool) -> None:
    settings = TrainSettings(
        epochs=1,
        freeze=8,
        lr=0.1,
        norms="batch" if learns else "fixed",
        depthwise="learned" if learns else "fixed",
    )
    network = make_network("lite0", 3, size=32, pretrained=False)
    network.freeze(7, **settings.kept)  # the seventh stage and the head learn
    before = {name: value.clone() for name, value in network.state_dict().items()}
    images = torch.randint(0, 256, (20, 3, 32, 32)).to(torch.uint8)
    batches = [(images, torch.arange(20) % 3)]
    fit(network, lambda epoch: iter(batches), 1, torch.nn.CrossEntropyLoss(), None, settings)
    moved = {name for name, value in network.state_dict().items() if (value != before[name]).any()}
    assert "body._blocks.15._project_conv.weight" in moved
    assert ("body._bn1.running_mean" in moved) == learns
    assert ("body._blocks.15._depthwise_conv.weight" in moved) == learns
    assert ("body._blocks.15._bn1.weight" in moved) == learns
    assert not any("_blocks.10" in name for name in moved)
