"""Small problems for the tests of the optimiser: samples with a unit and a class each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st

from dataprep.splits.solver.problem import Ints, Problem


def problem_of(
    unit: Ints, label: Ints, targets: Sequence[float], fixed: Ints | None = None
) -> Problem:
    """Samples with a unit and a class (-1: none) each; `targets` are scaled to the samples."""
    units, classes = int(unit.max()) + 1, int(label.max(initial=0)) + 1
    known = label >= 0
    cells, counts = np.unique(unit[known] * classes + label[known], return_counts=True)
    wanted = np.asarray(targets, np.float64)
    return Problem(
        np.bincount(unit, minlength=units).astype(np.int64),
        cells // classes,
        cells % classes,
        counts.astype(np.int64),
        tuple(f"label={each}" for each in range(classes)),
        np.ones(classes),
        tuple(f"part{each}" for each in range(len(wanted))),
        wanted / wanted.sum() * len(unit),
        np.full(units, -1, np.int64) if fixed is None else fixed,
    )


@st.composite
def problems(draw: st.DrawFn, *, most_units: int = 20, most_parts: int = 5) -> Problem:
    """Units of 1 to 9 samples, up to 4 classes, parts of any size (of none, too), now and then
    with a unit that is fixed.
    """
    sizes = np.array(draw(st.lists(st.integers(1, 9), min_size=1, max_size=most_units)))
    unit = np.repeat(np.arange(len(sizes)), sizes)
    label = np.array(draw(st.lists(st.integers(-1, 3), min_size=len(unit), max_size=len(unit))))
    targets = draw(
        st.lists(st.sampled_from([0, 1, 1, 2, 7]), min_size=1, max_size=most_parts).filter(any)
    )
    fixed = draw(
        st.lists(
            st.sampled_from([-1, -1, -1, *range(len(targets))]),
            min_size=len(sizes),
            max_size=len(sizes),
        )
    )
    return problem_of(unit, label, targets, np.array(fixed, np.int64))


def random_problem(
    seed: int, units: int, parts: int, *, samples: int = 12, classes: int = 3
) -> Problem:
    """Units of a few samples each that lean towards one class."""
    rng = np.random.default_rng(seed)
    unit = np.append(np.arange(units), rng.integers(0, units, max(0, samples - units)))
    lean = rng.integers(0, classes, units)
    label = np.where(rng.random(len(unit)) < 0.7, lean[unit], rng.integers(0, classes, len(unit)))
    return problem_of(unit, label, [1] * parts)


def all_divisions(units: int, parts: int) -> Ints:
    """(parts ** units, units) every way to divide units over parts."""
    return np.indices((parts,) * units).reshape(units, -1).T.astype(np.int64)
