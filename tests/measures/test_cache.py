from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from dataprep.errors import OutputError
from dataprep.measures import cache as cache_module
from dataprep.measures.cache import (
    Cache,
    CacheWarning,
    Recollection,
    cache_info,
    clear_cache,
    file_key,
)

PLAN = "plan"


def digest(number: int) -> bytes:
    return number.to_bytes(16, "little")


def fill(folder: Path, rows: int, first: int = 0, plan: str = PLAN) -> None:
    with Cache(str(folder), plan) as cache:
        for number in range(first, first + rows):
            cache.store(
                digest(number), (number + 1, number), b"block %d" % number, f'["text {number}"]'
            )


def recalled(folder: Path, rows: int, plan: str = PLAN) -> dict[int, tuple[bytes, str]]:
    """Row to what the cache knows of it."""
    keys = np.array([(number + 1, number) for number in range(rows)], np.int64)
    found = {}
    with Cache(str(folder), plan) as cache:
        for places, numbers, texts in cache.recall(keys):
            found |= dict(zip(places.tolist(), zip(numbers, texts, strict=True), strict=True))
    return found


def whole(rows: int) -> dict[int, tuple[bytes, str]]:
    return {number: (b"block %d" % number, f'["text {number}"]') for number in range(rows)}


def test_what_was_stored_is_recalled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_module, "_CHUNK", 70)
    fill(tmp_path, 300)
    assert recalled(tmp_path, 400) == whole(300)


def test_another_plan_recalls_nothing_by_content(tmp_path: Path) -> None:
    fill(tmp_path, 3)
    path = os.path.join(tmp_path, cache_module._FILE)
    assert Recollection(path, PLAN).find(digest(2)) == whole(3)[2]
    assert Recollection(path, "other plan").find(digest(2)) is None


def test_half_a_key_is_not_enough(tmp_path: Path) -> None:
    fill(tmp_path, 1)
    with Cache(str(tmp_path), PLAN) as cache:
        assert list(cache.recall(np.array([(1, 99)], np.int64))) == []


def test_a_file_key_changes_with_everything_that_could_matter(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"12")
    os.utime(path, ns=(10**18, 10**18))
    facts = path.stat()
    now = 2 * 10**18
    key = file_key(str(path), facts, PLAN, now)
    assert key == file_key(str(path), facts, PLAN, now + 1)
    os.utime(path, ns=(10**18, 10**18 + 1))
    others = [
        file_key(str(path) + "b", facts, PLAN, now),
        file_key(str(path), facts, "other", now),
        file_key(str(path), path.stat(), PLAN, now),
        file_key("name\udcff", facts, PLAN, now),
    ]
    assert len({key, *others}) == 5
    assert file_key(str(path), facts, PLAN, 10**18 + 1000) == (0, 0), "too young to be trusted"


def test_the_folder_is_private(tmp_path: Path) -> None:
    fill(tmp_path / "new", 1)
    if os.name == "posix":
        assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700


def test_info_counts_and_clear_empties(tmp_path: Path) -> None:
    fill(tmp_path, 5)
    info = cache_info(str(tmp_path))
    assert (info["folder"], info["rows"], info["files"]) == (str(tmp_path), 5, 5)
    assert clear_cache(str(tmp_path)) == info["bytes"] > 0
    assert cache_info(str(tmp_path))["bytes"] == cache_info(str(tmp_path))["rows"] == 0
    assert recalled(tmp_path, 5) == {}


def test_a_cache_that_cannot_be_deleted_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: str) -> None:
        raise PermissionError(13, "in use")

    monkeypatch.setattr(os, "unlink", refuse)
    with pytest.raises(OutputError, match="in use"):
        clear_cache(str(tmp_path))


@pytest.mark.parametrize(
    "damage", ["not a database", "garbage in the middle", "cut short", "empty"]
)
def test_a_damaged_cache_is_rebuilt(tmp_path: Path, damage: str) -> None:
    fill(tmp_path, 3000)
    path = tmp_path / cache_module._FILE
    data = bytearray(path.read_bytes())
    if damage == "garbage in the middle":
        data[8192:-8192] = os.urandom(len(data) - 16384)
    path.write_bytes(
        {"not a database": b"hello " * 1000, "cut short": data[: len(data) // 3], "empty": b""}.get(
            damage, data
        )
    )
    believed = recalled(tmp_path, 3000)
    assert believed.items() <= whole(3000).items()
    fill(tmp_path, 3000)
    fill(tmp_path, 3000)
    assert recalled(tmp_path, 3000) == whole(3000)


def test_a_row_that_does_not_match_its_seal_is_not_believed(tmp_path: Path) -> None:
    fill(tmp_path, 3)
    with closing(sqlite3.connect(tmp_path / cache_module._FILE)) as connection:
        connection.execute("UPDATE rows SET numbers = ? WHERE id = 2", (b"block 9",))
        connection.execute("UPDATE rows SET texts = NULL WHERE id = 3")
        connection.commit()
    assert recalled(tmp_path, 3) == whole(1)
    assert Recollection(str(tmp_path / cache_module._FILE), PLAN).find(digest(1)) is None
    fill(tmp_path, 3)
    assert recalled(tmp_path, 3) == whole(3)


def test_a_folder_that_cannot_be_made_means_no_cache(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.warns(CacheWarning, match="no cache"):
        fill(tmp_path / "file" / "cache", 3)


@pytest.mark.skipif(os.name == "nt", reason="resource limits")
def test_a_full_disk_means_no_cache(tmp_path: Path) -> None:
    """Simulated by a limit on the size of files."""
    script = f"""
import resource, signal, warnings
from tests.measures.test_cache import fill, recalled, whole
from pathlib import Path
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
fill(Path({str(tmp_path)!r}), 10)
resource.setrlimit(resource.RLIMIT_FSIZE, (2**17, 2**17))
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    fill(Path({str(tmp_path)!r}), 20_000, first=10)
print(len(caught), caught[0].category.__name__)
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert done.stdout == "1 CacheWarning\n", done.stderr
    assert whole(10).items() <= recalled(tmp_path, 20_010).items()


def test_two_runs_at_once_keep_both_their_rows(tmp_path: Path) -> None:
    runs = [threading.Thread(target=fill, args=(tmp_path, 2000, first)) for first in (0, 1000)]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert recalled(tmp_path, 3000) == whole(3000)


def test_what_is_measured_again_replaces_what_was_there(tmp_path: Path) -> None:
    fill(tmp_path, 2)
    with Cache(str(tmp_path), PLAN) as cache:
        cache.store(digest(0), (77, 0), b"better", "[]")
    assert recalled(tmp_path, 2) == {0: (b"better", "[]"), 1: whole(2)[1]}


def test_the_oldest_rows_go_when_the_cache_is_full(tmp_path: Path) -> None:
    fill(tmp_path, 4000)
    size = cache_info(str(tmp_path))["bytes"]
    with Cache(str(tmp_path), PLAN, capacity=size // 2):
        pass
    left = recalled(tmp_path, 4000)
    assert 500 < len(left) < 2500
    assert min(left) == 4000 - len(left), "the newest stay"
    assert cache_info(str(tmp_path))["bytes"] < size


def test_a_busy_cache_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path, 1)
    monkeypatch.setattr(cache_module, "_PATIENCE_S", 0.05)
    with closing(sqlite3.connect(tmp_path / cache_module._FILE, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        fill(tmp_path, 3)
        assert recalled(tmp_path, 3) == whole(1)
        other.execute("ROLLBACK")
    fill(tmp_path, 3)
    assert recalled(tmp_path, 3) == whole(3)
