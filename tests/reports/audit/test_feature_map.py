"""The feature map: which images are on it, and what it says about the labels."""

from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import simplejpeg

from dataprep.checks.second_look import SecondLook
from dataprep.engine import audit
from dataprep.measures.options import PassOptions
from dataprep.neighbours.cosine import Nearest
from dataprep.probes.features import features_of
from dataprep.reports.audit import feature_map as feature_map_module
from dataprep.reports.audit.feature_map import (
    extent,
    feature_map,
    map_payload,
    reading,
    why_unmapped,
)
from dataprep.reports.audit.sprites import SIDE, affordable, pictured, sheet
from dataprep.schemas.audit import Audit
from dataprep.schemas.dataset import Dataset
from dataprep.schemas.issues import Issues, batch
from tests.reports.audit.conftest import learned


def clustered(rows: int, labels: np.ndarray, flagged: int = 0) -> Audit:
    """An audit of images in four clusters, with the given labels; the first ones are flagged."""
    random = np.random.default_rng(0)
    centre = np.arange(rows) % 4
    embedding = (2 * np.eye(4, 12)[centre] + random.normal(0, 0.2, (rows, 12))).astype(np.float16)
    samples = pd.DataFrame(
        {"label": pd.Categorical(labels)},
        index=pd.Index([f"{i}.jpg" for i in range(rows)], name="sample"),
    )
    claims = batch("dark", "warning", "sample", samples.index[:flagged])
    return Audit(
        Dataset("nowhere", samples, "classification", (), {"embedding": embedding}),
        Issues.collect([claims]),
    )


def test_unknown_embeddings_are_not_on_the_map(tmp_path: Path) -> None:
    audit = learned(tmp_path)
    found = feature_map(audit)
    assert found is not None
    assert found.rows.tolist() == [*range(58), 59]
    assert extent(found) == "59 images"
    assert found.positions.shape == (59, 2)


def test_labels_that_follow_the_clusters_agree_and_others_do_not() -> None:
    follow = feature_map(clustered(400, np.array(list("abcd") * 100)))
    assert follow is not None
    assert follow.agreement > 0.98
    assert follow.chance == pytest.approx(99 / 399)
    assert "the classes form clusters" in reading(follow)
    random = feature_map(clustered(400, np.random.default_rng(1).choice(list("abcd"), 400)))
    assert random is not None
    assert random.agreement == pytest.approx(random.chance, abs=0.03)
    assert "no clear clusters" in reading(random)
    halves = feature_map(
        clustered(
            400, np.where(np.random.default_rng(1).random(400) < 0.6, list("abcd") * 100, "a")
        )
    )
    assert halves is not None
    assert "partly" in reading(halves)


def test_classes_name_what_they_are_mixed_with() -> None:
    labels = np.array(list("abcd") * 100)
    labels[3::8] = "a"  # half of what looks like d
    found = feature_map(clustered(400, labels))
    assert found is not None
    table = {row["name"]: row for row in found.classes}
    assert list(table) == ["a", "b", "c", "d"]
    assert table["d"]["other"] == "a"
    assert table["d"]["share"] == pytest.approx(0.5, abs=0.08)
    assert table["b"]["other"] == ""
    assert table["b"]["agreement"] == 1


def test_the_map_takes_features_and_neighbours_from_the_audit(tmp_path: Path) -> None:
    made = learned(tmp_path)
    features = features_of(np.asarray(made.dataset.arrays["embedding"]))
    look = SecondLook(made.dataset, PassOptions(), verify=None)
    assert look.neighbourhood() is None
    look.neighbours()
    shared = replace(made, neighbourhood=look.neighbourhood())
    alone, found = feature_map(replace(made, neighbourhood=None)), feature_map(shared)
    assert alone is not None
    assert found is not None
    np.testing.assert_array_equal(found.rows, alone.rows)
    np.testing.assert_array_equal(found.agreeing, alone.agreeing)
    np.testing.assert_array_equal(found.positions, alone.positions)
    # Neighbours that are no such show that they were taken.
    odd = Nearest(np.roll(look.neighbours().indices, 20, axis=0), look.neighbours().similarity)
    other = feature_map(replace(made, neighbourhood=(features, odd)))
    assert other is not None
    assert not np.array_equal(other.positions, alone.positions)


def test_an_audit_hands_its_neighbourhood_on(tmp_path: Path) -> None:
    dataset = learned(tmp_path).dataset.where(np.arange(60) < 24)
    found = audit(dataset, only=["similar-images"], progress=None)
    assert not found.skipped
    assert found.neighbourhood is not None
    assert len(found.neighbourhood[0]) == len(dataset)


