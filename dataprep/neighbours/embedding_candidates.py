"""Candidates for near duplicates from embeddings, which see what hashes cannot: crops to half,
frames, strong compression.

The nearest neighbours of an image by embedding are mostly other images of the same kind. Two things
tell which are worth decoding: that the small luma image of the one lies within that of the other
(`dataprep.measures.fingerprints.thumb`), and that two embeddings are closer than unrelated ones
come. The latter is calibrated on the data set itself.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dataprep.measures.fingerprints.thumb import Packed, correlate_parts
from dataprep.neighbours import Pairs
from dataprep.neighbours.cosine import Nearest

Rows = NDArray[np.int64]

#: Standard deviations of the similarity of random pairs from which two images are unusually alike.
#: Of photos of clothes that are so alike, 99 % were taken by the same person in the same place; of
#: one photo per person, none are.
UNUSUAL = 12.0
#: Pairs that the calibration draws.
_DRAWN = 20_000
#: Interquartile range of a normal distribution in standard deviations.
_QUARTILES = 1.349
#: Neighbours of each image that are looked at, and of those that are unusually alike.
_LOOKED_AT, _ALIKE_LOOKED_AT = 2, 6
#: Neighbours of each image among which these are looked for; copies of the image itself take some.
_SEARCHED = 12
#: Correlation of thumbs from which a pair is a candidate: crops to half of the area were at 0.92
#: and above; of the nearest neighbours among photos of clothes one in twenty gets there.
LIKENESS = 0.9
#: Candidates that are given on at most, the likeliest: so many, and one more for so many images.
_MOST, _IMAGES_PER_MORE = 400, 40


def unusual_similarity(values: NDArray[np.float32], known: NDArray[np.bool_]) -> float:
    """The cosine from which two of the vectors are unusually alike: `UNUSUAL` standard deviations
    above that of random pairs.

    The spread is taken from the quartiles, so that copies in the data hardly change it; 1 when
    fewer than 2 rows are known.

    Args:
        values: (n, m) float32 rows of unit length.
        known: (n,) bool.
    """
    rows = np.flatnonzero(known)
    if len(rows) < 2:
        return 1.0
    random = np.random.default_rng(0)
    a = random.integers(0, len(rows), _DRAWN)
    b = (a + random.integers(1, len(rows), _DRAWN)) % len(rows)
    likeness = np.einsum("ij,ij->i", values[rows[a]], values[rows[b]])
    low, middle, high = np.percentile(likeness, [25, 50, 75])
    return float(min(1.0, middle + UNUSUAL * (high - low) / _QUARTILES))


def alike_images(
    found: Nearest, unusual: float, thumbs: Packed | None, speaker: Rows, *, jobs: int = 0
) -> Pairs:
    """Pairs of rows that may be near duplicates, likeliest first; `Pairs.distance` is 1 less the
    likeness.

    Args:
        found: nearest neighbours of every row.
        unusual: cosine from which two images are unusually alike (`unusual_similarity`).
        thumbs: (n, 512) packed thumbs of every row, or None to go by the embedding alone.
        speaker: (n,) the row that speaks for each row, its known copies included; -1 leaves a row
            out. Pairs are of speakers.
        jobs: threads; 0 takes every core.
    """
    a, b, similarity = _neighbour_pairs(found, unusual, speaker)
    likeness, kept = similarity, similarity >= unusual
    if thumbs is not None:
        parts = correlate_parts(thumbs, a, b, jobs)
        likeness, kept = np.maximum(similarity, parts), kept | (parts >= LIKENESS)
    a, b, likeness = speaker[a[kept]], speaker[b[kept]], likeness[kept]
    order = np.lexsort((b, a, -likeness))
    order, left = np.split(order, [_MOST + len(speaker) // _IMAGES_PER_MORE])
    cut = len(np.unique([a[left], b[left]]))
    return Pairs(a[order].astype(np.int32), b[order].astype(np.int32), 1 - likeness[order], cut)


def _neighbour_pairs(
    found: Nearest, unusual: float, speaker: Rows
) -> tuple[Rows, Rows, NDArray[np.float32]]:
    """Each row with the few nearest that others speak for, the most alike pair of every two
    speakers; and their similarity.
    """
    near, likeness = found.indices[:, :_SEARCHED], found.similarity[:, :_SEARCHED]
    theirs = np.where(near >= 0, speaker[near], -1)
    wanted = (theirs >= 0) & (theirs != speaker[:, None]) & (speaker >= 0)[:, None]
    rank = np.cumsum(wanted, axis=1)
    wanted &= rank <= np.where(likeness >= unusual, _ALIKE_LOOKED_AT, _LOOKED_AT)
    a, column = np.nonzero(wanted)
    b, similarity = near[a, column].astype(np.int64), likeness[a, column]
    low, high = np.minimum(speaker[a], speaker[b]), np.maximum(speaker[a], speaker[b])
    order = np.lexsort((-similarity, high, low))
    low, high = low[order], high[order]
    first = np.ones(len(order), bool)
    first[1:] = (low[1:] != low[:-1]) | (high[1:] != high[:-1])
    best = order[first]
    return a[best], b[best], similarity[best]
