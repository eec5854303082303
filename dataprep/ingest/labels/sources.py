"""Where labels come from: the column of a manifest, or the folders, and what the user said about
them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from dataprep.errors import InputError
from dataprep.ingest.labels.parsing import read_labels
from dataprep.ingest.labels.values import text_column
from dataprep.ingest.layouts import read_layout
from dataprep.ingest.notes import listed, shown
from dataprep.schemas.dataset import Task
from dataprep.schemas.source import Reading
from dataprep.schemas.text.words import counted


@dataclass(frozen=True)
class LabelledSamples:
    """A table of samples, or of rows, whose labels are read.

    Attributes:
        table: column ``label`` where there are labels, as the task wants it.
        task: what the labels are.
        notes: choices that were made.
        whys: rows of a manifest with labels only: per row why it has no label, where its cell is
            not simply empty.
    """

    table: pd.DataFrame
    task: Task = "none"
    notes: tuple[str, ...] = ()
    whys: Sequence[str] = ()


def labels_of_table(table: pd.DataFrame, column: str, reading: Reading) -> LabelledSamples:
    """Rows with their labels read, from a table whose ``label`` holds the cells of the
    manifest's `column` as they are.
    """
    if "label" not in table:
        return LabelledSamples(table)
    labels = read_labels(list(table["label"]), reading, column)
    return LabelledSamples(
        table.assign(label=labels.column), labels.task, labels.notes, list(labels.written)
    )


def labels_from_folders(
    labelled: LabelledSamples, reading: Reading, manifest: str, *, labels: bool
) -> LabelledSamples:
    """The samples with the class and the split that their folders name, where the manifest names
    none.

    `labels` allows classes; a note says so where `manifest`, the name of one, is given. With the
    option label_from, folders name the class in any case.
    """
    if "label" in labelled.table and "split" in labelled.table:
        return labelled
    codes, folders = pd.factorize(
        np.array([sample.rpartition("/")[0] for sample in labelled.table.index], dtype=object)
    )
    layout = read_layout(
        dict(zip(folders, np.bincount(codes).tolist(), strict=True)), reading.label_from
    )
    named = {"label": layout.labels if labels or reading.label_from else {}, "split": layout.splits}
    taken = {role: names for role, names in named.items() if names and role not in labelled.table}
    columns = {
        role: text_column(np.array([names.get(each) for each in folders], dtype=object)[codes])
        for role, names in taken.items()
    }
    labelled = replace(labelled, table=labelled.table.assign(**columns))
    if "label" not in taken:
        unused = layout.labels if "label" not in labelled.table else {}
        return replace(labelled, notes=(*labelled.notes, *_unused_note(set(unused.values()))))
    notes = (
        *labelled.notes,
        *_taken_note(set(taken["label"].values()), manifest, reading),
        *layout.notes,
    )
    return with_label_options(replace(labelled, task="classification", notes=notes), reading)


def _taken_note(classes: set[str], manifest: str, reading: Reading) -> tuple[str, ...]:
    if not manifest or reading.label_from is not None:
        return ()
    return (
        f"No column of {shown(manifest)} looks like a label: the classes are the names of folders "
        f"({counted(len(classes), 'class')}: {listed(sorted(classes), 3)}); --label-column takes a "
        "column.",
    )


def _unused_note(classes: set[str]) -> tuple[str, ...]:
    if not classes:
        return ()
    return (
        f"The names of folders ({listed(sorted(classes), 3)}) are not taken for classes; "
        "--label-from first takes them.",
    )


def with_label_options(labelled: LabelledSamples, reading: Reading) -> LabelledSamples:
    """Samples whose labels are names of folders, with the labels that the options task and
    label_separator make of them.

    Raises:
        InputError: the names are not what the task says.
    """
    if reading.task in (None, "classification") and reading.label_separator is None:
        return labelled
    values = labelled.table["label"].astype(object)
    labels = read_labels(list(values.where(values.notna(), None)), reading, "names of folders")
    return LabelledSamples(
        labelled.table.assign(label=labels.column), labels.task, (*labelled.notes, *labels.notes)
    )


def with_note_on_no_labels(
    labelled: LabelledSamples, columns: Mapping[str, Iterable[str]]
) -> LabelledSamples:
    """Samples of manifests (name to their columns that play no role), with a note where none of
    them may be the label.
    """
    if labelled.task != "none" or labelled.notes or "label" in labelled.table:
        return labelled
    notes = tuple(
        f"Nothing is labelled: no column of {shown(name)} is called label or looks like one "
        f"({listed(free)}); "
        "--label-column names it."
        for name, each in columns.items()
        if (free := list(each))
    )
    return replace(labelled, notes=notes)


def refuse_task_without_labels(labelled: LabelledSamples, reading: Reading) -> None:
    """Raise InputError when a task was asked for and there are no labels."""
    if reading.task is not None and labelled.task == "none":
        hint = (
            f". {labelled.notes[-1]}"
            if labelled.notes
            else ": name their column with --label-column"
        )
        raise InputError(f"option task: {reading.task} needs labels, and there are none{hint}")
