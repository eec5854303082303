"""The worker process: ``python -m dataprep.backends.worker``, started and watched by
`dataprep.backends.guard`.

It runs nothing of the caller's script, and imports what the task needs and no more. It speaks
frames (`dataprep.backends.wire`) on the pipes that were its standard input and output, so that
whatever a library prints or reads cannot get between them. It ends when the guard closes the pipe,
even in the middle of an item.
"""

from __future__ import annotations

import gc
import io
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from importlib import import_module
from queue import SimpleQueue
from typing import Any, BinaryIO

from dataprep.backends.wire import HEARTBEAT_BYTES, Heartbeat, frame_parts, read_frame, words_of
from dataprep.schemas.lost import Lost

#: Results wait at most about this long in the worker before they are sent.
FLUSH_S = 0.1


def main() -> None:
    """Serve one task after another until the guard closes the pipe.

    A tuple (task, setup, time limit in seconds) begins a task, and each list of items that follows
    belongs to it.
    """
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl-C reaches the whole process group; the guard decides
    heartbeat = Heartbeat(2)
    requests, replies = _take_pipes()
    gc.disable()  # what imports make stays, and looking through it takes a sixth of their time
    for module in filter(None, sys.argv[1:]):
        import_module(module)
    gc.freeze()
    gc.enable()
    inbox: SimpleQueue[Any] = SimpleQueue()
    threading.Thread(target=_receive, args=(requests, inbox), daemon=True).start()
    message = inbox.get()
    while True:
        message = _serve(message, inbox, replies, heartbeat)


def _take_pipes() -> tuple[io.BufferedReader, BinaryIO]:
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    return requests, replies


def _function(task: str, setup: Any) -> Callable[[Any], Any]:
    module, _, factory = task.partition(":")
    function: Callable[[Any], Any] = getattr(import_module(module), factory)(setup)
    return function


def _receive(requests: io.BufferedReader, inbox: SimpleQueue[Any]) -> None:
    try:
        while True:
            inbox.put(read_frame(requests))
    except BaseException as error:
        # The guard is done with this worker, or gone: nobody is left to answer to.
        if not isinstance(error, EOFError | OSError):
            sys.excepthook(type(error), error, error.__traceback__)
        os._exit(0 if isinstance(error, EOFError) else 1)


def _serve(hello: Any, inbox: SimpleQueue[Any], replies: BinaryIO, heartbeat: Heartbeat) -> Any:
    """Work on the batches of one task until the next says hello, and return that."""
    (task, setup, time_limit_s), pid, count = hello, os.getpid(), 0
    heartbeat.write(pid, 0, 0)
    try:
        function = _function(task, setup)
    except BaseException as error:
        _send(replies, words_of(error))
        raise
    _send(replies, None)
    while isinstance(batch := inbox.get(), list):
        os.lseek(2, HEARTBEAT_BYTES, os.SEEK_SET)  # what the last batch printed is of no more use
        results: list[Any] = []
        since = time.perf_counter()
        for item in batch:
            heartbeat.write(pid, count + 1, count)
            _arm(time_limit_s)
            results.append(_result(function, item))
            count += 1
            heartbeat.write(pid, count, count)
            if (now := time.perf_counter()) - since > FLUSH_S:
                _send(replies, (results, now - since))
                results, since = [], now
        _arm(0)
        if results:  # nothing may follow the last result: the guard gives the next task at once
            _send(replies, (results, time.perf_counter() - since))
    return batch


def _arm(time_limit_s: float) -> None:
    # The guard enforces the limit. This is for a worker whose guard died while the task hangs and
    # holds the interpreter's lock: the kernel ends it. Systems without the alarm lack only that.
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, 2 * time_limit_s + 10 if time_limit_s else 0)


def _result(function: Callable[[Any], Any], item: Any) -> Any:
    try:
        return function(item)
    except MemoryError as error:
        return Lost("out-of-memory", words_of(error))
    except BaseException as error:
        return Lost("unreadable", words_of(error))


def _send(replies: BinaryIO, message: Any) -> None:
    try:
        parts = frame_parts(message)
    except Exception:
        results, seconds = message
        parts = frame_parts(([_sendable(result) for result in results], seconds))
    for part in parts:
        replies.write(part)
    replies.flush()


def _sendable(result: Any) -> Any:
    try:
        frame_parts(result)
    except Exception as error:
        return Lost("unreadable", words_of(error))
    return result


if __name__ == "__main__":
    main()
