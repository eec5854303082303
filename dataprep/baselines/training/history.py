"""The history of a training: the figures of every epoch, in memory and in ``history.csv``."""

from __future__ import annotations

import csv
import io
import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dataprep.schemas.baseline import HISTORY
from dataprep.schemas.files.writing import mark_output, write_atomically

#: Called after every epoch with the figures of all epochs so far.
Log = Callable[[Sequence[Mapping[str, float]]], None]
#: Called after every epoch with its number and its figures: what a caller gives to send them to a
#: tracking server.
EpochLog = Callable[[int, Mapping[str, float]], None]


@dataclass
class FitResult:
    """The history of one training.

    Attributes:
        history: one row of figures per epoch.
        best_epoch: the epoch whose weights were kept, from 0; -1 before the first.
        best_score: its score; higher is better.
        resumed_at: epochs that a checkpoint had already.
    """

    history: list[dict[str, float]] = field(default_factory=list)
    best_epoch: int = -1
    best_score: float = -math.inf
    resumed_at: int = 0


def history_logger(folder: str, log: EpochLog | None = None) -> Log:
    """What keeps ``history.csv`` in `folder` up to date after every epoch, and then calls `log`.

    The file is replaced whole, so that a killed run leaves all epochs that ended.

    Raises:
        OutputError: ``history.csv`` cannot be written.
    """

    def write(history: Sequence[Mapping[str, float]]) -> None:
        columns = list(dict.fromkeys(name for row in history for name in row))
        write_table(history, columns, os.path.join(folder, HISTORY))
        if log is not None:
            figures = dict(history[-1])
            log(int(figures.pop("epoch")), figures)

    return write


def write_table(rows: Iterable[Mapping[str, Any]], columns: Sequence[str], path: str) -> None:
    """Write `columns` of `rows` as CSV in the place of `path`, whole or not at all.

    Raises:
        OutputError: it cannot be written; an earlier file stays.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    mark_output(os.path.dirname(path))
    with write_atomically(path) as file:
        file.write(text.getvalue().encode())
