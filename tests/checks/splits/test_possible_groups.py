"""possible-groups: what is said of groups that nobody named."""

from __future__ import annotations

import numpy as np
import pandas as pd

from dataprep.checks.splits.possible_groups import PossibleGroupsCheck
from dataprep.measures.options import PassOptions
from dataprep.schemas.dataset import Dataset
from dataprep.schemas.issues import evidence_of
from tests.checks.measured import Look


def made(paths, **columns):
    labels = pd.Categorical([path.split("/")[0] for path in paths])
    return Dataset(
        "/nowhere",
        pd.DataFrame(
            {"label": labels, **columns}, index=pd.Index(paths, name="sample", dtype="str")
        ),
    )


def claims(dataset):
    found = list(PossibleGroupsCheck().find(dataset, Look(dataset, PassOptions(), verify=None)))
    return [evidence_of(str(each["evidence"].iloc[0])) for each in found]


PATHS = [f"{c}/SOB_{c}_{p}/{k}.png" for c in ("good", "bad") for p in range(8) for k in range(5)]


def test_folders_below_the_classes_with_the_option_that_uses_them():
    (said,) = claims(made(PATHS))
    assert (said["by"], said["groups"], said["samples"], said["option"]) == (
        "folder",
        16,
        80,
        "--group-by folder",
    )
    assert said["torn_at_random"] == round(16 * (1 - 0.7**5 - 2 * 0.15**5))
    assert said["text"] == (
        "16 folders below the classes look like groups: 'SOB_bad_0', 'SOB_bad_1', 'SOB_bad_2', "
        "...; 5 images each on average. "
        "A split by single images would separate members of about 13 of them. If each is one "
        "patient, object, "
        "video or session: "
        "--group-by folder"
    )


def test_of_splits_that_are_there_it_counts_what_is_torn_now():
    split = ["train" if k % 5 or k < 40 else "test" for k in range(80)]
    (said,) = claims(made(PATHS, split=split))
    assert said["torn_now"] == 8
    assert "8 of them are in several splits now" in said["text"]


def test_folders_called_by_words_may_be_classes_too():
    folders = ("animal/dog", "animal/cat", "plant/oak", "plant/rose")
    (said,) = claims(made([f"{folder}/{k}.jpg" for folder in folders for k in range(6)]))
    assert said["text"].endswith(
        "--group-by folder; if each is a class of its own: --label-from leaf"
    )


def unlabelled(paths):
    return Dataset("/nowhere", pd.DataFrame(index=pd.Index(paths, name="sample", dtype="str")))


def test_without_classes_folders_called_by_words_may_be_the_classes_and_numbered_ones_lie_below_none():  # noqa: E501
    assert (
        claims(unlabelled([f"{c}/{k}.jpg" for c in ("bird", "cat", "dog") for k in range(12)]))
        == []
    )
    (said,) = claims(unlabelled([f"P{p:03d}/{k}.jpg" for p in range(6) for k in range(5)]))
    assert said["text"].startswith(
        "6 folders look like groups: 'P000', 'P001', 'P002', ...; 5 images each"
    )


def test_what_known_groups_keep_together_is_not_told():
    assert claims(made(PATHS, group=[path.rpartition("/")[0] for path in PATHS])) == []
    assert claims(made(PATHS, group=[path.split("/")[0] for path in PATHS])) == []


def test_thumbnails_that_are_alike_within_groups_are_told_with_their_share():
    drawn = np.random.default_rng(0)
    thumb = np.repeat(drawn.integers(0, 256, (16, 512)), 5, axis=0).astype(np.uint8)
    thumb[:, ::4] = drawn.integers(0, 256, (80, 128))
    (said,) = claims(made(PATHS).with_arrays(thumb=thumb))
    assert said["nearest_by"] == "thumbnail"
    assert said["nearest_share"] > 0.9
    assert "The nearest image (duplicates excluded) is from the same group for" in said["text"]
