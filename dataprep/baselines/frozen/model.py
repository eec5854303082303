"""The frozen model: a linear classifier on the audit's embeddings. Nothing below it learns, so
torch is not needed, and no image is decoded twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from dataprep.backends.blas import one_blas_thread
from dataprep.baselines.frozen.linear import Linear, linear_on
from dataprep.baselines.training.regimes import EMBEDDER_ARCH
from dataprep.errors import WorkError
from dataprep.measures.decode.views import views_of
from dataprep.measures.decode_pass import measure
from dataprep.measures.embedding.contract import embedder_of
from dataprep.measures.embedding.stored import recall_embedding
from dataprep.measures.options import PassOptions
from dataprep.probes.vectors import known_rows, unit_length
from dataprep.schemas.lost import Lost

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from dataprep.baselines.training.materials import Materials
    from dataprep.baselines.training.settings import TrainSettings
    from dataprep.schemas.dataset import Dataset

#: The name of its network among embedders (`dataprep.measures.embedding`).
EMBEDDER = "lite0"
#: Penalties of half the squared coefficients beside the sum of the losses, strongest first.
PENALTIES = (1.0, 0.3, 0.1, 0.03, 0.01, 0.003)


@dataclass(frozen=True, eq=False)
class FrozenModel:
    """A linear classifier on embeddings of unit length.

    Attributes:
        weight: (k, d) float32. bias: (k,) float32.
        rooted: whether the square root of an embedding is taken before its length is made 1.
        size: pixels a side of the images that the embedder sees.
        embedding: (n, d) float16 embeddings of the data set that it was fitted on, row by row;
            (0, d) of a model that was read back.
    """

    weight: NDArray[np.float32]
    bias: NDArray[np.float32]
    rooted: bool
    size: int
    embedding: NDArray[np.float16]

    arch = EMBEDDER_ARCH

    @property
    def width(self) -> int:
        """Values of an embedding."""
        return int(self.weight.shape[1])

    def logits(self, embedding: NDArray[Any]) -> NDArray[np.float32]:
        """(n, k) logits of embeddings (n, d), which are rounded to half precision first, as the
        audit keeps them.
        """
        half = np.asarray(embedding, np.float16)
        values = unit_length(np.maximum(half, 0) if self.rooted else half, rooted=self.rooted)
        return np.asarray(values @ self.weight.T + self.bias, np.float32)

    def slopes(
        self, embedding: NDArray[Any], codes: NDArray[Any], *, several: bool
    ) -> NDArray[np.float32]:
        """(n, d) gradient of the logit of a class each, by the embedding (n, d); unless `several`,
        of its difference to the mean of all classes.
        """
        values = np.asarray(embedding, np.float32)
        roots = np.sqrt(np.maximum(values, 0)) if self.rooted else values
        length = np.maximum(np.linalg.norm(roots, axis=1, keepdims=True), 1e-12)
        unit = roots / length
        weight = self.weight
        if not several and len(weight) > 1:
            weight = weight - weight.mean(axis=0)
        chosen = weight[codes]
        slope = (chosen - unit * (unit * chosen).sum(axis=1, keepdims=True)) / length
        if not self.rooted:
            return np.asarray(slope, np.float32)
        return np.where(roots > 0, slope / (2 * np.maximum(roots, 1e-6)), 0).astype(np.float32)

    def predictor(self) -> Callable[[NDArray[np.int64]], NDArray[np.float32]]:
        """Rows of the data set to their logits."""
        return lambda rows: self.logits(self.embedding[rows])

    def state_dict(self) -> Mapping[str, NDArray[Any]]:
        """Names and values of what was learned."""
        return {"classifier.weight": self.weight, "classifier.bias": self.bias}


class DecodedRows:
    """Images that are decoded when they are asked for, in place of an array (n, side, side, 3)."""

    def __init__(self, dataset: Dataset, side: int, passing: PassOptions) -> None:
        self.shape = (len(dataset), side, side, 3)
        self._dataset, self._side, self._passing = dataset, side, passing
        self._known: dict[int, NDArray[np.uint8]] = {}

    def decode(self, rows: NDArray[np.int64]) -> None:
        """Decode several images at once, in worker processes. Those that cannot be are black."""
        wanted = [int(row) for row in rows if int(row) not in self._known]
        names = [str(self._dataset.samples.index[row]) for row in wanted]
        views = views_of(self._dataset, names, self._side, self._passing, reduced=False)
        for place, view in views:
            self._known[wanted[place]] = (
                np.zeros(self.shape[1:], np.uint8) if isinstance(view, Lost) else view
            )

    def __getitem__(self, row: int) -> NDArray[np.uint8]:
        if int(row) not in self._known:
            self.decode(np.array([row]))
        return self._known[int(row)]


@dataclass(frozen=True, eq=False)
class Embedded:
    """Embeddings of a data set: (n, d) float16, (n,) which are known, and sample to why not."""

    embedding: NDArray[np.float16]
    known: NDArray[np.bool_]
    lost: dict[str, str]


def embedder_size(passing: PassOptions, size: int) -> int:
    """Pixels a side: `size` if that was asked for, else what the audit embedded at."""
    return size or (passing.embedder_size if passing.embedder == EMBEDDER else 160)


def embeddings_of(
    dataset: Dataset, passing: PassOptions, progress: Callable[[int, int, str], None] | None = None
) -> Embedded:
    """The embeddings of every image by the embedder of `passing`: those that the cache knows, and
    others from the images. Embeddings that the data set brings along are not used.

    Args:
        dataset: n samples.
        passing: the embedder and its size, and how files are read.
        progress: called with (done, total, note).

    Raises:
        WorkError: the embedder failed.
    """
    embedder = embedder_of(passing)
    embedding = np.zeros((len(dataset), embedder.dim), np.float16)
    known = np.zeros(len(dataset), bool)
    if not passing.verify_cache:
        known = recall_embedding(dataset, embedder, passing, embedding) & known_rows(embedding)
    lost: dict[str, str] = {}
    missing = ~known & dataset.readable
    rows = np.flatnonzero(missing)
    if len(rows):
        arrays = {name: array for name, array in dataset.arrays.items() if name != "embedding"}
        part = replace(dataset, arrays=arrays).where(missing)
        measured = measure(part, ["embedding"], passing, progress)
        if not measured.has("embedding"):
            raise WorkError("the images could not be embedded: expected the reason in a warning")
        embedding[rows] = measured.arrays["embedding"]
        known[rows] = known_rows(embedding[rows])
        reasons = measured.samples[["lost", "lost_detail"]].astype("str")[~known[rows]]
        lost = {
            str(name): ": ".join(filter(None, (reason, detail))) or "it was not embedded"
            for name, reason, detail in reasons.itertuples()
        }
    return Embedded(embedding, known, lost)


def train_frozen(
    materials: Materials, settings: TrainSettings, linear: Linear | None = None
) -> tuple[FrozenModel, Linear]:
    """The frozen model of some materials, and the classifier in the `FeatureSpace` of its rows.

    Args:
        materials: with embeddings.
        settings: of the loss.
        linear: a classifier that was fitted on the same rows before.
    """
    assert materials.embedding is not None
    with one_blas_thread():
        space = materials.space
        if linear is None:
            linear = linear_in_space(materials, materials.train, settings)
        weight, bias = space.folded(linear.weight, linear.bias)
    side, embedding = materials.store.side, materials.embedding
    return FrozenModel(weight, bias, space.rooted, side, embedding), linear


def penalties_for(rows: int, penalty: float | None = None) -> tuple[float, ...]:
    """Penalties beside the mean loss of some rows, strongest first, of features of unit length;
    `penalty` alone where that was chosen beside the sum of the losses.
    """
    return tuple(each / max(1, rows) for each in (PENALTIES if penalty is None else (penalty,)))


def linear_in_space(
    materials: Materials, rows: NDArray[np.int64], settings: TrainSettings
) -> Linear:
    """The linear classifier on `Materials.values` of some rows, with its one penalty."""
    return head_on(materials, materials.values[rows], rows, settings, materials.penalty)


def head_on(
    materials: Materials,
    values: NDArray[np.float32],
    rows: NDArray[np.int64],
    settings: TrainSettings,
    penalty: float | None = None,
) -> Linear:
    """The linear classifier on features of unit length (len(rows), m) of some rows; `penalty` is
    chosen by folds of them where it is not known.
    """
    return linear_on(
        materials, values, rows, settings, penalties_for(len(rows), penalty), standardise=False
    )
