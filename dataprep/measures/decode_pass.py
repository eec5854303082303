"""measure(): one pass over the files of a Dataset that adds the measured columns."""

from __future__ import annotations

import os
import stat
import time
import warnings
from collections.abc import Callable, Collection, Iterator
from contextlib import closing, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np

from dataprep.backends import imap
from dataprep.errors import InputError
from dataprep.measures.cache import Cache, file_key
from dataprep.measures.cache_files import cache_folder
from dataprep.measures.options import PassOptions
from dataprep.measures.rows import TROUBLE, RowFormat, RowTable
from dataprep.measures.work import Setup, measures_of, signature_of
from dataprep.schemas.columns import COLUMNS
from dataprep.schemas.lost import Lost

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.measures.embedding.background import BackgroundEmbedding
    from dataprep.measures.embedding.contract import Embedder
    from dataprep.schemas.dataset import Dataset

#: progress(done, total, note)
Progress = Callable[[int, int, str], None]

_CHUNK = 20_000
_PROGRESS_S = 0.1


def measure(
    dataset: Dataset,
    columns: Collection[str] | None = None,
    options: PassOptions | None = None,
    progress: Progress | None = None,
) -> Dataset:
    """Read and decode every file once, in worker processes, and fill the measured columns.

    Columns of kind "float" are float32 and those of kind "int" float64, NaN where unknown; "bool"
    is bool, False where unknown; "category" and "text" are "" where unknown. A file that gave no
    pixels has ``lost`` and ``lost_detail``, and what was known before the loss (``bytes``,
    ``format``, ``width``); every other file has ``lost == ""``. Memory is that of the columns.

    Files that the cache knows are not read. An interrupted pass keeps what it measured in the
    cache. Images are embedded while others are decoded, unless the data set brings its own
    ``arrays["embedding"]``.

    Args:
        dataset: what to measure; its folder may be local or any fsspec URL.
        columns: the measured columns to fill; None means all. ``bytes``, ``file_hash``, ``lost``
            and ``lost_detail`` always are.
        options: limits, workers and cache; default: `PassOptions()`.
        progress: called with (files done, files in all, note) now and then, in this thread.

    Returns:
        The Dataset with its columns and arrays (``phash`` (n, 8) uint64, ``embedding`` (n, d)
        float16) added or replaced.

    Raises:
        OptionError, InputError: an embedder that cannot be loaded.
        WorkersLost: worker processes cannot be started.
        RegistryError: a plug-in measure that cannot be used.

    Example:
        >>> import dataprep
        >>> dataset = dataprep.scan("sample_data/shapes/val/stone")
        >>> measured = dataprep.measure(dataset, columns=["width", "height"])
        >>> measured.samples[["width", "height"]].values.tolist()
        [[208.0, 160.0]]
    """
    options = options or PassOptions()
    one_pass = _Pass(dataset, columns, options, progress, _embedder(dataset, columns, options))
    one_pass.run()
    return one_pass.with_vectors(_with_columns(dataset, one_pass.table, columns))


def _embedder(
    dataset: Dataset, columns: Collection[str] | None, options: PassOptions
) -> Embedder | None:
    if (
        not options.embedder
        or "embedding" in dataset.arrays
        or not (columns is None or "embedding" in columns)
    ):
        return None
    from dataprep.measures.embedding.contract import embedder_of

    return embedder_of(options)


