"""Data-parallel training: in processes and in threads.

Every process takes its rows of an epoch, gradients are averaged, and rank 0 alone scores, writes
and prints.

torchrun starts the processes and sets their rank and world size in the environment: ``torchrun
--nproc-per-node 2 -m dataprep train-baseline``. Without it everything here does nothing. Results of
rank 0, and its errors, are broadcast.

Within a process, on the processor, batches go in pieces, each in a thread of its own. Where torch
divides every single operation between threads, they wait for each other after each of them:
another program on one core slows all of them down. Pieces of a batch wait twice per step. Their
size is fixed and their gradients are added in their order, so that the number of threads changes
nothing but rounding inside an operation.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from torch import Tensor, nn

    from dataprep.baselines.training.networks import Network

T = TypeVar("T")
#: Like the built-in `map`, as a list.
Map = Callable[..., list[Any]]
#: Adds the gradients of the loss of a batch, times a factor, to those of the network; gives the
#: loss: (images (B, 3, H, W) uint8, targets, factor) -> loss.
Backward = Callable[["Tensor", "Tensor", Callable[["Tensor"], "Tensor"]], "Tensor"]

#: Images in a piece: with fewer, torch takes slower convolutions.
PIECE = 16

#: The others wait as long as this while rank 0 decodes or evaluates.
_TIMEOUT = timedelta(hours=12)


@contextmanager
def process_group(device: str = "auto") -> Iterator[int]:
    """The rank of this process; torchrun's processes are one group while the block runs. 0 without
    torchrun.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) <= 1:
        yield 0
        return
    import torch
    from torch import distributed

    on_gpu = device != "cpu" and torch.cuda.is_available()
    if on_gpu:
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    # Optimisers import this; after the group is made, it would hold the group for good (torch
    # 2.13), and threads of a group that is never taken down abort the process, now and then, when
    # the interpreter ends.
    import_module("torch._dynamo")
    distributed.init_process_group("cpu:gloo,cuda:nccl" if on_gpu else "gloo", timeout=_TIMEOUT)
    try:
        yield distributed.get_rank()
        # who leaves first closes connections that another one still reads from
        distributed.barrier()
    finally:
        gc.collect()  # a wrapped network is a cycle that holds the group
        distributed.destroy_process_group()


def rank_and_world_size() -> tuple[int, int]:
    """(rank, processes)."""
    distributed: Any = sys.modules.get("torch.distributed")  # a group is made by it alone
    if distributed is None or not distributed.is_initialized():
        return 0, 1
    return distributed.get_rank(), distributed.get_world_size()


def is_rank_zero() -> bool:
    """Whether this process is the one that writes, prints and evaluates."""
    return rank_and_world_size()[0] == 0


def barrier() -> None:
    """Wait until every process has come here."""
    if rank_and_world_size()[1] > 1:
        from torch import distributed

        distributed.barrier()


def run_on_rank_zero(decide: Callable[[], T]) -> T:
    """Call `decide` on rank 0, and return its result in every process.

    Raises:
        Exception: what `decide` raised, in every process, so that none waits for one that is gone.
    """
    if rank_and_world_size()[1] == 1:
        return decide()
    box: list[Any] = [None, None]
    if is_rank_zero():
        try:
            box[0] = decide()
        except Exception as error:
            box[1] = error
    from torch import distributed

    distributed.broadcast_object_list(box, src=0)
    if box[1] is not None:
        raise box[1]
    return box[0]  # type: ignore[no-any-return]


def rank_zero_first(make: Callable[[], T]) -> T:
    """Call `make` on rank 0 and then in the others, which find on disk what rank 0 wrote.

    Raises:
        Exception: what `make` raised on rank 0, in every process.
    """
    made: list[T] = []
    run_on_rank_zero(lambda: made.append(make()))
    return made[0] if made else make()


def data_parallel(network: Network) -> nn.Module:
    """`network` for the forward pass of training: backward averages the gradients of all
    processes.
    """
    if rank_and_world_size()[1] == 1:
        return network
    import torch
    from torch.nn.parallel import DistributedDataParallel

    on_gpu = next(network.parameters()).is_cuda
    return DistributedDataParallel(
        network, device_ids=[torch.cuda.current_device()] if on_gpu else None
    )


