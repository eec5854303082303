"""Tables and lists of a split: manifests, what Hugging Face's image folder reads, what YOLO
reads.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from dataprep.cleaning.applying import manifest_bytes, manifest_format, rows_of
from dataprep.cleaning.folders import folder_name
from dataprep.cleaning.overwriting import refuse_overwriting, remember_written
from dataprep.cleaning.staging import lies_in
from dataprep.errors import InputError, OptionError
from dataprep.schemas.files.writing import MARKER, write_atomically
from dataprep.schemas.split import PART, UNIT
from dataprep.schemas.text.names import escape_name
from dataprep.schemas.text.numbers import are_plain_numbers
from dataprep.splits.export.views import Rows, classes_of, labels_of

if TYPE_CHECKING:
    from dataprep.schemas.dataset import Dataset
    from dataprep.schemas.split import Split

METADATA, CARD, DATA = "metadata.csv", "README.md", "data.yaml"
#: Rows that the reader of Hugging Face's metadata infers types from at once; every such block must
#: come out alike.
_CHUNK = 10_000
_LISTED = 3
_VAL = frozenset(("val", "valid", "validation", "dev"))
#: What a YAML scalar in double quotes must not hold as it is, beyond what JSON escapes.
_YAML_UNSAFE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
#: Columns whose texts are names, whatever they look like.
_NAMES = ("label", "group", UNIT)
_TYPES: dict[str, Any] = {"regression": "float64"}


def write_manifest(split: Split, path: str | os.PathLike[str], *, force: bool = False) -> str:
    """Write one row per sample: ``path`` relative to the root of the data, label, split, group,
    unit and the user's own columns.

    Args:
        split: a finished split.
        path: a file that ends in ``.csv``, ``.parquet`` or ``.jsonl``, outside the folder of images
            or in one of dataprep's.
        force: overwrite what is there though dataprep did not write it.

    Raises:
        OptionError: another extension.
        InputError: the file would lie among the images, or overwrite one of the user's.
        OutputError: the file cannot be written.
    """
    path = os.fspath(path)
    manifest_format(path)
    folder = os.path.dirname(os.path.abspath(path))
    if (
        not split.dataset.is_remote
        and lies_in(folder, split.dataset.root)
        and not os.path.exists(os.path.join(folder, MARKER))
    ):
        raise InputError(
            f"{path} lies in the folder of images, which is never written: choose one outside "
            f"{split.dataset.root}"
        )
    refuse_overwriting(path, force=force)
    with write_atomically(path) as file:
        file.write(manifest_bytes(rows_of(split.dataset), path))
    remember_written(path)
    return path


def write_rows(
    path: str, dataset: Dataset, plan: Mapping[str, tuple[str, Rows, list[str]]]
) -> None:
    """Write which sample each file is: file, sample, label, split, unit; `plan` gives (part,
    rows, names in it) of each place.
    """
    labels, samples = labels_of(dataset), dataset.samples.index
    units = (
        dataset.samples[UNIT].astype("str").tolist()
        if UNIT in dataset.samples
        else [""] * len(dataset)
    )
    with open(path, "x", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("file", "sample", "label", PART, UNIT))
        for place, (part, rows, names) in plan.items():
            head = (
                ""
                if names and names[0].partition("/")[0].endswith(".tar")
                else place.replace(os.sep, "/") + "/"
            )
            for row, name in zip(rows.tolist(), names, strict=True):
                writer.writerow(
                    (escape_name(head + name), samples[row], labels[row] or "", part, units[row])
                )


def write_metadata(
    stage: str, dataset: Dataset, plan: Mapping[str, tuple[str, Rows, list[str]]]
) -> tuple[str, ...]:
    """Write the table of each part, and a card that names the parts; gives notes.

    The reader (``datasets.load_dataset(FOLDER)``) takes ``file_name`` for the path beside the
    table, and demands that the tables of all parts have the same columns and types. Where CSV would
    not be read so, or not as it was (several labels of one sample, a column that is numbers in one
    part and empty in another, a label "007" or "NA"), the tables are ``metadata.parquet``, which
    holds its types. Without the card (as with ``load_dataset("imagefolder", data_dir=FOLDER)``)
    parts are known by their names alone: all folds would be training data.
    """
    table = _metadata(dataset)
    tables = {
        place: _with_names(table, rows, names)
        for place, (_, rows, names) in plan.items()
        if len(rows)
    }
    as_csv = {
        place: each.to_csv(index=False, lineterminator="\n").encode()
        for place, each in tables.items()
    }
    alike = dataset.task != "multi-label" and _reads_alike(tables, as_csv)
    for place, each in tables.items():
        if alike:
            with open(os.path.join(stage, place, METADATA), "xb") as file:
                file.write(as_csv[place])
        else:
            each.to_parquet(os.path.join(stage, place, "metadata.parquet"), index=False)
    _write_card(stage, list(tables))
    return (
        ()
        if alike
        else (
            "the tables are metadata.parquet: as CSV they would not be read as they are in every "
            "part",
        )
    )


def _metadata(dataset: Dataset) -> pd.DataFrame:
    """One row per sample: label, group, unit and the user's own columns, under names that mean
    nothing else to the reader.
    """
    table = rows_of(dataset).drop(columns=["path", PART], errors="ignore")
    if dataset.task == "multi-label":
        several = [None if label is None else label.split("|") for label in labels_of(dataset)]
        table["label"] = pd.Series(several, index=table.index, dtype="object")
    elif "label" in table:
        table["label"] = table["label"].astype(_TYPES.get(dataset.task, "str"))
    for name in table:
        is_list = name == "label" and dataset.task == "multi-label"
        if not is_list and not pd.api.types.is_numeric_dtype(table[name]):
            table[name] = table[name].astype("str")
    taken = {
        name: f"{name}_" for name in table if re.fullmatch(r"images?|(.*_)?file_names?", str(name))
    }
    return table.rename(columns=taken)


def _with_names(table: pd.DataFrame, rows: Rows, names: list[str]) -> pd.DataFrame:
    table = table.iloc[rows].reset_index(drop=True)
    table.insert(0, "file_name", names)
    return table


def _reads_alike(tables: Mapping[str, pd.DataFrame], as_csv: Mapping[str, bytes]) -> bool:
    """Whether every block of every part is read with the same types, and every text as it was
    (no label "007" or "NA").
    """
    types = set()
    for place, table in tables.items():
        texts = [
            name
            for name in table
            if not pd.api.types.is_numeric_dtype(table[name])
            and (name in _NAMES or not are_plain_numbers(table[name]))
        ]
        for block in pd.read_csv(io.BytesIO(as_csv[place]), chunksize=_CHUNK):
            types.add(tuple(_kind(block[name]) for name in block))
            written = table.loc[block.index, texts]
            if len(types) > 1 or not (_as_text(block[texts]) == _as_text(written)).all(axis=None):
                return False
    return True


def _as_text(table: pd.DataFrame) -> pd.DataFrame:
    return table.astype("object").where(table.notna(), "").astype("str")


def _kind(values: pd.Series[Any]) -> str:
    return "empty" if values.isna().all() else str(values.dtype)


def _write_card(stage: str, places: list[str]) -> None:
    """A data set card that names the parts, for a reader that would guess them."""
    names = {place: re.sub(r"\W", "_", place) for place in places}
    lines = ["---", "configs:", "- config_name: default", "  data_files:"]
    for place in places:
        lines += [f"  - split: {names[place]}", f"    path: {quoted(f'{place}/**')}"]
    with open(os.path.join(stage, CARD), "x", encoding="utf-8", newline="\n") as file:
        file.write("\n".join([*lines, "---", ""]))


def write_yolo(stage: str, folder: str, dataset: Dataset, parts: Mapping[str, Rows]) -> None:
    """Write a list of absolute paths for each part, and ``data.yaml`` with the lists and the class
    names.

    Args:
        stage: where the files are written now.
        folder: where they will be.
        dataset: whose images they list.
        parts: name of each part to its rows.

    Raises:
        OptionError: the images are not local files, or a path cannot stand in a list: one with a
            line break, with blanks at its ends or that is not UTF-8.
    """
    if dataset.is_remote:
        raise OptionError(
            f"--as yolo lists local files, and the images are at {dataset.root}: take --as folders "
            "or webdataset"
        )
    lines = [f"path: {quoted(folder)}"]
    for part, rows in parts.items():
        name = f"{folder_name(part)}.txt"
        paths = [
            os.path.abspath(dataset.path(str(dataset.samples.index[row]))) for row in rows.tolist()
        ]
        _refuse_unlistable(paths)
        with open(os.path.join(stage, name), "x", encoding="utf-8", newline="\n") as file:
            file.writelines(f"{path}\n" for path in paths)
        key = "val" if part.lower() in _VAL and "val" not in {*parts} - {part} else part
        lines.append(f"{quoted(key) if re.search(r'[^A-Za-z]', key) else key}: {quoted(name)}")
    classes = classes_of(dataset)
    lines += [f"nc: {len(classes)}", "names:" if classes else "names: {}"]
    lines += [f"  {number}: {quoted(name)}" for number, name in enumerate(classes)]
    with open(os.path.join(stage, DATA), "x", encoding="utf-8", newline="\n") as file:
        file.write("\n".join([*lines, ""]))


def _refuse_unlistable(paths: list[str]) -> None:
    bad = [
        path
        for path in paths
        if path.strip() != path or len(path.splitlines()) != 1 or not _is_utf8(path)
    ]
    if bad:
        more = f" and {len(bad) - _LISTED} more" if len(bad) > _LISTED else ""
        named = ", ".join(repr(escape_name(path)) for path in bad[:_LISTED])
        raise OptionError(
            f"--as yolo: {named}{more} cannot stand in a list of paths (a line break, blanks at "
            "the ends, or not UTF-8): "
            "rename the file, or take --as folders or webdataset"
        )


def _is_utf8(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def quoted(text: str) -> str:
    """A YAML scalar in double quotes; JSON's quoting is also YAML's, but for a few characters."""
    text = escape_name(text)
    return _YAML_UNSAFE.sub(
        lambda match: f"\\u{ord(match[0]):04x}", json.dumps(text, ensure_ascii=False)
    )
