"""Files that a user names: regular, bounded, never waited for without an end."""

from __future__ import annotations

import os
import threading

import pytest

from dataprep.errors import InputError
from dataprep.schemas.files.reading import check_input, read_input, read_json, read_text


def test_a_file_is_read_whole(tmp_path):
    (tmp_path / "list.txt").write_bytes(b"a\nb\n")
    assert read_input(tmp_path / "list.txt", "the list") == b"a\nb\n"
    assert check_input(tmp_path / "list.txt", "the list") == os.fspath(tmp_path / "list.txt")


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/full", "/dev/random"])
def test_a_device_is_refused_at_once(path):
    for read in (read_input, check_input, read_json):
        with pytest.raises(
            InputError, match=f"cannot read the list {path}: expected a file, got a device"
        ):
            read(path, "the list")


def test_the_null_device_is_an_empty_file():
    assert read_input(os.devnull, "the list") == b""


def test_a_folder_a_missing_file_and_a_null_character_are_said(tmp_path):
    with pytest.raises(InputError, match="expected a file, got a folder"):
        read_input(tmp_path, "the list")
    with pytest.raises(InputError, match="No such file"):
        read_input(tmp_path / "none", "the list")
    with pytest.raises(InputError, match="null character"):
        read_input("a\0b", "the list")


def test_a_pipe_that_nobody_writes_to_is_given_up(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="it is a pipe, and for 0.05 s nothing was written to it"):
        read_input(tmp_path / "pipe", "the list", wait_s=0.05)
    with pytest.raises(InputError, match="expected a regular file"):
        check_input(tmp_path / "pipe", "the model")


def test_a_named_pipe_with_a_writer_is_read_to_its_end(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    content = b"x" * 300_000
    writer = threading.Thread(target=(tmp_path / "pipe").write_bytes, args=(content,))
    writer.start()
    assert read_input(tmp_path / "pipe", "the list") == content
    writer.join()


def test_a_process_substitution_is_read_to_its_end():
    ours, theirs = os.pipe()
    os.write(theirs, b"a.jpg\n")
    os.close(theirs)
    assert read_input(f"/dev/fd/{ours}", "the list") == b"a.jpg\n"
    os.close(ours)


def test_more_than_the_limit_is_refused(tmp_path):
    with open(tmp_path / "sparse", "wb") as file:
        file.truncate(1 << 40)
    for read in (read_input, check_input):
        with pytest.raises(InputError, match="more than 1 MB"):
            read(tmp_path / "sparse", "the list", limit=1 << 20)


def test_a_pipe_over_the_limit_is_refused():
    ours, theirs = os.pipe()
    os.write(theirs, b"x" * 100)
    with pytest.raises(InputError, match="which is the limit"):
        read_input(f"/dev/fd/{ours}", "the list", limit=10)
    os.close(theirs)
    os.close(ours)


def test_a_byte_order_mark_is_no_text_and_other_encodings_are_said(tmp_path):
    (tmp_path / "list").write_bytes(b"\xef\xbb\xbfa")
    assert read_text(tmp_path / "list", "the list") == "a"
    (tmp_path / "list").write_bytes(b"ab\xff")
    with pytest.raises(InputError, match="expected text in UTF-8, got the byte 0xff at position 2"):
        read_text(tmp_path / "list", "the list")


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000], ids=["lists", "objects"])
def test_json_that_is_nested_too_deeply_is_one_line(tmp_path, text):
    (tmp_path / "deep.json").write_text(text)
    with pytest.raises(InputError, match="nested too deeply"):
        read_json(tmp_path / "deep.json", "the record")


def test_what_is_not_json_is_said(tmp_path):
    (tmp_path / "bad.json").write_text("{'a': 1}")
    with pytest.raises(InputError, match="not valid JSON: .*line 1"):
        read_json(tmp_path / "bad.json", "the record")
