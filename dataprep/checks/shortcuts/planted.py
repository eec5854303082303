"""Which of the patches that recur were put into the pictures, and which are what the pictures of
the class show.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dataprep.checks.shortcuts.recurrence import LEAST, Patch
from dataprep.checks.shortcuts.surroundings import Surroundings, surroundings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    #: (rows, places) to the windows around them, (q, s, s, 3).
    Windows = Callable[[NDArray[np.int64], NDArray[np.int64]], NDArray[np.int16]]

#: Images with the patch, and without it, that are compared around it.
_CARRIERS, _OTHERS = 64, 200
#: `Surroundings.apart` of a planted patch is 0.5, with a standard deviation of 1 / sqrt(12 n) for n
#: carriers; limits of what is let pass for that. Chosen on digits, clothes and CIFAR-10 with
#: planted patches, and on these and hands as they are.
_DEVIATIONS, _LEAST_SLACK, _MOST_SLACK = 2.5, 0.14, 0.16
#: What a larger share of other images show at the place is usual there: background, sky, white.
_USUAL = 0.15
#: Where so many of the patches that recur are content, recurring is in the nature of the data set.
#: Then a patch has to be rarer elsewhere, and surer by a factor of exp(8), unless it has several
#: pixels and is seen nowhere else.
_PLACEBOS, _RARE, _MARGIN = 2, 0.03, 8.0
_SEVERAL, _UNSEEN = 4, 0.01


@dataclass(frozen=True, eq=False)
class Planted:
    """A patch that has nothing to do with the pictures that carry it."""

    patch: Patch
    seen: Surroundings


def planted(patches: Sequence[Patch], rows: NDArray[np.int64], windows: Windows) -> list[Planted]:
    """Those of `patches` that break with what surrounds them in pictures that differ around them.

    Args:
        patches: that recur, the surest first.
        rows: images that may be looked at.
        windows: gives the pixels around places; all minus one where they are out of reach.
    """
    judged = [
        Planted(patch, seen)
        for patch, seen in zip(patches, _seen(patches, rows, windows), strict=True)
        if seen is not None
    ]
    breaking = [
        each
        for each in judged
        if each.seen.usual <= _USUAL and each.seen.apart >= 0.5 - _slack(each.patch)
    ]
    content = len(judged) - len(breaking)
    return [
        each
        for each in breaking
        if each.seen.is_small and (content < _PLACEBOS or _stands_out(each))
    ]


def _stands_out(found: Planted) -> bool:
    """Whether it differs from what recurs here anyway."""
    if found.seen.usual <= _UNSEEN and found.seen.mask.sum() >= _SEVERAL:
        return True
    return found.seen.usual <= _RARE and found.patch.log_chance <= found.patch.log_limit - _MARGIN


def _slack(patch: Patch) -> float:
    deviation = 1 / np.sqrt(12 * min(len(patch.carriers), _CARRIERS))
    return float(np.clip(_DEVIATIONS * deviation, _LEAST_SLACK, _MOST_SLACK))


def _seen(
    patches: Sequence[Patch], rows: NDArray[np.int64], windows: Windows
) -> list[Surroundings | None]:
    rng = np.random.default_rng(0)
    shuffled = rng.permutation(rows)  # the same others for all, to decode few images
    chosen = [
        (
            rng.permutation(patch.carriers)[:_CARRIERS],
            shuffled[~np.isin(shuffled, patch.carriers)][:_OTHERS],
        )
        for patch in patches
    ]
    if not chosen:
        return []
    asked = [np.concatenate(pair) for pair in chosen]
    places = np.repeat([int(patch.places[0]) for patch in patches], [len(each) for each in asked])
    pixels = np.split(
        windows(np.concatenate(asked), places), np.cumsum([len(each) for each in asked])[:-1]
    )
    return [
        surroundings(part[: len(carriers)], part[len(carriers) :])
        if len(carriers) >= LEAST
        else None
        for part, (carriers, _) in zip(pixels, chosen, strict=True)
    ]
