"""Predicting: an exported model on new images. Needs onnxruntime alone; torch is not imported."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dataprep.baselines.evaluation.metrics import decide
from dataprep.baselines.inference.model_card import ModelCard
from dataprep.baselines.training.regimes import EMBEDDER_ARCH
from dataprep.errors import InputError, OptionError
from dataprep.ingest import scan
from dataprep.measures.decode.views import views_of
from dataprep.measures.embedding.sessions import Session, open_session
from dataprep.measures.options import PassOptions
from dataprep.progress import Progress
from dataprep.schemas.baseline import MODEL
from dataprep.schemas.dataset import Dataset
from dataprep.schemas.files.publishing import settle
from dataprep.schemas.lost import Lost

if TYPE_CHECKING:
    from numpy.typing import NDArray

Source = Dataset | str | os.PathLike[str] | Iterable[str]
#: Images that the model sees at a time, and rows of a table that is handed on.
_BATCH, _ROWS = 32, 1024
_OUTPUTS = ("probabilities", "values")
#: The confidence that was chosen in training is that of one of its images, which single precision
#: may round down.
_ROUNDED = 1e-6


class Model:
    """An exported model at work.

    Attributes:
        card: what it predicts.
    """

    def __init__(self, path: str | os.PathLike[str], threads: int = 0) -> None:
        """Open the ``model.onnx`` at `path`, or in the folder `path`, on `threads` cores (0: all).

        Raises:
            InputError: no model there, or one that dataprep did not write.
        """
        path = os.fspath(path)
        path = os.path.join(path, MODEL) if os.path.isdir(path) else path
        settle(os.path.dirname(path) or os.curdir)
        if not os.path.isfile(path):
            raise InputError(
                f"there is no model {path}. Train one: dataprep train-baseline; or give --model "
                "FILE.onnx"
            )
        self._session: Session = open_session(path, threads)
        self.card = ModelCard.read(self._session.metadata, path)
        self._output = next((name for name in _OUTPUTS if name in self._session.outputs), "")
        expected = (self.card.size, self.card.size, 3)
        if (
            not self._output
            or self._session.input_shape[1:] != expected
            or self._session.input_type is not np.uint8
        ):
            raise InputError(
                f"{path} does not take what it says it takes: expected uint8 images of {expected}. "
                "Export it again"
            )

    def __call__(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(n, k) probabilities, or (n,) values of a regression, of (n, size, size, 3) uint8 RGB
        images.
        """
        found = np.asarray(self._session.run(images, self._output), np.float32)
        wide = 1 if self.card.kind == "regression" else len(self.card.labels)
        if found.size != len(images) * wide:
            raise InputError(
                f"the model gives {found.shape} for {len(images)} images: expected {wide} figures "
                "each. Export it again"
            )
        return (
            found.reshape(len(images))
            if self.card.kind == "regression"
            else found.reshape(len(images), wide)
        )