def sum_over_ranks(figures: Tensor) -> Tensor:
    """The sum of a tensor over all processes."""
    if rank_and_world_size()[1] > 1:
        from torch import distributed

        distributed.all_reduce(figures)
    return figures


@contextmanager
def thread_map(pieces: int) -> Iterator[Map]:
    """A map that runs its calls beside each other, in as many threads as torch has here, and at
    most `pieces`; torch divides an operation only between the threads that are left.
    """
    import torch

    threads = torch.get_num_threads()
    workers = max(1, min(threads, pieces))
    if workers == 1:
        yield lambda function, *arguments: list(map(function, *arguments))
        return
    torch.set_num_threads(max(1, threads // workers))
    try:
        with ThreadPoolExecutor(workers) as pool:
            yield lambda function, *arguments: list(pool.map(function, *arguments))
    finally:
        torch.set_num_threads(threads)


def ahead(items: Iterable[T]) -> Iterator[T]:
    """`items`, the next one made in a thread while the current one is in use."""
    iterator, end = iter(items), object()
    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(next, iterator, end)
        while (item := coming.result()) is not end:
            coming = thread.submit(next, iterator, end)
            yield item  # type: ignore[misc]


class Gradients:
    """How a network gets the gradients of a batch.

    Args:
        network: on its device.
        loss: logits and targets to a number.
        autocast: makes the context of the forward pass.
        batch: images in a batch. Batches go in pieces where no image depends on another one of its
            batch: with fixed norms, on the processor, in a single process.
    """

    def __init__(
        self, network: Network, loss: nn.Module, autocast: Callable[[], Any], batch: int
    ) -> None:
        self.network, self.loss, self.autocast = network, loss, autocast
        alone = rank_and_world_size()[1] == 1 and next(network.parameters()).device.type == "cpu"
        self.pieces = -(-batch // PIECE) if alone and network.fixed_norms else 1
        self.shared = data_parallel(network)

    @contextmanager
    def running(self, batches: Iterable[T]) -> Iterator[tuple[Iterable[T], Backward]]:
        """For an epoch: its batches, and what works out their gradients."""
        if self.pieces == 1:
            yield batches, self._whole
            return
        with thread_map(self.pieces) as mapped:
            yield (
                ahead(batches),
                lambda images, targets, factor: self._in_pieces(images, targets, factor, mapped),
            )

    def _whole(self, images: Tensor, targets: Tensor, factor: Callable[[Tensor], Tensor]) -> Tensor:
        with self.autocast():
            value: Tensor = self.loss(self.shared(images.float() / 255), targets)
        factor(value).backward()  # type: ignore[no-untyped-call]
        return value.detach()

    def _in_pieces(
        self, images: Tensor, targets: Tensor, factor: Callable[[Tensor], Tensor], mapped: Map
    ) -> Tensor:
        import torch

        network = self.network
        weights = [each for each in network.body.parameters() if each.requires_grad]

        def forward(piece: Tensor) -> Tensor:
            with self.autocast():
                return network.features(piece.float() / 255)  # (PIECE, width)

        def backward(features: Tensor, gradient: Tensor) -> tuple[Tensor | None, ...]:
            return torch.autograd.grad(features, weights, gradient, allow_unused=True)

        features = mapped(forward, torch.split(images, PIECE))
        joined = torch.cat([each.detach() for each in features]).requires_grad_()  # (B, width)
        with self.autocast():
            value: Tensor = self.loss(network.logits(joined), targets)
        factor(value).backward()  # type: ignore[no-untyped-call]
        if weights:
            pieces = torch.split(joined.grad, PIECE)  # type: ignore[arg-type]
            for gradients in mapped(backward, features, pieces):
                for weight, gradient in zip(weights, gradients, strict=True):
                    if weight.grad is None:
                        weight.grad = gradient
                    elif gradient is not None:
                        weight.grad.add_(gradient)
        return value.detach()
