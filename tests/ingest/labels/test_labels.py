"""Labels: which column holds them, what a cell means, which task follows, and what is said about
it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dataprep
from dataprep.errors import InputError, OptionError
from dataprep.ingest.labels.cells import lists_in, separators_in
from dataprep.ingest.labels.parsing import read_classes, read_labels
from dataprep.schemas.source import Reading
from tests.ingest.class_names import SEVERAL, WHOLE


def images(root: Path, count: int = 24, folder: str = "") -> Path:
    place = root / folder
    place.mkdir(parents=True, exist_ok=True)
    for i in range(count):
        (place / f"{i}.jpg").write_bytes(b"not opened by scan")
    return root


def table(root: Path, columns: dict[str, Sequence[Any]], name: str = "m.csv") -> Path:
    frame = pd.DataFrame(columns)
    if name.endswith(".csv"):
        frame.to_csv(root / name, index=False)
    elif name.endswith(".parquet"):
        frame.to_parquet(root / name)
    else:
        frame.to_json(root / name, orient="records", lines=name.endswith("l"))
    return root / name


def scan_labels(
    root: Path, labels: Sequence[Any], name: str = "m.csv", **options: Any
) -> dataprep.Dataset:
    images(root, len(labels))
    files = [f"{i}.jpg" for i in range(len(labels))]
    return dataprep.scan(
        root, manifest=table(root, {"path": files, "label": labels}, name), **options
    )


def told(dataset: dataprep.Dataset) -> str:
    return " ".join(dataset.notes)


def repeated(values: Sequence[Any], times: int = 4) -> list[Any]:
    return [value for value in values for _ in range(times)]


# --- which column


def columns_of(name: str, rows: int = 24) -> dict[str, Sequence[Any]]:
    files = [f"{i}.jpg" for i in range(rows)]
    numbers = list(range(rows))
    return {
        "lesions": {
            "lesion_id": [f"H{i // 2}" for i in numbers],
            "image_id": files,
            "dx": [("nv", "mel", "bkl")[i // 2 % 3] for i in numbers],
            "dx_type": ["histo"] * rows,
            "age": [40.0 + i % 5 for i in numbers],
            "sex": [("male", "female")[i % 2] for i in numbers],
        },
        "retina": {"id_code": files, "diagnosis": [i % 5 for i in numbers]},
        "x-ray": {
            "Image Index": files,
            "Finding Labels": [("No Finding", "Mass", "Nodule")[i % 3] for i in numbers],
            "Patient ID": [f"p{i // 2}" for i in numbers],
        },
        "suffix": {
            "image": files,
            "final_label": [("ok", "bad")[i % 2] for i in numbers],
            "rater": ["a", "b"] * (rows // 2),
        },
        "one breed": {
            "file": files,
            "breed": [("pug", "boxer")[i % 2] for i in numbers],
            "weight": [3.5 + i for i in numbers],
        },
    }[name]


@pytest.mark.parametrize(
    ("name", "column", "classes"),
    [
        ("lesions", "dx", ("bkl", "mel", "nv")),
        ("retina", "diagnosis", ("0", "1", "2", "3", "4")),
        ("x-ray", "Finding Labels", ("Mass", "No Finding", "Nodule")),
        ("suffix", "final_label", ("bad", "ok")),
        ("one breed", "breed", ("boxer", "pug")),
    ],
)
def test_a_column_that_is_plainly_the_label_is_taken_and_named(tmp_path, name, column, classes):
    images(images(tmp_path, 12, "part_1"), 24, "part_2")
    files = columns_of(name)
    for key, cells in files.items():
        if str(cells[0]).endswith(".jpg"):
            files[key] = [f"part_2/{cell}" for cell in cells]
    dataset = dataprep.scan(tmp_path, manifest=table(tmp_path, files))
    assert (dataset.task, dataset.classes) == ("classification", classes)
    assert f"Labels are read from the column {column} of m.csv" in told(dataset)
    assert "--label-column" in told(dataset)


@pytest.mark.parametrize(
    ("columns", "proposed"),
    [
        (
            {"species": ["cat", "dog"] * 12, "breed": ["pug", "siamese", "boxer"] * 8},
            "species (2 values), breed (3 values)",
        ),
        ({"sex": ["m", "f"] * 12, "age": [20.5 + i for i in range(24)]}, "sex (2 values)"),
        (
            {"ripeness": ["low", "high", "mid"] * 8, "note": [f"n{i}" for i in range(24)]},
            "ripeness (3 values)",
        ),
        ({"stage": [1, 2, 3, 4] * 6}, "stage (4 values)"),
    ],
)
def test_columns_that_may_be_the_label_are_proposed_and_folders_are_not_taken(
    tmp_path, columns, proposed
):
    images(images(tmp_path, 12, "part_1"), 12, "part_2")
    files = [f"part_{1 + i // 12}/{i % 12}.jpg" for i in range(24)]
    place = table(tmp_path, {"path": files, **columns})
    dataset = dataprep.scan(tmp_path, manifest=place)
    first = proposed.split(" ")[0]
    assert (dataset.task, "label" in dataset.samples) == ("none", False)
    assert f"It may be {proposed}: --label-column {first} takes it." in told(dataset)
    assert (
        "The names of folders (part_1, part_2) are not taken for classes; --label-from first "
        "takes "
        "them."
    ) in dataset.notes
    assert dataprep.scan(tmp_path, manifest=place, label_column=first).task == "classification"
    asked = dataprep.scan(tmp_path, manifest=place, label_from="first")
    assert asked.classes == ("part_1", "part_2")


@pytest.mark.parametrize(
    "columns",
    [
        {"patient": ["a", "b"] * 6},
        {"camera": ["acme", "beta"] * 6, "width": [640] * 12},
        {"caption": [f"text {i}" for i in range(12)]},
        {"taken_at": ["2020-01-01", "2020-01-02"] * 6, "exposure": [0.5, 0.25] * 6},
    ],
)
def test_folders_are_taken_where_no_column_may_be_the_label_and_that_is_said(tmp_path, columns):
    images(images(tmp_path, 6, "cat"), 6, "dog")
    files = [f"{('cat', 'dog')[i // 6]}/{i % 6}.jpg" for i in range(12)]
    dataset = dataprep.scan(tmp_path, manifest=table(tmp_path, {"path": files, **columns}))
    assert dataset.classes == ("cat", "dog")
    note = (
        "No column of m.csv looks like a label: the classes are the names of folders (2 "
        "classes: cat, dog); "
    )
    assert note + "--label-column takes a column." in dataset.notes


def test_a_manifest_without_anything_that_may_be_a_label_says_so(tmp_path):
    images(tmp_path, 6)
    files = [f"{i}.jpg" for i in range(6)]
    dataset = dataprep.scan(
        tmp_path, manifest=table(tmp_path, {"Image": files, "Id": ["w1", "w2"] * 3})
    )
    assert dataset.notes == (
        "Nothing is labelled: no column of m.csv is called label or looks like one (Id); "
        "--label-column names it.",
    )
    assert dataprep.scan(tmp_path, manifest=table(tmp_path, {"Image": files})).notes == ()
    assert (
        dataprep.scan(
            tmp_path,
            manifest=table(tmp_path, {"Image": files, "Id": list("ab") * 3}),
            label_column="Id",
        ).notes
        == ()
    )


def test_label_from_overrules_a_column_called_label_and_says_so(tmp_path):
    images(images(tmp_path, 3, "cat"), 3, "dog")
    files = [f"{name}/{i}.jpg" for name in ("cat", "dog") for i in range(3)]
    place = table(tmp_path, {"path": files, "label": list("xyzxyz")})
    dataset = dataprep.scan(tmp_path, manifest=place, label_from="leaf")
    assert dataset.classes == ("cat", "dog")
    assert "the column label is not used" in told(dataset)
    assert dataset.samples["manifest_label"].astype("str").tolist() == list("xyzxyz")
    with pytest.raises(OptionError, match="--label-column and --label-from exclude each other"):
        dataprep.scan(tmp_path, manifest=place, label_column="label", label_from="leaf")


def test_the_only_column_of_file_names_is_the_path(tmp_path):
    images(tmp_path, 3)
    place = table(tmp_path, {"where": ["0.jpg", "1.jpg", "2.jpg"], "label": ["a", "b", "a"]})
    assert dataprep.scan(place).classes == ("a", "b")
    both = table(tmp_path, {"this": ["0.jpg"], "that": ["1.jpg"], "label": ["a"]})
    with pytest.raises(
        InputError,
        match=r"It has this, that, label .names of files in this, that.: name one with "
        r"--path-column",
    ):
        dataprep.scan(both)


# --- one column per class


@pytest.mark.parametrize(
    ("zero", "one"), [("0", "1"), ("0.0", "1.0"), ("False", "True"), ("", "1"), ("-1", "1")]
)
def test_columns_of_zero_and_one_are_classes(tmp_path, zero, one):
    images(tmp_path, 12)
    files = [f"{i}.jpg" for i in range(12)]
    columns = {
        name: [one if i % 3 == k else zero for i in range(12)]
        for k, name in enumerate(("MEL", "NV", "BCC"))
    }
    dataset = dataprep.scan(tmp_path, manifest=table(tmp_path, {"image": files, **columns}))
    assert (dataset.task, dataset.classes) == ("classification", ("BCC", "MEL", "NV"))
    assert dataset.samples["label"].tolist()[:3] == ["MEL", "NV", "BCC"]
    assert list(dataset.samples.columns) == ["label"]
    assert dataset.notes == (
        "The 3 columns of 0 and 1 in m.csv are read as one class each (MEL, NV, BCC): one class "
        "per row; "
        "--label-column takes another.",
    )


def test_columns_with_several_ones_are_several_labels_and_a_row_of_zeros_has_none(tmp_path):
    (images(tmp_path, 6) / "_classes.csv").write_text(
        "filename, dog, cat, black bear\n0.jpg, 1, 0, 0\n1.jpg, 0, 1, 1\n2.jpg, 1, 1, 0\n"
        "3.jpg, 0, 0, 0\n4.jpg, 0, 0, 1\n5.jpg, 1, 0, 0\n"
    )
    dataset = dataprep.scan(tmp_path, manifest=tmp_path / "_classes.csv")
    assert (dataset.task, dataset.classes) == ("multi-label", ("black bear", "cat", "dog"))
    assert dataset.samples.loc["1.jpg", "label"] == "black bear|cat"
    fault = dataset.faults.set_index("check").loc["empty-label"]
    assert (fault["target"], json.loads(fault["evidence"])["why"]) == (
        "3.jpg",
        "it is 0 in the column of every class",
    )


@pytest.mark.parametrize(
    "columns",
    [
        {"is_train": [1, 0] * 6, "is_test": [0, 1] * 6},
        {"train": [1, 0] * 6, "val": [0, 1] * 6},
        {"checked": [1, 0] * 6},
        {"bright": [1, 0] * 6, "sharp": [1, 1, 0] * 4},
    ],
)
def test_other_columns_of_zero_and_one_are_no_classes(tmp_path, columns):
    images(tmp_path, 12)
    dataset = dataprep.scan(
        tmp_path, manifest=table(tmp_path, {"path": [f"{i}.jpg" for i in range(12)], **columns})
    )
    assert (dataset.task, "label" in dataset.samples) == ("none", False)
    assert set(columns) <= {name.removeprefix("manifest_") for name in dataset.samples.columns}


# --- several labels in a cell


@pytest.mark.parametrize("name", WHOLE)
def test_names_of_classes_stay_whole(name):
    cells = WHOLE[name]
    assert not [each for each in separators_in(cells) if each.plain]
    assert lists_in(cells) is None


@pytest.mark.parametrize(
    "name", ["imagenet", "birds", "cars", "plants", "coco", "clothes", "places"]
)
def test_no_separator_is_hinted_at_in_names_of_classes(name):
    assert not [each for each in separators_in(WHOLE[name]) if each.likely]


@pytest.mark.parametrize("name", [name for name in SEVERAL if name != "planet"])
def test_several_labels_in_a_cell_are_told(tmp_path, name):
    cells, labels = SEVERAL[name]
    dataset = scan_labels(tmp_path, repeated(cells, 2))
    assert (dataset.task, len(dataset.classes)) == ("multi-label", labels)
    assert "holds several labels in a cell, split by" in told(dataset)
    assert scan_labels(tmp_path, repeated(cells, 2), task="classification").task == "classification"


def test_a_comma_in_every_cell_of_few_parts_is_hinted_at(tmp_path):
    cells = [f"{animal},{size}" for animal in ("cat", "dog", "bird") for size in ("big", "small")]
    dataset = scan_labels(tmp_path, repeated(cells, 2))
    assert dataset.task == "classification"
    said = told(dataset)
    assert "6 of the 6 classes hold ',' and are read as whole names" in said
    assert 'If these are several labels in one cell: --label-separator ",".' in said
    towns = ["Portland, OR", "Portland, ME", "Austin, TX", "Dallas, TX"]
    assert not any(
        each.likely
        for each in separators_in(["1,5", "2,5", "3,5", "1,7", "2,7", "3,7"])
        if each.separator == ","
    )
    assert not any(each.likely for each in separators_in([*towns, "Rome"]))


def test_labels_that_may_be_several_are_left_whole_with_the_option_that_splits_them(tmp_path):
    cells, labels = SEVERAL["planet"]
    dataset = scan_labels(tmp_path, repeated(cells, 2))
    assert (dataset.task, len(dataset.classes)) == ("classification", len(cells))
    assert 'If these are several labels in one cell: --label-separator " ".' in told(dataset)
    split = scan_labels(tmp_path, repeated(cells, 2), label_separator=" ")
    assert (split.task, len(split.classes)) == ("multi-label", labels)
    assert scan_labels(tmp_path, repeated(cells, 2), task="multi-label").classes == split.classes


@pytest.mark.parametrize("separator", ["/", " & ", "_", "|"])
def test_a_separator_by_option(tmp_path, separator):
    cells = ["cat", separator.join(("cat", "dog")), "dog", f"bird{separator}"]
    dataset = scan_labels(tmp_path, cells, label_separator=separator)
    assert (dataset.task, dataset.classes) == ("multi-label", ("bird", "cat", "dog"))
    assert dataset.samples["label"].tolist()[1] == "cat|dog"


def test_a_separator_that_is_in_no_cell_changes_nothing_and_is_said(tmp_path):
    dataset = scan_labels(tmp_path, ["cat", "dog"] * 3, label_separator=";")
    assert (dataset.task, dataset.classes) == ("classification", ("cat", "dog"))
    assert dataset.notes == (
        "--label-separator is not used: the column label has no cell with ';' in it.",
    )


@pytest.mark.parametrize(
    ("cells", "classes"),
    [
        (["['scab']", "['scab', 'rust']", "[]", "['rust']"], ("rust", "scab")),
        (["['scab' 'rust']", "['scab']", "['rust']"], ("rust", "scab")),  # as NumPy writes it
        (["('scab', 'rust')", "('scab',)"], ("rust", "scab")),
        (["{'scab', 'rust'}", "{'scab'}"], ("rust", "scab")),
        (["[scab, rust]", "[scab]"], ("rust", "scab")),
        (['["scab", "rust"]', '["it\'s"]'], ("it's", "rust", "scab")),
        (
            [
                '[{"id": 1, "name": "scab"}, {"id": 2, "name": "rust"}]',
                '[{"id": 1, "name": "scab"}]',
            ],
            ("rust", "scab"),
        ),
        (['{"choices": ["scab", "rust"]}', "scab"], ("rust", "scab")),
        (['{"scab": 1, "rust": 1}', '{"scab": true, "rust": false}'], ("rust", "scab")),
        (["[1, 0, 1]", "[0, 1, 0]"], ("0", "1", "2")),
        (["[3, 5]", "[5]"], ("3", "5")),
        (
            ["scab", "rust", "healthy", "spot", '["scab", "rust"]'],
            ("healthy", "rust", "scab", "spot"),
        ),
    ],
)
def test_lists_and_objects_in_cells(tmp_path, cells, classes):
    dataset = scan_labels(tmp_path, cells)
    assert (dataset.task, dataset.classes) == ("multi-label", classes)


@pytest.mark.parametrize("name", ["m.jsonl", "m.json", "m.parquet"])
def test_lists_and_objects_in_files_that_hold_them(tmp_path, name):
    lists = [["cat", "dog"], ["dog"], ["cat"]]
    assert scan_labels(tmp_path, lists, name).samples["label"].tolist() == ["cat|dog", "dog", "cat"]
    objects = [[{"name": each, "id": 3} for each in names] for names in lists]
    assert scan_labels(tmp_path, objects, name).samples["label"].tolist() == [
        "cat|dog",
        "dog",
        "cat",
    ]


@pytest.mark.parametrize(
    "cells",
    [
        [["cat"], ["dog"], ["cat"]],
        [["cat"], [], ["dog"]],
        [[{"name": "cat"}], [{"name": "dog"}], [{"name": "cat"}]],
        [{"name": "cat"}] * 3,
    ],
)
def test_lists_of_one_are_one_class(tmp_path, cells):
    dataset = scan_labels(tmp_path, cells, "m.jsonl")
    assert dataset.task == "classification"
    assert set(dataset.classes) <= {"cat", "dog"}
    assert "Every list in the column label has one label" in told(dataset)
    assert scan_labels(tmp_path, cells, "m.jsonl", task="multi-label").task == "multi-label"


@pytest.mark.parametrize(
    "cells",
    [
        ["[unknown]", "cat", "[other]"],
        ["(1)", "(2)"],
        ["{a", "{b"],
        ["[" * 3000, "]"],
        ["{}[]", "a"],
    ],
)
def test_brackets_in_names_are_no_lists(tmp_path, cells):
    dataset = scan_labels(tmp_path, cells)
    assert (dataset.task, set(dataset.classes)) == ("classification", set(cells))


def test_classification_of_lists_is_refused(tmp_path):
    with pytest.raises(
        InputError,
        match=r"classification takes one label per sample, and the column label has .*: use --task "
        r"multi-label",
    ):
        scan_labels(tmp_path, [["cat", "dog"], ["cat"]], "m.jsonl", task="classification")


def test_spelling_is_that_of_each_label_of_several(tmp_path):
    dataset = scan_labels(tmp_path, [["cat", "dog"]] * 5 + [["Cat", "dog"], ["dog"]], "m.jsonl")
    faults = dataset.faults[dataset.faults["check"] == "label-spelling"]
    assert faults[["target", "value"]].to_numpy().tolist() == [["Cat", "cat"]]


def test_boxes_in_the_cells_are_no_classes(tmp_path):
    boxes = [[{"x": 1, "y": 2, "width": 3, "height": 4, "rectanglelabels": ["Car"]}]] * 2
    dataset = scan_labels(tmp_path, boxes, "m.jsonl")
    assert dataset.task == "none"
    assert "The column label holds boxes or outlines, which are not read" in told(dataset)


# --- tasks


@pytest.mark.parametrize(
    ("cells", "hinted"),
    [
        ([str(i * 7 % 90) for i in range(40)], True),
        ([str(1960 + i) for i in range(40)], True),
        (["1.5", "2", "2.5"] * 8, True),
        ([str(i) for i in range(40)], False),
        ([str(i + 1) for i in range(40)], False),
        (["0", "1", "2", "3", "4"] * 4, False),
        (["3,5", "4,0", "2"] * 3, True),
        (["a", "b", "c"] * 3, False),
        ([str(100 + i) for i in range(12)], False),
    ],
)
def test_numbers_that_may_be_quantities_are_classes_with_a_hint(tmp_path, cells, hinted):
    dataset = scan_labels(tmp_path, cells)
    assert dataset.task == "classification"
    assert ("--task regression" in told(dataset)) == hinted
    if cells[0] != "a":
        as_numbers = scan_labels(tmp_path, cells, task="regression")
        assert (as_numbers.task, as_numbers.classes, as_numbers.samples["label"].dtype) == (
            "regression",
            (),
            np.dtype(float),
        )


@pytest.mark.parametrize("comma", [",", "."])
def test_many_numbers_with_fractions_are_a_quantity_and_that_is_said(tmp_path, comma):
    dataset = scan_labels(tmp_path, [f"{i + 0.5}".replace(".", comma) for i in range(30)])
    assert dataset.task == "regression"
    np.testing.assert_array_equal(dataset.samples["label"], np.arange(30) + 0.5)
    assert (
        "read as a quantity to predict (regression). --task classification reads them as classes."
        in told(dataset)
    )
    assert ("decimal points" in told(dataset)) == (comma == ",")
    assert (
        len(scan_labels(tmp_path, [str(i + 0.5) for i in range(30)], task="classification").classes)
        == 30
    )


def test_commas_of_thousands_are_no_decimal_commas(tmp_path):
    assert scan_labels(tmp_path, [f"{i},{i:03}" for i in range(30)]).task == "classification"
    with pytest.raises(
        InputError, match="regression needs numbers, and the column label has '1,200'"
    ):
        scan_labels(tmp_path, ["1,200", "950", "2,000"], task="regression")


def test_regression_of_words_is_refused(tmp_path):
    with pytest.raises(
        InputError,
        match=r"regression needs numbers, and the column label has 'cat', 'dog': use --task "
        r"classification",
    ):
        scan_labels(tmp_path, ["1", "cat", "dog"], task="regression")
    images(images(tmp_path / "folders", 2, "ok"), 2, "bad")
    with pytest.raises(
        InputError,
        match="regression needs numbers, and the column names of folders has 'bad', 'ok'",
    ):
        dataprep.scan(tmp_path / "folders", task="regression")


def test_folders_that_are_numbers_can_be_quantities(tmp_path):
    images(images(tmp_path, 2, "18"), 2, "65")
    dataset = dataprep.scan(tmp_path, task="regression")
    assert (dataset.task, dataset.samples["label"].tolist()) == (
        "regression",
        [18.0, 18.0, 65.0, 65.0],
    )
    images(images(tmp_path / "b", 2, "cat+dog"), 2, "dog")
    assert dataprep.scan(tmp_path / "b", label_separator="+").classes == ("cat", "dog")


@pytest.mark.parametrize("task", ["classification", "multi-label", "regression"])
def test_a_task_without_labels_is_refused(tmp_path, task):
    with pytest.raises(InputError, match=f"option task: {task} needs labels"):
        dataprep.scan(images(tmp_path, 3), task=task)
    with pytest.raises(
        InputError, match=f"option task: {task} needs labels, and the column label is empty"
    ):
        scan_labels(tmp_path, [None, "", "nan"], task=task)


@pytest.mark.parametrize(
    ("cells", "name"),
    [
        (["0.0", "1.0"], "m.csv"),
        ([0.0, 1.0], "m.parquet"),
        ([0.0, 1.0], "m.csv"),
        ([0, 1], "m.json"),
    ],
)
def test_whole_numbers_are_the_same_classes_in_every_format(tmp_path, cells, name):
    assert scan_labels(tmp_path, cells * 3, name).classes == ("0", "1")


@pytest.mark.parametrize("name", ["m.csv", "m.parquet"])
def test_fractions_are_the_same_classes_in_every_format(tmp_path, name):
    assert scan_labels(tmp_path, [1.0, 2.5, 1.0], name).classes == ("1.0", "2.5")


def test_digits_that_are_no_numbers_stay_classes(tmp_path):
    assert scan_labels(tmp_path, ["²", "1", "١"]).task == "classification"


# --- words for nothing


@pytest.mark.parametrize("word", ["null", "NULL", "N/A", "n/a", "NA", "None"])
def test_words_for_nothing_are_classes_where_they_are_as_frequent_as_one(tmp_path, word):
    often = scan_labels(tmp_path, ["cat", "dog", word] * 4)
    assert word in often.classes
    assert f"'{word}' is read as a class, as frequent as the others." in told(often)
    seldom = scan_labels(tmp_path, ["cat", "dog"] * 11 + [word])
    assert word not in seldom.classes
    assert f"1 row with '{word}' is read as having no label." in told(seldom)
    fault = seldom.faults.iloc[0]
    assert (fault["check"], json.loads(fault["evidence"])["why"]) == (
        "empty-label",
        f"the cell says {word!r}",
    )


@pytest.mark.parametrize("word", ["nan", "NaN", "<NA>", "#N/A"])
def test_marks_of_programs_are_never_a_class(tmp_path, word):
    dataset = scan_labels(tmp_path, ["cat", "dog", word] * 4)
    assert dataset.classes == ("cat", "dog")
    assert json.loads(dataset.faults.iloc[0]["evidence"])["why"] == f"the cell says {word!r}"


@pytest.mark.parametrize(
    ("cells", "classes"),
    [
        (["0", "1", "null"] * 4, ("0", "1")),  # a word among numbers
        (["cat", "dog"] * 2 + ["NULL"] * 20, ("cat", "dog")),  # most are not labelled yet
        (
            ["scratch", "dent"] * 2 + ["None"] * 20,
            ("None", "dent", "scratch"),
        ),  # most have no defect
        (["cat"] * 10 + ["none"], ("cat", "none")),
    ],
)
def test_when_words_for_nothing_are_classes(tmp_path, cells, classes):
    assert scan_labels(tmp_path, cells).classes == classes


# --- notes


def test_notes_are_one_line_whatever_columns_and_classes_are_called(tmp_path):
    images(tmp_path, 12)
    odd = "\x1b[31mred\nline" + "x" * 500
    place = table(tmp_path, {"path": [f"{i}.jpg" for i in range(12)], odd: ["a", "b"] * 6})
    dataset = dataprep.scan(tmp_path, manifest=place)
    assert dataset.notes
    assert all(note.isprintable() and len(note) < 500 for note in dataset.notes)


TEXTS = [
    "",
    "nan",
    "N/A",
    "cat",
    "dog",
    "cat,dog",
    "cat|dog",
    "0",
    "1.0",
    "3,5",
    "['cat']",
    '["cat", "dog"]',
    "{",
    "[[",
    "|",
]
CELL = st.one_of(
    st.sampled_from(TEXTS),
    st.text(max_size=6),
    st.none(),
    st.integers(-3, 3),
    st.floats(width=16),
    st.booleans(),
    st.lists(st.text(max_size=2), max_size=3),
    st.dictionaries(st.sampled_from(["name", "x", "cat"]), st.integers(0, 1), max_size=2),
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(CELL, min_size=1, max_size=12),
    st.sampled_from([None, "classification", "multi-label", "regression"]),
)
def test_any_cells_are_labels_of_as_many_rows_or_refused_in_one_line(cells, task):
    try:
        labels = read_labels(cells, Reading(task=task), "label")
    except InputError as error:
        message = str(error)
        labels = None
    if labels is None:
        assert task is not None
        assert message.startswith("option task: ")
        assert "\n" not in message
        return
    assert (len(labels.column), len(labels.written)) == (len(cells), len(cells))
    assert task in (None, labels.task)
    samples = pd.DataFrame({"label": labels.column})
    classes, samples = read_classes(samples, labels.task)
    assert list(classes) == list(dict.fromkeys(classes))
    if labels.task == "classification":
        assert set(samples["label"].dropna()) <= set(classes)


def test_slashes_and_plus_signs_are_hinted_at_and_never_split(tmp_path):
    for separator in "/+":
        dataset = scan_labels(
            tmp_path, ["cat", "dog", f"cat{separator}dog", f"cow{separator}dog", "cow"] * 3
        )
        assert (dataset.task, len(dataset.classes)) == ("classification", 5)
        assert f'--label-separator "{separator}"' in told(dataset)
