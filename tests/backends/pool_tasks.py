"""Tasks that the workers of these tests run: each a factory that gives a function of one item."""

from __future__ import annotations

import gc
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def doubling(setup: Any) -> Callable[[Any], Any]:
    return lambda item: item * 2


def modules(setup: Any) -> Callable[[Any], Any]:
    return lambda item: sorted(sys.modules)


def collecting(setup: Any) -> Callable[[Any], tuple[bool, int, int]]:
    """Whether unreachable objects are looked for, from how many on, and how many are not."""
    return lambda item: (gc.isenabled(), gc.get_threshold()[0], gc.get_freeze_count())


def obeying(setup: Any) -> Callable[[Any], Any]:
    """Do what the item says: (verb, argument)."""
    return lambda order: getattr(Orders, order[0])(order[1])


class Orders:
    @staticmethod
    def echo(value: Any) -> Any:
        return value

    @staticmethod
    def abort(_: Any) -> None:
        print("a decoder's last words", file=sys.stderr, flush=True)
        os.abort()

    @staticmethod
    def die_once(marker: str) -> str:
        """Be killed at the first try, succeed at the second."""
        if not Path(marker).exists():
            Path(marker).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return "survived"

    @staticmethod
    def die(tries: str) -> None:
        """Be killed at every try, and note it in the file `tries`."""
        with Path(tries).open("a") as file:
            file.write("tried\n")
        os.kill(os.getpid(), signal.SIGKILL)

    @staticmethod
    def sleep(seconds: float) -> float:
        time.sleep(seconds)
        return seconds

    @staticmethod
    def grow(megabytes: int) -> int:
        hoard = []
        for _ in range(megabytes // 16):
            hoard.append(b"x" * 2**24)
            time.sleep(0.005)
        return len(hoard)

    @staticmethod
    def fail(message: str) -> None:
        raise ValueError(message)

    @staticmethod
    def leave(_: Any) -> None:
        raise SystemExit(7)

    @staticmethod
    def unpicklable(_: Any) -> Any:
        return lambda: None

    @staticmethod
    def pid(_: Any) -> int:
        return os.getpid()

    @staticmethod
    def noise(text: str) -> str:
        print(text)
        os.write(2, text.encode())
        return sys.stdin.read()


def failing_setup(setup: Any) -> Callable[[Any], Any]:
    raise RuntimeError("no such model")


def aborting_setup(setup: Any) -> Callable[[Any], Any]:
    print("library is broken", file=sys.stderr, flush=True)
    os.abort()


def measuring_then_modules(setup: Any) -> Callable[[Any], Any]:
    """Measure a file as the pass does, then say which modules that took."""
    from dataprep.measures.work import measuring

    measure = measuring(setup)

    def run(path: str) -> tuple[Any, list[str]]:
        return measure(path), sorted(sys.modules)

    return run
