"""How many workers the machine, or the share of it that this process was given, can feed."""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path

#: Memory that a worker needs to decode photos of ordinary size with every library loaded.
MEGABYTES_PER_WORKER = 384
#: Workers for each usable core that are still started when they are asked for; more of them would
#: only wait for one another.
WORKERS_PER_CORE = 8

_CGROUPS = Path("/sys/fs/cgroup")


def worker_count(jobs: int = 0) -> int:
    """`jobs`, or for 0 as many workers as there are usable cores and room in memory, at least 1.

    Of more than `WORKERS_PER_CORE` jobs for each usable core, so many are taken, with a warning
    that says so.

    Usable cores: the processor affinity of this process (``taskset``, a batch scheduler) and the
    processor quota of its control groups (a container's ``--cpus``), rounded up. Room: free memory,
    or what is left of the control groups' memory limit, at `MEGABYTES_PER_WORKER` each.
    """
    cores = max(1, min(_affinity(), *(math.ceil(quota) for quota in _quotas()), 10_000))
    if jobs > WORKERS_PER_CORE * cores:
        taken = WORKERS_PER_CORE * cores
        _say_bounded(f"{jobs:,} workers are too many for {cores} usable cores: {taken} are taken")
        return taken
    if jobs > 0:
        return jobs
    return max(1, min(cores, int(_free_megabytes() // MEGABYTES_PER_WORKER)))


@cache
def _say_bounded(text: str) -> None:
    """Once in a run: stages ask again and again."""
    warnings.warn(text, stacklevel=3)


def _affinity() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _free_megabytes() -> float:
    import psutil

    free = float(psutil.virtual_memory().available)
    for group in _groups():
        limit = _number(group / "memory.max") or _number(group / "memory" / "memory.limit_in_bytes")
        used = (
            _number(group / "memory.current")
            or _number(group / "memory" / "memory.usage_in_bytes")
            or 0.0
        )
        if limit is not None:
            free = min(free, limit - used)
    return free / 2**20


def _quotas() -> Iterator[float]:
    for group in _groups():
        words = _words(group / "cpu.max")
        if len(words) == 2 and words[0] != "max":
            yield float(words[0]) / float(words[1])
        quota = _number(group / "cpu" / "cpu.cfs_quota_us")
        period = _number(group / "cpu" / "cpu.cfs_period_us")
        if quota and period and quota > 0:
            yield quota / period


def _groups() -> Iterator[Path]:
    """The control group of this process and those above it; limits of each apply. Inside a
    container the last is its own.
    """
    try:
        own = [
            line.split(":", 2)[2].strip()
            for line in Path("/proc/self/cgroup").read_text().splitlines()
            if line[:3] == "0::"
        ]
    except OSError:
        return
    path = Path(own[0] if own else "/")
    for parent in (path, *path.parents):
        yield _CGROUPS / str(parent).lstrip("/")


def _words(file: Path) -> list[str]:
    try:
        return file.read_text().split()
    except OSError:
        return []


def _number(file: Path) -> float | None:
    words = _words(file)
    return float(words[0]) if words and words[0].lstrip("-").isdigit() else None
