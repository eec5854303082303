"""The layout of the feature map."""

from __future__ import annotations

import numpy as np
import pytest

from dataprep.neighbours.cosine import nearest
from dataprep.probes.tsne import _Forces, _Graph, _Mesh, _Pairs, lay_out


def clusters(n: int, k: int = 6, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """(n, 16) rows of unit length around k directions, and the direction of each."""
    random = np.random.default_rng(seed)
    centres, labels = random.normal(0, 1, (k, 16)), random.integers(0, k, n)
    values = centres[labels] + random.normal(0, 0.5, (n, 16))
    return (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float32), labels


def neighbours_of(values: np.ndarray, k: int = 15) -> np.ndarray:
    return nearest(values, np.ones(len(values), bool), k).indices


def on_map(points: np.ndarray, k: int = 15) -> np.ndarray:
    distance = ((points[:, None] - points[None]) ** 2).sum(-1)
    np.fill_diagonal(distance, np.inf)
    return np.argsort(distance, axis=1)[:, :k]


def test_neighbours_stay_neighbours_and_clusters_come_apart() -> None:
    values, labels = clusters(400)
    near = neighbours_of(values)
    found = on_map(lay_out(near, values))
    recall = np.mean([len(set(a) & set(b)) / 15 for a, b in zip(found, near)])
    flat = np.mean([len(set(a) & set(b)) / 15 for a, b in zip(on_map(values[:, :2]), near)])
    assert recall > 0.5
    assert recall > 2 * flat
    assert (labels[found] == labels[:, None]).mean() > 0.95


def test_the_map_fills_its_frame_and_is_the_same_again() -> None:
    values, _ = clusters(200)
    points = lay_out(neighbours_of(values), values)
    assert points.dtype == np.float32
    assert points.shape == (200, 2)
    assert np.abs(points).max() == pytest.approx(1)
    np.testing.assert_allclose(points.min(axis=0), -points.max(axis=0), atol=1e-6)
    np.testing.assert_array_equal(points, lay_out(neighbours_of(values), values))


@pytest.mark.parametrize("rows", [0, 1, 2, 3, 4, 20])
def test_few_points_are_laid_out(rows: int) -> None:
    values, _ = clusters(rows)
    points = lay_out(neighbours_of(values) if rows else np.zeros((0, 15), np.int32), values)
    assert points.shape == (rows, 2)
    assert np.isfinite(points).all()
    assert len(np.unique(points, axis=0)) == rows


def test_copies_and_lonely_points_do_no_harm() -> None:
    values, _ = clusters(60)
    values[:30] = values[0]
    near = neighbours_of(values)
    near[-1] = -1
    near[near == 59] = -1
    points = lay_out(near, values[:, :1])
    assert np.isfinite(points).all()
    assert np.abs(points).max() == pytest.approx(1)


@pytest.mark.parametrize("spread", [1.0, 4.0, 10.0])
def test_repulsion_is_that_of_all_pairs(spread: float) -> None:
    points = np.random.default_rng(0).normal(0, spread, (1500, 2)).astype(np.float32)
    apart = points[:, None].astype(float) - points[None]
    kernel = 1 / (1 + (apart**2).sum(-1))
    exact = (apart * kernel[..., None] ** 2).sum(1) / (kernel.sum() - len(points))
    fast = _Mesh().repulsion(np.ascontiguousarray(points.T)).T
    assert np.abs(fast - exact).mean() < 0.12 * np.abs(exact).mean()
    assert np.corrcoef(fast.ravel(), exact.ravel())[0, 1] > 0.99


def test_attraction_is_that_of_every_edge() -> None:
    values, _ = clusters(50)
    near = neighbours_of(values, 4)
    weights = np.zeros((50, 50))
    weights[np.repeat(np.arange(50), 4), near.ravel()] += 1
    weights = (weights + weights.T) / (2 * 50 * 4)
    points = np.random.default_rng(1).normal(0, 2, (50, 2)).astype(np.float32)
    apart = points[:, None] - points[None]
    exact = ((weights / (1 + (apart**2).sum(-1)))[..., None] * apart).sum(1)
    found = _Forces(_Graph.of(near))._attraction(np.ascontiguousarray(points.T))
    np.testing.assert_allclose(found.T, exact, atol=1e-6)


@pytest.mark.parametrize("spread", [1e-4, 3.0, 20.0])
def test_forces_between_few_points_are_those_of_all_pairs(spread: float) -> None:
    values, _ = clusters(60)
    graph = _Graph.of(neighbours_of(values, 4))
    points = np.random.default_rng(1).normal(0, spread, (60, 2)).astype(np.float32)
    apart = points[:, None].astype(float) - points[None]
    kernel = 1 / (1 + (apart**2).sum(-1))
    weights = np.zeros((60, 60))
    weights[graph.ones, graph.others] = weights[graph.others, graph.ones] = graph.weights
    pull = (12 * weights - kernel / (kernel.sum() - 60)) * kernel
    exact = (pull[..., None] * apart).sum(1)
    found = _Pairs(graph).slope(np.ascontiguousarray(points.T), np.float32(12)).T
    assert np.abs(found - exact).max() < 1e-4 * np.abs(exact).max()


def test_few_images_of_which_all_are_neighbours_are_not_drawn_as_one_point() -> None:
    for seed in range(4):
        random = np.random.default_rng(seed)
        values = random.normal(size=(40, 64)) + 3 * random.normal(size=(2, 64))[np.arange(40) % 2]
        order = np.argsort(((values[:, None] - values[None]) ** 2).sum(axis=2), axis=1)
        placed = lay_out(order[:, 1:16], values - values.mean(axis=0))
        assert np.ptp(placed, axis=0).max() == pytest.approx(2, abs=1e-3)
        assert len(np.unique(placed.round(3), axis=0)) > 10
