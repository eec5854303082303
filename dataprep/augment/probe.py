"""Probes of changed images, by which policies are chosen and evaluated.

A probe learns the classes from unchanged images. Each image, unchanged and changed, is classified
by the model of a fold that holds neither it, nor its copies, nor its group, and the two
predictions are compared.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import simplejpeg

from dataprep.measures.decode.thumbnails import thumbnails
from dataprep.measures.decode_pass import measure
from dataprep.measures.embedding.contract import embedder_of, view_of
from dataprep.measures.fingerprints.thumb import unpack_thumbs
from dataprep.measures.options import PassOptions
from dataprep.normalisation.fitting import training_images
from dataprep.probes.classifiers.folds import join
from dataprep.probes.classifiers.logistic import logistic_scores
from dataprep.probes.classifiers.targets import Targets
from dataprep.probes.features import Features, space_of
from dataprep.progress import Progress
from dataprep.schemas.audit import Audit
from dataprep.schemas.dataset import Dataset
from dataprep.schemas.split import UNIT, Split
from dataprep.splits.units import units_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.measures.embedding.contract import Embedder

    Rows = NDArray[np.int64]
    Image = NDArray[np.uint8]


#: Images that are changed, at most; and that the probes learn from, at most.
IMAGES, LEARNED = 300, 20_000
#: Longer side of the images that are changed, in pixels; what policies do scales with it.
SIDE = 224
#: Images that a class needs for the probe to learn it.
FEWEST = 5


@dataclass(frozen=True, eq=False)
class ProbePredictions:
    """Predictions of a probe for some images and for each of them changed.

    Attributes:
        given: (m,) class number that each image is labelled with.
        before: (m,) predicted class of the unchanged image, out of fold.
        after: (m,) predicted class of the changed one.
        classes: names of the class numbers.
    """

    given: NDArray[np.int64]
    before: NDArray[np.int64]
    after: NDArray[np.int64]
    classes: tuple[str, ...]

    @property
    def right(self) -> NDArray[np.bool_]:
        """(m,) whether the probe is right about the image as it is; only of these can a change
        be seen.
        """
        return np.asarray(self.before == self.given)

    @property
    def kept(self) -> NDArray[np.bool_]:
        """(m,) whether the probe is right about the changed one."""
        return np.asarray(self.after == self.given)

    @property
    def changed(self) -> NDArray[np.bool_]:
        """(m,) whether it was right and is no longer."""
        return np.asarray(self.right & (self.after != self.before))


class AugmentationProbe:
    """Classifiers on embeddings that say whether a changed image keeps its class.

    Attributes:
        dataset: the training rows, measured.
        codes: (n,) class number of each row, -1 where it has none.
        units: (n,) number of what has to stay in one fold.
        rows: (m,) rows of `dataset` that are changed: as many of each class as can be, in an order
            that only their names decide.
        classes: names of the classes that the probes know.
    """

    def __init__(
        self,
        source: Audit | Split | Dataset,
        *,
        part: str = "train",
        fold: str | int | None = None,
        images: int = IMAGES,
        options: PassOptions | None = None,
        progress: Progress | None = None,
    ) -> None:
        """Gather what the cache holds of `source`; only its training rows, where it is divided.

        `part` and `fold` say which these are, as for `dataprep.fit_normaliser`.

        Raises:
            InputError: there is no readable training image, or no part is for training.
            OptionError: a part or fold that is unknown, or not for training.
        """
        self._progress: Progress = progress or (lambda stage, done, total, note: None)
        self._options = options or options_of(source)
        dataset = training_images(source, part=part, fold=fold)
        columns = ["thumb"] if not self._options.embedder else ["embedding", "thumb"]
        self.dataset = measure(
            dataset, columns, self._options, lambda *done: self._progress("measure", *done)
        )
        self.units = _units_of(source, self.dataset)
        self.codes, self.classes = _codes(self.dataset)
        self.rows = _spread(self.dataset, self.codes, images)

    @cached_property
    def images(self) -> list[Image]:
        """The images of `rows`, longer side at most `SIDE`; those that cannot be read any more
        are black.
        """
        names = self.dataset.samples.index[self.rows].tolist()
        made = thumbnails(
            self.dataset,
            names,
            self._options,
            side=SIDE,
            progress=lambda *done: self._progress("measure", *done),
        )
        black = np.zeros((8, 8, 3), np.uint8)
        return [
            simplejpeg.decode_jpeg(made[name], colorspace="RGB") if name in made else black
            for name in names
        ]

    @property
    def sees(self) -> bool:
        """Whether there are embeddings."""
        return "embedding" in self.dataset.arrays and self._space is not None

    @property
    def labelled(self) -> bool:
        """Whether there are two classes or more to learn."""
        return len(self.classes) > 1

    @cached_property
    def embedder(self) -> Embedder:
        """The one that the data set was embedded by."""
        return embedder_of(self._options)

    def embed(self, images: list[Image]) -> NDArray[np.float32]:
        """(m, f) where images lie in the space in which images are compared; rows of unit
        length.
        """
        views = np.stack([view_of(_as_rgb(image), self.embedder.size) for image in images])
        step = self.embedder.batch
        vectors = [
            self.embedder(views[start : start + step]) for start in range(0, len(views), step)
        ]
        assert self._space is not None
        placed: Features = self._space.place(np.concatenate(vectors))
        return placed.values

    @cached_property
    def originals(self) -> NDArray[np.float32]:
        """(m, f) where the images of `rows` lie, unchanged, as they are shown here."""
        return self.embed(self.images)

    def predict(self, vectors: Mapping[str, NDArray[np.float32]]) -> dict[str, ProbePredictions]:
        """Predictions from embeddings, by name of a change, where the changed images of
        `rows` lie (a multiple of m).
        """
        return self._predict(self.features.values, self.originals, vectors)

    def predict_from_pixels(
        self, changes: Mapping[str, Callable[[NDArray[np.uint8]], NDArray[np.uint8]]]
    ) -> dict[str, ProbePredictions]:
        """Predictions from 32 x 32 grey pixels that changes are made to ((m, 32, 32) to
        the same).

        Networks are trained not to tell an image from its mirror image; pixels tell.
        """
        thumbs = unpack_thumbs(self.dataset.arrays["thumb"])
        space = space_of(_flat(thumbs))
        if space is None:
            return {}
        own = thumbs[self.rows]
        changed = {name: space.place(_flat(change(own))).values for name, change in changes.items()}
        return self._predict(
            space.place(_flat(thumbs)).values, space.place(_flat(own)).values, changed
        )

    @cached_property
    def _space(self) -> Any:
        return space_of(self.dataset.arrays["embedding"])

    @cached_property
    def features(self) -> Features:
        """Where all rows lie."""
        features: Features = self._space.place(self.dataset.arrays["embedding"])
        return features

    def _predict(
        self,
        known: NDArray[np.float32],
        before: NDArray[np.float32],
        after: Mapping[str, NDArray[np.float32]],
    ) -> dict[str, ProbePredictions]:
        """One fit answers for all changes: rows without a target are predicted by the fold that
        their unit is in.
        """
        learned = _learned(self.codes, len(self.classes))
        asked = [before, *after.values()]
        times = sum(len(each) for each in asked) // len(self.rows)
        values = np.concatenate([known[learned], *asked])
        codes = np.concatenate([self.codes[learned], np.full(times * len(self.rows), -1)]).astype(
            np.int32
        )
        units = np.concatenate([self.units[learned], np.tile(self.units[self.rows], times)])
        scores = logistic_scores(values, Targets.of_labels(codes, len(self.classes)), units)[
            len(learned) :
        ]
        ends = np.cumsum([len(each) for each in asked])
        plain, *changed = np.split(scores.argmax(axis=1), ends[:-1])
        given = self.codes[self.rows].astype(np.int64)
        made = {}
        for name, answers in zip(after, changed, strict=True):
            turns = len(answers) // len(given)
            made[name] = ProbePredictions(
                np.tile(given, turns), np.tile(plain, turns), answers, self.classes
            )
        return made


def options_of(source: Audit | Split | Dataset) -> PassOptions:
    """How the files of an audit, or of a split of it, were read and embedded."""
    return PassOptions.of_run(getattr(source, "run", {}))


def _as_rgb(image: Image) -> Image:
    return (
        image
        if image.ndim == 3 and image.shape[2] == 3
        else np.repeat(image.reshape(*image.shape[:2], -1)[:, :, :1], 3, 2)
    )


def _flat(thumbs: NDArray[np.uint8]) -> NDArray[np.float32]:
    return thumbs.reshape(len(thumbs), -1).astype(np.float32)


def _codes(dataset: Dataset) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    """(n,) class numbers, -1 without a label or where the class has too few images; and their
    names.
    """
    if "label" not in dataset.samples or dataset.task not in ("classification", "none"):
        return np.full(len(dataset), -1, np.int32), ()
    labels = dataset.samples["label"].astype("object")
    counts = labels.value_counts()
    codes, names = pd.factorize(labels.where(labels.map(counts) >= FEWEST), sort=True)
    return codes.astype(np.int32), tuple(map(str, names))


def _spread(dataset: Dataset, codes: NDArray[np.int32], count: int) -> Rows:
    """Up to `count` rows, as many of each class as can be; which ones, the hash of their names
    decides.
    """
    hashes = pd.util.hash_array(dataset.samples.index.to_numpy(dtype=object))
    order = np.argsort(hashes, kind="stable")
    if (codes >= 0).any():
        order = order[codes[order] >= 0]
    turn = pd.Series(codes[order]).groupby(codes[order]).cumcount().to_numpy()
    return np.sort(order[np.argsort(turn, kind="stable")][:count])


def _learned(codes: NDArray[np.int32], classes: int) -> Rows:
    """The rows that probes learn from."""
    labelled = np.flatnonzero(codes >= 0)
    most = max(LEARNED, 10 * classes)
    return labelled if len(labelled) <= most else labelled[:: -(-len(labelled) // most)]


def _units_of(source: Audit | Split | Dataset, dataset: Dataset) -> Rows:
    """(n,) number of what has to stay in one fold: the units of a split, the copies that an
    audit found, and groups.
    """
    if isinstance(source, Audit):
        units = units_of(source)
        return (
            pd.Series(units.unit, index=pd.Index(units.names))
            .reindex(dataset.samples.index)
            .to_numpy(np.int64)
        )
    given = [
        dataset.samples[name].astype("object")
        for name in (UNIT, "group")
        if name in dataset.samples
    ]
    # An empty cell of a table is no group, as a missing one is none.
    return join(
        len(dataset),
        tuple(np.asarray(pd.factorize(each.where(each != ""))[0], np.int64) for each in given),
    )
