"""Where the cache's limits lie: when it commits, what it forgets, which time stamps it trusts."""

from __future__ import annotations

import os
import sqlite3
import warnings
from contextlib import closing
from pathlib import Path

import numpy as np
import platformdirs
import pytest

from dataprep.measures import cache as cache_module
from dataprep.measures.cache import (
    RACY_NS,
    Cache,
    CacheWarning,
    Recollection,
    cache_folder,
    cache_info,
    clear_cache,
    file_key,
)
from tests.measures.test_cache import PLAN, digest, fill, recalled, whole


def committed(folder: Path) -> tuple[int, int]:
    """Rows and files that another run sees."""
    info = cache_info(str(folder))
    return info["rows"], info["files"]


def used_bytes(folder: Path) -> int:
    with closing(sqlite3.connect(folder / cache_module._FILE)) as connection:
        page, pages, free = (
            connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_size", "page_count", "freelist_count")
        )
    return page * (pages - free)


def test_the_folder_is_the_given_one_then_the_environments_then_the_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATAPREP_CACHE_DIR", str(tmp_path / "environment"))
    assert cache_folder(str(tmp_path / "given")) == str(tmp_path / "given")
    assert cache_folder() == str(tmp_path / "environment")
    monkeypatch.chdir(tmp_path)
    assert cache_folder("relative") == str(tmp_path / "relative")
    monkeypatch.delenv("DATAPREP_CACHE_DIR")
    assert cache_folder() == platformdirs.user_cache_dir("dataprep-images", appauthor=False)


def test_a_time_stamp_is_trusted_from_two_seconds_on(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.touch()
    now = 10**18
    assert RACY_NS == 2_000_000_000
    for age, trusted in [(RACY_NS, True), (RACY_NS - 1, False), (-RACY_NS, False)]:
        os.utime(path, ns=(now, now - age))
        assert any(file_key(str(path), path.stat(), PLAN, now)) == trusted


def test_the_halves_of_a_file_key_are_two_numbers(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.touch()
    keys = [file_key(f"{path}{n}", path.stat(), PLAN, 3 * 10**18) for n in range(50)]
    assert len({first for first, _ in keys}) == len({second for _, second in keys}) == 50
    assert all(first != second for first, second in keys)
    for half in zip(*keys, strict=True):
        assert min(half) < 0 < max(half), "signed, as SQLite's numbers are"
        assert max(map(abs, half)) < 2**63


def test_rows_are_committed_when_enough_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache_module, "_COMMIT_ROWS", 6)
    monkeypatch.setattr(cache_module, "_COMMIT_S", 1e9)
    with Cache(str(tmp_path), PLAN) as cache:
        for number in range(2):
            cache.store(digest(number), (number + 1, 0), b"n", "t")
        assert committed(tmp_path) == (0, 0)
        cache.store(digest(2), (0, 0), b"n", "t")
        assert committed(tmp_path) == (0, 0), "three rows and two files wait"
        cache.store(digest(2), (3, 0), b"", "", known=True)
        assert committed(tmp_path) == (3, 3)
        cache.store(digest(3), (4, 0), b"n", "t")
        assert committed(tmp_path) == (3, 3)
    assert committed(tmp_path) == (4, 4)


def test_rows_are_committed_when_they_have_waited_a_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [100.0]
    monkeypatch.setattr(cache_module.time, "monotonic", lambda: clock[0])
    with Cache(str(tmp_path), PLAN) as cache:
        cache.store(digest(0), (1, 0), b"n", "t")
        clock[0] += 1.0
        cache.store(digest(1), (2, 0), b"n", "t")
        assert committed(tmp_path) == (0, 0)
        clock[0] += 0.1
        cache.store(digest(2), (3, 0), b"n", "t")
        assert committed(tmp_path) == (3, 3)
        cache.store(digest(3), (4, 0), b"n", "t")
        assert committed(tmp_path) == (3, 3), "the clock starts again"


def test_recalling_takes_chunks_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_module, "_CHUNK", 4)
    fill(tmp_path, 10)
    keys = np.array([(number + 1, number) for number in range(10)], np.int64)
    keys[3] = 0  # a young file: it isn't asked for
    with Cache(str(tmp_path), PLAN) as cache:
        chunks = [sorted(places.tolist()) for places, _, _ in cache.recall(keys)]
    assert chunks == [[0, 1, 2, 4], [5, 6, 7, 8], [9]]


