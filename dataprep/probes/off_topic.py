"""Which of the images that lie far off do not belong: their neighbours tell an image off topic from
a rare one.

Every set has a tail of unusual images, and most of it is rare, not wrong: a dog of an uncommon
breed is far from the bulk of the dogs, and its nearest images are dogs. So a far image counts as
off topic only with a second reason. Either its nearest ordinary images are not of its class, where
that class is otherwise recognised by its neighbours; or others as far as itself are among its
nearest, as where pictures of another source were mixed in; or it lies beyond where the tail of this
set ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.neighbours.cosine import Nearest
    from dataprep.probes.oddness import Oddness

#: Nearest images that are asked.
ASKED = 10
#: Images count as far up to this multiple of the rate; alone with their neighbours against them, up
#: to the rate itself.
_FAR = 3.0
#: Labels inform where the median image of a class has more neighbours of its class than chance by
#: this share; an image is vouched for by its class where its own do.
_MORE = 0.2
#: Of an image that is far off alone: the share of its class among its neighbours at most, and of
#: the median image's at least.
_ALONE, _MOST = 0.1, 0.55
#: Others as far that are to be among the nearest: with labels that inform, and without.
_ALIKE, _ALIKE_UNLABELLED = 2, 4
#: Ordinary images expected as far by the tail of the set itself, below which an image is beyond
#: that tail: where its class does not vouch for it, and where there is no class to ask. Real sets
#: of 200 images or more show 1 to 17, smaller ones 0.1 or more.
_BEYOND, _BEYOND_UNLABELLED = 1.0, 0.05


@dataclass(frozen=True, eq=False)
class FarImages:
    """The images that lie far off, and what their neighbours say of each.

    Attributes:
        rows: (m,) of the data set, the farthest first.
        alike: (m,) how many of the `ASKED` nearest lie as far off; a unit counts once, its own not
            at all.
        own: (m,) share of its class among the nearest ordinary images, NaN without labels.
        typical: (m,) the median share of its class among the nearest of the images of that class.
        expected: (m,) share of its class among all images.
        ordinary: (m, ASKED) the nearest ordinary images, -1 where there are fewer.
        off_topic: (m,) bool.
    """

    rows: NDArray[np.int64]
    alike: NDArray[np.int64]
    own: NDArray[np.float64]
    typical: NDArray[np.float64]
    expected: NDArray[np.float64]
    ordinary: NDArray[np.int64]
    off_topic: NDArray[np.bool_]


def far_images(
    oddness: Oddness, near: Nearest, given: NDArray[Any], units: NDArray[np.int64], rate: float
) -> FarImages:
    """Ask the neighbours of the images that lie far off whether these belong.

    Args:
        oddness: of n images.
        near: their nearest neighbours.
        given: (n,) codes of the classes, -1 without.
        units: (n,) number of what must not speak for one another: copies and groups.
        rate: share of ordinary images that may be as far as a claimed one, by the spread of the
            set.
    """
    chance = oddness.chance()
    rows = np.flatnonzero(chance < _FAR * rate)
    rows = rows[np.argsort(-oddness.deviations()[rows], kind="stable")]
    far = np.zeros(len(chance), bool)
    far[rows] = True
    alike, ordinary = _asked(near.indices, rows, far, units)
    own = _share_of_class(ordinary, given[rows], given)
    typical, expected = _of_class(near.indices[:, :ASKED], given, rows)
    informed = (typical >= expected + _MORE) & ~np.isnan(own)
    vouched = informed & ~(own <= expected + _MORE)
    grouped = ~vouched & (alike >= np.where(informed, _ALIKE, _ALIKE_UNLABELLED))
    against = informed & (typical >= _MOST) & (own <= _ALONE) & (chance[rows] < rate)
    beyond = ~vouched & (oddness.beyond()[rows] < np.where(informed, _BEYOND, _BEYOND_UNLABELLED))
    return FarImages(rows, alike, own, typical, expected, ordinary, grouped | against | beyond)


def _asked(
    indices: NDArray[np.int32],
    rows: NDArray[np.int64],
    far: NDArray[np.bool_],
    units: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Of each of `rows`: how many units among the `ASKED` nearest are as far, and the `ASKED`
    nearest that are not.
    """
    alike, ordinary = np.zeros(len(rows), np.int64), np.full((len(rows), ASKED), -1, np.int64)
    for place, row in enumerate(rows.tolist()):
        near = indices[row][indices[row] >= 0]
        others = near[units[near] != units[row]]
        first = near[:ASKED]
        alike[place] = len(np.unique(units[first[far[first] & (units[first] != units[row])]]))
        plain = others[~far[others]][:ASKED]
        ordinary[place, : len(plain)] = plain
    return alike, ordinary


def _share_of_class(
    near: NDArray[np.int64], own: NDArray[Any], given: NDArray[Any]
) -> NDArray[np.float64]:
    """(m,) share of the class `own` among the neighbours that have one; NaN where it, or all of
    them, have none.
    """
    classes = np.where(near >= 0, given[near], -1)
    known = (classes >= 0).sum(axis=1)
    share = ((classes == own[:, None]) & (classes >= 0)).sum(axis=1) / np.maximum(known, 1)
    return np.where((known > 0) & (own >= 0), share, np.nan)


def _of_class(
    near: NDArray[np.int32], given: NDArray[Any], rows: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(m,) each: the median share of its class among the nearest of its class, and its share of
    all images.
    """
    typical, expected = np.full((2, len(rows)), np.nan)
    for code in np.unique(given[rows]):
        if code >= 0:
            members = np.flatnonzero(given == code)
            typical[given[rows] == code] = np.nanmedian(
                _share_of_class(near[members].astype(np.int64), given[members], given)
            )
            expected[given[rows] == code] = len(members) / max(1, int((given >= 0).sum()))
    return typical, expected