class _Pass:
    """One run over the files: recall what is known, measure the rest, keep it."""

    def __init__(
        self,
        dataset: Dataset,
        columns: Collection[str] | None,
        options: PassOptions,
        progress: Progress | None,
        embedder: Embedder | None,
    ) -> None:
        measures = measures_of(columns)
        self._columns = tuple(measure.column for measure in measures)
        self._dataset, self._options = dataset, options
        self._signature = signature_of(measures, options)
        self._keys: NDArray[np.int64] = np.zeros((len(dataset), 2), np.int64)
        self._todo: NDArray[np.bool_] = np.ones(len(dataset), bool)
        self._sizes: NDArray[np.int64] = np.full(len(dataset), -1)
        self._progress, self._progress_at = progress, 0.0
        self.table = RowTable(len(dataset), RowFormat(self._columns))
        self._view = embedder.size if embedder is not None else 0
        self._background = (
            _start_embedding(embedder, len(dataset), options) if embedder is not None else None
        )
        # Rows that are known, of contents whose embedding is not.
        self._unseen: NDArray[np.bool_] = np.zeros(len(dataset), bool)

    def run(self) -> None:
        with (
            Cache(cache_folder(self._options.cache_dir), self._signature)
            if self._options.cache
            else nullcontext() as cache,
            self._embedding(),
        ):
            if not self._dataset.is_remote:
                self._stat_files()
            if cache is not None and not self._options.verify_cache:
                self._recall(cache)
            known = cache.path if cache is not None and not cache.is_empty else ""
            self._measure(np.flatnonzero(self._todo & ~self._unseen), cache, known)
            self._measure(np.flatnonzero(self._unseen), cache, "")
        self._report(force=True)
        self._warn_of_trouble()

    @contextmanager
    def _embedding(self) -> Iterator[None]:
        """Embedding goes on until the block ends, and stops when it ends early."""
        try:
            yield
        except BaseException:
            if self._background is not None:
                self._background.abandon()
            raise
        if self._background is not None:
            self._background.close()

    def with_vectors(self, dataset: Dataset) -> Dataset:
        """`dataset` with its embedding, if there is one."""
        if self._background is None:
            return dataset
        if self._background.failure:
            what = f"the embedder {self._options.embedder} failed, so that nothing is embedded"
            warnings.warn(f"{what}: {self._background.failure}", stacklevel=4)
            return dataset
        return dataset.with_arrays(embedding=self._background.vectors)

    def _report(self, force: bool = False) -> None:
        now = time.monotonic()
        if self._progress is not None and (force or now - self._progress_at > _PROGRESS_S):
            self._progress_at = now
            total = len(self._todo)
            self._progress(total - int(np.count_nonzero(self._todo)), total, "")

    def _names(self, rows: NDArray[np.int64]) -> Iterator[tuple[int, str]]:
        """(row, sample), holding few names at a time."""
        for start in range(0, len(rows), _CHUNK):
            chunk = rows[start : start + _CHUNK]
            yield from zip(chunk.tolist(), self._dataset.samples.index[chunk].tolist(), strict=True)

    def _stat_files(self) -> None:
        now_ns = time.time_ns()
        for row, sample in self._names(np.arange(len(self._todo))):
            path = self._dataset.path(sample)
            try:
                facts = os.stat(path)
            except (OSError, ValueError) as error:
                missing = isinstance(error, FileNotFoundError | NotADirectoryError)
                self._lose(
                    row,
                    Lost(
                        "missing" if missing else "unreadable",
                        getattr(error, "strerror", None) or str(error),
                    ),
                )
                continue
            self._sizes[row] = facts.st_size
            if stat.S_ISREG(facts.st_mode):
                self._keys[row] = file_key(path, facts, self._signature, now_ns)
            else:  # opening a pipe or a device could wait for ever
                self._lose(row, Lost("unreadable", "not a regular file"))

    def _recall(self, cache: Cache) -> None:
        for rows, numbers, texts in cache.recall(self._keys):
            fitting = [
                i
                for i, row in enumerate(zip(numbers, texts, strict=True))
                if self.table.format.fits(*row)
            ]
            rows = rows[fitting]
            kept = [numbers[i] for i in fitting]
            self.table.put_many(rows, kept, [texts[i] for i in fitting])
            self._todo[rows] = False
            self._recall_vectors(rows, kept)
            self._report()

    def _recall_vectors(self, rows: NDArray[np.int64], numbers: list[bytes]) -> None:
        """Fill the vectors of rows that the cache knew; those it does not know wait for a second
        turn.
        """
        if self._background is None or not len(rows):
            return
        digests = b"".join(self.table.format.digest(row) for row in numbers)
        found = self._background.recall(np.frombuffer(digests, np.uint8).reshape(-1, 16), rows)
        missing = [row for row in rows[~found].tolist() if self.table.is_blank("lost", row)]
        self._unseen[missing] = self._todo[missing] = True

    def _measure(self, rows: NDArray[np.int64], cache: Cache | None, known: str) -> None:
        """Measure rows in worker processes, which do not decode contents that the cache file
        `known` holds.
        """
        if not len(rows):
            return
        options = self._options
        results = imap(
            "dataprep.measures.work:measuring",
            (self._item(sample) for _, sample in self._names(rows)),
            setup=Setup(self._columns, options, self._signature, known, self._view),
            jobs=options.jobs,
            time_limit_s=options.time_limit_s,
            memory_limit_mb=options.memory_limit_mb,
            load=_loader(self._dataset.root, options) if self._dataset.is_remote else None,
        )
        with closing(results):  # type: ignore[type-var]
            for index, result in results:
                self._accept(int(rows[index]), result, cache)

    def _item(self, sample: str) -> str:
        return self._dataset.path(sample)

    def _accept(self, row: int, result: Any, cache: Cache | None) -> None:
        if isinstance(result, Lost):
            self._lose(row, result)
        else:
            numbers, text, known, view = result
            self.table.put(row, numbers, text)
            self._todo[row] = False
            digest = self.table.format.digest(numbers)
            if self._background is not None and view:
                self._background.put(row, digest, view)
            elif known:
                self._recall_vectors(np.array([row]), [numbers])
            if cache is not None and any(digest) and self._is_worth_keeping(row):
                cache.store(
                    digest,
                    (int(self._keys[row, 0]), int(self._keys[row, 1])),
                    numbers,
                    text,
                    known=known,
                )
        self._report()

    def _lose(self, row: int, loss: Lost) -> None:
        facts = {"bytes": self._sizes[row]} if self._sizes[row] >= 0 else {}
        self.table.put(
            row,
            *self.table.format.pack(
                {**facts, **loss.facts, "lost": loss.reason, "lost_detail": loss.detail}
            ),
        )
        self._todo[row] = False

    def _is_worth_keeping(self, row: int) -> bool:
        """Whether another run would find the same: contents that were read, whatever the decoder
        made of them.
        """
        return self.table.is_blank(TROUBLE, row) and self.table.text("lost", row) != "out-of-memory"

    def _warn_of_trouble(self) -> None:
        rows = self.table.rows_with(TROUBLE)
        if len(rows):
            first = int(rows[0])
            sample, words = self._dataset.samples.index[first], self.table.text(TROUBLE, first)
            what = f"a measure failed on {len(rows):,} files and left its column unknown"
            warnings.warn(f"{what}; the first is {sample}: {words}", stacklevel=4)


