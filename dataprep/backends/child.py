"""One worker process, seen from its parent: start, messages, monitoring, kill."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import subprocess
import sys
import tempfile
import time
from typing import Any, BinaryIO, NamedTuple

import psutil

from dataprep.backends.wire import HEARTBEAT_BYTES, Heartbeat, read_frame

#: A worker that is not ready after this long, on however loaded a machine, will never be.
START_LIMIT_S = 120.0

_MEGABYTE = 2**20

#: glibc gives memory of the size of an image back to the system at every `free`, and the page
#: faults of taking it again cost a third of decoding a photo; with these it is kept, up to what the
#: largest image took. Other systems ignore them.
_KEPT_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(2**25), "MALLOC_TRIM_THRESHOLD_": str(2**28)}


class Verdict(NamedTuple):
    """Why a worker was killed: the reason, in words, and the running number of the item that it
    had in hand (from 1).
    """

    reason: str
    detail: str
    number: int


class Child:
    """A worker process. One thread speaks with it; another may call `inspect` and `kill`.

    Attributes:
        verdict: why it was killed.
        idle: it is done with its task, and may be given another.
    """

    def __init__(self, module: str = "") -> None:
        """Start a process, which imports `module` before its first task.

        Raises:
            OSError: the system cannot start a process.
        """
        self._scratch = _scratch_file()
        self._heartbeat = Heartbeat(self._scratch.fileno())
        try:
            self._process = self._spawn(module)
        except OSError:
            self._close()
            raise
        self.verdict: Verdict | None = None
        self.idle = True
        self._watched: psutil.Process | None = None
        self._await_ready()

    def _spawn(self, module: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [_interpreter(), "-m", "dataprep.backends.worker", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._scratch,
            env=_environment(),
            bufsize=-1,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )

    def _await_ready(self) -> None:
        self._ready = False
        self._item, self._since = 0, time.monotonic()

    def begin(self, hello: bytes) -> None:
        """Give an idle worker a task; `receive` then gives None once it is ready."""
        self.idle = False
        self._await_ready()
        self.send(hello)

    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    def send(self, frame: bytes) -> None:
        """Send a frame; a dead worker is noticed by `receive`."""
        stream = self._process.stdin
        assert stream is not None
        with contextlib.suppress(OSError):
            stream.write(frame)
            stream.flush()

    def receive(self) -> Any:
        """The next message, however long it takes.

        Raises:
            EOFError: the worker is dead.
        """
        stream = self._process.stdout
        assert isinstance(stream, io.BufferedReader)
        try:
            message = read_frame(stream)
        except OSError as error:
            raise EOFError(str(error)) from error
        self._ready = True
        return message

    def in_hand(self) -> int | None:
        """The running number (from 1) of the item that the worker has in hand; None when it has
        none.
        """
        _, started, finished = self._heartbeat.read()
        return started if started > finished else None

    def inspect(self, time_limit_s: float, memory_limit_mb: int) -> None:
        """Kill the worker if it is over a limit; the verdict says which."""
        now = time.monotonic()
        pid, started, finished = self._heartbeat.read()
        if not self._ready:
            if now - self._since > START_LIMIT_S:
                self.kill()
        elif started == finished or started != self._item:
            self._item, self._since = started, now
        elif now - self._since > time_limit_s:
            self._condemn("timed-out", f"no result after {time_limit_s:g} s", started)
        if started > finished and (megabytes := self._megabytes(pid)) > memory_limit_mb:
            detail = (
                f"the worker grew to {megabytes:,.0f} MB, over the limit of {memory_limit_mb:,} MB"
            )
            self._condemn("out-of-memory", detail, started)

    def _condemn(self, reason: str, detail: str, number: int) -> None:
        if self.verdict is None:
            self.verdict = Verdict(reason, detail, number)
        self.kill()

    def _megabytes(self, pid: int) -> float:
        # The worker's own process id: on some systems the process that was started is only a
        # launcher.
        try:
            if self._watched is None or self._watched.pid != pid:
                self._watched = psutil.Process(pid)
            return float(self._watched.memory_info().rss) / _MEGABYTE
        except (psutil.Error, OSError, ValueError):
            return 0.0

    def kill(self) -> None:
        """End the process at once."""
        with contextlib.suppress(OSError):
            self._process.kill()

    def bury(self) -> str:
        """Wait for the end of a process that is dead or killed, and say how it died."""
        self.kill()
        code = self._process.wait()
        words = f"the worker died: {_cause(code)}"
        if printed := self._printed():
            words += f": {printed}"
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            with contextlib.suppress(OSError):
                stream.close()
        return words

    def end(self) -> None:
        """End the process and free what it held."""
        self.bury()
        self._close()

    def _printed(self, limit: int = 400) -> str:
        """The last line that the worker or a library in it printed."""
        try:
            self._scratch.flush()
            end = os.lseek(self._scratch.fileno(), 0, os.SEEK_CUR)
            self._scratch.seek(max(HEARTBEAT_BYTES, end - 4096))
            text = self._scratch.read(max(0, end - self._scratch.tell())).decode("utf-8", "replace")
        except (OSError, ValueError):
            return ""
        lines = [line.strip() for line in text.replace("\0", "").splitlines() if line.strip()]
        return lines[-1][:limit] if lines else ""

    def _close(self) -> None:
        self._heartbeat.close()
        self._scratch.close()


def _scratch_file() -> BinaryIO:
    """An unnamed file for the heartbeat and for what the worker prints: in memory where the
    system can, else a temporary file.
    """
    file: BinaryIO
    if hasattr(os, "memfd_create"):
        file = open(os.memfd_create("dataprep-worker"), "w+b", buffering=0)  # noqa: SIM115  # lives as long as the worker
    else:
        file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115
    file.write(bytes(HEARTBEAT_BYTES))
    return file


def _interpreter() -> str:
    if not sys.executable:
        raise OSError(
            "this Python does not know where its own interpreter is (sys.executable is empty)"
        )
    return sys.executable


def _environment() -> dict[str, str]:
    """The worker imports from where its parent does, finds no module in the current folder by
    accident, stays on one core, and keeps the memory of one image for the next (`_KEPT_MEMORY`)."""
    one_thread = dict.fromkeys(
        ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OPENCV_FOR_THREADS_NUM"),
        "1",
    )
    places = [os.path.abspath(place) for place in sys.path]
    return {
        **_KEPT_MEMORY,
        **os.environ,
        **one_thread,
        "PYTHONSAFEPATH": "1",
        "PYTHONPATH": os.pathsep.join(places),
    }


def _cause(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"{signal.Signals(-code).name} (signal {-code})"
    except ValueError:
        return f"signal {-code}"