def predict(
    source: Source,
    model: Model | str | os.PathLike[str],
    *,
    abstain_below: float | None = None,
    risk: float | None = None,
    options: PassOptions | None = None,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """What a model says about images.

    Args:
        source: what `dataprep.scan` takes (a folder, an fsspec URL, a manifest, a list of files),
            or a Dataset.
        model: a `Model`, or the path of a ``model.onnx`` or of its folder.
        abstain_below: refuse answers of less confidence; 0 answers everything.
        risk: wished error among the answers; takes the confidence that the model's training found
            for it on validation. Without either, that of `ModelCard.usual_abstention`.
        options: how files are read and decoded.
        progress: called with (stage, done, total, note).

    Returns:
        One row per image, in the order of the source; of a manifest or list, one per row of it,
        also of files that are missing or listed twice: ``sample``, ``predicted``, ``confidence``
        (the probability of `predicted`; of several labels the least), ``p:CLASS`` of every class,
        ``abstained`` (whether the model refuses to decide; `predicted` is then what it leans to),
        ``lost`` (why the image could not be read, else empty). Of a regression ``sample``,
        ``predicted`` and ``lost``.

    Raises:
        InputError: the source or the model cannot be used, or the model has no confidence for
            `risk`.
        OptionError: a confidence or risk out of range.
    """
    opened = model if isinstance(model, Model) else Model(model)
    frames = list(
        predicted_frames(
            source,
            opened,
            abstain_below=abstain_below,
            risk=risk,
            options=options,
            progress=progress,
        )
    )
    return (
        pd.concat(frames, ignore_index=True) if frames else table_of(opened.card, [], None, {}, 0.0)
    )


def predicted_frames(
    source: Source,
    model: Model,
    *,
    abstain_below: float | None = None,
    risk: float | None = None,
    options: PassOptions | None = None,
    progress: Progress | None = None,
) -> Iterator[pd.DataFrame]:
    """As `predict`, in tables of about a thousand rows: memory does not grow with the number of
    images.
    """
    least = confidence_for(model.card, abstain_below, risk)
    dataset = source if isinstance(source, Dataset) else scan(source)
    samples = [str(sample) for sample in dataset.samples.index]
    return _frames(dataset, samples, model, least, options or PassOptions(), progress)


def confidence_for(card: ModelCard, abstain_below: float | None, risk: float | None) -> float:
    """The least confidence that is answered; 0 answers everything. Where neither is asked for, the
    model's usual one.

    Raises:
        InputError: the model has none for `risk`.
        OptionError: out of range, or both given.
    """
    if abstain_below is not None and risk is not None:
        raise OptionError("--abstain-below and --risk both say when to refuse: give one of them")
    for name, value in (("abstain-below", abstain_below), ("risk", risk)):
        if value is not None and not 0 <= value <= 1:
            raise OptionError(f"--{name}: expected a share between 0 and 1, got {value:g}")
    if card.kind == "regression" and (abstain_below is not None or risk is not None):
        raise OptionError(
            "the model predicts numbers and gives no confidence: leave out --abstain-below and "
            "--risk"
        )
    if risk is not None:
        return card.abstain_below(risk)
    usual = card.usual_abstention
    return (
        abstain_below
        if abstain_below is not None
        else float(usual["threshold"])
        if usual is not None
        else 0.0
    )


def _frames(
    dataset: Dataset,
    samples: list[str],
    model: Model,
    least: float,
    options: PassOptions,
    progress: Progress | None,
) -> Iterator[pd.DataFrame]:
    """Tables in the order of the rows, each as soon as all of its rows are known."""
    rows = asked_rows(dataset)
    uses = Counter(place for _, place in rows)
    known: dict[int, Any] = {-1: Lost("missing", "there is no such file")}
    start = ready = 0
    for done, (index, found) in enumerate(_answers(dataset, samples, model, options), start=1):
        known[index] = found
        while ready < len(rows) and rows[ready][1] in known:
            ready += 1
            if ready - start == _ROWS or ready == len(rows):
                yield _table(
                    model.card,
                    [name for name, _ in rows[start:ready]],
                    _taken(rows[start:ready], known, uses),
                    least,
                )
                start = ready
        if progress is not None:
            progress("predict", done, len(samples), "")


def asked_rows(dataset: Dataset) -> list[tuple[str, int]]:
    """What was asked for, in order: the name, and the number of the sample, -1 where there is
    none.
    """
    samples = [str(sample) for sample in dataset.samples.index]
    if dataset.listed is None:
        return [(sample, number) for number, sample in enumerate(samples)]
    places = {sample: number for number, sample in enumerate(samples)}
    listed = zip(dataset.listed["path"].tolist(), dataset.listed["sample"].tolist(), strict=True)
    return [
        (sample or path, places.get(sample, -1))
        for path, sample in listed
        if not sample or sample in places
    ]


def _taken(rows: list[tuple[str, int]], known: dict[int, Any], uses: Counter[int]) -> list[Any]:
    """The answers of rows; those that no further row needs are forgotten."""
    found = []
    for _, place in rows:
        found.append(known[place])
        uses[place] -= 1
        if place >= 0 and not uses[place]:
            del known[place]
    return found


def _answers(
    dataset: Dataset, samples: list[str], model: Model, options: PassOptions
) -> Iterator[tuple[int, NDArray[np.float32] | Lost]]:
    """(place, probabilities or value, or why there is none), in the order in which they finish."""
    batch: list[tuple[int, NDArray[np.uint8]]] = []
    reduced = model.card.arch != EMBEDDER_ARCH  # which was fitted on what the audit saw
    found = views_of(dataset, samples, model.card.size, options, reduced=reduced)
    with closing(found) as views:  # type: ignore[type-var]
        for index, view in views:
            if isinstance(view, Lost):
                yield index, view
                continue
            batch.append((index, view))
            if len(batch) == _BATCH:
                yield from _seen(model, batch)
                batch = []
    yield from _seen(model, batch)


def _seen(
    model: Model, batch: list[tuple[int, NDArray[np.uint8]]]
) -> Iterator[tuple[int, NDArray[np.float32]]]:
    if batch:
        said = model(np.stack([view for _, view in batch]))
        yield from zip((index for index, _ in batch), said, strict=True)


def _table(card: ModelCard, samples: list[str], found: list[Any], least: float) -> pd.DataFrame:
    """Rows of answers and of what was lost."""
    lost = {row: each for row, each in enumerate(found) if isinstance(each, Lost)}
    shape = () if card.kind == "regression" else (len(card.labels),)
    said = np.array(
        [
            np.full(shape, np.nan, np.float32) if row in lost else each
            for row, each in enumerate(found)
        ],
        np.float32,
    )
    reasons = {
        row: f"{each.reason}: {each.detail}" if each.detail else each.reason
        for row, each in lost.items()
    }
    return table_of(card, samples, said, reasons, least)


def table_of(
    card: ModelCard,
    samples: list[str],
    said: NDArray[np.float32] | None,
    lost: dict[int, str],
    least: float,
) -> pd.DataFrame:
    """The table of `predict`.

    Args:
        card: of the model.
        samples: n names.
        said: (n, k) probabilities or (n,) values, NaN where lost; None for no rows.
        lost: row to why it was lost.
        least: confidence below which it abstains.
    """
    shape = (0,) if card.kind == "regression" else (0, len(card.labels))
    values = np.zeros(shape, np.float32) if said is None else said
    frame = pd.DataFrame({"sample": pd.Series(samples, dtype="str")})
    reasons = pd.Series([lost.get(row, "") for row in range(len(samples))], dtype="str")
    if card.kind == "regression":
        return frame.assign(predicted=values.astype(np.float64), lost=reasons)
    gone = np.array([row in lost for row in range(len(samples))], bool)
    predicted, confidence = _decided(card, np.where(gone[:, None], 0, values))
    predicted[gone], confidence[gone] = None, np.nan
    frame["predicted"], frame["confidence"] = pd.Series(predicted, dtype="str"), confidence
    probs = pd.DataFrame(values, columns=[f"p:{name}" for name in card.labels])
    return pd.concat([frame, probs], axis=1).assign(
        abstained=gone | (confidence < least - _ROUNDED), lost=reasons
    )


def _decided(
    card: ModelCard, probs: NDArray[np.float32]
) -> tuple[NDArray[np.object_], NDArray[np.float32]]:
    """(n,) what is said, several labels joined by ``|``, and (n,) its probability."""
    classes = np.array(card.labels, dtype=object)
    decided = decide(card.goal, probs, card.least)
    if card.kind == "multi-label":
        said = np.array(["|".join(classes[row]) for row in decided] + [""], dtype=object)[:-1]
        return said, np.where(decided, probs, 1 - probs).min(axis=1, initial=1.0).astype(np.float32)
    return classes[decided], probs[np.arange(len(probs)), decided]
