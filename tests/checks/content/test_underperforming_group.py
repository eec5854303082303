"""Underperforming groups: found where the probe fails more than the classes explain, and only
there.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from dataprep.checks.content.underperforming_group import UnderperformingGroup
from tests.checks.learned import claims_of, dataset_of, vectors_of

ROWS = 900


def made(*, hard: float = 0.0, seed: int = 0, **columns):
    """Two classes; of the first 100 rows the share `hard` looks like the other class."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 2, ROWS)
    shown = np.where((np.arange(ROWS) < 100) & (rng.random(ROWS) < hard), 1 - codes, codes)
    camera = np.where(np.arange(ROWS) < 100, "Acme Two", "Acme One")
    luma = rng.random(ROWS).astype(np.float32)
    return dataset_of(
        np.array(["cat", "dog"])[codes],
        vectors_of(shown, spread=0.8, seed=seed),
        luma_mean=luma,
        camera=pd.Categorical(camera),
    )


def test_a_camera_on_which_the_probe_fails_is_named():
    found = claims_of(UnderperformingGroup(), made(hard=0.5))
    assert found[0]["target"] == "camera = Acme Two"
    assert found[0]["size"] == 100
    assert found[0]["low"] < found[0]["error_rate"] < found[0]["high"]
    assert found[0]["expected"] < 0.2
    assert 1 <= len(found[0]["neighbours"]) <= 6
    assert all(name < "00100" for name in found[0]["neighbours"])
    assert "camera = Acme One" not in {claim["target"] for claim in found}


def test_a_range_of_a_number_is_named_with_its_histogram():
    dataset = made(hard=0.5)
    luma = np.where(np.arange(ROWS) < 100, 0.05, 0.5) + np.linspace(0, 0.04, ROWS)
    found = claims_of(
        UnderperformingGroup(), dataset.assign(luma_mean=luma.astype(np.float32), camera="Acme One")
    )
    assert found[0]["target"].startswith("images darker than ")
    assert set(found[0]["histogram"]["series"]) == {"judged right", "misjudged"}
    assert sum(map(sum, found[0]["histogram"]["series"].values())) <= ROWS


@pytest.mark.parametrize("seed", range(3))
def test_nothing_is_said_where_errors_are_anywhere(seed):
    found = [
        claim
        for claim in claims_of(UnderperformingGroup(), made(seed=seed))
        if "images like" not in claim["target"]
    ]
    assert found == []


def test_a_hard_class_is_not_a_hard_group():
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 3, ROWS)
    shown = np.where((codes > 0) & (rng.random(ROWS) < 0.5), 3 - codes, codes)
    of_hard = pd.Categorical(
        np.where((codes == 1) & (rng.random(ROWS) < 0.5), "indoors", "outdoors")
    )
    dataset = dataset_of(np.array(["cat", "dog", "fox"])[codes], vectors_of(shown), place=of_hard)
    assert not [
        claim
        for claim in claims_of(UnderperformingGroup(), dataset)
        if claim["target"].startswith("place")
    ]
