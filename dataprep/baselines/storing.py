"""A baseline on disk: figures, predictions, weights, exported models and the page, written
together and read back.
"""

from __future__ import annotations

import io
import json
import os
import warnings
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dataprep.baselines.frozen.model import FrozenModel
from dataprep.baselines.goal import parse_requirement
from dataprep.baselines.inference.frozen_export import (
    compare_frozen,
    frozen_onnx,
    head_bytes,
    read_head,
)
from dataprep.baselines.inference.model_card import ModelCard
from dataprep.baselines.pages.baseline_page import draw_baseline
from dataprep.errors import DataprepError, FingerprintError, InputError
from dataprep.measures.decode.views import views_of
from dataprep.measures.options import PassOptions
from dataprep.probes.vectors import known_rows
from dataprep.reports.audit.tables import write_samples
from dataprep.schemas.audit import Audit
from dataprep.schemas.baseline import (
    FOLDERS,
    HEAD,
    HISTORY,
    METRICS,
    MODEL,
    OUT_OF_FOLD,
    PAGE,
    PIXELS,
    PREDICTIONS,
    PROGRAM,
    RUN,
    SAMPLES,
    WEIGHTS,
    Baseline,
    BaselinePaths,
)
from dataprep.schemas.files.publishing import settle
from dataprep.schemas.files.reading import check_input
from dataprep.schemas.files.stored import (
    STAGE_LIMIT,
    read_record,
    read_samples,
    reading,
    refuse_wrong_kinds,
)
from dataprep.schemas.files.writing import mark_output, write_together
from dataprep.schemas.goal import Goal
from dataprep.schemas.issues import Issues
from dataprep.schemas.results.baseline import BaselineMetrics, ExportResult
from dataprep.splits.records import in_order

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Images on which the exported model is compared with the trained one.
_COMPARED = 16
_FORM = 1
#: What a baseline consists of; what of it an earlier run left and this one does not make would
#: belong to another model.
_OWN = (
    METRICS,
    PREDICTIONS,
    PAGE,
    HISTORY,
    RUN,
    MODEL,
    PROGRAM,
    WEIGHTS,
    HEAD,
    SAMPLES,
    OUT_OF_FOLD,
)
_AGAIN = "Make it again: dataprep train-baseline"
_GOAL_KINDS: dict[str, type] = {
    "goal": dict,
    "goal.kind": str,
    "goal.classes": list,
    "goal.classes.*": str,
    "goal.metric": str,
    "goal.positive": str,
    "goal.reason": str,
    "goal.beta": float,
    "goal.requirements": list,
    "goal.requirements.*": str,
}


class ExportWarning(UserWarning):
    """A baseline was written without its exported models."""


def write_baseline(
    baseline: Baseline,
    folder: str | os.PathLike[str],
    *,
    audit: Audit | None = None,
    passing: PassOptions | None = None,
) -> BaselinePaths:
    """Write a baseline into `folder`; all of its files take their places at the end, or none does.

    ``metrics.json``, ``predictions.parquet``, ``history.csv``, ``samples.parquet``, ``run.json``
    and ``baseline.html``; with a network also ``weights.pt``, ``model.onnx`` and ``model.pt2``,
    which are held against the network on images of the data.

    Args:
        baseline: what `dataprep.baselines.recipe.train_baseline` gave.
        folder: where to (``dataprep-out/baseline``); pixels that were stored there are used.
        audit: what the audit found, for the page.
        passing: limits of decoding, should images have to be read again.

    Raises:
        OutputError: a file cannot be written: no room on the disk, no permission.
        WorkError: an exported model says something else than the network.
    """
    folder = os.fspath(folder)
    files = (
        {} if baseline.network is None else _model_files(baseline, folder, passing or PassOptions())
    )
    export = files.pop("", None)
    metrics = replace(
        baseline.metrics,
        fingerprint=baseline.dataset.fingerprint,
        export=export or baseline.metrics.export,
    )
    mark_output(folder)
    with write_together(folder, owns=_OWN, keeps=(PIXELS, *FOLDERS)) as opened:
        for name, data in ((METRICS, metrics), (RUN, baseline.run)):
            opened(name).write(
                json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False).encode() + b"\n"
            )
        opened(PREDICTIONS).write(_parquet(baseline.predictions))
        write_samples(opened(SAMPLES), Audit(in_order(baseline.dataset), Issues.collect([])))
        opened(HISTORY).write(_history(baseline.metrics).encode())
        if baseline.out_of_fold is not None:
            opened(OUT_OF_FOLD).write(_parquet(baseline.out_of_fold))
        for name, content in files.items():
            opened(name).write(content)
        page = draw_baseline(replace(baseline, metrics=metrics), audit)
        opened(PAGE).write(page.encode("utf-8", "backslashreplace"))
    return BaselinePaths(folder)


