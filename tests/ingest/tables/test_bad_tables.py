"""Tables that are damaged or made to hurt: one line or the rows that can be read, never a
traceback, time and memory bounded.
"""

from __future__ import annotations

import importlib.util
import json
import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dataprep
from dataprep.errors import InputError
from dataprep.ingest.tables import delimited, json_tables, parquet_tables
from dataprep.ingest.tables.reading import read_table
from dataprep.ingest.tables.table import LONGEST_NAME, MOST_COLUMNS

FUZZ = Path(__file__).parents[3] / "benchmarks" / "fuzz_manifests.py"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for row in range(4):
        (tmp_path / f"{row}.jpg").write_bytes(b"not opened by scan")
    return tmp_path


def fuzzer():
    spec = importlib.util.spec_from_file_location("fuzz_manifests", FUZZ)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_mutated_manifests(tmp_path):
    counts, wrong = fuzzer().fuzz(60, 3, tmp_path)
    assert wrong == []
    assert counts["read"] >= 15
    assert counts["refused"] >= 15


def scan_text(root: Path, text: str, name: str = "m.csv") -> dataprep.Dataset:
    (root / name).write_bytes(text.encode("utf-8", "surrogatepass"))
    return dataprep.scan(root, manifest=root / name)


def why(dataset: dataprep.Dataset) -> list[str]:
    faults = dataset.faults[dataset.faults["check"] == "malformed-row"]
    return [json.loads(evidence)["why"] for evidence in faults["evidence"]]


def test_endless_labels_and_paths_are_malformed_rows(root):
    dataset = scan_text(
        root, f"path,label\n0.jpg,cat\n1.jpg,{'x' * 30_000}\n2.jpg,dog\n{'y' * 5000},dog\n"
    )
    assert list(dataset.samples.index) == ["0.jpg", "2.jpg"]
    assert why(dataset) == [
        f"the column 'label' holds 30,000 characters, and {LONGEST_NAME:,} is the most",
        f"the column 'path' holds 5,000 characters, and {LONGEST_NAME:,} is the most",
    ]
    with pytest.raises(
        InputError,
        match="m.csv has no row that can be read; the first problem is in row 2: the column "
        "'label'",
    ):
        scan_text(root, f"path,label\n0.jpg,{'x' * 30_000}\n")


def test_a_long_note_of_the_user_is_no_fault(root):
    dataset = scan_text(
        root, json.dumps({"path": "0.jpg", "label": "cat", "note": "n" * 200_000}), "m.jsonl"
    )
    assert len(dataset.samples["note"].iloc[0]) == 200_000
    assert why(
        scan_text(
            root,
            '{"path":"1.jpg","label":"a"}\n'
            + json.dumps({"path": "0.jpg", "note": "n" * 2_000_000}),
            "m.jsonl",
        )
    )


@pytest.mark.parametrize("name", ["m.csv", "m.jsonl", "m.parquet"])
def test_too_many_columns(root, name):
    columns = {f"c{number}": [1] for number in range(MOST_COLUMNS + 1)}
    if name == "m.parquet":
        pq.write_table(pa.table(columns), root / name)
    elif name == "m.csv":
        (root / name).write_text(",".join(columns) + "\n" + ",".join("1" for _ in columns) + "\n")
    else:
        (root / name).write_text(json.dumps(dict.fromkeys(columns, 1)))
    with pytest.raises(InputError, match="columns or more, and 4,096 is the most"):
        read_table(str(root / name))


def test_rows_with_ever_new_keys(root):
    rows = ({"path": f"{row}.jpg", f"k{row}": row} for row in range(4000))
    with pytest.raises(InputError, match="different keys, most of which few rows have"):
        scan_text(root, "".join(json.dumps(row) + "\n" for row in rows), "m.jsonl")


def test_names_of_columns_that_cannot_be_shown_or_are_endless(root):
    rows = [{"path": "0.jpg", "a\ud800": "x", "b\x1b[31m\n": "y", "c" * 9000: "z"}]
    samples = scan_text(root, json.dumps(rows), "m.json").samples
    assert [str(name)[:12] for name in samples.columns] == ["a\\ud800", "b [31m", "c" * 12]
    assert max(len(str(name)) for name in samples.columns) == 200


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        (
            "m.json",
            "[" * 100_000,
            "m.json is not valid JSON: its lists and objects are nested too deeply",
        ),
        ("m.jsonl", '{"path":' * 100_000, "the first problem is in row 1: not valid JSON"),
        (
            "m.json",
            json.dumps([{"path": "0.jpg", "d": json.loads("[" * 500 + "]" * 500)}]),
            "nested more than 60 deep",
        ),
        ("m.csv", '"' * 300_001, "is empty|no row that can be read"),
        ("m.csv", "path,label\n" + '"' * 300_001, "is a quotation mark not closed"),
        ("m.csv", "\0" * 5000, "m.csv is not text"),
        ("m.csv", "path,label\n" + "a\n" * 50, "no row that can be read"),
    ],
)
def test_refused_in_one_line(root, name, text, says):
    with pytest.raises(InputError, match=says) as found:
        scan_text(root, text, name)
    assert len(str(found.value).splitlines()) == 1


def test_numbers_of_more_digits_than_anybody_counts_with_stay_text(root):
    digits = "9" * 5000
    samples = scan_text(
        root, f'[{{"path": "0.jpg", "label": "a", "n": {digits}}}]', "m.json"
    ).samples
    assert samples["n"].tolist() == [digits]


