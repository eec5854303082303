"""The space in which embeddings are compared: square root, centring, principal components, partial
whitening, unit length.

Activations that follow a rectifier are skewed: their square root is nearer to a Gaussian (the
Hellinger map; Arandjelović & Zisserman 2012). Centring takes out what all images share, and partial
whitening keeps a few strong directions from deciding everything (Jégou & Chum 2012).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dataprep.probes.vectors import (
    blocks,
    is_non_negative,
    known_rows,
    principal_directions,
    principal_directions_of_rows,
    unit_length,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Most principal components that are kept.
COMPONENTS = 256
#: Power of the variance by which components are divided: 0 keeps them as they are, 0.5 makes them
#: equal.
WHITENING = 0.35
#: Rows that the principal components are fitted on at most.
_FITTED = 50_000
#: Components with less than this share of the first one's variance are rounding noise.
_LEAST_VARIANCE = 1e-6


@dataclass(frozen=True, eq=False)
class Features:
    """Embeddings in the space in which they are compared.

    Attributes:
        values: (n, m) float32, m at most `COMPONENTS`; rows of unit length, zeros where the
            embedding is unknown.
        known: (n,) bool.
    """

    values: NDArray[np.float32]
    known: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.values)


@dataclass(frozen=True, eq=False)
class Space:
    """The map into the space in which embeddings are compared, fitted once; further embeddings can
    be placed in it.

    Attributes:
        mean: (d,).
        projection: (d, m).
        rooted: whether the square root is taken first.
    """

    mean: NDArray[np.float32]
    projection: NDArray[np.float32]
    rooted: bool

    def place(self, embedding: NDArray[Any]) -> Features:
        """Embeddings (n, d) of any float type, read in blocks; rows of zeros, or with a value
        that is not finite, are unknown.
        """
        known = known_rows(embedding)
        values = np.zeros((len(embedding), self.projection.shape[1]), np.float32)
        for chunk in blocks(np.flatnonzero(known)):
            part = (unit_length(embedding[chunk], rooted=self.rooted) - self.mean) @ self.projection
            values[chunk] = unit_length(part)
        return Features(values, known)


def space_of(embedding: NDArray[Any], *, seed: int = 0) -> Space | None:
    """Fit the map on embeddings (n, d); None where none of them is known. `seed` as for
    `features_of`.
    """
    rows = np.flatnonzero(known_rows(embedding))
    if not len(rows):
        return None
    if len(rows) > _FITTED:
        rows = np.sort(np.random.default_rng(seed).choice(rows, _FITTED, replace=False))
    rooted = is_non_negative(embedding, rows)
    return Space(*_principal(embedding, rows, rooted), rooted)


def features_of(embedding: NDArray[Any], *, seed: int = 0) -> Features:
    """Map embeddings into the space in which they are compared.

    Args:
        embedding: (n, d) of any float type, read in blocks; rows of zeros, or with a value that is
            not finite, are unknown.
        seed: of the sample that the components are fitted on, where there are more than 50,000
            rows.
    """
    space = space_of(embedding, seed=seed)
    if space is None:
        return Features(np.zeros((len(embedding), 1), np.float32), np.zeros(len(embedding), bool))
    return space.place(embedding)


def _principal(
    embedding: NDArray[Any], rows: NDArray[np.int64], rooted: bool
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The mean (d,) and the whitened principal directions (d, m)."""
    size = embedding.shape[1]
    if len(rows) < size:
        part = unit_length(embedding[rows], rooted=rooted)
        mean = part.mean(axis=0, dtype=np.float64)
        found = principal_directions_of_rows(part - mean, COMPONENTS)
        return mean.astype(np.float32), _whitened(*found)
    total, products = np.zeros(size), np.zeros((size, size))
    for chunk in blocks(rows):
        part = unit_length(embedding[chunk], rooted=rooted)
        total += part.sum(axis=0, dtype=np.float64)
        products += part.T @ part
    mean = total / len(rows)
    covariance = products / len(rows) - np.outer(mean, mean)
    return mean.astype(np.float32), _whitened(*principal_directions(covariance, COMPONENTS))


def _whitened(
    variance: NDArray[np.float32], directions: NDArray[np.float32]
) -> NDArray[np.float32]:
    """(d, m) the `directions` of enough variance, strongest first, scaled, with a sign that does
    not depend on chance.
    """
    kept = variance > max(_LEAST_VARIANCE * float(variance[0]), 1e-12)
    if not kept.any():  # every image looks the same: any direction will do
        kept[0] = True
        variance = np.ones_like(variance)
    scaled = directions[:, kept] / variance[kept] ** WHITENING
    signs = np.sign(scaled[np.abs(scaled).argmax(axis=0), np.arange(scaled.shape[1])])
    return np.asarray(scaled * signs, np.float32)