def _parquet(table: pd.DataFrame) -> bytes:
    file = io.BytesIO()
    table.to_parquet(file, index=False, compression="zstd")
    return file.getvalue()


def _history(metrics: Mapping[str, Any]) -> str:
    rows = pd.DataFrame(metrics.get("history") or {"epoch": []})
    return rows.to_csv(index=False, lineterminator="\n")


def _model_files(baseline: Baseline, folder: str, passing: PassOptions) -> dict[str, Any]:
    """File name to bytes; under "" what was found when the exported models were compared.

    A network that cannot be exported, whatever the exporter raises, must not cost the user what was
    measured and its weights.
    """
    card = ModelCard.of(baseline.goal, baseline.metrics, baseline.dataset.fingerprint)
    if isinstance(baseline.network, FrozenModel):
        return _frozen_files(baseline, baseline.network, card, passing)
    from dataprep.baselines.inference.exporting import compared, exported, onnx_bytes, program_bytes

    files: dict[str, Any] = {WEIGHTS: _weights(baseline, card)}
    images = _images(baseline, folder, card.size, passing)
    try:
        program = exported(baseline.network, card)
        files[PROGRAM] = program_bytes(program, card)
        model = onnx_bytes(program, card)
        difference = compared(baseline.network, card, model, images)
    except Exception as error:
        return {**files, "": _not_exported(error)}
    result = ExportResult(
        known=True, difference=difference, images=len(images), size_mb=len(model) / 1e6
    )
    return {**files, MODEL: model, "": result}


def _frozen_files(
    baseline: Baseline, model: FrozenModel, card: ModelCard, passing: PassOptions
) -> dict[str, Any]:
    """The same of a frozen model, which is no program of torch."""
    files: dict[str, Any] = {HEAD: head_bytes(model, card.fingerprint)}
    known = np.flatnonzero(known_rows(model.embedding))
    rows = np.unique(known[np.linspace(0, len(known) - 1, min(_COMPARED, len(known))).astype(int)])
    samples = [str(baseline.dataset.samples.index[row]) for row in rows]
    views = dict(views_of(baseline.dataset, samples, card.size, passing, reduced=False))
    found = {place: view for place, view in views.items() if isinstance(view, np.ndarray)}
    try:
        data = frozen_onnx(model, card)
        gap = 0.0
        if found:
            images = np.stack(list(found.values()))
            gap = compare_frozen(model, data, images, model.embedding[rows[list(found)]])
    except Exception as error:
        return {**files, "": _not_exported(error)}
    result = ExportResult(known=True, difference=gap, images=len(found), size_mb=len(data) / 1e6)
    return {**files, MODEL: data, "": result}


def _not_exported(error: Exception) -> ExportResult:
    """What went wrong, which is said in a warning too."""
    reason = str(error) if isinstance(error, DataprepError) else f"{type(error).__name__}: {error}"
    warnings.warn(f"{MODEL} was not written: {reason}", ExportWarning, stacklevel=4)
    return ExportResult(known=False, reason=reason)


def _weights(baseline: Baseline, card: ModelCard) -> bytes:
    import torch

    network = baseline.network
    file = io.BytesIO()
    state = {name: value.detach().cpu() for name, value in network.state_dict().items()}
    made_by = {
        "arch": card.arch,
        "outputs": card.goal.outputs,
        "size": card.size,
        "dropout": float(network.dropout.p),
    }
    torch.save(
        {"form": _FORM, "fingerprint": card.fingerprint, "network": made_by, "state": state}, file
    )
    return file.getvalue()


