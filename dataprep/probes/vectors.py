"""Feature vectors: rows in blocks, unit length, principal directions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def blocks(rows: NDArray[np.int64], size: int = 8192) -> Iterator[NDArray[np.int64]]:
    """`rows`, at most `size` at a time, so that no more of a large array is in memory at once.

    >>> [block.tolist() for block in blocks(np.arange(5), 2)]
    [[0, 1], [2, 3], [4]]
    """
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def with_bias(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, m + 1) features with a last column of ones, whose coefficients are the intercepts.

    >>> with_bias(np.array([[2.0]], np.float32)).tolist()
    [[2.0, 1.0]]
    """
    return np.concatenate([values, np.ones((len(values), 1), np.float32)], axis=1)


def unit_length(values: NDArray[Any], *, rooted: bool = False) -> NDArray[np.float32]:
    """Rows (n, d) as float32 of unit length; zeros stay zeros.

    Args:
        values: of any float type.
        rooted: whether to take the square root first, of values that are not negative (the
            Hellinger map; Arandjelović & Zisserman 2012).

    >>> unit_length(np.array([[3.0, 4.0], [0.0, 0.0]])).tolist()
    [[0.6000000238418579, 0.800000011920929], [0.0, 0.0]]
    """
    rows = np.asarray(values, np.float32)
    rows = np.sqrt(rows) if rooted else rows
    return np.asarray(
        rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12), np.float32
    )


def is_non_negative(embedding: NDArray[Any], rows: NDArray[np.int64]) -> bool:
    """Whether the embeddings (n, d) of `rows` have no negative value, as after a rectifier.

    >>> is_non_negative(np.array([[0.0, 1.0], [0.0, -1.0]]), np.array([0]))
    True
    """
    return all(bool((embedding[chunk] >= 0).all()) for chunk in blocks(rows))


def principal_directions(
    products: NDArray[Any], most: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Variances (c,) and directions (d, c) of the strongest principal components, at most `most`
    of them, the strongest first; their signs are arbitrary.

    Args:
        products: (d, d) covariance matrix, or a multiple of it.
        most: components at most.

    >>> principal_directions(np.diag([1.0, 9.0]), 1)[0].tolist()
    [9.0]
    """
    from scipy.linalg import eigh

    size = len(products)
    variance, directions = eigh(
        np.asarray(products, np.float32), subset_by_index=[max(0, size - most), size - 1]
    )
    return variance[::-1], directions[:, ::-1]


def principal_directions_of_rows(
    centred: NDArray[Any], most: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """As `principal_directions`, of centred rows (n, d), by the products of rows where these are
    fewer than the columns.
    """
    rows, size = centred.shape
    if not 0 < rows < size:
        return principal_directions(centred.T @ centred / max(1, rows), most)
    variance, weights = principal_directions(centred @ centred.T / rows, most)
    lengths = np.sqrt(np.maximum(variance, 1e-12) * rows)
    return variance, np.asarray(centred.T @ (weights / lengths), np.float32)
