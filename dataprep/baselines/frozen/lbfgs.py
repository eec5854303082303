"""L-BFGS (Liu & Nocedal 1989) for smooth convex functions, in single precision: some thousand
coefficients in a few milliseconds of its own.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Pairs of steps and changes of the gradient that are kept.
_MEMORY = 10
#: Halvings of a step at most, and the share of the promised decrease that it has to bring.
_HALVINGS, _DECREASE = 20, 1e-4
#: It ends at gradients below this share of the first one, and where steps no longer pay.
_GRADIENT, _GAIN = 1e-4, 1e-7


def minimise(
    objective: Callable[[NDArray[np.float32]], tuple[float, NDArray[np.float32]]],
    start: NDArray[np.float32],
    steps: int,
) -> NDArray[np.float32]:
    """Where `objective` is least, about.

    Args:
        objective: coefficients to a value and its gradient, of the same shape.
        start: coefficients of any shape.
        steps: at most.
    """
    place = np.asarray(start, np.float32)
    value, gradient = objective(place)
    enough = _GRADIENT * max(1e-3, float(np.abs(gradient).max(initial=0)))
    pairs: deque[tuple[NDArray[np.float32], NDArray[np.float32], float]] = deque(maxlen=_MEMORY)
    for _ in range(steps):
        if float(np.abs(gradient).max(initial=0)) <= enough:
            break
        direction = _direction(gradient, pairs)
        slope = float(np.vdot(gradient, direction))
        size, tried = 1.0, None
        for _ in range(_HALVINGS):
            new = place + np.float32(size) * direction
            tried = objective(new)
            if tried[0] <= value + _DECREASE * size * slope:
                break
            size /= 2
        else:  # no step helps: single precision is at its end
            break
        step, change = new - place, tried[1] - gradient
        curved = float(np.vdot(step, change))
        if curved > 0:
            pairs.append((step, change, curved))
        gain = value - tried[0]
        place, value, gradient = new, tried[0], tried[1]
        if gain <= _GAIN * abs(value):
            break
    return place


def _direction(
    gradient: NDArray[np.float32],
    pairs: deque[tuple[NDArray[np.float32], NDArray[np.float32], float]],
) -> NDArray[np.float32]:
    """The step that the curvature seen so far proposes: two loops over the pairs."""
    rest = -gradient
    shares = []
    for step, change, curved in reversed(pairs):
        share = np.float32(np.vdot(step, rest) / curved)
        rest = rest - share * change
        shares.append(share)
    if pairs:
        _, change, curved = pairs[-1]
        rest = rest * np.float32(curved / max(float(np.vdot(change, change)), 1e-30))
    for (step, change, curved), share in zip(pairs, reversed(shares), strict=True):
        rest = rest + (share - np.float32(np.vdot(change, rest) / curved)) * step
    return rest
