"""Groups that nobody named, by the form of names, folders and columns alone; and by pictures
that look alike.
"""

from __future__ import annotations

import uuid

import numpy as np
import pandas as pd
import pytest

from dataprep.probes.groups.candidates import names_groups
from dataprep.probes.groups.choice import Relatives, possible_groups
from dataprep.probes.groups.evidence import first_relatives, likeness
from dataprep.schemas.dataset import Dataset

SPLITS = ("train", "test")


def made(paths, labels=None, **columns):
    """A data set of `paths`; labels are the first folders unless given, none where they are
    empty.
    """
    labels = [path.split("/")[0] for path in paths] if labels is None else labels
    table = {"label": pd.Categorical(labels)} if labels else {}
    index = pd.Index(paths, name="sample", dtype="str")
    return Dataset(
        "/nowhere",
        pd.DataFrame(table | columns, index=index),
        "classification" if labels else "none",
    )


def told(dataset, relatives=None):
    found = possible_groups(dataset, np.arange(len(dataset)), relatives)
    return [(each.candidate.grouping.option, each.groups) for each in found]


FACES = [
    f"{first}_{last}_{number + 1:04d}.jpg"
    for first in ("George", "Ann", "Eva", "Tim")
    for last in ("Bush", "Lee", "Fox", "Day")
    for number in range(1 + len(first) % 4)
]
GROUPS = {
    "tracks": (
        made(
            [
                f"{c:05d}/{t:05d}_{f:05d}.ppm"
                for c in range(4)
                for t in range(22)
                for f in range(5 + t % 3)
            ]
        ),
        88,
    ),
    "patient and lesion": (
        made([f"{'ab'[p % 2]}/P{p:03d}{'ab'[k % 2]}_{k}.jpg" for p in range(20) for k in range(4)]),
        20,
    ),
    "faces": (made(FACES, [name[0] for name in FACES]), 16),
    "few faces": (
        made(
            [
                f"{['Al_Lee', 'Jo_Fox', 'Al_Day', 'Bo_Ray', 'Cy_Ek', 'Di_Oz'][k % 6]}_{100 + k // 6}.jpg"  # noqa: E501
                for k in range(23)
            ],
            ["mfmmff"[k % 6] for k in range(23)],
        ),
        6,
    ),
    "two views": (
        made(
            [f"{'ab'[p % 2]}/P{p:03d}_{view}.jpg" for p in range(30) for view in ("left", "right")]
        ),
        30,
    ),
    "subject, camera, frame": (
        made(
            [
                f"{c}/s{s:02d}_c{k}_{f:04d}.png"
                for c in "abc"
                for s in range(8)
                for k in range(3)
                for f in range(4)
            ]
        ),
        8,
    ),
    "group inside the name": (
        made(
            [
                f"{c}/v_{c}_g{g:02d}_c{k:02d}.jpg"
                for c in ("Run", "Jump")
                for g in range(1, 12)
                for k in range(1, 5)
            ]
        ),
        11,
    ),
    "patient, year, magnification": (
        made(
            [
                f"{c}/SOB_{c}-14-{22549 + 7 * p}-{m}-{k:03d}.png"
                for c in "BM"
                for p in range(9)
                for m in (40, 100)
                for k in (1, 2)
            ]
        ),
        18,
    ),
    "numbers that go on": (
        made(
            [
                f"{'cd'[p % 2]}/pat{p}_{number}.jpg"
                for number, p in enumerate(np.repeat(np.arange(15), 6))
            ]
        ),
        15,
    ),
    "folders": (
        made([f"{c}/SOB_{c}_{p}/{k}.png" for c in "ab" for p in range(8) for k in range(5)]),
        16,
    ),
    "folders of a manifest": (
        made(
            [f"img/P{p}/{k}.jpg" for p in range(10) for k in range(4)],
            ["ab"[k % 2] for k in range(40)],
        ),
        10,
    ),
    "lesion_id": (
        made(
            [f"{k}.jpg" for k in range(60)],
            ["abc"[k // 2 % 3] for k in range(60)],
            lesion_id=np.arange(60) // 2,
        ),
        30,
    ),
    "AnimalNo": (
        made(
            [f"{k}.jpg" for k in range(60)],
            ["abc"[k % 3] for k in range(60)],
            AnimalNo=np.arange(60) // 4,
        ),
        15,
    ),
}
random = np.random.default_rng(0)
NO_GROUPS = {
    "class and number": made(
        [f"{c}/{c}_{k:03d}.jpg" for c in ("cat", "dog", "cow", "hen") for k in range(30)]
    ),
    "class and number, flat": made(
        [f"{'abcd'[k % 4] * 3}_{k:03d}.jpg" for k in range(80)], ["abcd"[k % 4] for k in range(80)]
    ),
    "class and number, no labels": made(
        [f"{'abcdefghij'[k % 10] * 3}_{k // 10:03d}.jpg" for k in range(300)], []
    ),
    "class, number in brackets": made(
        [f"{c}/{c} ({k}).jpg" for c in ("rose", "tulip", "daisy") for k in range(40)]
    ),
    "one counter": made([f"{'abcd'[k % 4]}/img_{k:04d}.jpg" for k in range(130)]),
    "a counter a class": made([f"{c}/img_{k:04d}.jpg" for c in "abcd" for k in range(30)]),
    "class number": made(
        [f"{k % 10}_{k // 10}.png" for k in range(500)], [str(k % 10) for k in range(500)]
    ),
    "number and class": made(
        [f"{k}_{'xyz'[k % 3]}.png" for k in range(300)], ["xyz"[k % 3] for k in range(300)]
    ),
    "uuids": made(
        [f"{'ab'[k % 2]}/{uuid.UUID(bytes=random.bytes(16), version=4)}.jpg" for k in range(2000)]
    ),
    "hashes": made([f"{'ab'[k % 2]}/{random.bytes(16).hex()}.jpg" for k in range(1000)]),
    "dates": made(
        [f"{'ab'[k % 2]}/2023-0{1 + k % 9}-1{k // 9 % 9}_{k // 81}.jpg" for k in range(240)]
    ),
    "dates of phones": made(
        [f"{'ab'[k % 2]}/IMG_2023{1 + k % 9:02d}1{k // 9 % 9}_{120000 + k}.jpg" for k in range(240)]
    ),
    "cameras": made(
        [f"{'ab'[k % 2]}/{('DSC_', 'IMG_', 'P10', 'DSCN')[k // 50]}{k:04d}.jpg" for k in range(200)]
    ),
    "class and split": made(
        [f"{s}/{c}/{s}_{c}_{k:03d}.jpg" for s in SPLITS for c in "abcd" for k in range(20)],
        [c for s in SPLITS for c in "abcd" for k in range(20)],
        split=[s for s in SPLITS for c in "abcd" for k in range(20)],
    ),
    "versions": made([f"{c}/{c}_v{v}_{k}.jpg" for c in "abc" for v in (1, 2) for k in range(20)]),
    "kinds of things": made(
        [
            f"{c}/{a}-{b}.png"
            for c in "xy"
            for a in ("draw", "list", "go", "edit")
            for b in ("new", "open", "left")
        ]
    ),
    "chunks": made(
        [f"part_{k // 50}/{k}.jpg" for k in range(400)], ["ab"[k % 2] for k in range(400)]
    ),
    "shards": made(
        [f"{random.bytes(1).hex()}/{k}.jpg" for k in range(400)], ["ab"[k % 2] for k in range(400)]
    ),
    "one folder a class": made([f"{c}/Imgs/{k}.jpg" for c in "abc" for k in range(10)]),
    "columns of attributes": made(
        [f"{k}.jpg" for k in range(200)],
        ["abc"[k % 3] for k in range(200)],
        sex=random.choice(["m", "f"], 200),
        age=random.integers(20, 80, 200).astype(str),
        class_id=np.arange(200) % 3,
        image_id=[f"I{k}" for k in range(200)],
        annotator_id=random.choice(list("pqrst"), 200),
        year=random.integers(2010, 2020, 200),
        weight=random.random(200).round(1),
    ),
    "coarser classes": made(
        [f"{k}.jpg" for k in range(80)],
        ["abcd"[k % 4] for k in range(80)],
        group_name=["xy"[k % 4 // 2] for k in range(80)],
    ),
    "four files": made(["a/1.jpg", "a/2.jpg", "b/1.jpg", "b/2.jpg"]),
    "nothing": made([]),
}


@pytest.mark.parametrize("name", GROUPS)
def test_groups_are_found_by_form(name):
    dataset, groups = GROUPS[name]
    assert [count for _, count in told(dataset)] == [groups]


@pytest.mark.parametrize("name", NO_GROUPS)
def test_nothing_is_told_where_names_say_something_else(name):
    assert told(NO_GROUPS[name]) == []


def test_the_option_makes_the_groups_that_are_told():
    from dataprep.ingest.grouping import grouped

    dataset = GROUPS["tracks"][0]
    (found,) = possible_groups(dataset, np.arange(len(dataset)))
    groups = grouped(dataset, found.candidate.grouping.value).samples["group"]
    assert groups.nunique() == 88
    assert groups.iloc[0] == "00000/00000"


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ("lesion_id", True),
        ("patientId", True),
        ("Subject", True),
        ("videos", True),
        ("slide_no", True),
        ("herd_id", True),
        ("image_id", False),
        ("class_id", False),
        ("sample", False),
        ("age", False),
        ("license_key", False),
        ("file_name", False),
    ],
)
def test_columns_that_are_called_as_groups_are(column, expected):
    assert names_groups(column) is expected


def vectors(code, noise, seed=0):
    """(n, 16) unit vectors, those of one code near each other."""
    drawn = np.random.default_rng(seed)
    values = drawn.normal(size=(code.max() + 1, 16))[code] + noise * drawn.normal(
        size=(len(code), 16)
    )
    return (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float32)


def relatives(dataset, values):
    from dataprep.neighbours.cosine import nearest

    unit = np.arange(len(dataset))
    return Relatives(
        *first_relatives(dataset, unit, nearest(values, np.ones(len(values), bool), 8))
    )


def test_pictures_speak_for_a_column_of_any_name_and_against_one_that_is_called_as_groups_are():
    rows = np.arange(600)
    unlike = made(
        [f"{k}.jpg" for k in rows], ["ab"[k % 2] for k in rows], batch=[f"t{k // 6}" for k in rows]
    )
    assert told(unlike) == []
    assert told(unlike, relatives(unlike, vectors(rows // 6, 0.5))) == [
        ("--group-column batch", 100)
    ]
    assert told(unlike, relatives(unlike, vectors(rows, 0.5))) == []
    named = made(
        [f"{k}.jpg" for k in rows],
        ["ab"[k % 2] for k in rows],
        patient_no=[f"t{k // 6}" for k in rows],
    )
    assert told(named) == [("--group-column patient_no", 100)]
    assert told(named, relatives(named, vectors(rows, 0.5))) == []


def test_numbers_in_a_row_are_groups_only_where_neighbours_look_alike():
    rows = np.arange(300)
    dataset = made([f"{k % 5}/IMG_{1000 + k}.JPG" for k in rows])
    assert told(dataset) == []
    assert told(dataset, relatives(dataset, vectors(rows // 10, 0.6))) == [
        ("--group-by '([^/]*)\\d[.][^./]*$'", 30)
    ]
    assert told(dataset, relatives(dataset, vectors(rows % 5, 0.6))) == [], (
        "pictures of one class look alike"
    )


def test_sessions_that_begin_within_ten_numbers_are_told_by_the_hundred():
    rows = np.arange(1000)
    dataset = made([f"{k % 5}/IMG_{1000 + k}.JPG" for k in rows])
    assert told(dataset, relatives(dataset, vectors((rows + 5) // 10, 0.6))) == [
        ("--group-by '([^/]*)\\d\\d[.][^./]*$'", 10)
    ]


def test_likeness_is_held_against_groups_drawn_within_the_classes():
    label = np.repeat([0, 1], 50)
    code = np.repeat(np.arange(4), 25)
    first = np.where(np.arange(100) % 2 == 0, np.arange(100) + 1, np.arange(100) - 1)
    found = likeness(code, label, first, "embedding")
    assert found.judged == 100
    assert found.share == pytest.approx(96 / 100)  # 24 | 25 and 74 | 75 lie in two groups
    assert found.chance == pytest.approx(24 / 49)
    nobody = likeness(code, label, np.full(100, -1), "")
    assert (nobody.judged, nobody.speaks_for, nobody.speaks_against) == (0, False, False)


def test_copies_are_no_relatives_and_thumbnails_stand_in_for_embeddings():
    drawn = np.random.default_rng(1)
    thumb = np.repeat(drawn.integers(0, 256, (10, 512)), 3, axis=0).astype(np.uint8)
    thumb[:, :40] ^= drawn.integers(0, 256, (30, 40)).astype(np.uint8)
    dataset = made([f"a/{k}.jpg" for k in range(30)]).with_arrays(thumb=thumb)
    unit = np.arange(30)
    unit[1] = 0
    first, by = first_relatives(dataset, unit, None)
    assert by == "thumbnail"
    assert first[0] == 2, "row 1 is a copy of row 0"
    assert (first // 3 == np.arange(30) // 3).all()
    assert first_relatives(made(["a/0.jpg", "a/1.jpg"]), np.arange(2), None)[1] == ""
