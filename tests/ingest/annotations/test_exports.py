"""Tables of boxes and exports of labelling tools: told as such, and never with advice that would
lose data.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import dataprep
from dataprep.errors import InputError
from dataprep.ingest.annotations.boxes import box_columns


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Six files."""
    for i in range(6):
        (tmp_path / f"{i}.jpg").write_bytes(b"not opened by scan")
    return tmp_path


CORNERS = [
    "xmin,ymin,xmax,ymax",
    "x,y,w,h",
    "x1,y1,x2,y2",
    "bbox_x,bbox_y,bbox_width,bbox_height",
    "Left,Top,Right,Bottom",
    "bbox",
    "XMin,XMax,YMin,YMax",
    "x_center,y_center,width,height",
    "Roi.X1,Roi.Y1,Roi.X2,Roi.Y2",
    "region_shape_attributes",
]


def boxes(root: Path, header: str, *, several: bool = True) -> Path:
    """A table of 1 to 3 boxes a file, or of one."""
    columns = ["filename", "class", *header.split(",")]
    rows = [
        [
            f"{i}.jpg",
            ("car", "dog", "person")[(i + j) % 3],
            *(["[1, 2, 3, 4]"] if "," not in header else range(len(columns) - 2)),
        ]
        for i in range(6)
        for j in range(1 + i % 3 if several else 1)
    ]
    pd.DataFrame(rows, columns=columns).to_csv(root / "boxes.csv", index=False)
    return root / "boxes.csv"


@pytest.mark.parametrize("header", CORNERS)
def test_a_table_of_boxes_is_told_and_its_rows_are_no_conflict(root, header):
    dataset = dataprep.scan(root, manifest=boxes(root, header))
    assert (len(dataset), dataset.task, len(dataset.faults)) == (6, "none", 0)
    assert dataset.notes[0].startswith(
        "boxes.csv is a table of boxes (12 rows of 6 files, columns "
    )
    assert "--task multi-label reads the classes of each picture's boxes" in dataset.notes[0]


@pytest.mark.parametrize("header", CORNERS)
def test_the_classes_of_the_boxes_are_the_labels_of_the_picture_where_that_is_asked_for(
    root, header
):
    dataset = dataprep.scan(root, manifest=boxes(root, header), task="multi-label")
    assert (dataset.task, dataset.classes, len(dataset.faults)) == (
        "multi-label",
        ("car", "dog", "person"),
        0,
    )
    assert dataset.samples["label"].tolist() == ["car", "dog|person", "car|dog|person"] * 2


def test_one_box_a_file_leaves_the_label_and_is_said(root):
    dataset = dataprep.scan(root, manifest=boxes(root, "xmin,ymin,xmax,ymax", several=False))
    assert (dataset.task, dataset.classes) == ("classification", ("car", "dog", "person"))
    assert "each file has one row, whose label is read as that of the picture" in dataset.notes[0]


