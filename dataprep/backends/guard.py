"""A guard: the thread that keeps one worker process busy, and answers for every item it took.

The worker always has a batch in hand and one in store, sized so that a batch takes about `BATCH_S`.
When it dies, the heartbeat tells which item it had in hand: that one is tried once more, alone in a
fresh worker (the worker may have been killed from outside, or the item before may have poisoned
it), and given up when it kills that one too; an item that exceeded the time limit is given up at
once. Everything else that was in the pipe simply runs again.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import islice
from typing import Any

from dataprep.backends.child import Child, Verdict
from dataprep.backends.wire import pickled, words_of
from dataprep.schemas.lost import Lost

#: Seconds of work in one batch: long against the cost of a message, short against a person's
#: patience.
BATCH_S = 0.05
_LARGEST_BATCH = 64
#: Workers in a row that may die before they start on an item, until the guard gives up.
_FALSE_STARTS = 5


class _Losses:
    """Counts items of this process that were given up."""

    count = 0


def losses() -> int:
    """How many items of this process's pools were given up so far: they took too long or too much
    memory, or killed their workers.
    """
    return _Losses.count


@dataclass(slots=True)
class Job:
    """An item on its way: its running number, itself, whether `load` was applied, and how many
    workers died with it in hand.
    """

    index: int
    item: Any
    loaded: bool = False
    strikes: int = 0


class SetupFailed(Exception):
    """The task's factory raised in the worker; trying again would not help."""


class FalseStart(Exception):
    """The system could not start a worker; it may the next time."""


class NoWorker(Exception):
    """Workers keep dying before they start on an item."""


class Source:
    """The items, pulled lazily by all guards, and the jobs that a guard gave back."""

    def __init__(self, items: Iterator[Any]) -> None:
        self._items = enumerate(items)
        self._returned: deque[Job] = deque()
        self._lock = threading.Lock()

    def take(self, count: int) -> list[Job]:
        """The next jobs, at most `count`; none when all are taken."""
        with self._lock:
            jobs = [self._returned.popleft() for _ in range(min(count, len(self._returned)))]
            return jobs or [Job(index, item) for index, item in islice(self._items, count)]

    def give_back(self, jobs: Iterable[Job]) -> None:
        """Leave jobs to the other guards."""
        with self._lock:
            self._returned.extend(jobs)


class Guard:
    """Runs the jobs of `source` in one worker after another, and hands results to `deliver` as
    lists of (index, result).
    """

    def __init__(
        self,
        start: Callable[[], AbstractContextManager[Child]],
        source: Source,
        deliver: Callable[[list[tuple[int, Any]]], None],
        load: Callable[[Any], Any] | None,
    ) -> None:
        self._start, self._source, self._deliver, self._load = start, source, deliver, load
        self._again: deque[Job] = deque()  # to run before anything new
        self._sent: deque[Job] = deque()  # with the worker, in order
        self._received = 0  # results that this worker gave
        self._size = 1
        self._false_starts = 0

    def run(self) -> None:
        """Work until there is nothing left to take.

        Raises:
            SetupFailed, NoWorker: with the worker's own words; what the guard had taken is given
                back to `source`.
        """
        try:
            while jobs := self._next(1):
                self._again.extendleft(jobs)
                self._run_worker()
        finally:
            self._source.give_back([*self._sent, *self._again])

    def _run_worker(self) -> None:
        """Feed one worker until it dies or nothing is left."""
        try:
            with self._start() as child:
                self._received = 0
                try:
                    if (failure := child.receive()) is not None:
                        raise SetupFailed(failure)
                    self._feed(child)
                    child.idle = True
                except EOFError:
                    self._mourn(child)
        except FalseStart as error:
            self._count_false_start(str(error))

    def _feed(self, child: Child) -> None:
        while True:
            while self._has_room() and (batch := self._next(self._size)):
                self._sent.extend(batch)
                child.send(pickled([job.item for job in batch]))
            if not self._sent:
                return
            self._receive(child)

    def _has_room(self) -> bool:
        """Whether the worker should get another batch now: one in hand, one in store, and a
        suspect always alone.
        """
        if self._sent and (self._sent[0].strikes or (self._again and self._again[0].strikes)):
            return False
        return len(self._sent) <= self._size

    def _receive(self, child: Child) -> None:
        results, seconds = child.receive()
        self._received += len(results)
        self._false_starts = 0
        if results:
            fitting = int(BATCH_S * len(results) / max(seconds, 1e-9))
            self._size = max(1, min(fitting, 2 * self._size, _LARGEST_BATCH))
        self._deliver([(self._sent.popleft().index, result) for result in results])

    def _next(self, count: int) -> list[Job]:
        if self._again:
            alone = self._again[0].strikes > 0
            upto = 1 if alone else count
            jobs = [self._again.popleft()]
            while len(jobs) < upto and self._again and not self._again[0].strikes:
                jobs.append(self._again.popleft())
            return jobs
        while jobs := self._source.take(count):
            if self._load is None or (
                jobs := [job for job in jobs if self._loaded(job, self._load)]
            ):
                return jobs
        return []

    def _loaded(self, job: Job, load: Callable[[Any], Any]) -> bool:
        if job.loaded:
            return True
        try:
            job.item = load(job.item)
        except FileNotFoundError as error:
            job.item = Lost("missing", words_of(error))
        except Exception as error:
            job.item = Lost("unreadable", words_of(error))
        if isinstance(job.item, Lost):
            self._deliver([(job.index, job.item)])
            return False
        job.loaded = True
        return True

    def _mourn(self, child: Child) -> None:
        """Sort what the dead worker had: one suspect or culprit, and the rest, which runs again."""
        words = child.bury()
        verdict = child.verdict
        number = verdict.number if verdict else child.in_hand()
        place = number - self._received - 1 if number is not None else -1
        jobs = list(self._sent)
        self._sent.clear()
        self._again.extendleft(reversed(jobs[: max(place, 0)] + jobs[max(place, -1) + 1 :]))
        if not 0 <= place < len(jobs):
            self._count_false_start(words)
            return
        self._judge(jobs[place], verdict or Verdict("crashed", words, place))

    def _judge(self, job: Job, verdict: Verdict) -> None:
        self._false_starts = 0
        job.strikes += 1
        if verdict.reason == "timed-out" or job.strikes > 1:
            _Losses.count += 1
            self._deliver([(job.index, Lost(verdict.reason, verdict.detail))])
        else:
            self._again.appendleft(job)

    def _count_false_start(self, words: str) -> None:
        self._false_starts += 1
        if self._false_starts >= _FALSE_STARTS:
            raise NoWorker(words)
        time.sleep(0.05 * 2**self._false_starts)  # a lack of memory or of processes may pass
