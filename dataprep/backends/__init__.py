"""Where work runs. `imap` applies a task to items in worker processes that may die without taking
the run with them.

What runs is always a guarded worker (`dataprep.backends.guard`); a back end decides only on which
machine. Another one is a function with the signature of `dataprep.backends.local.imap`, made known
by one line in `BACKENDS`.

Imports `schemas` alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataprep.schemas.lost import Lost

#: Name of a back end to its function, "module:function", loaded at first use.
BACKENDS: dict[str, str] = {"local": "dataprep.backends.local:imap"}


def imap(
    task: str,
    items: Iterable[Any],
    *,
    setup: Any = None,
    jobs: int = 0,
    time_limit_s: float = 30.0,
    memory_limit_mb: int = 2048,
    load: Callable[[Any], Any] | None = None,
    backend: str = "local",
) -> Iterator[tuple[int, Any | Lost]]:
    """Yield (index, result) for every item, in the order in which they finish.

    Closing the iterator, or an exception in its consumer that closes it (use `contextlib.closing`),
    kills the workers at once.

    Args:
        task: "module:factory". Each worker process calls ``factory(setup)`` once; what it returns
            is called with each item.
        items: what to work on, picklable; pulled lazily, from threads, never two at a time.
        setup: argument of the factory, picklable.
        jobs: number of worker processes; 0 takes `dataprep.backends.capacity.worker_count`.
        time_limit_s: seconds that one item may take, until it is lost as "timed-out".
        memory_limit_mb: megabytes that a worker may grow to, until the item in hand is lost as
            "out-of-memory".
        load: called with each item in the parent process just before it is sent, and gives the item
            to send instead, or `Lost`. For what workers cannot reach.
        backend: where to run, one of `BACKENDS`.

    Returns:
        Iterator of (index, result): index counts `items` from 0; the result is what the function
        returned, or `Lost`: an item whose worker died ("crashed", after a second try in a fresh
        worker) or was over a limit, or that made the function raise ("unreadable", with the
        exception in words).

    Raises:
        WorkersLost: workers cannot be started or set up, with their own words.
        OptionError: an unknown back end.
    """
    from importlib import import_module

    from dataprep.errors import OptionError
    from dataprep.schemas.options import did_you_mean

    if backend not in BACKENDS:
        raise OptionError(f"no back end is called {backend!r}. {did_you_mean(backend, BACKENDS)}")
    module, _, name = BACKENDS[backend].partition(":")
    results: Iterator[tuple[int, Any | Lost]] = getattr(import_module(module), name)(
        task,
        items,
        setup=setup,
        jobs=jobs,
        time_limit_s=time_limit_s,
        memory_limit_mb=memory_limit_mb,
        load=load,
    )
    return results
