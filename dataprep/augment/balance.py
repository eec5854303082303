"""Balance: rare classes are shown more often, each time changed; which image, and how often,
seed and epoch decide.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from dataprep.augment.policies import digest
from dataprep.errors import InputError, OptionError
from dataprep.normalisation.fitting import training_images

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.schemas.audit import Audit
    from dataprep.schemas.dataset import Dataset
    from dataprep.schemas.split import Split

#: Times that an image is shown in one epoch at most, unless asked for otherwise: ten changed copies
#: of one picture teach little.
MOST_COPIES = 20


def balanced_counts(
    counts: Mapping[str, int], ratio: float = 1.0, most: int = MOST_COPIES
) -> dict[str, int]:
    """Class to the number of images to show of it: none fewer than there are, and at least `ratio`
    times the largest class.

    Args:
        counts: class to its images.
        ratio: 1 for classes of one size, 0.5 for none smaller than half of the largest, 0 for as
            they are.
        most: times that one image is shown at most; the smallest classes may stay below `ratio` by
            it.

    Raises:
        OptionError: `ratio` outside 0 to 1, or `most` below 1.
    """
    if not 0 <= ratio <= 1:
        raise OptionError(f"ratio: expected 0 (as it is) to 1 (all classes alike), got {ratio!r}")
    if most < 1:
        raise OptionError(f"most: expected at least 1, got {most!r}")
    goal = math.ceil(ratio * max(counts.values(), default=0))
    return {name: max(count, min(goal, count * most)) for name, count in counts.items()}


@dataclass(frozen=True)
class Turn:
    """One showing of an image.

    Attributes:
        row: of the training rows.
        sample: its name.
        copy: 0 the first time it is shown in the epoch, then 1, 2, ...; `Policy.augment` takes it.
    """

    row: int
    sample: str
    copy: int


class BalancedSampler:
    """Training images in a shuffled order in which rare classes come more often.

    ``for turn in sampler.epoch(3): image = policy.augment(read(turn.sample), sample=turn.sample,
    copy=turn.copy, epoch=3)``. As the ``sampler`` of a DataLoader it gives the rows of the epoch
    last set by `set_epoch`.
    """

    def __init__(
        self,
        source: Audit | Split | Dataset,
        *,
        part: str = "train",
        fold: str | int | None = None,
        ratio: float = 1.0,
        seed: int = 0,
        most: int = MOST_COPIES,
    ) -> None:
        """Only training rows with a label are shown.

        `part` and `fold` say which these are, as for `dataprep.fit_normaliser`; `ratio` and `most`
        as for `balanced_counts`.

        Raises:
            InputError: there is no training row with a label, or no part is for training.
            OptionError: a figure out of range, a part or fold that is unknown or not for training,
                a task other than classification.
        """
        self.dataset = labelled_training_rows(source, part=part, fold=fold)
        self.seed = seed
        self._epoch = 0
        labels = self.dataset.samples["label"].astype("str")
        self._names: NDArray[np.object_] = self.dataset.samples.index.to_numpy(dtype=object)
        self._members = {
            str(name): np.asarray(rows, np.int64)
            for name, rows in labels.groupby(labels).indices.items()
        }
        self.counts = balanced_counts(
            {name: len(rows) for name, rows in self._members.items()}, ratio, most
        )

    def __len__(self) -> int:
        return sum(self.counts.values())

    @property
    def weights(self) -> NDArray[np.float64]:
        """(n,) times that each training row is shown in an epoch, on average."""
        weights = np.zeros(len(self._names))
        for name, rows in self._members.items():
            weights[rows] = self.counts[name] / len(rows)
        return weights

    def set_epoch(self, epoch: int) -> None:
        """The epoch whose rows `__iter__` gives."""
        self._epoch = epoch

    def __iter__(self) -> Iterator[int]:
        return (turn.row for turn in self.epoch(self._epoch))

    def epoch(self, number: int = 0) -> list[Turn]:
        """Every showing of one epoch, in order: the same for the same seed, whatever the machine
        and the order of the files.
        """
        turns = [
            turn
            for name, rows in self._members.items()
            for turn in self._of_class(rows, self.counts[name], number)
        ]
        return sorted(
            turns, key=lambda turn: digest(self.seed, number, "order", turn.copy, turn.sample)
        )

    def _of_class(self, rows: NDArray[np.int64], count: int, number: int) -> Iterator[Turn]:
        """Whole rounds of the class, and of the last one as many as are missing."""
        order = sorted(
            rows.tolist(), key=lambda row: digest(self.seed, number, "class", self._names[row])
        )
        for place in range(count):
            row = order[place % len(order)]
            yield Turn(row, str(self._names[row]), place // len(order))


def labelled_training_rows(
    source: Audit | Split | Dataset, *, part: str = "train", fold: str | int | None = None
) -> Dataset:
    """The readable training rows that have a label, in order of their names.

    Raises:
        InputError: there is none, or no part is for training.
        OptionError: the task is not classification: combinations of labels and measured values are
            no classes, and of images with boxes or masks only the image would be copied; and as of
            `dataprep.fit_normaliser`.
    """
    dataset = training_images(source, part=part, fold=fold)
    if dataset.task not in ("classification", "none"):
        raise OptionError(
            "balancing and copies are for one class per image (task classification), and these "
            "labels are of task "
            f"{dataset.task}: train on the images as they are, and change them while training "
            "(dataprep.augment.policies)"
        )
    if dataset.task == "none" or not dataset.has("label"):
        raise InputError(
            "balancing classes needs labels, and there are none among the training images"
        )
    dataset = dataset.where(dataset.samples["label"].notna().to_numpy())
    order = np.argsort(dataset.samples.index.to_numpy(dtype=object), kind="stable")
    return replace(dataset, samples=dataset.samples.iloc[order], arrays={})
