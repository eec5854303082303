"""The second look: candidate pairs are decoded again, aligned, and classified by their pixels:
edit, other shot or neither.

Work is cut into jobs of images that are linked with each other, so that each image is decoded about
once. Within a job the best image becomes a keeper, everything that shows the same as it becomes its
copy, then the best of the rest becomes a keeper, and so on. So every copy was held against its
keeper itself: no chain of vague resemblances makes one giant group. Jobs run in guarded worker
processes; this module imports nothing that they do not need.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any

import cv2

from dataprep.backends import imap
from dataprep.measures.decode.decoding import Undecodable, open_pixels, read_bytes
from dataprep.measures.options import PassOptions
from dataprep.measures.pairs.alignment import Kind, match
from dataprep.measures.pairs.picture import Picture
from dataprep.measures.pairs.relations import Facts, name_relation
from dataprep.schemas.lost import Lost

Link = tuple[int, int]

#: Images per job.
JOB_SIZE = 48
#: Rounds in which keepers of different jobs are compared with each other.
_ROUNDS = 6
#: Images larger than this many megapixels are decoded at reduced scale.
_MEGAPIXELS = 0.45


@dataclass(frozen=True)
class Subject:
    """One image of a job: `row` identifies it, `data` is its content where workers cannot read
    `path`.
    """

    row: int
    path: str
    facts: Facts
    data: bytes | None = None


@dataclass(frozen=True)
class Job:
    """Linked images, best first, and the links among them as positions (i, j), i < j.

    Attributes:
        every: whether each link is looked at for itself; otherwise what is a copy is not compared
            any more.
        least: strength that a copy among small pictures must have.
        known: pairs of positions that were compared before, with what they were found to be.
    """

    subjects: tuple[Subject, ...]
    links: tuple[Link, ...]
    every: bool = False
    least: float = 0.0
    known: Mapping[Link, Compared] = field(default_factory=dict)


@dataclass(frozen=True)
class Compared:
    """A pair that was looked at: the row `other` was compared with the better row `keeper` itself.

    Attributes:
        kind: what the two are to each other (`dataprep.measures.pairs.alignment.Kind`).
        strength, small: as in `dataprep.measures.pairs.alignment.Match`.
        relation: of an edit "B is A ..." or "A is B ...", where A is the keeper.
    """

    keeper: int
    row: int
    kind: Kind
    strength: float
    small: bool = False
    relation: str = ""

    @property
    def is_copy(self) -> bool:
        return self.kind in ("edit", "overlay")


@dataclass
class Confirmed:
    """What the second look found.

    Attributes:
        copies: edits; a row is the copy of one keeper at most, and no keeper is a copy.
        others: the other pairs that were compared: further shots of a scene, and pictures that are
            merely alike.
        unseen: links that could not be looked at, by reason.
    """

    copies: list[Compared] = field(default_factory=list)
    others: list[Compared] = field(default_factory=list)
    unseen: dict[str, int] = field(default_factory=dict)

    @property
    def compared(self) -> int:
        """Pairs that were compared, those whose keeper turned out to be a copy aside."""
        return len(self.copies) + len(self.others)

    def by_rows(self) -> dict[Link, Compared]:
        """(keeper, row) to what the pair was found to be."""
        return {(pair.keeper, pair.row): pair for pair in (*self.copies, *self.others)}


def verifying(options: PassOptions) -> Callable[[Job], list[Compared]]:
    """The task of the second look, for `dataprep.backends.imap`: a `Job` to the pairs that it
    compared.
    """
    cv2.setNumThreads(1)
    options = _scaled(options)
    return lambda job: _verify(job, options)


def _verify(job: Job, options: PassOptions) -> list[Compared]:
    if job.every:
        pictures: dict[int, Picture | None] = {}
        return [_compare(job, i, j, pictures, options) for i, j in job.links]
    return _stars(job, options)


def _stars(job: Job, options: PassOptions) -> list[Compared]:
    linked: dict[int, list[int]] = defaultdict(list)
    for i, j in job.links:
        linked[i].append(j)
        linked[j].append(i)
    pictures: dict[int, Picture | None] = {}
    found, taken = [], set()
    for keeper in range(len(job.subjects)):
        if keeper in taken:
            continue
        waiting, seen = list(linked[keeper]), {keeper}
        while waiting:
            other = waiting.pop(0)
            if other <= keeper or other in taken or other in seen:
                continue
            seen.add(other)
            pair = _compare(job, keeper, other, pictures, options)
            found.append(pair)
            if pair.is_copy:
                taken.add(other)
                waiting.extend(linked[other])
    return found


def _compare(
    job: Job, keeper: int, other: int, pictures: dict[int, Picture | None], options: PassOptions
) -> Compared:
    if (keeper, other) in job.known:
        return _with_least(job.known[keeper, other], job.least)
    subjects = job.subjects
    for place in (keeper, other):
        if place not in pictures:
            pictures[place] = _open(subjects[place], options)
    a, b = pictures[keeper], pictures[other]
    rows = subjects[keeper].row, subjects[other].row
    if a is None or b is None:
        return Compared(*rows, "other", 0.0)
    found = match(a, b)
    pair = _with_least(Compared(*rows, found.kind, found.strength, found.small), job.least)
    if not pair.is_copy:
        return pair
    return replace(
        pair, relation=name_relation(a, b, found, subjects[keeper].facts, subjects[other].facts)
    )


def _with_least(pair: Compared, least: float) -> Compared:
    """The pair, no copy where it is of small pictures and weaker than `least`."""
    if pair.small and pair.strength < least:
        return replace(pair, kind="other", relation="")
    return pair


def _open(subject: Subject, options: PassOptions) -> Picture | None:
    try:
        return _open_scaled(subject.path, options, subject.data)
    except Undecodable:  # it was readable a moment ago: the file was changed or removed
        return None


def open_picture(
    path: str | os.PathLike[str], options: PassOptions | None = None, data: bytes | None = None
) -> Picture:
    """Decode an image for comparison, a large one at reduced scale.

    Args:
        path: of the file.
        options: limits of decoding; the default ones where None.
        data: its content; None reads it.

    Raises:
        Undecodable: it cannot be read.
    """
    return _open_scaled(path, _scaled(options or PassOptions()), data)


def _scaled(options: PassOptions) -> PassOptions:
    return replace(options, scale_above_megapixels=_MEGAPIXELS)


def _open_scaled(path: str | os.PathLike[str], options: PassOptions, data: bytes | None) -> Picture:
    pixels = open_pixels(read_bytes(os.fspath(path), options) if data is None else data, options)
    return Picture.of(pixels.rgb, pixels.header.width, pixels.header.height)


def confirm(
    links: Iterable[Link],
    subject: Callable[[int], Subject],
    rank: Any,
    options: PassOptions,
    *,
    read: Callable[[str], bytes] | None = None,
    progress: Callable[[int, int, str], None] | None = None,
    least: float = 0.0,
    known: Mapping[Link, Compared] | None = None,
) -> Confirmed:
    """Hold linked images against each other and find keepers and their copies.

    Args:
        links: pairs of rows, nearest first.
        subject: row to `Subject`.
        rank: row to its place when rows are sorted, best first; the better of two becomes the
            keeper.
        options: limits of decoding, and workers.
        read: reads the bytes of a path that workers cannot reach.
        progress: called with (links done, links in all, note).
        least: strength (Fisher's z) that copies among small pictures must have.
        known: (keeper, row) to what was found before with no such `least`; these are not decoded
            again.
    """
    work = _Work({_ordered(link, rank): None for link in links}, rank)
    done = Confirmed()
    total = len(work.links)
    for _ in range(_ROUNDS):
        jobs = work.take_jobs()
        if not jobs:
            break
        wanted = [_job(rows, links, subject, least, known or {}) for rows, links in jobs]
        for pairs in _run(
            wanted, done, options, read, lambda n: progress and progress(min(n, total), total, "")
        ):
            work.accept(pairs)
    done.copies = sorted(work.copies.values(), key=lambda copy: int(rank[copy.row]))
    done.others = work.others
    if work.links:
        done.unseen["crowded"] = len(work.links)
    return done


def compare_each(
    links: Sequence[Link],
    subject: Callable[[int], Subject],
    options: PassOptions,
    *,
    read: Callable[[str], bytes] | None = None,
) -> list[Compared]:
    """What the two of each link are to each other, whatever the others are; links that cannot be
    looked at are left out.
    """
    parts = [links[start : start + JOB_SIZE // 2] for start in range(0, len(links), JOB_SIZE // 2)]
    jobs = [
        replace(
            _job(
                list(dict.fromkeys(row for link in part for row in link)),
                list(part),
                subject,
                0.0,
                {},
            ),
            every=True,
        )
        for part in parts
    ]
    return [
        pair for pairs in _run(jobs, Confirmed(), options, read, lambda n: None) for pair in pairs
    ]


def _run(
    jobs: Sequence[Job],
    done: Confirmed,
    options: PassOptions,
    read: Callable[[str], bytes] | None,
    report: Callable[[int], Any],
) -> Iterator[list[Compared]]:
    """The results of jobs as they come; those that are lost are counted in `done`."""

    def load(job: Job) -> Job:
        assert read is not None
        return replace(
            job, subjects=tuple(replace(one, data=read(one.path)) for one in job.subjects)
        )

    results = imap(
        "dataprep.measures.pairs.comparison:verifying",
        jobs,
        setup=options,
        jobs=options.jobs,
        time_limit_s=4 * options.time_limit_s,
        memory_limit_mb=options.memory_limit_mb,
        load=load if read is not None else None,
    )
    seen = 0
    with closing(results):  # type: ignore[type-var]
        for index, result in results:
            seen += len(jobs[index].links)
            report(seen)
            if isinstance(result, Lost):
                done.unseen[result.reason] = done.unseen.get(result.reason, 0) + len(
                    jobs[index].links
                )
            else:
                yield result


def _job(
    rows: list[int],
    links: list[Link],
    subject: Callable[[int], Subject],
    least: float,
    known: Mapping[Link, Compared],
) -> Job:
    place = {row: position for position, row in enumerate(rows)}
    pairs = combinations(rows, 2) if known else ()
    return Job(
        tuple(map(subject, rows)),
        tuple((place[a], place[b]) for a, b in links),
        least=least,
        known={(place[a], place[b]): known[a, b] for a, b in pairs if (a, b) in known},
    )


def _ordered(link: Link, rank: Any) -> Link:
    a, b = link
    return (a, b) if rank[a] < rank[b] else (b, a)


class _Work:
    """Links still to look at, and copies found so far, over several rounds.

    A round takes every link whose two ends fit into one job. The others become links between the
    keepers of their ends. When a keeper turns out to be a copy itself, its own copies are held
    against the new keeper.
    """

    def __init__(self, links: dict[Link, None], rank: Any) -> None:
        self.links = links
        self.copies: dict[int, Compared] = {}
        self.others: list[Compared] = []
        self._rank = rank
        self._refuted: set[Link] = set()

    def take_jobs(self) -> list[tuple[list[int], list[Link]]]:
        """(rows, best first, links among them) of each job; the links that are taken are no
        longer in `links`.
        """
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
        return [
            (sorted(rows, key=lambda row: int(self._rank[row])), links)
            for rows, links in jobs.values()
        ]

    def accept(self, pairs: list[Compared]) -> None:
        """Take in the result of a job."""
        for pair in pairs:
            if pair.is_copy:
                self.copies[pair.row] = pair
            else:
                self.others.append(pair)
                self._refuted.add((pair.keeper, pair.row))

    def _lift_links(self) -> None:
        """Replace copies by their keepers, in links and in what earlier copies belong to."""
        for row, copy in list(self.copies.items()):
            if copy.keeper in self.copies:
                del self.copies[row]
                self.links[_ordered((self._keeper(copy.keeper), row), self._rank)] = None
        lifted = (_ordered((self._keeper(a), self._keeper(b)), self._rank) for a, b in self.links)
        self.links = {
            link: None for link in lifted if link[0] != link[1] and link not in self._refuted
        }

    def _keeper(self, row: int) -> int:
        while row in self.copies:
            row = self.copies[row].keeper
        return row

    def _assign(self) -> dict[int, int]:
        """Row to job: from each row not assigned yet, nearest links first, up to `JOB_SIZE` rows
        that hang together.
        """
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
