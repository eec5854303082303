"""Manifests and lists of files: every writing of a table, every way to write a path, every fault
with its row.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dataprep
from dataprep.errors import InputError, OptionError
from dataprep.ingest.tables.reading import read_table

HEADER = "path,label\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Twelve files in images/, one in images/deep."""
    (tmp_path / "images" / "deep").mkdir(parents=True)
    for i in range(12):
        (tmp_path / "images" / f"{i}.jpg").write_bytes(b"not opened by scan")
    (tmp_path / "images" / "deep" / "below.png").write_bytes(b"not opened by scan")
    return tmp_path


def write(root: Path, text: str, name: str = "labels.csv", encoding: str = "utf-8") -> Path:
    place = root / name
    place.write_bytes(text.encode(encoding))
    return place


def labels(dataset: dataprep.Dataset) -> dict[str, str | None]:
    values = dataset.samples["label"].astype(object)
    return values.where(values.notna(), None).to_dict()


def told(dataset: dataprep.Dataset) -> list[tuple[str, str, str]]:
    return sorted(
        dataset.faults[["check", "target", "location"]].itertuples(index=False, name=None)
    )


def test_every_violation_is_reported_once_with_its_row(root):
    place = write(
        root,
        "path;label;split;patient;note\n"
        'images/1.jpg;cat;train;a;"two\nlines"\n'  # lines 2 and 3
        "images/2.jpg;cat;train;a;x\n"
        "images\\3.jpg;cat;Validation;b;x\n"
        "4;cat;test;b;x\n"
        "images/5.jpg;cat;tset;b;x\n"
        "images/6.jpg;Cat ;train;b;x\n"
        "images/7.jpg;cta;train;b;x\n"
        "images/8.jpg;;train;b;x\n"
        "images/1.jpg;dog;train;b;x\n"
        "./images//2.jpg;cat;train;a;x\n"
        "images/none.jpg;cat;train;a;x\n"
        "images/9.jpg;cat;train;a;x;too many\n"
        ";cat;train;a;x\n"
        f"{root.as_posix()}/images/10.jpg;dog;train;a;x\n",
    )
    dataset = dataprep.scan(root / "images", manifest=place)
    assert told(dataset) == [
        ("conflicting-rows", "1.jpg", "labels.csv:11"),
        ("duplicate-row", "2.jpg", "labels.csv:12"),
        ("empty-label", "8.jpg", "labels.csv:10"),
        ("label-spelling", "Cat ", "labels.csv:8"),
        ("label-spelling", "cta", "labels.csv:9"),
        ("malformed-row", "row 14", "labels.csv:14"),
        ("malformed-row", "row 15", "labels.csv:15"),
        ("missing-file", "images/none.jpg", "labels.csv:13"),
        ("unknown-split", "tset", "labels.csv:7"),
        ("unlisted-file", "0.jpg", "labels.csv"),
        ("unlisted-file", "11.jpg", "labels.csv"),
        ("unlisted-file", "deep/below.png", "labels.csv"),
    ]
    assert labels(dataset) == {
        "1.jpg": "cat",
        "2.jpg": "cat",
        "3.jpg": "cat",
        "4.jpg": "cat",
        "5.jpg": "cat",
        "6.jpg": "Cat ",
        "7.jpg": "cta",
        "8.jpg": None,
        "10.jpg": "dog",
    }
    assert dataset.samples.loc["3.jpg", ["split", "group"]].tolist() == ["val", "b"]
    assert dataset.samples.loc["1.jpg", "note"] == "two\nlines"


def test_without_a_folder_nothing_is_unlisted(root):
    dataset = dataprep.scan(write(root, HEADER + "images/1.jpg,cat\nimages/2.jpg,dog\n"))
    assert (len(dataset), len(dataset.faults), dataset.root) == (2, 0, str(root))