def test_a_large_set_is_sampled_with_what_checks_complain_of() -> None:
    labels = np.array(["rare"] * 40 + ["often"] * 1960)
    audit = clustered(2000, np.roll(labels, 700), flagged=30)
    found = feature_map(audit, most=200)
    assert found is not None
    assert len(found) == 200
    assert (np.diff(found.rows) > 0).all()
    assert set(range(30)) <= set(found.rows.tolist())
    assert extent(found) == "200 of 2,000 images"
    assert (
        2
        <= np.isin(found.rows, np.flatnonzero(audit.dataset.samples["label"] == "rare")).sum()
        <= 6
    )
    again = feature_map(audit, most=200)
    assert again is not None
    np.testing.assert_array_equal(found.positions, again.positions)
    other = feature_map(audit, most=200, seed=1)
    assert other is not None
    assert set(other.rows) != set(found.rows)


def test_without_embeddings_or_labels() -> None:
    audit = clustered(40, np.array(["a"] * 40))
    bare = replace(audit, dataset=replace(audit.dataset, arrays={}))
    assert feature_map(bare) is None
    assert "needs embeddings" in why_unmapped(bare)
    few = replace(audit, dataset=audit.dataset.where(np.arange(40) < 5))
    assert feature_map(few) is None
    assert "fewer than 12" in why_unmapped(few)
    found = feature_map(audit)
    assert found is not None
    assert reading(found) == ""
    assert not found.classes
    unlabelled = replace(audit, dataset=replace(audit.dataset, samples=audit.dataset.samples[[]]))
    found = feature_map(unlabelled)
    assert found is not None
    assert set(found.agreeing) == {255}
    assert map_payload(unlabelled, found)["labels"] == []


def test_the_payload_holds_positions_labels_and_flags(tmp_path: Path) -> None:
    audit = learned(tmp_path)
    found = feature_map(audit)
    assert found is not None
    data = map_payload(audit, found)
    places = np.frombuffer(base64.b64decode(data["at"]), "<u2").reshape(-1, 2) / 32767.5 - 1
    np.testing.assert_allclose(places, found.positions, atol=2e-5)
    assert data["names"][0] == "dog/000.jpg"
    assert data["labels"][data["labelOf"][0]] == "dog"
    assert data["flags"] == {"wrong-label": [0]}
    assert data["agreeing"][0] <= 3 < 8 < data["agreeing"][1]
    assert data["facts"]["bytes"][0] == 5000


def test_pictures_are_of_flagged_points_and_all_over_the_map() -> None:
    positions = np.random.default_rng(0).uniform(-1, 1, (3000, 2)).astype(np.float32)
    positions[:2500] *= 0.1
    claimed = np.zeros(3000, bool)
    claimed[:50] = True
    points = pictured(positions, claimed, 300)
    assert len(set(points.tolist())) == 300
    assert claimed[points].sum() >= 50
    assert (points >= 2500).sum() > 180
    assert pictured(positions[:20], claimed[:20], 300).tolist() == list(range(20))
    assert affordable([400] * 5, [500] * 5) > 1000 > affordable([6000] * 5, [4000] * 5) >= 120


def test_every_picture_has_its_place_on_the_sheet() -> None:
    colours = {3: (250, 0, 0), 7: (0, 250, 0), 50: (0, 0, 250)}
    pictures = {
        point: simplejpeg.encode_jpeg(np.full((40, 72, 3), colour, np.uint8))
        for point, colour in colours.items()
    }
    made = sheet(pictures)
    image = simplejpeg.decode_jpeg(base64.b64decode(made["image"]))
    assert made["points"] == [3, 7, 50]
    assert image.shape == (SIDE, 3 * SIDE, 3)
    for place, colour in enumerate(colours.values()):
        tile = image[1:-1, place * SIDE + 1 : (place + 1) * SIDE - 1].reshape(-1, 3)
        assert np.abs(tile.astype(int) - colour).max() < 20
    many = sheet(dict.fromkeys(range(45), pictures[3]))
    assert simplejpeg.decode_jpeg(base64.b64decode(many["image"])).shape == (2 * SIDE, 40 * SIDE, 3)
    assert sheet({})["points"] == []


def test_the_layout_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    lay_out = feature_map_module.lay_out
    monkeypatch.setattr(
        feature_map_module,
        "lay_out",
        lambda *given, **more: calls.append(1) or lay_out(*given, **more),
    )
    made = clustered(40, np.array(list("abcd") * 10))
    first, second = feature_map(made), feature_map(made)
    assert first is not None
    assert second is not None
    np.testing.assert_array_equal(first.positions, second.positions)
    assert len(calls) == 1
    feature_map(made, seed=1)
    feature_map(replace(made, run={"options": {"pass": {"cache": False}}}))
    assert len(calls) == 3
