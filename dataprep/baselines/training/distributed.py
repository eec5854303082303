"""Data-parallel training: every process takes its rows of an epoch, gradients are averaged, and
rank 0 alone scores, writes and prints.

torchrun starts the processes and sets their rank and world size in the environment: ``torchrun
--nproc-per-node 2 -m dataprep train-baseline``. Without it everything here does nothing. Results of
rank 0, and its errors, are broadcast.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from torch import Tensor, distributed, nn

if TYPE_CHECKING:
    from dataprep.baselines.training.networks import Network

T = TypeVar("T")

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
    if not distributed.is_initialized():
        return 0, 1
    return distributed.get_rank(), distributed.get_world_size()


def is_rank_zero() -> bool:
    """Whether this process is the one that writes, prints and evaluates."""
    return rank_and_world_size()[0] == 0


def barrier() -> None:
    """Wait until every process has come here."""
    if rank_and_world_size()[1] > 1:
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
    from torch.nn.parallel import DistributedDataParallel

    on_gpu = next(network.parameters()).is_cuda
    return DistributedDataParallel(
        network, device_ids=[torch.cuda.current_device()] if on_gpu else None
    )


def sum_over_ranks(figures: Tensor) -> Tensor:
    """The sum of a tensor over all processes."""
    if rank_and_world_size()[1] > 1:
        distributed.all_reduce(figures)
    return figures
