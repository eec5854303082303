"""All pairs of 64-bit hashes that differ in at most so many bits.

Multi-index hashing (Norouzi, Punjani, Fleet 2012), by combinations: cut the 64 bits into m chunks;
two hashes within `radius` bits agree in at least ``m - radius`` of them. So for every choice of
that many chunks, sort by these chunks and compare those that are equal there. A pair is taken at
the first choice that shows it, so nothing needs to be remembered to take it once.

Real hashes crowd. Where comparing all that are equal would take `_WORK` comparisons per hash more
than it does without crowds, the rest is left; two hashes that have `most` neighbours each are not
compared any more, so that what is near to one of a crowd and not of it is still found. Both are
counted in `Pairs.cut`.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from dataprep.backends.capacity import worker_count
from dataprep.neighbours import Pairs

Hashes = NDArray[np.uint64]
Rows = NDArray[np.int32]
Found = tuple[Rows, Rows, NDArray[np.uint8], Rows]

BITS = 64
#: Largest radius for which the plans below stay reasonable.
MAX_RADIUS = 16
#: Comparisons per hash that crowds may cost at one choice of chunks, on average, and the least that
#: is always allowed.
_WORK, _LEAST_WORK = 16, 4_000_000
#: Neighbours that are enough for a hash in a crowd; of more than `_MANY` hashes memory and time
#: allow fewer.
_MOST, _MOST_OF_MANY, _MANY = 128, 32, 200_000
#: Choices between two looks at which hashes have enough neighbours; fixed, so that results do not
#: depend on the threads.
_BATCH = 4
#: Measured nanoseconds: comparing two hashes outright, sorting one, comparing two that a sort
#: brought together.
_BRUTE_NS, _SORT_NS, _PAIR_NS = 1.0, 60.0, 12.0
_MOST_CHOICES = 2000
#: Hashes are compared with the first of those equal to them, then with the second, and so on; where
#: after as many steps so few are left, each with all the others that are.
_STEPS, _FEW = 16, 512
#: Comparisons at once when every hash is compared with every other: few enough for the processor's
#: cache.
_BRUTE_BLOCK = 1 << 20


def collapse(hashes: Hashes) -> tuple[Hashes, NDArray[np.int64]]:
    """The distinct values of `hashes` (n,), sorted, and for each hash the position of its value
    among them (n,).
    """
    distinct, places = np.unique(hashes, return_inverse=True)
    return distinct, places.astype(np.int64).ravel()


def distance(a: Hashes, b: Hashes) -> NDArray[np.uint8]:
    """Number of bits that differ, elementwise."""
    return np.asarray(np.bitwise_count(a ^ b))


def pairs_within(hashes: Hashes, radius: int, *, most: int = 0, jobs: int = 0) -> Pairs:
    """All pairs of `hashes` at a Hamming distance of at most `radius`.

    Exact unless `Pairs.cut` says otherwise; the same for any number of threads.

    Args:
        hashes: (n,) uint64, distinct (see `collapse`).
        radius: 0 to `MAX_RADIUS` bits.
        most: hashes with this many neighbours are not compared with each other any more where
            there is a crowd; 0 takes `_MOST`, or fewer of many hashes.
        jobs: threads; 0 takes every core.

    Raises:
        ValueError: a radius out of range.
    """
    if not 0 <= radius <= MAX_RADIUS:
        raise ValueError(f"radius: expected 0 to {MAX_RADIUS} bits, got {radius}")
    if len(hashes) < 2 or not radius:
        return Pairs.empty()
    most = most or (_MOST if len(hashes) <= _MANY else _MOST_OF_MANY)
    plan = _plan(len(hashes), radius)
    parts, cut = (
        (_compare_all(hashes, radius, jobs), 0)
        if plan is None
        else _search(hashes, radius, plan, most, jobs)
    )
    a, b, bits = (np.concatenate(column) for column in list(zip(*parts, strict=True))[:3])
    order = np.argsort(np.minimum(a, b).astype(np.int64) << 32 | np.maximum(a, b))
    a, b = a[order], b[order]
    return Pairs(np.minimum(a, b), np.maximum(a, b), bits[order], cut)


@dataclass(frozen=True)
class _Plan:
    """`chunks` chunks, of which `equal` must be; `widths` are their sizes in bits."""

    chunks: int
    equal: int

    @property
    def widths(self) -> list[int]:
        return [BITS // self.chunks + (chunk < BITS % self.chunks) for chunk in range(self.chunks)]

    def cost_ns(self, n: int) -> float:
        """Expected time for `n` hashes without structure."""
        return math.comb(self.chunks, self.equal) * n * (_SORT_NS + self.compared(n) * _PAIR_NS)

    def compared(self, n: int) -> float:
        """Expected comparisons per hash at one choice, for `n` hashes without structure."""
        return n / float(2 ** (1 + BITS * self.equal / self.chunks))


def _plan(n: int, radius: int) -> _Plan | None:
    """The cheapest plan; None where comparing every hash with every other is cheaper."""
    plans = [_Plan(radius + equal, equal) for equal in range(1, 7)]
    # A key, a flag and a position must fit into 64 bits together; one chunk of half of them or less
    # always does.
    fitting = [
        p
        for p in plans
        if math.comb(p.chunks, p.equal) <= _MOST_CHOICES and sum(p.widths[: p.equal]) <= 64 - 1 - 31
    ]
    best = min(fitting, key=lambda p: p.cost_ns(n))
    return None if n * n / 2 * _BRUTE_NS < best.cost_ns(n) else best


def _compare_all(hashes: Hashes, radius: int, jobs: int) -> list[Found]:
    nothing = np.zeros(0, np.int32)
    step = max(1, _BRUTE_BLOCK // len(hashes))

    def compare(start: int) -> Found:
        bits = np.bitwise_count(hashes[start : start + step, None] ^ hashes[None, start:])
        a, b = np.divmod(np.flatnonzero(bits <= radius), len(hashes) - start)
        a, b = a[b > a], b[b > a]
        return (a + start).astype(np.int32), (b + start).astype(np.int32), bits[a, b], nothing

    with ThreadPoolExecutor(worker_count(jobs)) as pool:
        return list(pool.map(compare, range(0, len(hashes), step)))


def _search(
    hashes: Hashes, radius: int, plan: _Plan, most: int, jobs: int
) -> tuple[list[Found], int]:
    neighbours = np.zeros(len(hashes), np.int64)
    cut = np.zeros(len(hashes), bool)
    parts: list[Found] = []
    choices = list(combinations(range(plan.chunks), plan.equal))
    one_choice = _OneChoice(_spread(hashes, plan.chunks), radius, plan)
    with ThreadPoolExecutor(worker_count(jobs)) as pool:
        for start in range(0, len(choices), _BATCH):
            one_choice.full = neighbours >= most
            for a, b, bits, unfinished in pool.map(
                one_choice.find, choices[start : start + _BATCH]
            ):
                parts.append((a, b, bits, unfinished))
                neighbours += np.bincount(a, minlength=len(hashes)) + np.bincount(
                    b, minlength=len(hashes)
                )
                cut[unfinished] = True
    return parts, int(np.count_nonzero(cut | (neighbours >= most)))


def _spread(hashes: Hashes, chunks: int) -> Hashes:
    """The hashes with their bits reordered: neighbouring bits of a hash are alike, so every
    chunk takes bits from all over.
    """
    order = [bit for chunk in range(chunks) for bit in range(chunk, BITS, chunks)]
    spread = np.zeros_like(hashes)
    for place, bit in enumerate(order):
        spread |= ((hashes >> np.uint64(BITS - 1 - bit)) & np.uint64(1)) << np.uint64(
            BITS - 1 - place
        )
    return spread


class _OneChoice:
    """The comparisons that one choice of chunks asks for.

    Attributes:
        full: (n,) which hashes are not compared with each other any more.
    """

    def __init__(self, hashes: Hashes, radius: int, plan: _Plan) -> None:
        self._hashes, self._radius = hashes, radius
        ends = np.cumsum(plan.widths)
        self._chunks = [
            (BITS - int(end), width) for end, width in zip(ends, plan.widths, strict=True)
        ]
        self._index_bits = max(len(hashes) - 1, 1).bit_length()
        self._work = max((_WORK + 2 * plan.compared(len(hashes))) * len(hashes), _LEAST_WORK)
        self.full = np.zeros(len(hashes), bool)

    def find(self, choice: tuple[int, ...]) -> Found:
        """(a, b, bits, unfinished): pairs whose first common chunks are `choice`, and the hashes
        whose run was too long.
        """
        bits, last = np.uint64(self._index_bits), np.uint64((1 << self._index_bits) - 1)
        # Of the hashes that are equal in these chunks the full ones come last: what begins a pair
        # is not full.
        packed = self._key(choice) << np.uint64(1) | self.full
        packed <<= bits
        packed |= np.arange(len(self._hashes), dtype=np.uint64)
        packed.sort()
        rows = (packed & last).astype(np.int32)
        packed >>= bits
        keys = packed >> np.uint64(1)
        at = np.flatnonzero((keys[1:] == keys[:-1]) & (packed[:-1] & np.uint64(1) == 0))
        one, other, left = self._near(self._hashes[rows], keys, at)
        a, b = rows[one], rows[other]
        first = self._is_first(self._hashes[a] ^ self._hashes[b], choice)
        a, b = a[first], b[first]
        return a, b, distance(self._hashes[a], self._hashes[b]), rows[left]

    def _near(
        self, hashes: Hashes, keys: Hashes, at: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """(places, places of later ones of the same key that are near, places whose run was too
        long), for the places `at` of sorted keys, each of which has a later one.
        """
        found_at, found_with, work, step = [], [], 0, 1
        few = False
        while len(at) and not few and work + len(at) <= self._work:
            near = distance(hashes[at], hashes[at + step]) <= self._radius
            found_at.append(at[near])
            found_with.append(found_at[-1] + step)
            work, step = work + len(at), step + 1
            at = at[at + step < len(keys)]
            at = at[keys[at + step] == keys[at]]
            few = step % _STEPS == 0 and len(at) <= _FEW
        ends = np.searchsorted(keys, keys[at], side="right") if few else at
        done = 0
        for place, end in zip(at.tolist(), ends.tolist(), strict=True) if few else ():
            if work + end - place - step > self._work:
                break
            others = hashes[place + step : end]
            with_it = np.flatnonzero(distance(hashes[place], others) <= self._radius)
            found_at.append(np.full(len(with_it), place))
            found_with.append(with_it + (place + step))
            work, done = work + len(others), done + 1
        a, b = (
            np.concatenate(found) if found else np.zeros(0, np.int64)
            for found in (found_at, found_with)
        )
        return a, b, at[done:]

    def _key(self, choice: tuple[int, ...]) -> Hashes:
        key = np.zeros(len(self._hashes), np.uint64)
        for shift, width in (self._chunks[chunk] for chunk in choice):
            key <<= np.uint64(width)
            key |= (self._hashes >> np.uint64(shift)) & np.uint64((1 << width) - 1)
        return key

    def _is_first(self, differing: Hashes, choice: tuple[int, ...]) -> NDArray[np.bool_]:
        """Whether no earlier chunk outside `choice` is equal too: then an earlier choice has the
        pair already.
        """
        first = np.ones(len(differing), bool)
        for chunk in set(range(choice[-1])) - set(choice):
            shift, width = self._chunks[chunk]
            first &= (differing >> np.uint64(shift)) & np.uint64((1 << width) - 1) != 0
        return first
