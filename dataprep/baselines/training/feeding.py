"""Feeding: batches of a pixel store's rows, in an order and with augmentation that depend on
seed and epoch alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.baselines.training.pixel_store import PixelStore

#: augment(image (H, W, 3) uint8, epoch, row) -> image of the same form; the same for the same
#: arguments, in whatever process.
Augment = Callable[["NDArray[np.uint8]", int, int], "NDArray[np.uint8]"]
Batch = tuple[Tensor, Tensor]


class _Rows(TorchDataset[Batch]):
    """Whole batches of rows; its items are lists of rows, so that a worker hands over one tensor
    a batch.
    """

    def __init__(
        self,
        store: PixelStore,
        targets: NDArray[Any],
        batches: list[NDArray[np.int64]],
        augment: Augment | None,
        epoch: int,
    ):
        self.store = store
        self.targets = targets
        self.batches = batches
        self.augment = augment
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.batches)

    def __getitem__(self, number: int) -> Batch:
        rows = self.batches[number]
        images = [self.store.images[row] for row in rows]
        if self.augment is not None:
            images = [
                self.augment(image, self.epoch, int(row))
                for image, row in zip(images, rows, strict=True)
            ]
        return torch.from_numpy(np.stack(images)), torch.from_numpy(self.targets[rows])


@dataclass(frozen=True, eq=False)
class Feeder:
    """Batches of some rows of a store: (B, 3, H, W) uint8 images, channels last in memory, and
    their targets.

    Attributes:
        store: the images.
        rows: (n,) rows to take.
        targets: targets of all rows of the store.
        batch: images per batch.
        shuffle: a new order each epoch, by seed and epoch alone.
        draw: epoch to the rows to take instead of `rows` (a balanced sampler); None takes each
            once.
        augment: applied to each image.
        seed: of the order.
        workers: processes that augment beside the training; 0 does it in between, which costs
            nothing where the processor trains.
        shard: (rank, world size): each process takes its own rows of an epoch.
    """

    store: PixelStore
    rows: NDArray[np.int64]
    targets: NDArray[Any]
    batch: int
    shuffle: bool = False
    draw: Callable[[int], NDArray[np.int64]] | None = None
    augment: Augment | None = None
    seed: int = 0
    workers: int = 0
    shard: tuple[int, int] = (0, 1)

    def __len__(self) -> int:
        """Batches of an epoch."""
        return len(self._batches(0))

    def __call__(self, epoch: int = 0) -> Iterator[Batch]:
        """The batches of an epoch."""
        self.store.demand_whole()
        rows = _Rows(self.store, self.targets, self._batches(epoch), self.augment, epoch)
        loader: Any = DataLoader(
            rows,
            batch_size=None,
            num_workers=self.workers,
            pin_memory=torch.cuda.is_available(),
            multiprocessing_context="spawn" if self.workers else None,
        )
        for images, targets in loader:
            yield images.permute(0, 3, 1, 2), targets

    def order(self, epoch: int) -> NDArray[np.int64]:
        """The rows of an epoch in their order, before they are shared between processes."""
        rows = self.rows if self.draw is None else self.draw(epoch)
        return np.random.default_rng([self.seed, epoch]).permutation(rows) if self.shuffle else rows

    def _batches(self, epoch: int) -> list[NDArray[np.int64]]:
        rank, processes = self.shard
        rows = self.order(epoch)
        if (
            processes > 1
        ):  # all processes take the same number of steps, or they would wait for each other
            rows = np.resize(rows, -(-len(rows) // processes) * processes)[rank::processes]
        batches = [rows[start : start + self.batch] for start in range(0, len(rows), self.batch)]
        if (
            self.shuffle and len(batches) > 1 and len(batches[-1]) == 1
        ):  # batch norm knows no spread of a single image
            batches[-2:] = [np.concatenate(batches[-2:])]
        return batches
