"""The confident joint is cleanlab's, but for one case: where several classes are confident,
cleanlab takes the likeliest class of all, confident or not; the paper takes the likeliest of the
confident ones, and so do we.
"""

from __future__ import annotations

import numpy as np
import pytest

from dataprep.probes.labels.confident import confident_joint


def made(rows: int, classes: int, sharpness: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """(n, k) probabilities and labels of which a fifth are another class, classes unevenly
    large.
    """
    rng = np.random.default_rng(seed)
    shares = rng.dirichlet(np.full(classes, 2.0))
    true = np.concatenate([np.arange(classes), rng.choice(classes, rows - classes, p=shares)])
    logits = rng.normal(size=(rows, classes)) + sharpness * np.eye(classes)[true]
    probs = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    wrong = (rng.random(rows) < 0.2) & (np.arange(rows) >= classes)
    return probs, np.where(wrong, rng.integers(0, classes, rows), true).astype(np.int32)


@pytest.mark.parametrize(
    ("rows", "classes", "sharpness"),
    [(300, 2, 2.0), (500, 5, 3.0), (1000, 10, 1.0), (60, 7, 0.0), (400, 3, 8.0)],
)
@pytest.mark.parametrize("seed", [0, 1])
def test_the_joint_is_that_of_cleanlab(rows, classes, sharpness, seed):
    count = pytest.importorskip("cleanlab.count")
    probs, given = made(rows, classes, sharpness, seed)
    joint = confident_joint(probs, given).T  # labels in rows, as cleanlab has them
    counted = count.compute_confident_joint(given, probs, calibrate=False).astype(float)
    confident = probs >= count.get_confident_thresholds(given, probs)
    likeliest, likeliest_confident = probs.argmax(axis=1), (probs * confident).argmax(axis=1)
    moved = (confident.sum(axis=1) > 1) & (likeliest != likeliest_confident)
    np.add.at(counted, (given[moved], likeliest[moved]), -1)
    np.add.at(counted, (given[moved], likeliest_confident[moved]), 1)
    labels = np.bincount(given, minlength=classes)[:, None]
    np.testing.assert_allclose(
        joint, counted / counted.sum(axis=1, keepdims=True) * labels, rtol=1e-12
    )
    if not moved.any():  # calibrated, in whole numbers
        assert np.abs(joint - count.compute_confident_joint(given, probs)).max() < 1
