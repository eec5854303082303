"""Low coverage: a class that lacks a range is named, chance gaps and small classes are not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import hypergeom

from dataprep.checks.content.low_coverage import LowCoverage, log_fewer
from tests.checks.learned import claims_of, dataset_of, vectors_of


def made(*, gap: bool, rows: int = 900, seed: int = 0):
    rng = np.random.default_rng(seed)
    labels = np.array(["bag", "dress", "hat"])[rng.integers(0, 3, rows)]
    luma = rng.random(rows)
    if gap:
        luma = np.where((labels == "dress") & (luma < 0.2), luma + 0.5, luma)
    camera = pd.Categorical(rng.choice(["Acme One", "Acme Two"], rows))
    return dataset_of(
        labels,
        vectors_of(np.zeros(rows, np.int64)),
        luma_mean=luma.astype(np.float32),
        camera=camera,
    )


def test_a_class_without_dark_images_is_named():
    claim, *others = claims_of(LowCoverage(), made(gap=True))
    assert not others
    assert claim["class_name"] == "dress"
    assert (claim["property"], claim["words"].startswith("darker than 2")) == ("luma_mean", True)
    assert claim["figure"] <= 0.1 * claim["expected"]
    assert claim["expected"] > 30
    assert set(claim["histogram"]["series"]) == {"dress", "other classes"}
    assert f"%: {claim['count']} of {claim['size']} images of 'dress', " in claim["text"]
    assert "augment by brightness" in claim["text"]


def test_a_class_that_one_camera_never_took_is_named():
    dataset = made(gap=False)
    hats = (dataset.samples["label"] == "hat").to_numpy()
    camera = np.where(hats, "Acme One", dataset.samples["camera"].astype("str"))
    found = claims_of(LowCoverage(), dataset.assign(camera=pd.Categorical(camera)))
    assert [claim["target"] for claim in found] == ["hat: camera = Acme Two"]
    assert "histogram" not in found[0]


def test_a_class_that_is_brighter_as_a_whole_is_so_by_nature_and_drawings_have_no_lighting():
    rng = np.random.default_rng(0)
    dataset = made(gap=False)
    dresses = (dataset.samples["label"] == "dress").to_numpy()
    assert (
        claims_of(
            LowCoverage(),
            dataset.assign(luma_mean=np.where(dresses, 0.6, 0.1) + 0.3 * rng.random(900)),
        )
        == []
    )
    assert claims_of(LowCoverage(), made(gap=True).assign(edge_contrast=np.zeros(900))) == []


def test_what_nobody_sees_and_exact_sizes_are_not_told():
    dataset = made(gap=False)
    dresses = (dataset.samples["label"] == "dress").to_numpy()
    rng = np.random.default_rng(0)
    faint = np.where(dresses, 0.0005, 0.0015) + 0.0005 * rng.random(900)
    assert claims_of(LowCoverage(), dataset.assign(noise=faint)) == []
    width = np.where(~dresses & (rng.random(900) < 0.2), 410.0, 400.0)
    assert claims_of(LowCoverage(), dataset.assign(width=width, height=400.0)) == []


def test_times_of_the_day_are_told_in_words():
    rng = np.random.default_rng(0)
    dataset = made(gap=False)
    hours = np.where(
        (dataset.samples["label"] == "hat").to_numpy(),
        rng.integers(8, 20, 900),
        rng.integers(0, 24, 900),
    )
    found = claims_of(
        LowCoverage(),
        dataset.assign(captured_at=[f"2020-01-01T{hour:02d}:30:00" for hour in hours]),
    )
    assert "hat: taken at night" in [claim["target"] for claim in found]


@pytest.mark.parametrize("seed", range(5))
def test_nothing_is_said_of_random_labels_or_of_few_images(seed):
    assert claims_of(LowCoverage(), made(gap=False, seed=seed)) == []
    assert claims_of(LowCoverage(), made(gap=True, rows=60, seed=seed)) == []


@pytest.mark.parametrize(
    ("observed", "size", "inside", "total"),
    [(0, 30, 90, 300), (2, 50, 400, 1000), (5, 200, 100, 1000), (9, 9, 9, 90)],
)
def test_the_probability_is_never_too_small(observed, size, inside, total):
    bound = log_fewer(observed, size, inside, total)
    assert hypergeom.logcdf(observed, total, inside, size) - 1e-9 <= bound <= 0
