"""The cache of measured rows: unchanged files are not read, and known content is not decoded again.

One SQLite file (write-ahead log, safe for several runs at once) in the user's cache folder. Two
tables: ``rows`` holds packed rows (`dataprep.measures.rows`) by the hash of their content and of
the plan that measured them, in the order in which they came, so that the next audit reads them in
sequence; ``files`` leads there from path, size, modification time and inode. Fixed-size arrays lie
inside the packed row; embeddings, which are larger and depend on a model, in files of their own.
Every row carries a seal (a checksum) and is ignored when it does not match; a damaged file is
deleted and begun anew; a cache that cannot be written is done without, with a warning.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import struct
import time
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import xxhash

from dataprep.errors import OutputError
from dataprep.measures.cache_files import AUDITS, EMBEDDINGS, RESULTS, cache_folder, stored_files
from dataprep.schemas.files.snapshot import RACY_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

T = TypeVar("T")

#: The cache forgets its oldest rows when it grows beyond this many bytes (about 2.5 million files).
CAPACITY_BYTES = 2 * 2**30

_KEY = struct.Struct("<qq")
_FILE = "measures-1.sqlite"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS rows(
    id INTEGER PRIMARY KEY AUTOINCREMENT, content BLOB UNIQUE, numbers BLOB, texts TEXT, seal INTEGER
);
CREATE TABLE IF NOT EXISTS files(key INTEGER PRIMARY KEY, twin INTEGER, row INTEGER);
PRAGMA user_version=1;
"""  # noqa: E501
_KEEP = (
    "INSERT INTO rows(content, numbers, texts, seal) VALUES(?, ?, ?, ?) "
    "ON CONFLICT(content) DO UPDATE SET numbers = excluded.numbers, texts = excluded.texts, seal = "
    "excluded.seal"
)
_CHUNK = 20_000
_COMMIT_ROWS = 10_000
_COMMIT_S = 1.0
_PATIENCE_S = 10.0
_INDEX_KILOBYTES = 64_000
_DAMAGE = frozenset(
    {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_MISMATCH}
)
_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})


class CacheWarning(UserWarning):
    """The cache cannot be used; results are the same without it."""


def cache_info(cache_dir: str = "") -> dict[str, Any]:
    """``folder``, ``bytes`` on disk, ``rows`` (measured contents), ``files`` known by path, and
    the ``capacity`` in bytes.
    """
    folder = cache_folder(cache_dir)
    rows = files = 0
    if os.path.exists(path := os.path.join(folder, _FILE)):
        with (
            contextlib.suppress(sqlite3.Error),
            contextlib.closing(_connect_to_read(path)) as connection,
        ):
            rows, files = connection.execute(
                "SELECT (SELECT count(*) FROM rows), (SELECT count(*) FROM files)"
            ).fetchone()
    return {
        "folder": folder,
        "bytes": _bytes_on_disk(folder),
        "rows": rows,
        "files": files,
        "capacity": CAPACITY_BYTES,
    }


def clear_cache(cache_dir: str = "") -> int:
    """Delete the cache; gives the bytes that were freed.

    Raises:
        OutputError: it cannot be deleted.
    """
    folder = cache_folder(cache_dir)
    freed = _bytes_on_disk(folder)
    try:
        _delete(os.path.join(folder, _FILE))
        for path in _stores(folder):
            os.unlink(path)
    except OSError as error:
        why = f"the cache in {folder} cannot be deleted ({error.strerror})"
        raise OutputError(f"{why}: end the runs that use it and try again") from error
    return freed


def file_key(path: str, stat: os.stat_result, signature: str, now_ns: int) -> tuple[int, int]:
    """128 bits that stand for an unchanged file under a plan; (0, 0) when its time stamp is too
    young to be trusted.
    """
    if stat.st_mtime_ns > now_ns - RACY_NS:
        return 0, 0
    text = f"{path}\0{stat.st_size}\0{stat.st_mtime_ns}\0{stat.st_ino}\0{signature}"
    key, twin = _KEY.unpack(xxhash.xxh3_128_digest(os.fsencode(text)))
    return key, twin


