"""Encodings of tables: marked, valid, guessed and said, or named by the user."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest

import dataprep
from dataprep.errors import OptionError
from dataprep.ingest.tables.encodings import encoding_of
from dataprep.ingest.tables.reading import read_table

TEXT = "path,label\n" + "".join(f"{row}.jpg,{'猫狗'[row % 2]}\n" for row in range(4))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for row in range(4):
        (tmp_path / f"{row}.jpg").write_bytes(b"not opened by scan")
    return tmp_path


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (TEXT.encode(), ""),
        (codecs.BOM_UTF8 + TEXT.encode(), ""),
        (TEXT.encode("utf-16"), ""),
        (codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), ""),
        (TEXT.encode("utf-32"), ""),
        (TEXT.encode("utf-16-le"), "m.csv is UTF-16 without a mark"),
        (TEXT.encode("utf-16-be"), "m.csv is UTF-16 without a mark"),
        (
            TEXT.encode("gbk"),
            "m.csv is not UTF-8: read as GB18030 (Simplified Chinese); --encoding names another",
        ),
    ],
)
def test_the_same_table_in_every_writing(root, data, says):
    (root / "m.csv").write_bytes(data)
    dataset = dataprep.scan(root / "m.csv")
    assert dataset.classes == ("狗", "猫")
    assert [note for note in dataset.notes if "m.csv is" in note] == ([says] if says else [])


@pytest.mark.parametrize("name", ["m.jsonl", "m.json", "m.tsv"])
def test_every_kind_of_text_is_guessed(root, name):
    rows = [f'{{"path": "{row}.jpg", "label": "{"猫狗"[row % 2]}"}}' for row in range(4)]
    texts = {
        "m.jsonl": "\n".join(rows),
        "m.json": f"[{','.join(rows)}]",
        "m.tsv": TEXT.replace(",", "\t"),
    }
    (root / name).write_bytes(texts[name].encode("gb18030"))
    assert dataprep.scan(root / name).classes == ("狗", "猫")


@pytest.mark.parametrize("named", ["gb18030", "GBK", "cp936"])
def test_a_named_encoding_is_taken_without_a_word(root, named):
    (root / "m.csv").write_bytes(TEXT.encode("gbk"))
    dataset = dataprep.scan(root / "m.csv", encoding=named)
    assert (dataset.classes, dataset.notes) == (("狗", "猫"), ())


def test_a_named_encoding_wins_over_a_guess_and_takes_a_mark(root):
    (root / "m.csv").write_bytes("path,label\n0.jpg,ä\n".encode("cp1252"))
    assert dataprep.scan(root / "m.csv", encoding="cp1251").classes == ("д",)
    (root / "m.csv").write_bytes(TEXT.encode("utf-8-sig"))
    assert list(read_table(str(root / "m.csv"), "utf8").columns) == ["path", "label"]
    (root / "m.csv").write_bytes(TEXT.encode("utf-16"))
    assert list(read_table(str(root / "m.csv"), "utf-16-le").columns) == ["path", "label"]


@pytest.mark.parametrize(
    ("named", "says"),
    [
        ("gb1803", "no encoding of text is called 'gb1803'. Did you mean 'gb18030'"),
        ("rot13", "no encoding of text is called 'rot13'"),
        ("base64", "no encoding of text"),
        ("a\0b", "no encoding of text"),
        ("", "no encoding of text"),
        ("utf-8", "m.csv is not utf-8: byte 0xb9 in line 3"),
        ("ascii", "m.csv is not ascii: byte 0xc3 in line 2"),
        ("utf-16", "m.csv is not utf-16"),
    ],
)
def test_encodings_that_are_none_or_another(root, named, says):
    (root / "m.csv").write_bytes(
        TEXT.encode("gbk") + b"\n" * (1 - len(TEXT.encode("gbk")) % 2) + b"\xff\xd8\xff"
    )
    with pytest.raises(OptionError, match=says):
        dataprep.scan(root / "m.csv", encoding=named)


def test_without_a_table_there_is_nothing_to_decode(root):
    with pytest.raises(OptionError, match="--encoding: .* there is none: give --manifest FILE"):
        dataprep.scan(root, encoding="gbk")


def test_utf8_with_a_damaged_byte_is_not_taken_for_another_encoding(root):
    rows = "path,label\n" + "".join(f"{row}.jpg,{word}\n" for row, word in enumerate("猫狗鸟鱼"))
    (root / "4.jpg").write_bytes(b"not opened by scan")
    (root / "m.csv").write_bytes(rows.encode() + "4.jpg,猫".encode()[:-1] + b"\n")
    dataset = dataprep.scan(root / "m.csv")
    assert {"猫", "狗", "鸟", "鱼"} < set(dataset.classes)
    assert (
        dataset.notes[0]
        == "m.csv is UTF-8 with bytes that are not, the first in line 6: they are kept"
    )


def test_a_cut_or_unmarked_file_of_zeros_is_no_utf16():
    assert encoding_of(b"\0" * 64, "m.csv").name == "utf-8"
    assert encoding_of("aé".encode("cp1252") * 9, "m.csv").name == "cp1252"
    assert encoding_of(TEXT.encode("utf-16")[:-1], "m.csv").name == "utf-16"


def test_bytes_that_no_encoding_holds_are_still_read():
    assert encoding_of(b"\x81\x8d\x90\xff\xfd\xfe" * 3, "m.csv").note.startswith(
        "m.csv is not UTF-8"
    )