def test_folders_are_no_classes_of_a_table_of_boxes(tmp_path):
    for name in ("a/1.jpg", "b/2.jpg"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(b"x")
    place = tmp_path / "boxes.csv"
    place.write_text(
        "filename,class,x,y,w,h\na/1.jpg,car,1,2,3,4\na/1.jpg,dog,1,2,3,4\nb/2.jpg,car,1,2,3,4\n"
    )
    assert dataprep.scan(tmp_path, manifest=place).task == "none"


@pytest.mark.parametrize(
    "names",
    ["width,height,label", "x,y,label", "lat,lon", "path,left,right", "w,h", "points", "x,y,z,w"],
)
def test_other_columns_are_no_boxes(names):
    assert box_columns(names.split(",")) == []


def test_a_coordinate_called_y_is_no_label(root):
    place = root / "m.csv"
    place.write_text("path,x,y\n0.jpg,1,2\n1.jpg,2,3\n2.jpg,3,4\n")
    assert "label" not in dataprep.scan(root, manifest=place).samples
    place.write_text("path,y\n0.jpg,1\n1.jpg,2\n2.jpg,1\n")
    assert dataprep.scan(root, manifest=place).classes == ("1", "2")


def test_one_label_a_row_is_said_and_read_by_the_task(root):
    place = root / "m.csv"
    place.write_text(
        "path,label\n"
        + "".join(f"{i}.jpg,{name}\n" for i in range(6) for name in ("sky", "sea")[: 1 + i % 2])
    )
    dataset = dataprep.scan(root, manifest=place)
    assert "3 of 6 files have several rows with different labels." in dataset.notes[0]
    assert "--task multi-label" in dataset.notes[0]
    assert set(dataset.faults["check"]) == {"conflicting-rows"}
    merged = dataprep.scan(root, manifest=place, task="multi-label")
    assert (merged.samples["label"].tolist(), len(merged.faults)) == (["sky", "sea|sky"] * 3, 0)


def test_a_single_conflict_is_no_table_of_labels(root):
    place = root / "m.csv"
    place.write_text("path,label\n" + "".join(f"{i}.jpg,sky\n" for i in range(6)) + "0.jpg,sea\n")
    dataset = dataprep.scan(root, manifest=place)
    assert (dataset.notes, dataset.faults["check"].tolist()) == ((), ["conflicting-rows"])


EXPORTS: list[tuple[str, Any, str]] = [
    (
        "coco.json",
        {"images": [{"file_name": "0.jpg"}], "annotations": []},
        "is a COCO file, which holds boxes",
    ),
    (
        "info.json",
        {"images": [{"file_name": "0.jpg", "id": 1}], "categories": []},
        "is a COCO file",
    ),
    (
        "via.json",
        {"0.jpg123": {"filename": "0.jpg", "size": 123, "regions": []}},
        "is an export of VIA",
    ),
    ("project.json", {"_via_img_metadata": {}, "_via_settings": {}}, "is an export of VIA"),
    (
        "darwin.json",
        {"version": "2.0", "item": {"name": "0.jpg"}, "annotations": []},
        "is an export of V7 Darwin",
    ),
    (
        "labelme.json",
        {"shapes": [], "imagePath": "0.jpg", "imageData": None},
        "is an export of LabelMe",
    ),
    (
        "super.json",
        {"metadata": {"name": "0.jpg"}, "instances": []},
        "is an export of SuperAnnotate",
    ),
    ("ls.json", {"info": {}, "categories": {}, "items": []}, "is an export of Datumaro"),
    (
        "createml.json",
        [{"image": "0.jpg", "annotations": [{"label": "a", "coordinates": {}}]}],
        "is an export of Create ML",
    ),
    (
        "labelbox.json",
        [{"data_row": {"external_id": "0.jpg"}, "projects": {}}],
        "is an export of Labelbox",
    ),
    ("old.json", [{"ID": "x", "Labeled Data": "0.jpg", "Label": {}}], "is an export of Labelbox"),
    ("cvat.xml", "<annotations/>", "XML, as CVAT and Pascal VOC write it, is not read"),
]


@pytest.mark.parametrize(("name", "content", "says"), EXPORTS, ids=[name for name, _, _ in EXPORTS])
def test_exports_are_named(root, name, content, says):
    (root / name).write_text(json.dumps(content))
    with pytest.raises(InputError, match=says):
        dataprep.scan(root, manifest=root / name)


def test_an_export_of_one_record_a_line_is_named(root):
    place = root / "export.ndjson"
    place.write_text('{"data_row": {"external_id": "0.jpg"}}\n' * 3)
    with pytest.raises(InputError, match=r"export\.ndjson is an export of Labelbox"):
        dataprep.scan(root, manifest=place)


def task(number: int, *answers: Any, name: str = "choice", **data: Any) -> dict[str, Any]:
    """A task of Label Studio; each answer is the choices of one annotator."""
    annotations = [
        {
            "id": number * 10 + k,
            "result": [{"type": "choices", "from_name": name, "value": {"choices": list(answer)}}],
        }
        for k, answer in enumerate(answers)
    ]
    return {
        "id": number,
        "data": {"image": f"{number}.jpg", **data},
        "annotations": annotations,
        "predictions": [],
    }


def studio(root: Path, tasks: list[Any]) -> Path:
    (root / "export.json").write_text(json.dumps(tasks))
    return root / "export.json"


@pytest.mark.parametrize("name", ["choice", "animal", "image"])
def test_choices_of_label_studio_are_labels(root, name):
    place = studio(root, [task(i, [("Cat", "Dog")[i % 2]], name=name, farm="a") for i in range(6)])
    dataset = dataprep.scan(root, manifest=place)
    assert (dataset.task, dataset.classes) == ("classification", ("Cat", "Dog"))
    assert dataset.samples["farm"].tolist() == ["a"] * 6
    assert dataset.notes == (
        f"export.json is an export of Label Studio: 6 tasks, choices of {name}.",
    )
    if name == "choice":
        assert dataprep.scan(
            root, manifest=place, path_column="image", label_column="choice"
        ).classes == ("Cat", "Dog")


def test_pictures_on_which_annotators_disagree_have_no_label_and_are_named(root):
    cancelled = task(4, ["Dog"])
    cancelled["annotations"].append(
        {"was_cancelled": True, "result": task(4, ["Cat"])["annotations"][0]["result"]}
    )
    tasks = [
        task(0, ["Cat"], ["Cat"]),
        task(1, ["Cat"], ["Dog"]),
        task(2, ["Dog"]),
        task(3),
        cancelled,
    ]
    dataset = dataprep.scan(root, manifest=studio(root, tasks))
    labels = dataset.samples["label"].astype(object)
    assert labels.where(labels.notna(), None).tolist() == ["Cat", None, "Dog", None, "Dog"]
    assert "Annotators disagree on 1 picture, left without a label: 1.jpg." in dataset.notes
    why = (
        dataset.faults[dataset.faults["check"] == "empty-label"]
        .set_index("target")["evidence"]
        .map(json.loads)
    )
    assert [why[name]["why"] for name in ("1.jpg", "3.jpg")] == [
        "annotators disagree: Cat and Dog",
        "the cell is empty",
    ]


def test_several_choices_of_one_annotator_are_several_labels(root):
    dataset = dataprep.scan(
        root, manifest=studio(root, [task(0, ["Cat", "Dog"]), task(1, ["Dog"])])
    )
    assert (dataset.task, dataset.samples["label"].tolist()) == ("multi-label", ["Cat|Dog", "Dog"])
    several = [
        task(0, ["Cat", "Dog"]),
        task(1, ["Dog"]),
        task(2, ["Cow"]),
        task(3, ["Owl"]),
        task(4, ["Bee"]),
    ]
    assert dataprep.scan(root, manifest=studio(root, several)).classes == (
        "Bee",
        "Cat",
        "Cow",
        "Dog",
        "Owl",
    )


def test_several_questions_are_columns(root):
    tasks = [task(i, [("Cat", "Dog")[i % 2]], name="animal") for i in range(6)]
    for i, each in enumerate(tasks):
        each["annotations"][0]["result"] += task(i, [("day", "night")[i // 3]], name="light")[
            "annotations"
        ][0]["result"]
    place = studio(root, tasks)
    assert "animal (2 values), light (2 values): --label-column animal" in " ".join(
        dataprep.scan(root, manifest=place).notes
    )
    assert dataprep.scan(root, manifest=place, label_column="light").classes == ("day", "night")


@pytest.mark.parametrize(
    ("tasks", "says"),
    [
        (
            [{"data": {"image": "0.jpg"}, "annotations": [{"result": [{"type": "brush"}]}]}],
            "no choices .brush.",
        ),
        ([{"data": {"image": "0.jpg"}, "annotations": []}], "no choices: no task is annotated"),
        ([task(0, ["Good"]) | {"data": {"text": "a good day"}}], "no picture"),
        (
            [
                {
                    "data": {"image": "0.jpg"},
                    "annotations": [None, {"result": [None, 3]}, {"result": "x"}],
                }
            ],
            "no choices",
        ),
    ],
)
def test_exports_of_label_studio_without_a_class_per_picture_are_named(root, tasks, says):
    with pytest.raises(InputError, match=f"is an export of Label Studio with {says}"):
        dataprep.scan(root, manifest=studio(root, tasks))


@pytest.mark.parametrize("name", ["mini.json", "export.csv"])
def test_the_short_exports_of_label_studio(root, name):
    rows = [
        {
            "image": f"{i}.jpg",
            "id": i,
            "choice": ("Cat", "Dog")[i % 2],
            "annotator": 1,
            "annotation_id": i,
            "lead_time": 3.2,
        }
        for i in range(6)
    ]
    if name == "mini.json":
        (root / name).write_text(json.dumps(rows))
    else:
        pd.DataFrame(rows).to_csv(root / name, index=False)
    assert dataprep.scan(root, manifest=root / name).classes == ("Cat", "Dog")