class Cache:
    """The cache as one run uses it. Nothing it does fails: it recalls less, or nothing."""

    def __init__(self, folder: str, signature: str, capacity: int = CAPACITY_BYTES) -> None:
        """Open the cache in `folder`, which is made (mode 0700) if need be, for rows measured
        under the plan `signature`.
        """
        self.path = os.path.join(folder, _FILE)
        self._signature, self._capacity = signature.encode(), capacity
        self._connection: sqlite3.Connection | None = None
        self._rows: list[tuple[bytes, bytes, str, int]] = []
        self._files: list[tuple[int, int, bytes]] = []
        self._since = time.monotonic()
        self._open()

    def __enter__(self) -> Cache:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to recall."""
        return not self._try(
            lambda connection: connection.execute("SELECT 1 FROM rows LIMIT 1").fetchone(), None
        )

    def recall(
        self, keys: NDArray[np.int64]
    ) -> Iterator[tuple[NDArray[np.int64], list[bytes], list[str]]]:
        """Rows of unchanged files, in chunks.

        Args:
            keys: (n, 2) as `file_key` gives them.

        Yields:
            (positions in `keys`, numbers, texts), sealed rows only.
        """
        positions = np.flatnonzero(keys.any(axis=1))
        for start in range(0, len(positions), _CHUNK):
            chunk = positions[start : start + _CHUNK]
            found: list[Any] = self._try(partial(_recall_chunk, places=chunk, keys=keys), [])
            whole = [row for row in found if _seal(*row[1:4]) == row[4]]
            if whole:
                yield (
                    np.array([row[0] for row in whole]),
                    [row[2] for row in whole],
                    [row[3] for row in whole],
                )

    def store(
        self, digest: bytes, key: tuple[int, int], numbers: bytes, text: str, *, known: bool = False
    ) -> None:
        """Keep a row under the hash of its content (16 bytes), and the way there from
        `file_key`; a `known` row is there.
        """
        content = _content(self._signature, digest)
        if not known:
            self._rows.append((content, numbers, text, _seal(content, numbers, text)))
        if any(key):
            self._files.append((*key, content))
        if (
            len(self._rows) + len(self._files) >= _COMMIT_ROWS
            or time.monotonic() - self._since > _COMMIT_S
        ):
            self.commit()

    def commit(self) -> None:
        """Write what `store` has gathered, in one transaction."""
        rows, files = self._rows, self._files
        self._rows, self._files, self._since = [], [], time.monotonic()
        if rows or files:
            self._try(lambda connection: self._write(connection, rows, files), None)

    @staticmethod
    def _write(connection: sqlite3.Connection, rows: list[Any], files: list[Any]) -> None:
        with connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(_KEEP, rows)
            connection.executemany(
                "INSERT OR REPLACE INTO files(key, twin, row) SELECT ?, ?, id FROM rows WHERE "
                "content = ?",
                files,
            )

    def close(self) -> None:
        """Commit, forget the oldest rows if the cache is too large, and close."""
        self.commit()
        self._try(lambda connection: _shrink(connection, self._capacity), None)
        self._disconnect()

    def _open(self) -> None:
        try:
            os.makedirs(os.path.dirname(self.path), mode=0o700, exist_ok=True)
            self._connection = _connect(self.path)
        except sqlite3.Error as error:
            self._recover(error)
        except OSError as error:
            self._give_up(error.strerror or str(error))

    def _try(self, action: Callable[[sqlite3.Connection], T], otherwise: T) -> T:
        if self._connection is None:
            return otherwise
        try:
            return action(self._connection)
        except sqlite3.Error as error:
            self._recover(error)
        return otherwise

    def _recover(self, error: sqlite3.Error) -> None:
        """Begin anew if the file is damaged; do without what another run keeps locked; else do
        without the cache.
        """
        code = _code(error)
        if code in _BUSY and self._connection is not None:
            return
        self._disconnect()
        if code not in _DAMAGE:
            self._give_up(str(error))
            return
        try:
            _delete(self.path)
            self._connection = _connect(self.path)
        except (OSError, sqlite3.Error) as again:
            self._give_up(str(again))

    def _give_up(self, why: str) -> None:
        message = f"no cache: {self.path}: {why}. Results are the same, the next run is not faster."
        warnings.warn(message, CacheWarning, stacklevel=2)

    def _disconnect(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
        self._connection = None


class Recollection:
    """What a worker asks the cache: the row of this content, if any. It never writes."""

    def __init__(self, path: str, signature: str) -> None:
        """Open the cache file `path` for rows measured under the plan `signature`."""
        self._signature = signature.encode()
        self._connection: sqlite3.Connection | None = None
        with contextlib.suppress(sqlite3.Error):
            self._connection = _connect_to_read(path)

    def find(self, digest: bytes) -> tuple[bytes, str] | None:
        """(numbers, text) of the content with this hash (16 bytes), or None."""
        if self._connection is None:
            return None
        content = _content(self._signature, digest)
        try:
            row = self._connection.execute(
                "SELECT numbers, texts, seal FROM rows WHERE content = ?", (content,)
            ).fetchone()
        except sqlite3.Error:
            self._connection = None
            return None
        return row[:2] if row and _seal(content, *row[:2]) == row[2] else None


def _recall_chunk(
    connection: sqlite3.Connection, places: NDArray[np.int64], keys: NDArray[np.int64]
) -> list[Any]:
    wanted = np.column_stack([places, keys[places]]).tolist()
    connection.execute("DELETE FROM temp.wanted")
    connection.executemany("INSERT INTO temp.wanted VALUES(?, ?, ?)", wanted)
    return connection.execute(
        "SELECT w.place, r.content, r.numbers, r.texts, r.seal FROM temp.wanted w "
        "CROSS JOIN files f ON f.key = w.key AND f.twin = w.twin CROSS JOIN rows r ON r.id = f.row"
    ).fetchall()


def _content(signature: bytes, digest: bytes) -> bytes:
    return bytes(xxhash.xxh3_128_digest(signature + digest))


def _seal(content: bytes, numbers: Any, text: Any) -> int:
    try:
        return xxhash.xxh3_64_intdigest(content + numbers + text.encode()) >> 1
    except (TypeError, AttributeError):
        return -1


def _connect(path: str) -> sqlite3.Connection:
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        connection = sqlite3.connect(path, timeout=_PATIENCE_S, isolation_level=None)
        try:
            _prepare(connection)
            return connection
        except sqlite3.Error as error:
            connection.close()
            # Two runs that make the file at once: switching to the write-ahead log does not wait by
            # itself.
            if _code(error) not in _BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _prepare(connection: sqlite3.Connection) -> None:
    if connection.execute("PRAGMA user_version").fetchone()[0] != 1:
        connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.executescript(_SCHEMA)
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA temp_store=MEMORY")
    # Keys are random: without room for the index, and with frequent checkpoints, every row would
    # write pages of its own.
    connection.execute(f"PRAGMA cache_size=-{_INDEX_KILOBYTES}")
    connection.execute("PRAGMA wal_autocheckpoint=16000")
    connection.execute(
        "CREATE TEMP TABLE wanted(place INTEGER PRIMARY KEY, key INTEGER, twin INTEGER)"
    )


def _code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF


def _connect_to_read(path: str) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=_PATIENCE_S, isolation_level=None)


def _shrink(connection: sqlite3.Connection, capacity: int) -> None:
    """Forget the oldest rows until a quarter of the capacity is free again."""
    pragmas = ("page_size", "page_count", "freelist_count")
    page, pages, free = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in pragmas)
    used = page * (pages - free)
    if used <= capacity:
        return
    keep = 0.75 * capacity / used
    oldest, newest = connection.execute(
        "SELECT coalesce(min(id), 0), coalesce(max(id), 0) FROM rows"
    ).fetchone()
    limit = newest - int((newest - oldest + 1) * keep)
    connection.execute("DELETE FROM rows WHERE id <= ?", (limit,))
    connection.execute("DELETE FROM files WHERE row <= ?", (limit,))
    connection.execute("PRAGMA incremental_vacuum").fetchall()
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _delete(path: str) -> None:
    for name in (path, f"{path}-wal", f"{path}-shm"):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)


def _stores(folder: str) -> list[str]:
    """Paths of the files beside the measured rows."""
    return [entry.path for entry in stored_files(folder, EMBEDDINGS, RESULTS, AUDITS)]


def _bytes_on_disk(folder: str) -> int:
    total = 0
    for path in (
        *(os.path.join(folder, _FILE + suffix) for suffix in ("", "-wal", "-shm")),
        *_stores(folder),
    ):
        with contextlib.suppress(OSError):
            total += os.stat(path).st_size
    return total