def test_a_new_cache_is_empty_and_a_filled_one_is_not(tmp_path: Path) -> None:
    with Cache(str(tmp_path), PLAN) as cache:
        assert cache.is_empty
        cache.store(digest(0), (1, 0), b"n", "t")
        cache.commit()
        assert not cache.is_empty


@pytest.mark.parametrize("share", [0.9, 0.7, 0.5, 0.35])
def test_a_full_cache_keeps_three_quarters_of_its_capacity(tmp_path: Path, share: float) -> None:
    fill(tmp_path, 2000)
    used = used_bytes(tmp_path)
    capacity = int(used * share)
    with Cache(str(tmp_path), PLAN, capacity=capacity):
        pass
    kept = int(2000 * 0.75 * capacity / used)
    assert committed(tmp_path) == (kept, kept)
    assert sorted(recalled(tmp_path, 2000)) == list(range(2000 - kept, 2000))


def test_a_cache_at_its_capacity_forgets_nothing(tmp_path: Path) -> None:
    fill(tmp_path, 200)
    with Cache(str(tmp_path), PLAN, capacity=used_bytes(tmp_path)):
        pass
    assert committed(tmp_path) == (200, 200)
    with Cache(str(tmp_path), PLAN, capacity=used_bytes(tmp_path) - 1):
        pass
    assert committed(tmp_path)[0] < 200


def test_embeddings_are_counted_and_deleted_with_the_rows(tmp_path: Path) -> None:
    fill(tmp_path, 5)
    rows = cache_info(str(tmp_path))["bytes"]
    (tmp_path / f"{cache_module.EMBEDDINGS}lite0").write_bytes(b"x" * 1000)
    (tmp_path / "notes.txt").write_bytes(b"x" * 10)
    assert cache_info(str(tmp_path))["bytes"] == rows + 1000
    assert clear_cache(str(tmp_path)) == rows + 1000
    assert os.listdir(tmp_path) == ["notes.txt"]
    assert clear_cache(str(tmp_path / "none")) == 0


def test_what_a_run_under_way_wrote_is_counted_and_deleted(tmp_path: Path) -> None:
    with Cache(str(tmp_path), PLAN) as cache:
        cache.store(digest(0), (1, 0), b"n" * 5000, "t")
        cache.commit()
        sizes = {name: (tmp_path / name).stat().st_size for name in os.listdir(tmp_path)}
        assert len(sizes) == 3, "the file, its log and the index of that"
        assert cache_info(str(tmp_path))["bytes"] == sum(sizes.values())
        assert clear_cache(str(tmp_path)) == sum(sizes.values())
        assert os.listdir(tmp_path) == []


def test_a_file_that_stays_locked_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache_module, "_PATIENCE_S", 0.05)
    path = tmp_path / cache_module._FILE
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.warns(CacheWarning, match="locked"):
            fill(tmp_path, 3)
        other.execute("COMMIT")
    fill(tmp_path, 3)
    assert recalled(tmp_path, 3) == whole(3)


@pytest.mark.parametrize(
    ("code", "base"),
    [(sqlite3.SQLITE_BUSY_SNAPSHOT, sqlite3.SQLITE_BUSY), (sqlite3.SQLITE_FULL, 13)],
)
def test_an_extended_error_code_counts_as_its_base(code: int, base: int) -> None:
    error = sqlite3.OperationalError("made")
    assert cache_module._code(error) == sqlite3.SQLITE_CORRUPT, "an error without a code"
    error.sqlite_errorcode = code
    assert cache_module._code(error) == base


