"""The second look: candidate pairs of images are decoded again, aligned, and confirmed or refuted by their pixels.

Work is cut into jobs of images that are linked with each other, so that each image is decoded about once. Within a job the best
image becomes a keeper, everything that shows the same as it becomes its copy, then the best of the rest becomes a keeper, and so
on. So every copy was held against its keeper itself: no chain of vague resemblances makes one giant group. Jobs run in guarded
worker processes; this module imports nothing that they do not need.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Any

import cv2
import numpy as np

from dataprep.backends import imap
from dataprep.measures.alignment import Match, Picture, match
from dataprep.measures.decoding import Undecodable, open_pixels, read_bytes
from dataprep.measures.hashes import hash_thumb, reduce_to_thumb
from dataprep.measures.options import PassOptions
from dataprep.measures.relations import Facts, name_relation
from dataprep.schemas.lost import Lost

Link = tuple[int, int]

#: Images per job.
JOB_SIZE = 48
#: Rounds in which keepers of different jobs are compared with each other.
_ROUNDS = 6
#: Images larger than this many megapixels are decoded at reduced scale.
_MEGAPIXELS = 0.45
#: Hash distance from which the orientation that the hashes name is doubted, and the mirrored image tried too.
_DOUBTFUL = 16
_SURE_SHARE = 0.8


@dataclass(frozen=True)
class Subject:
    """One image of a job: `row` identifies it, `data` is its content where workers cannot read `path`."""

    row: int
    path: str
    facts: Facts
    data: bytes | None = None


@dataclass(frozen=True)
class Job:
    """Linked images, best first, and the links among them as positions (i, j), i < j."""

    subjects: tuple[Subject, ...]
    links: tuple[Link, ...]


@dataclass(frozen=True)
class Copy:
    """A confirmed pair: the copy at `row` was held against the keeper at `keeper` itself.

    Attributes:
        relation: "B is A ..." or "A is B ...", where A is the keeper.
        confidence: 0 to 1.
    """

    keeper: int
    row: int
    relation: str
    confidence: float


@dataclass
class Confirmed:
    """What the second look found.

    Attributes:
        copies: confirmed pairs; a row is the copy of one keeper at most, and no keeper is a copy.
        compared: pairs that were compared.
        unseen: links that could not be looked at, by reason.
    """

    copies: list[Copy] = field(default_factory=list)
    compared: int = 0
    unseen: dict[str, int] = field(default_factory=dict)


def verifying(options: PassOptions) -> Callable[[Job], tuple[list[Copy], list[Link]]]:
    """The task of the second look, for `dataprep.backends.imap`: a `Job` to its copies and the pairs of rows it refuted."""
    cv2.setNumThreads(1)
    small = replace(options, scale_above_megapixels=_MEGAPIXELS)
    return lambda job: _verify(job, small)


def _verify(job: Job, options: PassOptions) -> tuple[list[Copy], list[Link]]:
    linked: dict[int, list[int]] = defaultdict(list)
    for i, j in job.links:
        linked[i].append(j)
        linked[j].append(i)
    pictures: dict[int, _Oriented | None] = {}
    copies, refuted, taken = [], [], set()
    for keeper in range(len(job.subjects)):
        if keeper in taken:
            continue
        waiting, seen = list(linked[keeper]), {keeper}
        while waiting:
            other = waiting.pop(0)
            if other <= keeper or other in taken or other in seen:
                continue
            seen.add(other)
            copy = _compare(job.subjects, keeper, other, pictures, options)
            if copy is None:
                refuted.append((job.subjects[keeper].row, job.subjects[other].row))
            else:
                copies.append(copy)
                taken.add(other)
                waiting.extend(linked[other])
    return copies, refuted


class _Oriented:
    """A picture with the hashes that tell how it is turned against another."""

    def __init__(self, picture: Picture) -> None:
        self.picture = picture
        self.hashes = hash_thumb(reduce_to_thumb(picture.plane))

    def orientations_of(self, other: _Oriented) -> tuple[int, ...]:
        """In which orientations `other` may show the same, likeliest first."""
        bits = np.bitwise_count(self.hashes[0] ^ other.hashes)
        best = int(np.argmin(bits))
        if bits[best] <= _DOUBTFUL:
            return (best,)
        upright = [0, 3, 5, 6]  # the others mirror
        sides = [orientation for orientation in range(8) if (orientation in upright) != (best in upright)]
        return best, sides[int(np.argmin(bits[sides]))]


def _compare(
    subjects: Sequence[Subject], keeper: int, other: int, pictures: dict[int, _Oriented | None], options: PassOptions
) -> Copy | None:
    for place in (keeper, other):
        if place not in pictures:
            pictures[place] = _open(subjects[place], options)
    a, b = pictures[keeper], pictures[other]
    if a is None or b is None:
        return None
    found = match(a.picture, b.picture, a.orientations_of(b))
    if found is None:
        return None
    words = name_relation(a.picture, b.picture, found, subjects[keeper].facts, subjects[other].facts)
    return Copy(subjects[keeper].row, subjects[other].row, words, _confidence(found))


def _confidence(found: Match) -> float:
    """0.9 at the least share of agreeing blocks that counts as a copy, 0.99 where nearly all agree."""
    return round(0.9 + 0.09 * min(1.0, max(0.0, (found.share - 0.5) / (_SURE_SHARE - 0.5))), 3)


def _open(subject: Subject, options: PassOptions) -> _Oriented | None:
    try:
        data = read_bytes(subject.path, options) if subject.data is None else subject.data
        pixels = open_pixels(data, subject.path, options)
    except Undecodable:  # it was readable a moment ago: the file was changed or removed
        return None
    return _Oriented(Picture.of(pixels.luma, pixels.header.width, pixels.header.height))


def confirm(
    links: Iterable[Link],
    subject: Callable[[int], Subject],
    rank: Any,
    options: PassOptions,
    *,
    read: Callable[[str], bytes] | None = None,
    progress: Callable[[int, int, str], None] | None = None,
) -> Confirmed:
    """Hold linked images against each other and find keepers and their copies.

    Args:
        links: pairs of rows, nearest first.
        subject: row to `Subject`.
        rank: row to its place when rows are sorted, best first; the better of two becomes the keeper.
        options: limits of decoding, and workers.
        read: reads the bytes of a path that workers cannot reach.
        progress: called with (links done, links in all, note).
    """
    work = _Work({_ordered(link, rank): None for link in links}, rank)
    done = Confirmed()
    total = len(work.links)
    for _ in range(_ROUNDS):
        jobs = work.take_jobs()
        if not jobs:
            break
        _run(jobs, work, done, subject, options, read, lambda n: progress and progress(min(n, total), total, ""))
    done.copies = sorted(work.copies.values(), key=lambda copy: int(rank[copy.row]))
    if work.links:
        done.unseen["crowded"] = len(work.links)
    return done


def _run(
    jobs: list[tuple[list[int], list[Link]]],
    work: _Work,
    done: Confirmed,
    subject: Callable[[int], Subject],
    options: PassOptions,
    read: Callable[[str], bytes] | None,
    report: Callable[[int], Any],
) -> None:
    def load(job: Job) -> Job:
        assert read is not None
        return replace(job, subjects=tuple(replace(one, data=read(one.path)) for one in job.subjects))

    results = imap(
        "dataprep.measures.pairs:verifying",
        (_job(rows, links, subject) for rows, links in jobs),
        setup=options,
        jobs=options.jobs,
        time_limit_s=4 * options.time_limit_s,
        memory_limit_mb=options.memory_limit_mb,
        load=load if read is not None else None,
    )
    seen = 0
    with closing(results):  # type: ignore[type-var]
        for index, result in results:
            seen += len(jobs[index][1])
            report(seen)
            if isinstance(result, Lost):
                done.unseen[result.reason] = done.unseen.get(result.reason, 0) + len(jobs[index][1])
                continue
            copies, refuted = result
            done.compared += len(copies) + len(refuted)
            work.accept(copies, refuted)


def _job(rows: list[int], links: list[Link], subject: Callable[[int], Subject]) -> Job:
    place = {row: position for position, row in enumerate(rows)}
    return Job(tuple(map(subject, rows)), tuple((place[a], place[b]) for a, b in links))


def _ordered(link: Link, rank: Any) -> Link:
    a, b = link
    return (a, b) if rank[a] < rank[b] else (b, a)


class _Work:
    """Links still to look at, and copies found so far, over several rounds.

    A round takes every link whose two ends fit into one job. The others become links between the keepers of their ends. When a
    keeper turns out to be a copy itself, its own copies are held against the new keeper.
    """

    def __init__(self, links: dict[Link, None], rank: Any) -> None:
        self.links = links
        self.copies: dict[int, Copy] = {}
        self._rank = rank
        self._refuted: set[Link] = set()

    def take_jobs(self) -> list[tuple[list[int], list[Link]]]:
        """(rows, best first, links among them) of each job; the links that are taken are no longer in `links`."""
        self._lift_links()
        job_of = self._assign()
        jobs: dict[int, tuple[set[int], list[Link]]] = {}
        left: dict[Link, None] = {}
        for link in self.links:
            if job_of[link[0]] == job_of[link[1]]:
                rows, links = jobs.setdefault(job_of[link[0]], (set(), []))
                rows.update(link)
                links.append(link)
            else:
                left[link] = None
        self.links = left
        return [(sorted(rows, key=lambda row: int(self._rank[row])), links) for rows, links in jobs.values()]

    def accept(self, copies: list[Copy], refuted: list[Link]) -> None:
        """Take in the result of a job."""
        self._refuted.update(refuted)
        for copy in copies:
            self.copies[copy.row] = copy

    def _lift_links(self) -> None:
        """Replace copies by their keepers, in links and in what earlier copies belong to."""
        for row, copy in list(self.copies.items()):
            if copy.keeper in self.copies:
                del self.copies[row]
                self.links[_ordered((self._keeper(copy.keeper), row), self._rank)] = None
        lifted = (_ordered((self._keeper(a), self._keeper(b)), self._rank) for a, b in self.links)
        self.links = {link: None for link in lifted if link[0] != link[1] and link not in self._refuted}

    def _keeper(self, row: int) -> int:
        while row in self.copies:
            row = self.copies[row].keeper
        return row

    def _assign(self) -> dict[int, int]:
        """Row to job: from each row not assigned yet, nearest links first, up to `JOB_SIZE` rows that hang together."""
        linked: dict[int, list[int]] = defaultdict(list)
        for a, b in self.links:
            linked[a].append(b)
            linked[b].append(a)
        job_of: dict[int, int] = {}
        for start in sorted(linked, key=lambda row: int(self._rank[row])):
            if start in job_of:
                continue
            members, waiting = 1, [start]
            job_of[start] = start
            while waiting and members < JOB_SIZE:
                for other in linked[waiting.pop(0)]:
                    if other not in job_of and members < JOB_SIZE:
                        job_of[other] = start
                        waiting.append(other)
                        members += 1
        return job_of
