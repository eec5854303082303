"""The local back end: guard threads in this process, one per worker process, and a watcher that
polls them.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from dataprep.backends import warm
from dataprep.backends.capacity import worker_count
from dataprep.backends.child import Child
from dataprep.backends.guard import FalseStart, Guard, NoWorker, SetupFailed, Source
from dataprep.backends.wire import pickled, words_of
from dataprep.errors import WorkersLost
from dataprep.schemas.lost import Lost

#: Seconds between two looks at the workers' heartbeats and memory.
WATCH_S = 0.1


def imap(
    task: str,
    items: Iterable[Any],
    *,
    setup: Any,
    jobs: int,
    time_limit_s: float,
    memory_limit_mb: int,
    load: Callable[[Any], Any] | None,
) -> Iterator[tuple[int, Any | Lost]]:
    """See `dataprep.backends.imap`."""
    hello = pickled((task, setup, time_limit_s))
    return _Pool(
        hello, iter(items), worker_count(jobs), time_limit_s, memory_limit_mb, load
    ).results()


class _Stopped(Exception):
    """The consumer of the results is gone."""


class _Pool:
    def __init__(
        self,
        hello: bytes,
        items: Iterator[Any],
        jobs: int,
        time_limit_s: float,
        memory_limit_mb: int,
        load: Callable[[Any], Any] | None,
    ) -> None:
        self._hello, self._jobs, self._load = hello, jobs, load
        self._time_limit_s, self._memory_limit_mb = time_limit_s, memory_limit_mb
        self._source = Source(items)
        self._stopping = threading.Event()
        self._children: set[Child] = set()
        self._lock = threading.Lock()
        # Bounded, so that workers wait for a slow consumer instead of piling up results.
        self._outbox: queue.Queue[list[tuple[int, Any]] | BaseException | None] = queue.Queue(
            4 * jobs + 4
        )

    def results(self) -> Iterator[tuple[int, Any]]:
        guards = [
            threading.Thread(target=self._guard, name=f"dataprep-guard-{i}", daemon=True)
            for i in range(self._jobs)
        ]
        watcher = threading.Thread(target=self._watch, name="dataprep-watcher", daemon=True)
        try:
            for thread in (watcher, *guards):
                thread.start()
            yield from self._collect(len(guards))
        finally:
            self._stop()
            for thread in (watcher, *guards):
                if thread.ident is not None:
                    thread.join(2)

    def _collect(self, guards: int) -> Iterator[tuple[int, Any]]:
        lost = ""
        while guards:
            message = self._get()
            if isinstance(message, list):
                yield from message
                continue
            guards -= 1
            if isinstance(message, NoWorker):
                lost = str(message)
            elif message is not None:
                raise message
        if self._source.take(1):
            raise WorkersLost(
                f"expected worker processes that start and stay alive, but {lost}. Check free "
                "memory and the limit on processes"
            )

    def _get(self) -> list[tuple[int, Any]] | BaseException | None:
        while True:
            try:
                return self._outbox.get(
                    timeout=0.5
                )  # with a timeout, Ctrl-C gets through on every system
            except queue.Empty:
                continue

    def _guard(self) -> None:
        end: BaseException | None = None
        try:
            Guard(self._child, self._source, self._put, self._load).run()
        except _Stopped:
            return
        except SetupFailed as error:
            end = WorkersLost(f"a worker process could not be set up: {error}")
        except BaseException as error:
            end = error
        try:
            self._put(end)
        except _Stopped:
            return

    def _put(self, message: list[tuple[int, Any]] | BaseException | None) -> None:
        while not self._stopping.is_set():
            try:
                return self._outbox.put(message, timeout=0.2)
            except queue.Full:
                continue
        raise _Stopped

    @contextmanager
    def _child(self) -> Iterator[Child]:
        try:
            child = warm.take()
        except OSError as error:
            raise FalseStart(words_of(error)) from error
        child.begin(self._hello)
        with self._lock:
            self._children.add(child)
        try:
            if self._stopping.is_set():
                raise _Stopped
            yield child
        finally:
            with self._lock:
                self._children.discard(child)
                fit = child.idle and child.verdict is None and not self._stopping.is_set()
            if fit:
                warm.keep(child)
            else:
                child.end()

    def _watch(self) -> None:
        pause = min(WATCH_S, self._time_limit_s / 4)
        while not self._stopping.wait(pause):
            with self._lock:
                for child in self._children:
                    child.inspect(self._time_limit_s, self._memory_limit_mb)

    def _stop(self) -> None:
        self._stopping.set()
        with self._lock:
            for child in self._children:
                child.kill()
