"""Exports of labelling tools, recognised by their structure: image classes of Label Studio are
read, other formats are refused by name.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dataprep.errors import InputError
from dataprep.ingest.labels.values import Unlabelled
from dataprep.ingest.notes import listed, shown
from dataprep.ingest.tables.columns import is_image_name
from dataprep.schemas.text.words import counted

_PATH_KEYS = ("image", "img", "picture", "photo", "image_url", "url", "path", "file", "filename")
_REFUSED = (
    "{place} is {tool}; its annotations are not read: give a manifest with a path and a label for "
    "each file, or the folder alone "
    "to audit the pictures without labels (dataprep audit FOLDER)"
)
_NO_LABEL = "annotators disagree: "


@dataclass(frozen=True)
class Export:
    """Records of an export, one per picture.

    Attributes:
        records: column to value.
        roles: role to column, as far as the format says.
        notes: what was read, and which pictures have no label because annotators disagree.
    """

    records: list[dict[str, Any]]
    roles: dict[str, str]
    notes: tuple[str, ...]


def read_export(content: Any, place: str) -> Export | None:
    """The records in the JSON `content` of the file `place`, where that is an export of Label
    Studio with choices; else None.

    Raises:
        InputError: an export whose labels are not read.
    """
    if _is_label_studio(content):
        return _label_studio(content, place)
    tool = tool_of(content)
    if tool:
        raise InputError(_REFUSED.format(place=place, tool=tool))
    return None


def refuse_records(name: str, columns: Mapping[str, Sequence[Any]]) -> None:
    """Raise InputError when the table called `name` holds the records of an export, one a row."""
    tool = _tool_of_record({column: cells[0] for column, cells in columns.items() if len(cells)})
    if tool:
        raise InputError(_REFUSED.format(place=name, tool=tool))


def tool_of(content: Any) -> str:
    """Which tool's export the JSON `content` is, in words; empty when it is none that is known."""
    if isinstance(content, dict):
        return _tool_of_object(content)
    if isinstance(content, list) and content and isinstance(content[0], dict):
        return _tool_of_record(content[0])
    return ""


def _tool_of_object(content: Mapping[str, Any]) -> str:
    keys = set(content)
    if _is_coco(content):
        return "a COCO file, which holds boxes or outlines"
    if "_via_img_metadata" in keys or _are_via_regions(content):
        return "an export of VIA"
    if "item" in keys and "annotations" in keys and keys & {"version", "schema_ref"}:
        return "an export of V7 Darwin"
    if {"shapes", "imagePath"} <= keys:
        return "an export of LabelMe"
    if {"items", "categories"} <= keys and keys & {"infos", "info"}:
        return "an export of Datumaro"
    if {"metadata", "instances"} <= keys:
        return "an export of SuperAnnotate"
    if {"objects", "size"} <= keys:
        return "an export of Supervisely"
    return _tool_of_record(content)


def _is_coco(content: Mapping[str, Any]) -> bool:
    images = content.get("images")
    if not isinstance(images, list):
        return False
    return "annotations" in content or bool(
        images and isinstance(images[0], dict) and "file_name" in images[0]
    )


def _are_via_regions(content: Mapping[str, Any]) -> bool:
    values = list(content.values())[:20]
    return bool(values) and all(
        isinstance(each, dict) and {"filename", "regions"} <= set(each) for each in values
    )


def _tool_of_record(record: Mapping[str, Any]) -> str:
    keys = set(record)
    if keys & {"data_row", "dataRow"} or {"Labeled Data", "Label"} <= keys:
        return "an export of Labelbox"
    if {"metadata", "instances"} <= keys:
        return "an export of SuperAnnotate"
    if "attribute_groups" in keys and {"name", "color"} <= keys:
        return "the list of classes of SuperAnnotate"
    shapes = record.get("annotations")
    if (
        "image" in keys
        and isinstance(shapes, list)
        and shapes
        and isinstance(shapes[0], dict)
        and "coordinates" in shapes[0]
    ):
        return "an export of Create ML"
    return ""


def _is_label_studio(content: Any) -> bool:
    if not isinstance(content, list) or not content:
        return False
    return all(
        isinstance(task, dict)
        and isinstance(task.get("data"), dict)
        and isinstance(_answers(task), list)
        for task in content
    )


