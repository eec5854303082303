"""Encodings that the user names, and where a file stops being in them."""

from __future__ import annotations

import codecs

import pytest

from dataprep.errors import InputError, OptionError
from dataprep.ingest.tables import delimited
from dataprep.ingest.tables.delimited import refuse_long_lines
from dataprep.ingest.tables.encodings import encoding_of


@pytest.mark.parametrize(
    ("named", "data", "read"),
    [
        ("utf-8", b"a,b", "utf-8"),
        ("utf-8", codecs.BOM_UTF8 + b"a,b", "utf-8-sig"),
        ("latin-1", codecs.BOM_UTF8 + b"a,b", "iso8859-1"),
        ("utf-16-le", "a,b".encode("utf-16-le"), "utf-16-le"),
        ("utf-16-le", codecs.BOM_UTF16_LE + "a,b".encode("utf-16-le"), "utf-16"),
        ("utf-16-be", codecs.BOM_UTF16_BE + "a,b".encode("utf-16-be"), "utf-16"),
    ],
)
def test_a_mark_is_no_part_of_the_text(named: str, data: bytes, read: str) -> None:
    found = encoding_of(data, "m.csv", named)
    assert found.name == read
    text = "a,b" if read != "iso8859-1" else "ï»¿a,b"
    assert data.decode(found.name) == text


def test_the_first_byte_that_is_not_valid_is_named_with_its_line() -> None:
    with pytest.raises(OptionError, match="byte 0xff in line 3 is not valid"):
        encoding_of(b"a\nb\nc\xff\nd", "m.csv", "utf-8")
    with pytest.raises(OptionError, match="byte 0xe2 in line 2 is not valid"):
        encoding_of("a\n€".encode()[:-1], "m.csv", "utf-8")
    assert encoding_of(b"", "m.csv", "utf-8").name == "utf-8"


def test_a_line_of_the_longest_length_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited, "_LONGEST_LINE", 2 << 20)
    line = b"x" * (2 << 20)
    refuse_long_lines(line[:-1], "m.csv")
    refuse_long_lines(line[1:] + b"\n" + line[1:] + b"\r" + line[1:], "m.csv")
    with pytest.raises(InputError, match=r"m\.csv: line 1 has more than 2 MB"):
        refuse_long_lines(line, "m.csv")
    with pytest.raises(InputError, match=r"line 3 has more than 2 MB"):
        refuse_long_lines(b"a\nb\n" + line + line, "m.csv")
