"""Feature vectors: rows in blocks, unit length, principal directions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from dataprep.backends.blas import one_blas_thread

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: The bits of an infinite half; those of finite ones are smaller.
_INFINITE_HALF = 0x7C00
#: Matrices up to this size are decomposed by numpy: as fast, without the time that scipy takes to
#: load.
_SMALL = 512


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


def as_float32(values: NDArray[Any]) -> NDArray[np.float32]:
    """Values of any float type as float32; halves several times faster than by `astype`.

    >>> as_float32(np.array([-1.5, 0.0, 6e-8], np.float16)).tolist()
    [-1.5, 0.0, 5.960464477539063e-08]
    """
    if values.dtype != np.float16:
        return np.asarray(values, np.float32)
    bits = np.asarray(values).view(np.int16).astype(np.int32)
    bits <<= 13  # the fraction and the exponent, which is too small by 112
    bits &= np.int32(-0x70002000)  # of the sign, which was extended, one bit
    whole = bits.view(np.float32)
    whole *= np.float32(2.0**112)
    if whole.size and max(whole.max(), -whole.min()) >= 2.0**16:  # infinite, or not a number
        return np.asarray(values, np.float32)
    return whole


def unit_length(values: NDArray[Any], *, rooted: bool = False) -> NDArray[np.float32]:
    """Rows (n, d) as float32 of unit length; zeros stay zeros.

    Args:
        values: of any float type.
        rooted: whether to take the square root first, of values that are not negative (the
            Hellinger map; Arandjelović & Zisserman 2012).

    >>> unit_length(np.array([[3.0, 4.0], [0.0, 0.0]])).tolist()
    [[0.6000000238418579, 0.800000011920929], [0.0, 0.0]]
    """
    rows = as_float32(values)
    if np.may_share_memory(rows, values):
        rows = rows.copy()
    if rooted:
        np.sqrt(rows, out=rows)
    length = np.sqrt(np.einsum("ij,ij->i", rows, rows))[:, None]
    rows /= np.maximum(length, np.float32(1e-12))
    return rows


def known_rows(embedding: NDArray[Any]) -> NDArray[np.bool_]:
    """(n,) whether each embedding (n, d) is finite and not all zeros.

    >>> known_rows(np.array([[0.0, 0.0], [1.0, np.nan], [1.0, 0.0]])).tolist()
    [False, False, True]
    """
    known = np.zeros(len(embedding), bool)
    for chunk in blocks(np.arange(len(embedding))):
        part = np.asarray(embedding[chunk])
        if part.dtype == np.float16:  # compared as whole numbers: halves are slow
            largest = (part.view(np.int16) & np.int16(0x7FFF)).max(axis=1, initial=0)
            known[chunk] = (largest > 0) & (largest < _INFINITE_HALF)
        else:
            part = np.asarray(part, np.float32)
            known[chunk] = np.isfinite(part).all(axis=1) & (part != 0).any(axis=1)
    return known


def is_non_negative(embedding: NDArray[Any], rows: NDArray[np.int64]) -> bool:
    """Whether the embeddings (n, d) of `rows` have no negative value, as after a rectifier.

    >>> is_non_negative(np.array([[0.0, 1.0], [0.0, -1.0]]), np.array([0]))
    True
    """
    return all(_none_negative(np.asarray(embedding[chunk])) for chunk in blocks(rows))


def _none_negative(part: NDArray[Any]) -> bool:
    if part.dtype == np.float16 and part.size:
        bits = part.view(np.int16)
        if bits.min() >= 0 and bits.max() <= _INFINITE_HALF:
            return True
    return bool((part >= 0).all())


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
    size, products = len(products), np.asarray(products, np.float32)
    with one_blas_thread():
        if size <= _SMALL:
            variance, directions = np.linalg.eigh(products)
        else:
            from scipy.linalg import eigh

            chosen = [max(0, size - most), size - 1]
            variance, directions = eigh(products, subset_by_index=chosen)
    return variance[::-1][:most], directions[:, ::-1][:, :most]


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