ROWS = [("images/1.jpg", "cät"), ("images/2.jpg", "dog")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_every_kind_of_csv(root, encoding, separator, ending):
    text = ending.join(separator.join(row) for row in [("file_name", "category"), *ROWS]) + ending
    dataset = dataprep.scan(write(root, text, encoding=encoding))
    assert labels(dataset) == dict(ROWS)
    assert not len(dataset.faults)


@pytest.mark.parametrize(
    "name",
    [
        "m.jsonl",
        "m.ndjson",
        "m.json",
        "m.parquet",
        "m.tsv",
        "list.json",
        "table.json",
        "pairs.json",
    ],
)
def test_every_format_says_the_same(root, name):
    records = [{"path": path, "label": label} for path, label in ROWS]
    if name == "m.parquet":
        pd.DataFrame(records).to_parquet(root / name)
    elif name == "m.tsv":
        write(root, "path\tlabel\n" + "".join(f"{path}\t{label}\n" for path, label in ROWS), name)
    else:
        texts = {
            "m.json": json.dumps(records),
            "list.json": json.dumps({"version": 1, "samples": records}),
            "table.json": json.dumps(
                {"path": [path for path, _ in ROWS], "label": [label for _, label in ROWS]}
            ),
            "pairs.json": json.dumps(dict(ROWS)),
        }
        write(root, texts.get(name, "\n".join(map(json.dumps, records)) + "\n\n"), name)
    assert labels(dataprep.scan(root / name)) == dict(ROWS)


def test_lines_of_json_that_are_broken(root):
    lines = [
        '{"path": "images/1.jpg", "label": "cat", "size": 3}',
        '{"path": "images/2.jpg", "label": ',
        "[1, 2]",
        "",
        '{"label": "cat"}',
        '{"path": "images/3.jpg", "label": null}',
        '{"path": "images/4.jpg", "label": "dog"}',
    ]
    dataset = dataprep.scan(write(root, "\n".join(lines), "m.jsonl"))
    assert told(dataset) == [
        ("empty-label", "images/3.jpg", "m.jsonl:6"),
        ("malformed-row", "row 2", "m.jsonl:2"),
        ("malformed-row", "row 3", "m.jsonl:3"),
        ("malformed-row", "row 5", "m.jsonl:5"),
    ]
    assert dataset.samples["size"].isna().tolist() == [False, True, True]
    unlisted = dataprep.scan(root / "images", manifest=root / "m.jsonl").faults.query(
        "check == 'unlisted-file'"
    )["target"]
    assert "2.jpg" not in set(unlisted)


@pytest.mark.parametrize(
    ("written", "file"),
    [
        ("images/1.jpg", "images/1.jpg"),
        ("./images/../images/1.jpg", "images/1.jpg"),
        (" images/1.jpg ", "images/1.jpg"),
        ("images\\deep\\below.png", "images/deep/below.png"),
        ("images/deep/below", "images/deep/below.png"),
        ("below", "images/deep/below.png"),
        ("below.png", "images/deep/below.png"),
        ("11", "images/11.jpg"),
    ],
)
def test_ways_to_write_a_path(root, written, file):
    dataset = dataprep.scan(
        root, manifest=write(root, f'path,label\nimages/0.jpg,dog\n"{written}",cat\n')
    )
    assert labels(dataset) == {"images/0.jpg": "dog", file: "cat"}


def test_an_id_that_fits_two_files_is_missing(root):
    (root / "images" / "1.png").write_bytes(b"x")
    dataset = dataprep.scan(root, manifest=write(root, "id,label\n2,dog\n1,cat\n"))
    assert list(dataset.samples.index) == ["images/2.jpg"]
    assert ("missing-file", "1", "labels.csv:3") in told(dataset)


def test_files_outside_the_folder_lift_the_root(root):
    (root / "elsewhere").mkdir()
    (root / "elsewhere" / "x.jpg").write_bytes(b"x")
    place = write(
        root / "images", f"path,label\n1.jpg,cat\n{root.as_posix()}/elsewhere/x.jpg,dog\n"
    )
    dataset = dataprep.scan(root / "images", manifest=place)
    assert dataset.root == str(root)
    assert labels(dataset) == {"images/1.jpg": "cat", "elsewhere/x.jpg": "dog"}
    assert "images/2.jpg" in set(dataset.faults["target"])


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
def test_names_that_are_not_utf8_in_a_manifest_of_that_encoding(root):
    with open(os.fsencode(root) + b"/images/caf\xe9.jpg", "wb") as file:
        file.write(b"x")
    (root / "images" / "thé.jpg").write_bytes(b"x")
    dataset = dataprep.scan(
        write(root, "path,label\nimages/café.jpg,dîner\nimages/thé.jpg,dîner\n", encoding="cp1252")
    )
    assert labels(dataset) == {r"images/caf\xe9.jpg": "dîner", "images/thé.jpg": "dîner"}
    escaped = dataprep.scan(write(root, "path,label\nimages/caf\\xe9.jpg,dîner\n"))
    assert list(escaped.samples.index) == [r"images/caf\xe9.jpg"]


def test_hugging_face_metadata_is_found_by_itself(tmp_path):
    for split in ("train", "test"):
        (tmp_path / split).mkdir()
        for i in range(2):
            (tmp_path / split / f"{i}.jpg").write_bytes(b"x")
        write(
            tmp_path / split,
            "file_name,label,caption\n0.jpg,cat,a cat\n1.jpg,dog,a dog\n",
            "metadata.csv",
        )
    (tmp_path / "train" / "5.jpg").write_bytes(b"in train, not in test")
    write(
        tmp_path / "test",
        "file_name,label,caption\n0.jpg,cat,a cat\n5.jpg,dog,none\n",
        "metadata.csv",
    )
    dataset = dataprep.scan(tmp_path)
    assert dataset.samples[["label", "split", "caption"]].astype("str").agg(
        " ".join, axis=1
    ).to_dict() == {
        "test/0.jpg": "cat test a cat",
        "train/0.jpg": "cat train a cat",
        "train/1.jpg": "dog train a dog",
    }
    assert told(dataset) == [
        ("missing-file", "5.jpg", "test/metadata.csv:3"),
        ("unlisted-file", "test/1.jpg", "test/metadata.csv, train/metadata.csv"),
        ("unlisted-file", "train/5.jpg", "test/metadata.csv, train/metadata.csv"),
    ]


def test_metadata_of_another_kind_is_a_side_file(tmp_path):
    (tmp_path / "1.jpg").write_bytes(b"x")
    write(tmp_path, "camera,owner\nacme,me\n", "metadata.csv")
    dataset = dataprep.scan(tmp_path)
    assert (len(dataset), dataset.ignored) == (1, {"tables, which --manifest reads (.csv)": 1})


def test_folders_name_the_class_where_the_manifest_does_not(tmp_path):
    for name in ("train/cat/1.jpg", "test/dog/2.jpg"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_bytes(b"x")
    place = write(tmp_path, "path,patient_id\ntrain/cat/1.jpg,p1\ntest/dog/2.jpg,p2\n")
    dataset = dataprep.scan(tmp_path, manifest=place)
    assert dataset.samples.astype("str").values.tolist() == [
        ["p1", "cat", "train"],
        ["p2", "dog", "test"],
    ]
    assert "label" not in dataprep.scan(place).samples


def test_lists_of_files(root, monkeypatch):
    monkeypatch.chdir(root)
    dataset = dataprep.scan(
        files=["images/1.jpg", Path("images/2.jpg"), "images/2.jpg", "images/gone.jpg"]
    )
    assert list(dataset.samples.index) == ["1.jpg", "2.jpg"]
    assert told(dataset) == [
        ("duplicate-row", "2.jpg", "files:3"),
        ("missing-file", "images/gone.jpg", "files:4"),
    ]
    assert list(dataprep.scan(["images/1.jpg"]).samples.index) == ["1.jpg"]
    assert list(
        dataprep.scan(root / "images", files=["1.jpg", "deep/below.png"]).samples.index
    ) == ["1.jpg", "deep/below.png"]


def test_a_list_with_a_source_starts_there_even_if_the_working_folder_has_the_name(
    root, monkeypatch
):
    (root / "1.jpg").write_bytes(b"x")
    monkeypatch.chdir(root)
    dataset = dataprep.scan(root / "images", files=["1.jpg"])
    assert dataset.path("1.jpg") == str(root / "images" / "1.jpg")


@pytest.mark.parametrize(
    ("header", "chosen", "says"),
    [
        (
            "a,b",
            {},
            "no column looks like a path. It has a, b .names of files in a, b.: name one with "
            "--path-column",
        ),
        (
            "path,file_name,label",
            {"path_column": "pth"},
            "has no column 'pth' .option --path-column.. Did you mean 'path'",
        ),
        (
            "image,file_name,label",
            {},
            "image, file_name may each be the path .its columns are image, file_name, label.: name "
            "one",
        ),
        ("path,class,category", {}, "class, category may each be the label .*--label-column"),
        ("path,set,subset", {}, "set, subset may each be the split"),
        ("path,patient,subject", {}, "patient, subject may each be the group"),
    ],
)
def test_columns_that_leave_open_which_is_meant(root, header, chosen, says):
    row = ",".join(["images/1.jpg"] * (header.count(",") + 1))
    with pytest.raises(InputError, match=says):
        dataprep.scan(write(root, f"{header}\n{row}\n"), **chosen)


@pytest.mark.parametrize("ending", ["heic", "jfif", "PGM", "avif"])
def test_a_column_of_files_of_any_format_is_the_path_with_a_header_as_without(root, ending):
    for i in range(3):
        (root / f"{i}.{ending}").write_bytes(b"not opened by scan")
    rows = "".join(f"{i}.{ending},cat\n" for i in range(3))
    with_header, without = write(root, "shot,label\n" + rows), write(root, rows, "bare.csv")
    for place in (with_header, without):
        dataset = dataprep.scan(root, manifest=place)
        assert labels(dataset) == {f"{i}.{ending}": "cat" for i in range(3)}


def test_columns_by_option(root):
    place = write(
        root,
        "image,file_name,class,target,fold,who\nx,images/1.jpg,cat,1,3,a\n"
        "y,images/2.jpg,dog,2,4,b\n",
    )
    dataset = dataprep.scan(
        place,
        path_column="file_name",
        label_column="target",
        split_column="fold",
        group_column="who",
    )
    assert dataset.samples.astype("str").to_dict("index") == {
        "images/1.jpg": {"label": "1", "split": "3", "group": "a", "image": "x", "class": "cat"},
        "images/2.jpg": {"label": "2", "split": "4", "group": "b", "image": "y", "class": "dog"},
    }


def test_own_columns_never_hide_measured_ones(root):
    place = write(
        root, "path,label,width,breed,weight\nimages/1.jpg,x,4,cat,1.5\nimages/2.jpg,x,5,dog,\n"
    )
    samples = dataprep.scan(place, label_column="breed").samples
    assert set(samples.columns) == {"label", "manifest_label", "manifest_width", "weight"}
    assert samples["weight"].astype(object).where(samples["weight"].notna(), None).tolist() == [
        "1.5",
        None,
    ]


def test_two_columns_of_one_name(root):
    dataset = dataprep.scan(
        write(root, "path,label,label\nimages/1.jpg,cat,x\nimages/2.jpg,dog,y\n")
    )
    assert labels(dataset) == {"images/1.jpg": "cat", "images/2.jpg": "dog"}
    assert dataset.samples["label_3"].tolist() == ["x", "y"]
    assert told(dataset) == [("malformed-row", "row 1", "labels.csv:1")]


def test_a_quotation_mark_that_is_not_closed(root):
    dataset = dataprep.scan(
        write(
            root,
            HEADER + 'images/1.jpg,cat\nimages/2.jpg,dog\nimages/3.jpg,"cat\nimages/4.jpg,dog,\n',
        )
    )
    assert list(dataset.samples.index) == ["images/1.jpg", "images/2.jpg", "images/3.jpg"]
    ragged = write(
        root, HEADER + 'images/1.jpg,cat\nimages/2.jpg,dog\n"images/3.jpg,cat\nimages/4.jpg,dog\n'
    )
    fault = dataprep.scan(ragged).faults.iloc[0]
    assert fault["location"] == "labels.csv:4"
    assert "running to line 5: is a quotation mark not closed?" in fault["evidence"]


@pytest.mark.parametrize(
    ("values", "task", "classes"),
    [
        (["b", "a", "b"], "classification", ("a", "b")),
        (["10", "9", "2"], "classification", ("2", "9", "10")),
        (["1.0", "2.5", "1.0"], "classification", ("1.0", "2.5")),
        ([f"{i / 3:.3f}" for i in range(12)] * 1, "classification", None),
        (['["b", "a"]', '["a"]', "[]"], "multi-label", ("a", "b")),
        (["nan", "NULL", "n/a"], "none", ()),
        (["none", "None", "unknown"], "classification", None),
    ],
)
def test_what_labels_are(root, values, task, classes):
    quoted = ['"' + value.replace('"', '""') + '"' for value in values]
    dataset = dataprep.scan(
        write(root, HEADER + "".join(f"images/{i}.jpg,{value}\n" for i, value in enumerate(quoted)))
    )
    assert dataset.task == task
    assert classes is None or dataset.classes == classes


def test_several_labels_and_numbers(root):
    lists = [{"path": "images/0.jpg", "label": ["b", "a"]}, {"path": "images/1.jpg", "label": []}]
    dataset = dataprep.scan(write(root, "\n".join(map(json.dumps, lists)), "m.jsonl"))
    assert labels(dataset) == {"images/0.jpg": "a|b", "images/1.jpg": None}
    for i in range(12, 30):
        (root / "images" / f"{i}.jpg").write_bytes(b"x")
    numbers = dataprep.scan(
        write(root, HEADER + "".join(f"images/{i}.jpg,{i / 7}\n" for i in range(30)))
    )
    assert (numbers.task, numbers.classes) == ("regression", ())
    np.testing.assert_allclose(numbers.samples["label"].to_numpy(), np.arange(30) / 7)


def test_parquet_leaves_bytes_out(root):
    table = pd.DataFrame(
        {
            "path": [path for path, _ in ROWS],
            "label": [1.0, np.nan],
            "good": [True, False],
            "thumb": [b"a", b"b"],
            "x": [0.5, 2.0],
        }
    )
    table.to_parquet(root / "m.parquet")
    samples = dataprep.scan(root / "m.parquet").samples
    assert set(samples.columns) == {"label", "good", "x"}
    assert samples["label"].tolist()[0] == "1"
    assert (samples["good"].tolist(), samples["x"].tolist()) == (["true", "false"], ["0.5", "2.0"])


def test_parquet_with_the_images_inside_is_refused(root):
    pd.DataFrame({"image": [{"bytes": b"\xff\xd8", "path": "a.jpg"}], "label": [1]}).to_parquet(
        root / "hf.parquet"
    )
    with pytest.raises(
        InputError, match="holds the images themselves .column 'image'.: write them to files first"
    ):
        dataprep.scan(root / "hf.parquet")
    pd.DataFrame({"data": [b"\xff\xd8"]}).to_parquet(root / "raw.parquet")
    with pytest.raises(InputError, match="holds the images themselves .column 'data'."):
        dataprep.scan(root / "raw.parquet")
    pd.DataFrame({"image": [b"\xff\xd8"], "label": ["cat"]}).to_parquet(root / "labelled.parquet")
    with pytest.raises(InputError, match="holds the images themselves .column 'image'."):
        dataprep.scan(root / "labelled.parquet")


def test_a_parquet_column_of_bytes_does_not_hide_a_named_path_column(root):
    (root / "one.jpg").write_bytes(b"x")
    pd.DataFrame({"where": ["one.jpg"], "embedding": [b"\x00"]}).to_parquet(root / "m.parquet")
    assert list(dataprep.scan(root / "m.parquet", path_column="where").samples.index) == ["one.jpg"]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("gone.csv", None, "there is no manifest"),
        ("m.csv", "", "is empty: expected a header line such as path,label"),
        ("m.csv", "path,label\n", "has no row that can be read"),
        (
            "m.csv",
            "path,label\nimages/0.jpg,a\na,b,c\na,b,c\n",
            r"most rows of .*m\.csv cannot be read \(2 of 3\); the first is row 3",
        ),
        (
            "m.csv",
            "path,label\nx.jpg,a\ny.jpg,a\n",
            "no file of m.csv exists .2 rows, the first x.jpg. below",
        ),
        ("m.json", "{", r"is not valid JSON: .* must end in \.jsonl"),
        ("m.json", '{"images": [], "annotations": []}', "is a COCO file, which holds boxes"),
        ("m.json", "3", "expected a JSON list of objects"),
        (
            "m.jsonl",
            "[1]\n",
            "has no row that can be read; the first problem is in row 1: expected a JSON object, "
            "got list",
        ),
        ("m.parquet", "no", "is not a Parquet file that can be read"),
        ("m.xlsx", "x", r"is not a manifest: expected a file that ends in \.csv"),
    ],
)
def test_manifests_that_cannot_be_used(root, name, content, says):
    if content is not None:
        write(root, content, name)
    with pytest.raises(InputError, match=says):
        dataprep.scan(root, manifest=root / name)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (
            {"source": "images", "label_column": "x"},
            "--label-column: columns are those of a manifest, and there is none",
        ),
        (
            {"source": "images", "sample": 0},
            "option sample: expected a number of files of at least 1, got 0",
        ),
        ({"manifest": "m.csv", "files": ["a"]}, "give a manifest or a list of files, not both"),
        ({"source": ["a"], "files": ["a"]}, "goes with neither"),
    ],
)
def test_options_that_do_not_go_together(root, monkeypatch, options, says):
    monkeypatch.chdir(root)
    with pytest.raises(OptionError, match=says):
        dataprep.scan(**{"source": None, **options})


