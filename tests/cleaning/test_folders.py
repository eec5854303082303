"""Names of folders and files: what a system cannot hold is shortened or replaced, and names stay
distinct.
"""

from __future__ import annotations

import os

import pytest

from dataprep.cleaning.folders import distinct_folders, folder_name, shortened, unique_paths


@pytest.mark.parametrize(
    "label", ["CON", "nul.txt", "com1", "COM¹", "lpt9.tar.gz", "CONIN$", "prn .x"]
)
def test_devices_of_windows_are_no_folders(label: str) -> None:
    assert folder_name(label) == f"_{label}"


@pytest.mark.parametrize(
    "label", ["x" * 256, "字" * 90, "é" * 4000, "\udcff" * 300, "CON." + "x" * 300]
)
def test_a_long_label_is_cut_and_known_by_its_hash(label: str) -> None:
    name, other = folder_name(label), folder_name(f"{label}2")
    assert len(os.fsencode(name)) <= 200
    assert name != other
    assert folder_name(label) == name


def test_a_label_that_fits_stays_as_it_is() -> None:
    assert folder_name("字" * 66) == "字" * 66
    assert shortened("x" * 251 + ".jpg") == "x" * 251 + ".jpg"


def test_a_file_keeps_its_extension() -> None:
    name = shortened("é" * 200 + ".jpeg")
    assert name.endswith(".jpeg")
    assert len(os.fsencode(name)) <= 255
    assert len(os.fsencode(shortened("." * 300))) <= 255


def test_numbers_of_clashing_names_fit() -> None:
    long = f"{'x' * 251}.jpg"
    names = unique_paths([f"a/{long}", f"a/{long.upper()}", f"a/{long}"])
    assert len({name.lower() for name in names}) == 3
    assert all(len(name.partition("/")[2]) <= 255 for name in names)
    assert unique_paths(["a.b/c", "a.b/c"]) == ["a.b/c", "a.b/c-2"]


def test_folders_of_labels_that_look_alike_stay_apart() -> None:
    labels = ["a b", "a/b", "A_B", "cat", "nul", "字" * 120, "字" * 120 + "x"]
    table = distinct_folders(labels)
    assert list(table) == labels
    assert (table["cat"], table["nul"]) == ("cat", "_nul")
    assert len({name.lower() for name in table.values()}) == len(labels)
    assert all(len(os.fsencode(name)) <= 200 for name in table.values())