def _start_embedding(embedder: Embedder, rows: int, options: PassOptions) -> BackgroundEmbedding:
    from dataprep.measures.embedding.background import BackgroundEmbedding
    from dataprep.measures.embedding.store import VectorStore

    store = (
        VectorStore(cache_folder(options.cache_dir), embedder.key, embedder.dim)
        if options.cache
        else None
    )
    return BackgroundEmbedding(embedder, rows, store)


def _loader(root: str, options: PassOptions) -> Callable[[str], tuple[str, bytes] | Lost]:
    """A function that reads the bytes of a URL in this process; workers cannot reach every file
    system (``memory://``).
    """
    import fsspec

    try:
        files, _ = fsspec.core.url_to_fs(root)
    except (ImportError, ValueError) as error:
        raise InputError(f"cannot open {root}: {error}") from error
    limit = int(options.max_file_mb * 1e6)

    def read(url: str) -> tuple[str, bytes] | Lost:
        with files.open(files._strip_protocol(url), "rb") as file:
            data = file.read(limit + 1)
        if len(data) > limit:
            return Lost(
                "too-large", f"more than {options.max_file_mb:,.0f} MB, the limit (max_file_mb)"
            )
        return url, data

    return read


def _with_columns(dataset: Dataset, table: RowTable, columns: Collection[str] | None) -> Dataset:
    made = table.columns()
    arrays = {name: values for name, values in made.items() if getattr(values, "ndim", 1) > 1}
    flat: dict[str, Any] = {name: values for name, values in made.items() if name not in arrays}
    if "extension" not in dataset.samples and (columns is None or "extension" in columns):
        flat["extension"] = _extensions(dataset)
    order = [name for name in COLUMNS if name in flat] + [
        name for name in flat if name not in COLUMNS
    ]
    return dataset.assign(**{name: flat[name] for name in order}).with_arrays(**arrays)


def _extensions(dataset: Dataset) -> Any:
    import pandas as pd

    names = (sample.rpartition("/")[2].rpartition(".") for sample in dataset.samples.index)
    return pd.Categorical([suffix.lower() if stem else "" for stem, _, suffix in names])
