"""Logs of training: history.csv always; TensorBoard and MLflow where they are asked for and
installed.
"""

from __future__ import annotations

import csv
import io
import os
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from typing import Any

from dataprep.errors import InputError, OptionError
from dataprep.schemas.baseline import HISTORY
from dataprep.schemas.files.writing import mark_output, write_atomically

#: Called after every epoch with the figures of all epochs so far.
Log = Callable[[Sequence[Mapping[str, float]]], None]
#: Log to what it is.
LOGS = {
    "tensorboard": "event files in OUT/baseline/tensorboard; needs the package tensorboard",
    "mlflow": "a run on the server that MLFLOW_TRACKING_URI names; needs the package mlflow; on by "
    "itself when both are there",
}
_URI = "MLFLOW_TRACKING_URI"


class LogWarning(UserWarning):
    """A log could not be kept; training goes on."""


@contextmanager
def logged(names: Collection[str], folder: str, settings: Mapping[str, Any]) -> Iterator[Log]:
    """A function that writes the figures of an epoch into every log, while the block runs.

    ``history.csv`` is replaced whole after every epoch, so that a killed run leaves all epochs that
    ended. A server or a package that fails is said once and left out from there on: it does not end
    the training.

    Args:
        names: of `LOGS`, beside ``history.csv``; MLflow joins where it is configured.
        folder: of the baseline.
        settings: what the training is made with, for MLflow's parameters.

    Raises:
        OptionError: an unknown log.
        InputError: a log whose package is not installed, or MLflow without a server.
        OutputError: ``history.csv`` cannot be written.
    """
    further = _opened(names, folder, settings)
    writers: list[tuple[str, Log]] = [(name, write) for name, write, _ in further]

    def log(history: Sequence[Mapping[str, float]]) -> None:
        write_history(history, folder)
        for entry in list(writers):
            try:
                entry[1](history)
            except Exception as error:  # of whatever class a logging package or its network has
                writers.remove(entry)
                warnings.warn(
                    f"{entry[0]} is no longer logged to: {_first_line(error)}",
                    LogWarning,
                    stacklevel=2,
                )

    ended = False
    try:
        yield log
        ended = True
    finally:
        for _, _, close in further:
            with suppress(Exception):  # the training's own end or error is what counts
                close(ended)


def write_history(history: Sequence[Mapping[str, float]], folder: str) -> None:
    """Put ``history.csv``, one line per epoch, into `folder`."""
    names = list(dict.fromkeys(name for row in history for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, names or ["epoch"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(history)
    mark_output(folder)
    with write_atomically(os.path.join(folder, HISTORY)) as file:
        file.write(text.getvalue().encode())


def _opened(
    names: Collection[str], folder: str, settings: Mapping[str, Any]
) -> list[tuple[str, Log, Callable[[bool], None]]]:
    for name in names:
        if name not in LOGS:
            raise OptionError(f"--log: expected {' or '.join(LOGS)}, got {name!r}")
    found = []
    if "tensorboard" in names:
        found.append(("TensorBoard", *_tensorboard(os.path.join(folder, "tensorboard"))))
    if "mlflow" in names or (os.environ.get(_URI) and find_spec("mlflow")):
        try:
            found.append(("MLflow", *_mlflow(settings)))
        except InputError:
            raise
        except Exception as error:
            warnings.warn(
                f"MLflow is not logged to: {_first_line(error)}", LogWarning, stacklevel=3
            )
    elif os.environ.get(_URI):
        warnings.warn(
            f"{_URI} is set, but mlflow is not installed: pip install mlflow; not logged to it",
            LogWarning,
            stacklevel=3,
        )
    return found


def _tensorboard(folder: str) -> tuple[Log, Callable[[bool], None]]:
    if find_spec("tensorboard") is None:
        raise InputError(
            "--log tensorboard needs the package tensorboard, which is not installed: pip install "
            "tensorboard"
        )
    from torch.utils.tensorboard import SummaryWriter

    writer: Any = SummaryWriter(folder)

    def write(history: Sequence[Mapping[str, float]]) -> None:
        for name, value in _figures(history[-1]).items():
            writer.add_scalar(name, value, int(history[-1]["epoch"]))
        writer.flush()

    return write, lambda ended: writer.close()


def _mlflow(settings: Mapping[str, Any]) -> tuple[Log, Callable[[bool], None]]:
    """A run of MLflow; its telemetry is switched off before it is imported."""
    if find_spec("mlflow") is None:
        raise InputError(
            "--log mlflow needs the package mlflow, which is not installed: pip install mlflow"
        )
    if not os.environ.get(_URI):
        raise InputError(
            f"--log mlflow needs to know where to: set {_URI}, to a server's address or "
            "file:///folder"
        )
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = os.environ["DO_NOT_TRACK"] = "true"
    import mlflow

    mlflow.start_run(run_name="dataprep train-baseline")
    mlflow.log_params(dict(settings))

    def write(history: Sequence[Mapping[str, float]]) -> None:
        mlflow.log_metrics(_figures(history[-1]), step=int(history[-1]["epoch"]))

    return write, lambda ended: mlflow.end_run("FINISHED" if ended else "FAILED")


def _figures(row: Mapping[str, float]) -> dict[str, float]:
    return {name: float(value) for name, value in row.items() if name != "epoch"}


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {next(iter(str(error).splitlines()), '')}"