def _images(baseline: Baseline, folder: str, size: int, passing: PassOptions) -> NDArray[np.uint8]:
    """Some images of the data, evenly spread: from the pixels stored for training, or else
    decoded; noise where none can be.
    """
    count = len(baseline.dataset)
    rows = np.unique(np.linspace(0, count - 1, min(_COMPARED, count)).round().astype(int))
    stored = os.path.join(folder, PIXELS, f"{size}.u8")
    shape = (count, size, size, 3)
    if os.path.exists(stored) and os.path.getsize(stored) == int(np.prod(shape)):
        return np.array(np.memmap(stored, np.uint8, "r", shape=shape)[rows])
    samples = [str(baseline.dataset.samples.index[row]) for row in rows]
    with closing(views_of(baseline.dataset, samples, size, passing)) as views:  # type: ignore[type-var]
        found = [view for _, view in views if isinstance(view, np.ndarray)]
    if not found:
        return np.random.default_rng(0).integers(0, 256, (_COMPARED, size, size, 3), dtype=np.uint8)
    return np.stack(found)


def read_baseline(folder: str | os.PathLike[str]) -> Baseline:
    """The baseline in `folder` (``dataprep-out/baseline``), with its network where the weights and
    torch are there.

    Raises:
        InputError: no baseline there, or one that cannot be read.
        FingerprintError: the files there are not of one baseline.
    """
    folder = os.fspath(folder)
    settle(folder)
    missing = [
        name
        for name in (METRICS, PREDICTIONS, SAMPLES, RUN)
        if not os.path.isfile(os.path.join(folder, name))
    ]
    if missing:
        raise InputError(
            f"expected a baseline in {folder}, which lacks {', '.join(missing)}. Make one: "
            "dataprep train-baseline"
        )
    metrics, run = (read_record(os.path.join(folder, name), _AGAIN) for name in (METRICS, RUN))
    dataset = read_samples(os.path.join(folder, SAMPLES), run, _AGAIN)
    if not run.get("fingerprint") == metrics.get("fingerprint") == dataset.fingerprint:
        raise FingerprintError(
            f"{SAMPLES}, {METRICS} and {RUN} in {folder} are not of the same baseline. {_AGAIN}"
        )
    goal = _read_goal(metrics, os.path.join(folder, METRICS))
    with reading(os.path.join(folder, METRICS), _AGAIN):
        figures = BaselineMetrics.read(metrics)
    network = _read_network(os.path.join(folder, WEIGHTS), dataset.fingerprint)
    head = os.path.join(folder, HEAD)
    if network is None and os.path.exists(head):
        check_input(head, "the weights", limit=STAGE_LIMIT)
        network = read_head(head, dataset.fingerprint, _AGAIN)
    folds = os.path.join(folder, OUT_OF_FOLD)
    unseen = _read_table(folds) if os.path.exists(folds) else None
    table = _read_table(os.path.join(folder, PREDICTIONS))
    return Baseline(dataset, goal, table, figures, network, run, unseen)


def _read_table(path: str) -> pd.DataFrame:
    check_input(path, "the file", limit=STAGE_LIMIT)
    with reading(path, _AGAIN):
        return pd.read_parquet(path)


def _read_goal(metrics: Mapping[str, Any], path: str) -> Goal:
    refuse_wrong_kinds(metrics, path, _AGAIN, _GOAL_KINDS)
    with reading(path, f"It does not say what was to be predicted. {_AGAIN}"):
        found = dict(metrics["goal"])
        kind, classes = found["kind"], tuple(found["classes"])
        require = tuple(
            parse_requirement(text, kind, classes) for text in found.get("requirements", ())
        )
        return Goal(**{**found, "classes": classes, "requirements": require})


def _read_network(path: str, fingerprint: str) -> Any:
    """The network with its weights; None without the file or without torch. Nothing in the file
    is run (``weights_only``).
    """
    if not os.path.exists(path) or find_spec("torch") is None:
        return None
    import torch

    from dataprep.baselines.training.networks import make_network

    check_input(path, "the weights", limit=STAGE_LIMIT)
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        if state["form"] != _FORM:
            raise ValueError("another form of weights")
        network = make_network(pretrained=False, **state["network"])
        network.load_state_dict(state["state"])
        made_for = state["fingerprint"]
    except Exception as error:  # torch raises a dozen classes, some with a page of advice
        raise InputError(
            f"cannot read the weights {path} ({type(error).__name__}). {_AGAIN}"
        ) from error
    if made_for != fingerprint:
        raise FingerprintError(
            f"{WEIGHTS} in {os.path.dirname(path)} belongs to a model of other data. {_AGAIN}"
        )
    return network.eval()