def test_a_worker_finds_nothing_where_there_is_no_cache(tmp_path: Path) -> None:
    worker = Recollection(str(tmp_path / "none" / "cache"), PLAN)
    assert worker.find(digest(0)) is None
    (tmp_path / "broken").write_bytes(b"hello " * 1000)
    worker = Recollection(str(tmp_path / "broken"), PLAN)
    assert worker.find(digest(0)) is None
    assert worker.find(digest(0)) is None, "it doesn't ask again"


def test_info_on_a_broken_file_counts_no_rows(tmp_path: Path) -> None:
    (tmp_path / cache_module._FILE).write_bytes(b"hello " * 1000)
    info = cache_info(str(tmp_path))
    assert (info["rows"], info["files"], info["bytes"]) == (0, 0, 6000)
    assert info["capacity"] == 2 * 2**30


def busy() -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("database is locked")
    error.sqlite_errorcode = sqlite3.SQLITE_BUSY
    return error


def test_opening_is_tried_again_while_another_run_makes_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries, prepare = [], cache_module._prepare

    def twice_busy(connection: sqlite3.Connection) -> None:
        tries.append(1)
        if len(tries) < 3:
            raise busy()
        prepare(connection)

    monkeypatch.setattr(cache_module, "_prepare", twice_busy)
    fill(tmp_path, 2)
    assert len(tries) == 3
    assert recalled(tmp_path, 2) == whole(2)


def test_opening_is_given_up_when_patience_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, tries = [0.0], []

    def always_busy(connection: sqlite3.Connection) -> None:
        tries.append(1)
        raise busy()

    def sleep(seconds: float) -> None:
        clock[0] += 4.0

    monkeypatch.setattr(cache_module, "_prepare", always_busy)
    monkeypatch.setattr(cache_module.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(cache_module.time, "sleep", sleep)
    with pytest.warns(CacheWarning, match="locked"), Cache(str(tmp_path), PLAN):
        pass
    assert len(tries) == 4, "after 0, 4, 8 and 12 seconds of 10"


def test_a_busy_cache_says_nothing_and_is_used_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache_module, "_PATIENCE_S", 0.05)
    fill(tmp_path, 1)
    with Cache(str(tmp_path), PLAN) as cache, warnings.catch_warnings():
        warnings.simplefilter("error")
        with closing(sqlite3.connect(tmp_path / cache_module._FILE, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            cache.store(digest(7), (8, 0), b"n", "t")
            cache.commit()
            other.execute("ROLLBACK")
        cache.store(digest(8), (9, 0), b"n", "t")
        cache.commit()
        assert committed(tmp_path) == (2, 2), "what could not be written is forgotten"


def test_a_damaged_file_that_cannot_be_deleted_means_no_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / cache_module._FILE).write_bytes(b"hello " * 1000)

    def refuse(path: str) -> None:
        raise PermissionError(13, "in use")

    monkeypatch.setattr(os, "unlink", refuse)
    with pytest.warns(CacheWarning, match="in use"), Cache(str(tmp_path), PLAN) as cache:
        assert cache.is_empty


@pytest.mark.parametrize("seal", [0, 2**63 - 1, None])
def test_a_row_with_another_seal_is_not_found(tmp_path: Path, seal: int | None) -> None:
    fill(tmp_path, 1)
    path = tmp_path / cache_module._FILE
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT typeof(seal) FROM rows").fetchone() == ("integer",)
        connection.execute("UPDATE rows SET seal = ?", (seal,))
        connection.commit()
    assert Recollection(str(path), PLAN).find(digest(0)) is None
    assert recalled(tmp_path, 1) == {}


def test_free_pages_do_not_count_as_used(tmp_path: Path) -> None:
    fill(tmp_path, 2000)
    with closing(sqlite3.connect(tmp_path / cache_module._FILE)) as connection:
        connection.execute("DELETE FROM rows WHERE id > 100")
        connection.commit()
        assert connection.execute("PRAGMA freelist_count").fetchone()[0] > 10
    with Cache(str(tmp_path), PLAN, capacity=used_bytes(tmp_path)):
        pass
    assert committed(tmp_path)[0] == 100