def test_zeros_and_halves_of_letters_within_cells(root):
    assert scan_text(root, "path,label\n0.jpg,a\0b\n1.jpg,c\n").classes == ("a\0b", "c")
    assert scan_text(
        root, '[{"path": "0.jpg", "label": "\\ud800"}, {"path": "1.jpg", "label": "b"}]', "m.json"
    ).classes == ("\\ud800", "b")


def test_devices_and_pipes_that_nobody_writes_to(root, monkeypatch):
    monkeypatch.setattr("dataprep.schemas.files.reading.WAIT_S", 0.05)
    os.symlink("/dev/zero", root / "zero.csv")
    os.mkfifo(root / "pipe.csv")
    for name, says in (
        ("zero.csv", "got a device"),
        ("pipe.csv", "it is a pipe"),
        ("zero.parquet", "no manifest"),
    ):
        with pytest.raises(InputError, match=says):
            dataprep.scan(root, manifest=root / name)


def test_lines_and_files_of_no_end(root, monkeypatch):
    monkeypatch.setattr(delimited, "_LONGEST_LINE", 1000)
    monkeypatch.setattr(json_tables, "_LONGEST_JSON", 1000)
    for name in ("m.csv", "m.jsonl"):
        with pytest.raises(InputError, match=f"{name}: line 2 has more than"):
            scan_text(root, "path,label\n" + "a" * 3000, name)
    with pytest.raises(InputError, match="too many at once"):
        scan_text(root, "[" + " " * 2000 + "]", "m.json")


def parquet(root: Path, columns: dict[str, pa.Array], **options) -> Path:
    pq.write_table(
        pa.table({"path": ["0.jpg", "1.jpg"], "label": ["a", "b"], **columns}),
        root / "m.parquet",
        **options,
    )
    return root / "m.parquet"


def test_parquet_of_every_type(root):
    far = pa.array([2**62, -(2**62)], pa.timestamp("us"))
    columns = {
        "far": far,
        "zone": pa.array([0, 1], pa.timestamp("ns", "Europe/Berlin")),
        "day": pa.array([10**6, -(10**6)], pa.date32()),
        "price": pa.array(["1.50", None]).cast(pa.decimal128(9, 2)),
        "half": pa.array(np.array([0.1, 2], np.float16)),
        "span": pa.array([1, 2], pa.duration("ns")),
        "time": pa.array([1, 2], pa.time64("ns")),
        "none": pa.nulls(2),
        "map": pa.array([[("k", 1)], []], pa.map_(pa.string(), pa.int8())),
        "raw": pa.array([b"\xff", b""]),
        "big": pa.array([2**64 - 1, 0], pa.uint64()),
        "struct": pa.array([{"x": [1]}, {"x": []}]),
    }
    dataset = dataprep.scan(root, manifest=parquet(root, columns))
    assert dataset.classes == ("a", "b")
    samples = dataset.samples
    assert samples["price"].astype(object).iloc[0] == "1.50"
    assert samples["half"].tolist() == ["0.1", "2.0"]
    assert samples["big"].tolist() == [str(2**64 - 1), "0"]
    assert set(samples) >= {"far", "zone", "map", "struct", "time"}


def test_a_damaged_column_costs_itself_alone(root):
    place = parquet(
        root,
        {"x": pa.array(["q" * 50, "r" * 50])},
        compression="none",
        use_dictionary=False,
        write_statistics=False,
    )
    data = bytearray(place.read_bytes())
    found = data.find(b"q" * 50)
    data[found - 4 : found] = b"\xff\xff\xff\x7f"
    place.write_bytes(data)
    dataset = dataprep.scan(root, manifest=place)
    assert (dataset.classes, "x" in dataset.samples) == (("a", "b"), False)
    assert "m.parquet: the column 'x' (string) cannot be read and is left out" in dataset.notes[0]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "m.parquet is not a Parquet file that can be read"),
        (b"PAR1" * 3, "m.parquet is not a Parquet file that can be read"),
        (b"path,label\n0.jpg,a\n", "m.parquet is not a Parquet file that can be read"),
    ],
)
def test_no_parquet(root, data, says):
    (root / "m.parquet").write_bytes(data)
    with pytest.raises(InputError, match=says):
        dataprep.scan(root, manifest=root / "m.parquet")


def test_parquet_without_columns_or_of_too_many_rows(root, monkeypatch):
    pq.write_table(pa.table({}), root / "m.parquet")
    with pytest.raises(InputError, match="m.parquet has no column that can be read"):
        dataprep.scan(root, manifest=root / "m.parquet")
    monkeypatch.setattr(parquet_tables, "_MOST_ROWS", 1)
    with pytest.raises(InputError, match="says that it has 2 rows, and 1 is the most"):
        dataprep.scan(root, manifest=parquet(root, {}))


def test_two_columns_of_one_name_in_parquet(root):
    table = pa.Table.from_arrays(
        [pa.array(["0.jpg", "1.jpg"]), pa.array(["a", "b"]), pa.array([1, 2])],
        ["path", "label", "label"],
    )
    pq.write_table(table, root / "m.parquet")
    dataset = dataprep.scan(root, manifest=root / "m.parquet")
    assert (dataset.classes, dataset.samples["label_3"].tolist()) == (("a", "b"), ["1", "2"])
    assert "two columns are called 'label'" in dataset.notes[0]
