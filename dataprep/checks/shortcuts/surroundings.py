"""The surroundings of a patch: whether images that share it differ around it as all other images
do.

A pattern that a class shows by its nature goes on beyond its edge: where a stroke passes, the
pixels beside it are inked too, and images of one scene are alike all around. What was put into
pictures that have nothing else in common breaks with them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Levels of 256 by which a pixel of a patch may differ from one image to another.
_ALIKE = 12
#: A pixel belongs to the patch where so many of the carriers have its colour, and no more than so
#: many of the others.
_OF_CARRIERS, _OF_OTHERS = 0.7, 0.4
#: Levels of 256 that make a difference: beside the patch, where JPEG smears it, and on average all
#: around.
_BESIDE, _AROUND = 32.0, 4.0
#: Pixels around the patch in which images are compared with each other.
_WIDTH = 4
_PAIRS = 600
#: A patch has at most so many pixels a side.
_LONGEST = 12


@dataclass(frozen=True, eq=False)
class Surroundings:
    """What is seen around a patch.

    Attributes:
        mask: (s, s) the pixels of the patch, in a window around its surest one.
        colours: (s, s, 3) uint8 median colours of the carriers.
        broken: 0.5 where pixels beside the patch are as far from its colour in the carriers as in
            other images; 0 where they are always nearer, so that it continues.
        varied: 0.5 where two carriers differ around the patch as much as two other images; 0 where
            they are always more alike.
        usual: share of other images that look like the patch at its place.
    """

    mask: NDArray[np.bool_]
    colours: NDArray[np.uint8]
    broken: float
    varied: float
    usual: float

    @property
    def apart(self) -> float:
        """How far the patch has nothing to do with what is around it: 0.5 for a planted one,
        near 0 for content.
        """
        return min(self.broken, self.varied)

    @property
    def is_small(self) -> bool:
        """Whether it is a patch rather than a part of a scene."""
        rows, columns = np.nonzero(self.mask)
        return max(int(np.ptp(rows)), int(np.ptp(columns))) < _LONGEST


def surroundings(carriers: NDArray[np.int16], others: NDArray[np.int16]) -> Surroundings | None:
    """What is seen around a patch; None where nothing around it is known.

    Args:
        carriers: (c, s, s, 3) windows of images that carry the patch in the middle
            (`dataprep.measures.image.windows`).
        others: (o, s, s, 3) windows of images that do not, at the same place.
    """
    middle = carriers.shape[1] // 2
    carriers, others = (each[each[:, middle, middle, 0] >= 0] for each in (carriers, others))
    if min(len(carriers), len(others)) < 2:
        return None
    known = ((carriers[..., 0] >= 0).mean(axis=0) > 0.5) & (
        (others[..., 0] >= 0).mean(axis=0) > 0.5
    )
    colours = np.median(carriers, axis=0)
    mask = _mask(carriers, others, colours, known)
    beside, around = (_grown(mask, width) & ~mask & known for width in (1, _WIDTH))
    if not beside.any():
        return None
    alike = (np.abs(others[:, mask] - colours[mask]).max(axis=-1) <= _ALIKE).all(axis=1)
    return Surroundings(
        mask,
        np.clip(colours, 0, 255).astype(np.uint8),
        _broken(carriers, others, colours, mask, beside),
        _rank(_spread(carriers[:, around]), _spread(others[:, around]), _AROUND),
        float(alike.mean()),
    )


def _mask(
    carriers: NDArray[np.int16],
    others: NDArray[np.int16],
    colours: NDArray[np.float64],
    known: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """(s, s) the pixels joined to the middle that nearly all carriers have in one colour, and
    not most of the others.
    """
    shares = [
        (np.abs(each - colours).max(axis=-1) <= _ALIKE).mean(axis=0) for each in (carriers, others)
    ]
    members = (shares[0] >= _OF_CARRIERS) & (shares[1] <= _OF_OTHERS) & known
    middle = len(members) // 2
    members[middle, middle] = True
    _, parts = cv2.connectedComponents(members.astype(np.uint8), connectivity=8)
    return np.asarray(parts == parts[middle, middle], bool)


def _grown(mask: NDArray[np.bool_], width: int) -> NDArray[np.bool_]:
    """(s, s) the mask and the pixels up to `width` away from it."""
    return np.asarray(
        cv2.dilate(mask.astype(np.uint8), np.ones((3, 3), np.uint8), iterations=width) > 0, bool
    )


def _broken(
    carriers: NDArray[np.int16],
    others: NDArray[np.int16],
    colours: NDArray[np.float64],
    mask: NDArray[np.bool_],
    beside: NDArray[np.bool_],
) -> float:
    """As `Surroundings.broken`: by the quarter of the pixels beside it that are nearest in
    colour, and by their mean.
    """
    inside, outside = np.argwhere(mask), np.argwhere(beside)
    nearest = inside[((outside[:, None] - inside) ** 2).sum(axis=-1).argmin(axis=1)]
    edge = colours[nearest[:, 0], nearest[:, 1]]
    ours, theirs = (np.abs(each[:, beside] - edge).max(axis=-1) for each in (carriers, others))
    quarters = _rank(np.quantile(ours, 0.25, axis=1), np.quantile(theirs, 0.25, axis=1), _BESIDE)
    return min(quarters, _rank(ours.mean(axis=1), theirs.mean(axis=1), _BESIDE))


def _spread(windows: NDArray[np.int16]) -> NDArray[np.float64]:
    """(p,) mean difference, in levels, of pairs of windows (n, k, 3)."""
    some, others = np.random.default_rng(0).integers(0, len(windows), (2, _PAIRS))
    apart = some != others
    return np.asarray(
        np.abs(windows[some[apart]] - windows[others[apart]]).mean(axis=(1, 2)), np.float64
    )


def _rank(some: NDArray[np.float64], others: NDArray[np.float64], step: float) -> float:
    """Probability that one of `some` is larger than one of `others`; what is no further apart
    than `step` counts half.
    """
    difference = some[:, None] - others[None, :]
    return float(0.5 + ((difference > step).mean() - (difference < -step).mean()) / 2)
