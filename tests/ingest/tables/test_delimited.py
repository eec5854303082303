"""Forms of separated text: Excel's ``sep=`` line, comments, and lists of images without a
header.
"""

from __future__ import annotations

from pathlib import Path

import pytest

import dataprep
from dataprep.errors import InputError
from dataprep.ingest.tables.delimited import image_list_of
from dataprep.ingest.tables.reading import read_table


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "images" / "dog").mkdir(parents=True)
    for row in range(4):
        (tmp_path / "images" / "dog" / f"{row}.jpg").write_bytes(b"not opened by scan")
    return tmp_path


def read(
    root: Path, text: str, name: str = "m.csv", encoding: str = "utf-8"
) -> dict[str, list[str]]:
    (root / name).write_bytes(text.encode(encoding))
    table = read_table(str(root / name))
    assert not table.malformed
    return table.columns


BOTH = {"path": ["a.jpg", "b.jpg"], "label": ["cat", "dog"]}


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("sep=;\npath;label\na.jpg;cat\nb.jpg;dog\n", "utf-8"),
        ('"sep=;"\r\npath;label\r\na.jpg;cat\r\nb.jpg;dog\r\n', "utf-8"),
        ("SEP=,\npath,label\na.jpg,cat\nb.jpg,dog\n", "utf-8-sig"),
        ("sep=\t\npath\tlabel\na.jpg\tcat\nb.jpg\tdog\n", "utf-16"),
        ("sep=^\npath^label\na.jpg^cat\nb.jpg^dog\n", "utf-8"),
        ("# made by a tool\n#\npath,label\na.jpg,cat\nb.jpg,dog\n", "utf-8"),
        ("path label\na.jpg cat\nb.jpg   dog\n", "utf-8"),
    ],
)
def test_lines_above_the_header_and_separators(root, text, encoding):
    assert read(root, text, encoding=encoding) == BOTH


def test_rows_keep_their_numbers_below_a_sep_line(root):
    (root / "m.csv").write_text("sep=;\npath;label\na.jpg;cat\nb.jpg\nc.jpg;dog\n")
    table = read_table(str(root / "m.csv"))
    assert (table.rows, [row for row, _ in table.malformed]) == ([3, 5], [4])


def test_a_header_that_begins_with_a_hash_is_a_header(root):
    assert read(root, "#,path\n1,a.jpg\n") == {"#": ["1"], "path": ["a.jpg"]}
    assert list(read(root, "# path,label\na.jpg,cat\n")) == ["# path", "label"]


LIST = {"path": ["dog/a b.jpg", "cat/1.PNG"], "label": ["0", "1"]}


@pytest.mark.parametrize("name", ["train.txt", "m.csv", "list.tsv"])
@pytest.mark.parametrize("between", [",", "\t", " ", "   ", ";"])
def test_lists_without_a_header(root, between, name):
    assert (
        read(
            root, "".join(f"{path}{between}{label}\n" for path, label in zip(*LIST.values())), name
        )
        == LIST
    )


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("0 a.jpg\n1 b.jpg\n", None),
        ("0,a.jpg\n1,b.jpg\n", {"label": ["0", "1"], "path": ["a.jpg", "b.jpg"]}),
        (
            "a.jpg 0 1\nb.jpg 1 1\n",
            {"path": ["a.jpg", "b.jpg"], "column_2": ["0", "1"], "column_3": ["1", "1"]},
        ),
        ("a.jpg\nb.jpg\n", {"path": ["a.jpg", "b.jpg"]}),
        (
            "a.jpg,cat,train\nb.jpg,dog,val\n",
            {"path": ["a.jpg", "b.jpg"], "column_2": ["cat", "dog"], "column_3": ["train", "val"]},
        ),
    ],
)
def test_other_lists(root, text, columns):
    if columns is None:
        with pytest.raises(InputError, match="column"):
            dataprep.scan(write(root, text))
        return
    assert read(root, text, "m.txt") == columns


def write(root: Path, text: str) -> Path:
    (root / "m.csv").write_text(text)
    return root / "m.csv"


def test_a_list_is_said_to_be_one_and_its_labels_count(root):
    (root / "train.txt").write_text(
        "".join(f"images/dog/{row}.jpg {row % 2}\n" for row in range(4))
    )
    dataset = dataprep.scan(manifest=root / "train.txt")
    assert dataset.classes == ("0", "1")
    assert dataset.notes[0] == "train.txt has no header line: read as path, label"


@pytest.mark.parametrize(
    ("head", "columns"),
    [
        ("a.jpg 0\nb.jpg 1\n", 2),
        ("a.jpg\nb.jpg\n", 1),
        ("path,label\na.jpg,0\n", 0),
        ("Some notes about cat.jpg files\n", 0),
        ("", 0),
    ],
)
def test_what_looks_like_a_list_of_images(head, columns):
    assert image_list_of(head) == columns


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"PK\x03\x04rest", "is not CSV but an Excel workbook"),
        (b"\x1f\x8b\x08rest", "is not CSV but compressed"),
        (b"PAR1rest", "is not CSV but a Parquet file"),
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b'"', "is empty"),
    ],
)
def test_what_is_no_table(root, data, says):
    (root / "m.csv").write_bytes(data)
    with pytest.raises(InputError, match=says):
        read_table(str(root / "m.csv"))
