"""Close-ups: which images are looked at, what is said where not all are, and what the checks
make of the figures.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import dataprep
from dataprep import registry
from dataprep.checks.quality.close_ups import suspected_close_ups
from dataprep.checks.second_look import SecondLook
from dataprep.measures.image import close_up
from dataprep.measures.image.close_up import FIGURES
from dataprep.measures.options import PassOptions
from dataprep.schemas.dataset import Dataset
from dataprep.schemas.issues import Issues, evidence_of
from tests.checks.measured import with_columns
from tests.measures.image.test_texture import blurred, moved
from tests.measures.pictures import scene

CODES = ("motion-blur", "blurry", "noisy", "upscaled")
SHARP = {
    "sharpness": 1.2,
    "directionality": 0.2,
    "noise": 0.001,
    "width": 400.0,
    "height": 300.0,
    "alpha": False,
    "blockiness": 1.0,
}
#: Figures of images that each check names.
BAD: dict[str, dict[str, float]] = {
    "blurry": {"edge_sharpest": 3, "edge_second_tile": 3.4},
    "motion-blur": {
        "edge_edges": 2000,
        "edge_elongation": 2,
        "edge_angle": 30,
        "edge_regularity": 0.9,
        "edge_along": 4,
        "edge_across": 1.8,
        "edge_share_along": 0.3,
        "edge_sharpest_tile": 3.2,
        "edge_agreement": 0.9,
        "edge_tiles": 12,
    },
    "noisy": {
        "noise_open": 1,
        "noise_level": 14,
        "noise_evenness": 0.85,
        "noise_neighbours": -0.45,
        "noise_halving": 0.55,
        "noise_peakedness": 3.1,
        "noise_colour": 1,
    },
    "upscaled": {
        "edge_sharpest": 2,
        "resampling_coarse": 12,
        "resampling_coarse_factor": 5,
        "noise_halving": 2,
    },
}


class Look(SecondLook):
    """A second look that sees the same in every image it looks at."""

    seen: Mapping[str, float]
    looked_at: np.ndarray

    def close_ups(self):
        def look(rows):
            self.looked_at = rows
            return np.tile(
                np.array([self.seen.get(name, np.nan) for name in FIGURES], np.float32),
                (len(rows), 1),
            )

        return suspected_close_ups(
            self.dataset, look, self.most_close_ups, reachable=self.verify is not None
        )


def look_of(dataset: Dataset, code: str = "", **options: Any) -> Look:
    look = Look(dataset, PassOptions(), **options)
    look.seen = BAD.get(code, {})
    return look


def columns(rows: int, soft: int, **changes: Any) -> Dataset:
    """Sharp images, of which the first `soft` leave it open whether something is wrong with
    them.
    """
    made = {name: np.full(rows, value) for name, value in SHARP.items()}
    made["sharpness"][:soft], made["noise"][:soft] = 0.3, 0.02
    return with_columns(rows, **(made | changes))


def issues_of(code: str, dataset: Dataset, look: SecondLook) -> Issues:
    return Issues.collect(registry.load("dataprep.checks", code)().find(dataset, look))


def messages(code: str, issues: Issues) -> list[str]:
    return [
        registry.load("dataprep.checks", code).message.format(**evidence_of(claim["evidence"]))
        for claim in issues
    ]


def test_plainly_sharp_and_quiet_images_are_not_looked_at():
    dataset = columns(30, 4)
    look = look_of(dataset)
    seen = look.close_ups()
    assert look.looked_at.tolist() == [0, 1, 2, 3]
    assert seen.judged.all()
    assert np.isnan(seen.figure("edge_sharpest")).all()


@pytest.mark.parametrize("code", CODES)
def test_what_is_seen_is_told_in_words(code):
    dataset = columns(30, 4)
    issues = issues_of(code, dataset, look_of(dataset, code))
    assert issues.table["target"].tolist() == ["0", "1", "2", "3"]
    assert set(issues.table["severity"]) == {"warning"}
    words = {
        "blurry": "3.0 pixels wide",
        "motion-blur": "4.0 pixels wide along 30°",
        "noisy": "14 of 255 levels",
    }
    assert all(
        words.get(code, "period of 5.0 pixels, 12 times") in message
        for message in messages(code, issues)
    )


@pytest.mark.parametrize("code", CODES)
def test_images_under_48_pixels_with_transparency_or_lost_are_not_judged(code):
    sides, alpha = np.full(30, 400.0), np.zeros(30, bool)
    sides[0], alpha[1] = 47, True
    dataset = columns(
        30, 4, height=sides, alpha=alpha, lost=np.array(["", "", "truncated", *[""] * 27])
    )
    look = look_of(dataset, code)
    assert issues_of(code, dataset, look).table["target"].tolist() == ["3"]
    assert np.flatnonzero(~look.close_ups().judged).tolist() == [0, 1, 2]


@pytest.mark.parametrize("code", CODES)
def test_a_fault_of_most_of_a_data_set_is_said_once(code):
    dataset = columns(30, 25)
    issues = issues_of(code, dataset, look_of(dataset, code))
    assert issues.table["scope"].tolist() == ["dataset"]
    (message,) = messages(code, issues)
    assert message.startswith("typical of this data set (83% of the images; ")
    assert message.count("this data set") == 1
    assert "a model trained on them" in message


def test_the_likeliest_are_looked_at_and_the_number_is_told():
    dataset = columns(30, 6)
    dataset.samples["sharpness"] = [0.64, 0.2, 0.6, 0.1, 0.5, 0.3, *[1.2] * 24]
    dataset.samples["noise"] = 0.001
    look = look_of(dataset, "blurry", most_close_ups=2)
    issues = issues_of("blurry", dataset, look)
    assert look.looked_at.tolist() == [1, 3]
    samples = issues.table["scope"] == "sample"
    assert set(issues.table.loc[samples, "target"]) == {"1", "3"}
    assert set(issues.table.loc[~samples, "severity"]) == {"fact"}
    assert "2 of 6 soft or noisy images, the likeliest, were looked at closely." in messages(
        "blurry", issues
    )
    assert np.flatnonzero(~look.close_ups().judged).tolist() == [0, 2, 4, 5]


def test_what_the_pass_saw_is_not_looked_at_again():
    dataset = columns(30, 6)
    seen = np.zeros((30, len(FIGURES)), np.float32)
    seen[[0, 2]] = np.nan
    seen[[0, 2], FIGURES.index("edge_sharpest")] = [3.0, 4.0]
    dataset = dataset.with_arrays(close_up=seen)
    look = look_of(dataset, "blurry", most_close_ups=3)
    found = look.close_ups()
    assert look.looked_at.tolist() == [1, 3, 4]
    assert found.rows.tolist() == [0, 1, 2, 3, 4]
    assert found.figure("edge_sharpest")[:5].tolist() == [3, 3, 4, 3, 3]
    assert found.left_out == 1
    assert seen[1].tolist() == [0] * len(FIGURES)
    unreachable = look_of(dataset, "blurry", verify=None).close_ups()
    assert unreachable.rows.tolist() == [0, 2]


def test_an_audit_decodes_once_for_all_of_them(tmp_path, monkeypatch):
    for name, picture in {"sharp": scene(1), "soft": blurred(scene(2), 3)}.items():
        Image.fromarray(picture).save(tmp_path / f"{name}.png")
    monkeypatch.setattr(close_up, "find_close_ups", None)
    options = PassOptions(jobs=1, cache=False, embedder="")
    found = dataprep.audit(tmp_path, only=CODES, pass_options=options).issues.table
    assert set(found["target"]) == {"soft.png"}


@pytest.mark.parametrize("code", CODES)
def test_nothing_is_claimed_where_files_are_out_of_reach(code):
    dataset = columns(30, 25)
    look = look_of(dataset, code, verify=None)
    assert not len(issues_of(code, dataset, look))
    assert not hasattr(look, "looked_at")
    assert int(look.close_ups().judged.sum()) == 5


def test_an_image_without_any_edge_is_information_and_no_warning():
    dataset = columns(30, 1)
    look = look_of(dataset)
    look.seen = {"edge_sharpest": 5.5, "edge_second_tile": 6}
    issues = issues_of("blurry", dataset, look)
    assert issues.table["severity"].tolist() == ["info"]
    assert messages("blurry", issues) == [
        "no edge is sharper than 5.5 pixels: a drawn gradient, or blurred beyond recognition"
    ]


def test_motion_needs_every_part_of_the_evidence():
    dataset = columns(30, 1)
    for name, value in (
        ("edge_along", 2.5),
        ("edge_elongation", 1.3),
        ("edge_sharpest_tile", 2),
        ("edge_regularity", 0.3),
        ("edge_edges", 300),
        ("edge_along", 8),
    ):
        look = look_of(dataset, "motion-blur")
        look.seen = {**look.seen, name: value}
        assert not len(issues_of("motion-blur", dataset, look)), name


def test_noise_whose_channels_go_together_and_that_is_uneven_is_texture():
    dataset = columns(30, 1)
    for changes, found in (
        ({"noise_colour": 0.3}, 1),
        ({"noise_evenness": 0.6}, 1),
        ({"noise_colour": 0.3, "noise_evenness": 0.6}, 0),
    ):
        look = look_of(dataset, "noisy")
        look.seen = {**look.seen, **changes}
        assert len(issues_of("noisy", dataset, look)) == found


def test_a_period_of_eight_counts_only_where_no_blocks_of_jpeg_show():
    seen = {
        "edge_sharpest": 2,
        "resampling_grid": 12,
        "resampling_grid_factor": 8,
        "resampling_fine": 2,
        "resampling_coarse": 3,
    }
    for blockiness, found in ((1.1, 1), (2.5, 0)):
        dataset = columns(30, 1, blockiness=np.full(30, blockiness))
        look = look_of(dataset)
        look.seen = seen
        assert len(issues_of("upscaled", dataset, look)) == found


def test_files_are_looked_at_once_for_all_checks(tmp_path, monkeypatch):
    pictures = {"sharp": scene(1), "soft": blurred(scene(2), 3), "moved": moved(scene(3), 25, 0)}
    for name, picture in pictures.items():
        Image.fromarray(picture).save(tmp_path / f"{name}.png")
    dataset = columns(3, 3, directionality=np.full(3, 0.6))
    dataset = Dataset(
        str(tmp_path),
        dataset.samples.set_index(pd.Index([f"{name}.png" for name in pictures], dtype="str")),
    )
    calls = []
    find = close_up.find_close_ups

    def counted(dataset, rows, options):
        calls.append(len(rows))
        return find(dataset, rows, options)

    monkeypatch.setattr(close_up, "find_close_ups", counted)
    look = SecondLook(dataset, PassOptions(jobs=1))
    found = {code: set(issues_of(code, dataset, look).table["target"]) for code in CODES}
    assert found["blurry"] >= {"soft.png"}
    assert found["motion-blur"] == {"moved.png"}
    assert not any("sharp.png" in targets for targets in found.values())
    assert calls == [3]
