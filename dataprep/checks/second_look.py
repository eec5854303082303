"""The budgeted second look: what checks may ask for beyond the columns, worked out once and
shared between them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from dataprep.checks.duplicates.claims import DUPLICATE_COLUMNS
from dataprep.checks.duplicates.equal_images import KEEPER_COLUMNS
from dataprep.checks.duplicates.pairs import Duplicates, find_duplicates
from dataprep.checks.duplicates.search import (
    FACT_COLUMNS,
    EmbeddingSource,
    Progress,
    Verifier,
    verify_files,
)
from dataprep.checks.memory import remembered
from dataprep.checks.quality.close_ups import suspected_close_ups
from dataprep.measures.image import close_up
from dataprep.measures.image.close_up import CloseUps
from dataprep.measures.image.marks import Marks, find_marks
from dataprep.measures.image.windows import find_windows, nothing
from dataprep.neighbours.cosine import Nearest, nearest
from dataprep.probes.classifiers.folds import units_of
from dataprep.probes.features import Features, features_of
from dataprep.probes.labels.label_evidence import LabelEvidence, evidence_of_labels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.checks.memory import Memory
    from dataprep.measures.options import PassOptions
    from dataprep.schemas.dataset import Dataset

T = TypeVar("T")

#: Columns that copies are found by, chosen from and described with. Every check that looks gets
#: them, so that units, kept images and words are the same whatever other checks run.
LOOK_COLUMNS = (*DUPLICATE_COLUMNS, *KEEPER_COLUMNS, *FACT_COLUMNS)


@dataclass
class SecondLook:
    """The `dataprep.checks.contract.Look` that the engine gives to checks.

    Attributes:
        dataset: the measured data set.
        options: limits of decoding, and workers.
        progress: called with (done, total, note) now and then.
        verify: holds candidate pairs against each other; None believes close hashes, for data whose
            files are out of reach.
        most_pairs: candidate pairs that are compared, nearest first; what is left out is said in
            `Duplicates.notes`.
        most_close_ups: images that are decoded again to judge blur, noise and enlargement where the
            pass did not, the likeliest first; what is left out is said in `CloseUps.notes`.
        neighbours_kept: nearest neighbours by embedding that are kept of each sample.
        compared_with: a measured reference data set.
        memory: recalls what an earlier run worked out of the same data, and keeps what this one
            does; None works everything out.
    """

    dataset: Dataset
    options: PassOptions
    progress: Progress | None = None
    verify: Verifier | None = verify_files
    most_pairs: int = 200_000
    most_close_ups: int = 20_000
    neighbours_kept: int = 32
    compared_with: Dataset | None = None
    memory: Memory | None = None

    def duplicates(self) -> Duplicates:
        """Verified duplicates of the data set: exact by bytes, exact by pixels, and near."""
        return self._duplicates

    def features(self) -> Features:
        """Embeddings in the space in which they are compared; nothing is known where there are
        none.
        """
        return self._features

    def neighbours(self) -> Nearest:
        """The nearest neighbours of every sample among `features`."""
        return self._neighbours

    def neighbourhood(self) -> tuple[Features, Nearest] | None:
        """`features` and `neighbours` where a check has asked for them, in this run or in the one
        that its claims are remembered from.
        """
        if "_neighbours" in vars(self):
            return self._features, self._neighbours
        if self.memory is None or "embedding" not in self.dataset.arrays:
            return None
        found = self.memory.recall("neighbours", self.neighbours_kept)
        return None if found is None else (self._features, found)

    def units(self) -> NDArray[np.int64]:
        """(n,) number of what has to stay in one fold: copies and groups."""
        return self._units

    def labels(self) -> LabelEvidence:
        """Out-of-fold class probabilities of every sample, beside its given label."""
        return self._labels

    def marks(self, rows: NDArray[np.int64]) -> Marks:
        """The pixels of the images `rows` that are unlike all around them; of none where files
        are out of reach.
        """
        return find_marks(self.dataset, rows if self.verify is not None else rows[:0], self.options)

    def close_ups(self) -> CloseUps:
        """What edges, noise and traces of enlargement are like in the images that may be
        blurred, noisy or enlarged.
        """
        return self._close_ups

    def windows(self, rows: NDArray[np.int64], places: NDArray[np.int64]) -> NDArray[np.int16]:
        """The pixels around a place in each of the images `rows`; all minus one where files are
        out of reach.
        """
        return (
            nothing(len(rows))
            if self.verify is None
            else find_windows(self.dataset, rows, places, self.options)
        )

    def reference(self) -> Dataset | None:
        """The measured data set that this one is compared with, if any."""
        return self.compared_with

    def _remembered(
        self, name: str, make: Callable[[], T], given: Any = "", *, always: bool = False
    ) -> T:
        if self.memory is None:
            return make()
        return self.memory.get(name, make, given, always=always)

    @cached_property
    def _duplicates(self) -> Duplicates:
        return self._remembered("duplicates", self._find_duplicates, self.most_pairs)

    def _find_duplicates(self) -> Duplicates:
        return find_duplicates(
            self.dataset,
            self.options,
            verify=self.verify,
            most_pairs=self.most_pairs,
            progress=self.progress,
            by_embedding=EmbeddingSource(self.features, self.neighbours),
        )

    @cached_property
    def _close_ups(self) -> CloseUps:
        def look(rows: NDArray[np.int64]) -> NDArray[np.float32]:
            return close_up.find_close_ups(self.dataset, rows, self.options)

        return self._remembered(
            "close-ups",
            lambda: suspected_close_ups(
                self.dataset, look, self.most_close_ups, reachable=self.verify is not None
            ),
            self.most_close_ups,
        )

    @cached_property
    def _features(self) -> Features:
        options = replace(self.options, cache=self.memory is not None)
        return remembered_features(self.dataset, options)

    @cached_property
    def _neighbours(self) -> Nearest:
        features = self.features()
        return self._remembered(
            "neighbours",
            lambda: nearest(features.values, features.known, self.neighbours_kept),
            self.neighbours_kept,
            always=True,
        )

    @cached_property
    def _units(self) -> NDArray[np.int64]:
        return units_of(self.dataset, self.duplicates().groups)

    @cached_property
    def _labels(self) -> LabelEvidence:
        return self._remembered(
            "labels",
            lambda: evidence_of_labels(
                self.dataset, self.features(), self.neighbours(), self.units()
            ),
        )


def remembered_features(dataset: Dataset, options: PassOptions) -> Features:
    """The embeddings of a data set in the space in which they are compared, from the cache where
    an earlier run worked them out of the same embeddings.
    """
    embedding = dataset.arrays.get("embedding")
    if embedding is None:
        return features_of(np.zeros((len(dataset), 1), np.float16))
    return remembered("features", lambda: features_of(embedding), (embedding,), options)
