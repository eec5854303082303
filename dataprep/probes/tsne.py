"""A map of the data: points in the plane such that near neighbours among the features stay near.
t-SNE in a few seconds.

t-SNE (van der Maaten & Hinton 2008) on the graph of nearest neighbours, every neighbour with the
same weight (Böhm, Berens & Kobak 2022: as good as weights by perplexity), started from the first
two principal components, so that the large-scale order means something (Kobak & Linderman 2021),
with the learning rate of Belkina et al. 2019. What makes it quick is the repulsion: Linderman et
al. 2019 take it from a grid by fast Fourier transforms; here as in particle-mesh simulations of
gravity (Hockney & Eastwood 1988), since the force between all points is the slope of one potential.
The forces between few points are worked out pair by pair, which is exact and quicker there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from dataprep.backends.blas import one_blas_thread

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Neighbours that attract each point.
NEIGHBOURS = 15
#: Steps with exaggerated attraction, in which clusters form, and steps without, in which they
#: unfold.
EARLY, LATE = 100, 250
#: Attraction is so many times stronger at first.
EXAGGERATION = 12.0
#: Spread of the points at the start; small, so that the principal components give order, not shape.
_START_SPREAD = 1e-4
#: Spread of what parts points that start, or were drawn, into one place.
_JITTER = 1e-6
#: No point moves farther in one step.
_LONGEST_STEP = np.float32(5)
#: Cells per unit of length of the map, and the most cells along one side; a larger map gets larger
#: cells.
_CELLS_PER_UNIT, _MOST_CELLS = 2.0, 384
_FEWEST_CELLS = 32
#: Up to so many points the forces are those of all pairs.
_FEW = 400


def lay_out(
    neighbours: NDArray[np.integer[Any]],
    start: NDArray[np.floating[Any]],
    *,
    seed: int = 0,
    early: int = EARLY,
    late: int = LATE,
) -> NDArray[np.float32]:
    """Positions in the plane, the same for the same input and seed.

    Args:
        neighbours: (n, k) positions of the nearest neighbours of each point among the n, nearest
            first; -1 where there is none.
        start: (n, c) coordinates to start from, most important first; the first two are used.
        seed: of the jitter that parts points which start at the same place.
        early: steps with exaggerated attraction.
        late: steps without.

    Returns:
        (n, 2) float32, the longer of the two directions from -1 to 1, the other centred.
    """
    if len(neighbours) < 3:
        return _spread_out(len(neighbours))
    graph = _Graph.of(neighbours[:, :NEIGHBOURS])
    points = _start(np.asarray(start, np.float64), seed)
    forces = _Pairs(graph) if len(neighbours) <= _FEW else _Forces(graph)
    velocity, gains = np.zeros_like(points), np.ones_like(points)
    with one_blas_thread():
        for step in range(early + late):
            if step == early:
                points += _jitter(points, seed)
            exaggeration, momentum = (EXAGGERATION, 0.5) if step < early else (1.0, 0.8)
            slope = forces.slope(points, np.float32(exaggeration))
            _descend(points, velocity, gains, slope, momentum, len(neighbours) / exaggeration)
    return _framed(points)


def _spread_out(n: int) -> NDArray[np.float32]:
    return np.stack([np.linspace(-1, 1, n) if n > 1 else np.zeros(n), np.zeros(n)], axis=1).astype(
        np.float32
    )


def _start(coordinates: NDArray[np.float64], seed: int) -> NDArray[np.float32]:
    points = np.random.default_rng(seed).normal(0, _JITTER, (2, len(coordinates)))
    taken = coordinates[:, :2].T - coordinates[:, :2].mean(axis=0)[:, None]
    points[: len(taken)] += taken * (_START_SPREAD / max(float(taken[0].std()), 1e-12))
    return points.astype(np.float32)


def _jitter(points: NDArray[np.float32], seed: int) -> NDArray[np.float32]:
    """(2, n) what parts points that exaggerated attraction drew into one: those of a few images,
    of which every one is a neighbour of every other. None where they lie apart.
    """
    scale = _JITTER if float(points.std()) < _JITTER else 0.0
    return np.random.default_rng(seed).normal(0, scale, points.shape).astype(np.float32)


def _descend(
    points: NDArray[np.float32],
    velocity: NDArray[np.float32],
    gains: NDArray[np.float32],
    slope: NDArray[np.float32],
    momentum: float,
    rate: float,
) -> None:
    """One step downhill, in place: momentum, and gains that grow while the slope keeps its sign
    (Jacobs 1988).
    """
    same = (slope > 0) == (velocity > 0)
    np.copyto(
        gains,
        np.maximum(
            np.where(same, gains * np.float32(0.8), gains + np.float32(0.2)), np.float32(0.01)
        ),
    )
    velocity *= np.float32(momentum)
    velocity -= np.float32(rate) * gains * slope
    velocity *= np.minimum(
        np.float32(1),
        _LONGEST_STEP / np.maximum(np.hypot(velocity[0], velocity[1]), np.float32(1e-12)),
    )
    points += velocity
    points -= points.mean(axis=1, keepdims=True)


def _framed(points: NDArray[np.float32]) -> NDArray[np.float32]:
    low, high = points.min(axis=1, keepdims=True), points.max(axis=1, keepdims=True)
    half = max(float((high - low).max()) / 2, 1e-12)
    return np.ascontiguousarray(((points - (low + high) / 2) / half).T, np.float32)


@dataclass(frozen=True, eq=False)
class _Graph:
    """The neighbours of each point as an undirected graph whose weights sum to 1/2.

    Attributes:
        ones, others: (e,) ends of each edge, the first the smaller number; sorted.
        weights: (e,) float32.
        n: number of points.
    """

    ones: NDArray[np.int32]
    others: NDArray[np.int32]
    weights: NDArray[np.float32]
    n: int

    @classmethod
    def of(cls, neighbours: NDArray[np.integer[Any]]) -> _Graph:
        """The graph in which each point points to its neighbours with equal weight, made
        symmetric.
        """
        n, k = neighbours.shape
        tails, heads = np.repeat(np.arange(n), k), neighbours.ravel().astype(np.int64)
        tails, heads = tails[heads >= 0], heads[heads >= 0]
        edges, times = np.unique(
            np.minimum(tails, heads) * n + np.maximum(tails, heads), return_counts=True
        )
        ones, others = (edges // n).astype(np.int32), (edges % n).astype(np.int32)
        weights = (times / max(2 * times.sum(), 1)).astype(np.float32)
        return cls(ones, others, weights, n)


class _Pairs:
    """The forces between few points, pair by pair."""

    def __init__(self, graph: _Graph) -> None:
        self._weights = np.zeros((graph.n, graph.n), np.float32)
        self._weights[graph.ones, graph.others] = graph.weights
        self._weights[graph.others, graph.ones] = graph.weights
        self._near, self._pull = np.empty_like(self._weights), np.empty_like(self._weights)

    def slope(self, points: NDArray[np.float32], exaggeration: np.float32) -> NDArray[np.float32]:
        """(2, n) slope of the loss at each point."""
        near, pull, ones = self._near, self._pull, np.ones_like(points[0])
        squares = points[0] * points[0] + points[1] * points[1]
        np.matmul(
            np.stack([*points, squares, ones], axis=1),
            np.stack([*(np.float32(-2) * points), ones, ones + squares]),
            out=near,
        )  # 1 + d²
        np.reciprocal(near, out=near)
        total = max(float(near.sum()) - len(near), 1e-12)  # less each's own
        np.multiply(self._weights, exaggeration, out=pull)
        pull -= near * np.float32(1 / total)
        pull *= near
        drawn = pull @ np.stack([*points, ones], axis=1)  # (n, 3)
        return np.asarray(points * drawn[:, 2] - drawn[:, :2].T)


class _Forces:
    """The forces between many points: attraction along the edges, repulsion from a mesh."""

    def __init__(self, graph: _Graph) -> None:
        from scipy.sparse import csr_array

        self._graph, self._mesh = graph, _Mesh()
        firsts = np.searchsorted(graph.ones, np.arange(graph.n + 1)).astype(np.int32)
        self._matrix = csr_array((graph.weights.copy(), graph.others, firsts), (graph.n, graph.n))

    def slope(self, points: NDArray[np.float32], exaggeration: np.float32) -> NDArray[np.float32]:
        """(2, n) slope of the loss at each point."""
        return np.asarray(exaggeration * self._attraction(points) - self._mesh.repulsion(points))

    def _attraction(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
        """(2, n) slope of the attracting part of the loss at each point."""
        apart = points.take(self._graph.ones, axis=1)
        apart -= points.take(self._graph.others, axis=1)
        pull = self._graph.weights / (np.float32(1) + apart[0] * apart[0] + apart[1] * apart[1])
        slope, every = np.empty_like(points), np.ones(points.shape[1], np.float32)
        for axis in range(2):
            np.multiply(pull, apart[axis], out=self._matrix.data)
            np.subtract(self._matrix @ every, self._matrix.T @ every, out=slope[axis])
        return slope


@dataclass
class _Mesh:
    """The repulsion between all points, from the potential 1 / (1 + d²) on a grid that grows
    with the map.
    """

    cells: int = 0
    size: float = 0.0
    _kernel: NDArray[Any] = field(default_factory=lambda: np.zeros(0))

    def repulsion(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
        """(2, n) slope of the repelling part of the loss at each point, positive away from the
        others.
        """
        low = points.min(axis=1, keepdims=True)
        self._fit(float((points.max(axis=1, keepdims=True) - low).max()))
        place = (points - low) / np.float32(self.size) + np.float32(2)
        nearest = np.rint(place)
        weights, slopes = _splines(place - nearest)
        cell = nearest.astype(np.int64)
        around = np.arange(-1, 2)
        spots = (around[:, None] * self.cells + around)[:, :, None] + (
            cell[0] * self.cells + cell[1]
        )  # (3, 3, n)
        shares = weights[:, None, 0] * weights[None, :, 1]
        mass = np.bincount(spots.ravel(), shares.ravel(), self.cells**2)
        felt = self._potential(mass.astype(np.float32))[spots]
        across = np.einsum("bn,abn->an", weights[:, 1], felt)
        total = float(np.vdot(weights[:, 0], across)) - points.shape[1]  # less each's own
        slope = np.empty_like(points)
        np.einsum("an,an->n", slopes[:, 0], across, out=slope[0])
        np.einsum("an,bn,abn->n", weights[:, 0], slopes[:, 1], felt, out=slope[1])
        slope *= np.float32(-0.5 / self.size / max(total, 1e-12))
        return slope

    def _potential(self, mass: NDArray[np.float32]) -> NDArray[np.float32]:
        """The potential (cells²,) at every grid point, of `mass` (cells²,); twice the grid, so
        that it does not wrap around, whose other half is neither transformed nor made.
        """
        fft, cells = np.fft, self.cells
        waves = fft.fft(fft.rfft(mass.reshape(cells, cells), 2 * cells), 2 * cells, axis=0)
        waves *= self._kernel
        waves = fft.ifft(waves, axis=0)[:cells]
        return np.asarray(fft.irfft(waves, 2 * cells)[:, :cells], np.float32).reshape(-1)

    def _fit(self, span: float) -> None:
        """A grid with room for `span`; kept while it is neither too small nor far too large."""
        room = (self.cells - 5) * self.size
        if self.cells and span <= room and (span > 0.6 * room or self.cells == _FEWEST_CELLS):
            return
        wanted = int(1.15 * span * _CELLS_PER_UNIT) + 6
        self.cells = int(np.clip(-(-wanted // 16) * 16, _FEWEST_CELLS, _MOST_CELLS))
        self.size = max(1.15 * span / (self.cells - 5), 1.0 / _CELLS_PER_UNIT)
        apart = (
            np.minimum(np.arange(2 * self.cells), 2 * self.cells - np.arange(2 * self.cells))
            * self.size
        )
        waves = np.fft.rfft2(1.0 / (1.0 + apart[:, None] ** 2 + apart**2))
        # what spreading points over cells and reading them back blurs is divided out
        blur = np.sinc(np.fft.fftfreq(2 * self.cells)) ** 6
        self._kernel = (waves / (blur[:, None] * blur[: self.cells + 1])).astype(np.complex64)


def _splines(offset: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Quadratic B-spline weights of the nearest grid line and its two neighbours, and their slopes;
    (3, 2, n) each.

    Args:
        offset: (2, n) distance to the nearest line, -0.5 to 0.5.
    """
    half = np.float32(0.5)
    before, after = half - offset, half + offset
    weights = np.stack([half * before**2, np.float32(0.75) - offset**2, half * after**2])
    return weights, np.stack([-before, np.float32(-2) * offset, after])