def test_a_folder_too_high_or_too_low_is_pointed_out(root):
    place = write(root, HEADER + "deep/below.png,cat\n")
    with pytest.raises(
        InputError, match=r"no file of labels.csv exists .*: give the folder .*/images instead"
    ):
        dataprep.scan(root, manifest=place)
    with pytest.raises(InputError, match="give the folder that its paths start from"):
        dataprep.scan(root / "images" / "deep", manifest=place)


def test_an_empty_list_is_refused():
    with pytest.raises(InputError, match="the list of files is empty"):
        dataprep.scan([])


CELL = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(CELL, CELL), min_size=1, max_size=6), st.sampled_from(",;\t|"))
def test_cells_survive_quoting(tmp_path_factory, cells, separator):
    import csv
    import io

    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator, quoting=csv.QUOTE_ALL)
    writer.writerows([("path", "note"), *cells])
    place = write(tmp_path_factory.mktemp("cells"), text.getvalue())
    kept = [row for row in cells if any(row)]
    if not kept:
        with pytest.raises(InputError):
            read_table(str(place))
        return
    table = read_table(str(place))
    assert list(zip(table.columns["path"], table.columns["note"], strict=True)) == kept


@settings(max_examples=120, deadline=None)
@given(st.binary(max_size=400), st.sampled_from(["csv", "jsonl", "json", "parquet", "tsv"]))
def test_any_bytes_are_read_or_refused(tmp_path_factory, content, extension):
    place = tmp_path_factory.mktemp("any") / f"m.{extension}"
    place.write_bytes(content)
    try:
        table = read_table(str(place))
    except InputError:
        return
    assert {len(values) for values in table.columns.values()} <= {len(table.rows)}