def _answers(task: Mapping[str, Any]) -> Any:
    return task.get("annotations", task.get("completions"))


def _label_studio(tasks: Sequence[Mapping[str, Any]], place: str) -> Export:
    """The choices of annotators for each picture; where they disagree, the picture has no label and
    is named.

    Raises:
        InputError: no task has choices, or none has a picture.
    """
    key = _picture_key(tasks)
    questions = list(
        dict.fromkeys(
            str(result.get("from_name", "choice"))
            for task in tasks
            for annotation in _given(task)
            for result in _results(annotation)
            if result.get("type") == "choices"
        )
    )
    if not questions or not key:
        kinds = sorted(
            {
                str(result.get("type", ""))
                for task in tasks
                for annotation in _given(task)
                for result in _results(annotation)
            }
            - {""}
        )
        lacks = (
            "no picture"
            if not key
            else f"no choices ({listed(kinds)})"
            if kinds
            else "no choices: no task is annotated"
        )
        raise InputError(
            f"{place} is an export of Label Studio with {lacks}, so it gives no class per picture: "
            "give a manifest with a path "
            "and a label for each file, or the folder alone to audit the pictures without labels "
            "(dataprep audit FOLDER)"
        )
    taken = {name for task in tasks for name in task["data"]}
    columns = {
        question: question if question not in taken else f"{question} (choices)"
        for question in questions
    }
    records, apart = [], []
    for task in tasks:
        record: dict[str, Any] = {
            name: value
            for name, value in task["data"].items()
            if isinstance(value, str | int | float)
        }
        for question in questions:
            answers = _answers_to(task, question)
            if len(answers) > 1:
                apart.append(str(record.get(key, task.get("id", ""))))
                record[columns[question]] = Unlabelled(
                    _NO_LABEL
                    + " and ".join(listed(answer) or "nothing" for answer in sorted(answers))
                )
            else:
                record[columns[question]] = _one_or_list(answers[0]) if answers else None
        records.append(record)
    roles = {"path": key, **({"label": columns[questions[0]]} if len(questions) == 1 else {})}
    name = shown(os.path.basename(place))
    notes = [
        f"{name} is an export of Label Studio: {counted(len(tasks), 'task')}, choices of "
        f"{listed(questions)}."
    ]
    if apart:
        them = list(dict.fromkeys(apart))
        notes.append(
            f"Annotators disagree on {counted(len(them), 'picture')}, left without a label: "
            f"{listed(them)}."
        )
    return Export(records, roles, tuple(notes))


def _one_or_list(answer: Sequence[str]) -> str | list[str]:
    return answer[0] if len(answer) == 1 else list(answer)


def _picture_key(tasks: Sequence[Mapping[str, Any]]) -> str:
    """The key of the tasks' data that holds the picture."""
    texts: dict[str, list[str]] = defaultdict(list)
    for task in tasks:
        for key, value in task["data"].items():
            if isinstance(value, str):
                texts[key].append(value)
    for key in _PATH_KEYS:
        if key in texts:
            return key
    files = [
        key
        for key, values in texts.items()
        if all(is_image_name(value.partition("?")[0]) for value in values)
    ]
    return files[0] if len(files) == 1 else ""


def _given(task: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The annotations of a task that were not skipped."""
    answers = _answers(task)
    return [each for each in answers if isinstance(each, dict) and not each.get("was_cancelled")]


def _results(annotation: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    results = annotation.get("result")
    return [each for each in results if isinstance(each, dict)] if isinstance(results, list) else []


def _answers_to(task: Mapping[str, Any], question: str) -> list[tuple[str, ...]]:
    """The different answers of the annotators who answered."""
    found: dict[tuple[str, ...], None] = {}
    for annotation in _given(task):
        chosen = [
            str(choice)
            for result in _results(annotation)
            if result.get("type") == "choices"
            and str(result.get("from_name", "choice")) == question
            for choice in _choices(result.get("value"))
        ]
        if chosen:
            found[tuple(sorted(set(chosen)))] = None
    return list(found)


def _choices(value: Any) -> list[Any]:
    choices = value.get("choices", []) if isinstance(value, dict) else []
    return choices if isinstance(choices, list) else [choices]
