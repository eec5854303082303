"""The noise model: which class was meant when a label was given, from what the probes see and how
labels go wrong.

A label is taken for a noisy reading of the true class: P(given | true class), the transition, is
the same for all samples of a class. The probes' scores are pooled (weighted sum of
log-probabilities and a bias for each class), and pool and transition are fitted together by
expectation-maximisation on the likelihood of the given labels (Dawid & Skene 1979, with a
classifier in the place of other annotators). The pool is thereby calibrated for the true class, not
for the given label, and Bayes' rule gives for each sample the probability that its label is wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_STEPS = 25
_LEAST_WEIGHT = 0.05
#: Samples of a class that the noise of all classes stands for in the noise of one.
_PRIOR_SAMPLES = 5.0
#: Wrong labels that the mix of classes stands for in a class's row of the transition: one for each
#: class, at most this many.
_PRIOR_ERRORS = 20.0
#: Samples that hold each class's bias to 0.
_BIAS_SAMPLES = 20.0


@dataclass(frozen=True, eq=False)
class NoiseModel:
    """How scores are pooled and how labels go wrong.

    Attributes:
        weights: (j,) one for each probe.
        bias: (k,) one for each class.
        transition: (k, k) P(given label | true class), a row for each true class.
    """

    weights: NDArray[np.float64]
    bias: NDArray[np.float64]
    transition: NDArray[np.float64]

    def pooled(self, scores: Sequence[NDArray[Any]]) -> NDArray[np.float32]:
        """(r, k) probabilities of the true classes, whatever the labels, from (r, k) scores of
        each probe.
        """
        logits = np.broadcast_to(self.bias.astype(np.float32), scores[0].shape).copy()
        for weight, score in zip(self.weights.tolist(), scores, strict=True):
            logits += np.float32(weight) * score
        logits -= logits.max(axis=1, keepdims=True)
        np.exp(logits, out=logits)
        logits /= logits.sum(axis=1, keepdims=True)
        return logits

    def posterior(
        self, probs: NDArray[np.float32], given: NDArray[np.int32]
    ) -> NDArray[np.float32]:
        """(r, k) probabilities of the true classes once the labels (r,), all known, are seen."""
        joint = probs * self.transition.T.astype(np.float32)[given]
        total = joint.sum(axis=1, keepdims=True)
        return np.asarray(joint / np.maximum(total, 1e-30), np.float32)


def fit_noise(
    scores: Sequence[NDArray[Any]], given: NDArray[np.int32], joint: NDArray[np.float64]
) -> NoiseModel:
    """The model that makes the labels most probable.

    Args:
        scores: (r, k) log-probabilities by each probe, up to a factor.
        given: (r,) labels, all known.
        joint: (k, k) first guess of the number of samples of each true class with each given label.
    """
    counts = np.bincount(given, minlength=len(joint)).astype(np.float64)
    weights = np.full(len(scores), 1 / len(scores))
    model = NoiseModel(weights, np.zeros(len(joint)), transition_of(joint, counts))
    for step in range(_STEPS):
        probs = model.pooled(scores)
        posterior = model.posterior(probs, given)
        transition = transition_of(joint_of(posterior, given, len(joint)), counts)
        for _ in range(3 if step < 3 else 1):
            model = _step(model, scores, posterior)
        model = NoiseModel(model.weights, model.bias, transition)
    return model


def joint_of(
    posterior: NDArray[np.float32], given: NDArray[np.int32], classes: int
) -> NDArray[np.float64]:
    """(k, k) expected number of samples of each true class (rows) with each given label
    (columns).
    """
    joint = np.zeros((classes, classes))
    if not len(given):
        return joint
    order = np.argsort(given, kind="stable")
    labels, starts = np.unique(given[order], return_index=True)
    joint[labels] = np.add.reduceat(posterior[order], starts, axis=0, dtype=np.float64)
    return joint.T


def transition_of(joint: NDArray[np.float64], counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """(k, k) P(given | true) from expected numbers, classes with few samples drawn to the noise of
    all.

    Args:
        joint: (k, k) samples of each true class (rows) with each given label (columns).
        counts: (k,) samples with each label.
    """
    classes = len(joint)
    if classes < 2:
        return np.ones((classes, classes))
    wrong = joint * (1 - np.eye(classes))
    rate = wrong.sum() / max(1.0, joint.sum())
    mix = (counts + 0.5)[None, :] * (1 - np.eye(classes))
    mix /= mix.sum(axis=1, keepdims=True)
    errors = wrong.sum(axis=1, keepdims=True)
    share = (errors + _PRIOR_SAMPLES * rate) / (joint.sum(axis=1, keepdims=True) + _PRIOR_SAMPLES)
    weight = min(classes, _PRIOR_ERRORS)
    share = np.clip(share, 1e-4, 0.999)
    return np.asarray(
        share * (wrong + weight * mix) / (errors + weight) + (1 - share) * np.eye(classes)
    )


def _step(
    model: NoiseModel, scores: Sequence[NDArray[Any]], wanted: NDArray[np.float32]
) -> NoiseModel:
    """One Newton step of weights and biases towards the wanted probabilities (r, k)."""
    probs = model.pooled(scores)
    residual = wanted - probs
    means = [(probs * score).sum(axis=1, dtype=np.float64) for score in scores]
    gradient = np.array([float((residual * score).sum(dtype=np.float64)) for score in scores])
    curvature = np.empty((len(scores), len(scores)))
    for i, one in enumerate(scores):
        for j, other in enumerate(scores[: i + 1]):
            product = float((probs * one * other).sum(dtype=np.float64)) - float(
                means[i] @ means[j]
            )
            curvature[i, j] = curvature[j, i] = product
    curvature[np.diag_indices(len(scores))] += 1.0 + 1e-4 * len(wanted)
    weights = np.maximum(model.weights + np.linalg.solve(curvature, gradient), _LEAST_WEIGHT)
    slope = residual.sum(axis=0, dtype=np.float64) - _BIAS_SAMPLES * model.bias
    bend = (probs * (1 - probs)).sum(axis=0, dtype=np.float64) + _BIAS_SAMPLES
    return NoiseModel(weights, model.bias + 0.7 * slope / bend, model.transition)
