"""What checks and the second look found, remembered by all that they may have read."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pandas as pd
import xxhash

from dataprep.backends.guard import losses
from dataprep.measures.cache_files import cache_folder
from dataprep.measures.results import ResultStore
from dataprep.schemas.files.snapshot import software

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.checks.contract import Check
    from dataprep.measures.options import PassOptions
    from dataprep.schemas.dataset import Dataset

T = TypeVar("T")

_SAFELY = ("utf-8", "surrogatepass")
#: What takes less time is worked out again.
_SHORT_S = 0.02


class Memory:
    """Results of the same data, options and software.

    Whatever a check may read enters the key: every column and array, what the records said, the
    limits of decoding, the data compared with, and the software. Files are known by the hash of
    their content, which is a column. What was made while an item was lost to a limit of time or
    memory is not kept: another run may get further.
    """

    def __init__(
        self, dataset: Dataset, options: PassOptions, compared_with: Dataset | None = None
    ) -> None:
        self._dataset, self._options, self._compared_with = dataset, options, compared_with
        self._store = ResultStore(cache_folder(options.cache_dir))

    def get(self, name: str, make: Callable[[], T], given: Any = "", *, always: bool = False) -> T:
        """What `make` gives, or gave in an earlier run.

        Args:
            name: what it is.
            make: called where it is not remembered.
            given: what it depends on besides the data: options, as `repr` shows them.
            always: keep it too if it took hardly any time.
        """
        key = self._key(name, given)
        found: T | None = self._store.recall(key)
        if found is not None:
            return found
        begun, lost = time.perf_counter(), losses()
        value = make()
        if (always or time.perf_counter() - begun > _SHORT_S) and losses() == lost:
            self._store.keep(key, value)
        return value

    def recall(self, name: str, given: Any = "") -> Any | None:
        """What `get` would give without making it; None where it is not remembered."""
        return self._store.recall(self._key(name, given))

    def claims(self, check: Check, make: Callable[[], list[pd.DataFrame]]) -> list[pd.DataFrame]:
        """A check's claims: remembered where it is one of this package that takes a second look."""
        kind = type(check)
        if not check.looks or not kind.__module__.startswith("dataprep.checks."):
            return make()
        return self.get(f"check {kind.__module__}:{kind.__qualname__}", make, asdict(check))

    def close(self) -> None:
        """Forget what was not used for longest, if there is too much."""
        self._store.close()

    def _key(self, name: str, given: Any) -> str:
        return xxhash.xxh3_128_hexdigest(f"{self._base}\0{name}\0{given!r}".encode(*_SAFELY))

    @cached_property
    def _base(self) -> str:
        # How much runs at once, and the cache itself, change no figure.
        limits = replace(self._options, jobs=0, cache=True, cache_dir="", verify_cache=False)
        digest = xxhash.xxh3_128(f"{software()}\0{limits!r}".encode(*_SAFELY))
        for dataset in (self._dataset, self._compared_with):
            digest.update(b"none" if dataset is None else _hash_of(dataset))
        return digest.hexdigest()


def memory_of(
    dataset: Dataset, options: PassOptions, compared_with: Dataset | None = None
) -> Memory | None:
    """The memory for a measured data set; None where nothing is to be remembered: without a cache,
    or of images that lay in memory.
    """
    if not options.cache or dataset.holds is not None or "file_hash" not in dataset.samples:
        return None
    return Memory(dataset, options, compared_with)


def remembered(
    name: str, make: Callable[[], T], arrays: Iterable[NDArray[Any]], options: PassOptions
) -> T:
    """What `make` gives, or gave in an earlier run for the same `arrays`.

    Args:
        name: what it is, with its options.
        make: called where it is not remembered.
        arrays: all that it depends on besides `name`.
        options: say whether there is a cache, and where.
    """
    if not options.cache:
        return make()
    digest = xxhash.xxh3_128(f"{software()}\0{name}".encode(*_SAFELY))
    for array in arrays:
        digest.update(f"{array.dtype} {array.shape}".encode())
        digest.update(_bytes_of(array))
    store, key = ResultStore(cache_folder(options.cache_dir)), digest.hexdigest()
    found: T | None = store.recall(key)
    if found is None:
        found = make()
        store.keep(key, found)
        store.close()
    return found


def _bytes_of(array: NDArray[Any]) -> Any:
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8)


def _hash_of(dataset: Dataset) -> bytes:
    digest = xxhash.xxh3_128()
    facts = (dataset.root, dataset.task, dataset.classes, sorted(dataset.ignored.items()))
    digest.update(repr((facts, dataset.notes)).encode(*_SAFELY))
    for table in (dataset.samples, dataset.annotations, dataset.faults, dataset.listed):
        digest.update(b"none" if table is None else _hash_of_table(table))
    for name, array in sorted(dataset.arrays.items()):
        digest.update(f"{name} {array.dtype} {array.shape}".encode())
        digest.update(_bytes_of(array))
    return digest.digest()


def _hash_of_table(table: pd.DataFrame) -> bytes:
    digest = xxhash.xxh3_128(repr(table.index.tolist()).encode(*_SAFELY))
    for name in table:
        values = table[name]
        digest.update(f"{name!r} {values.dtype}".encode(*_SAFELY))
        if isinstance(values.dtype, pd.CategoricalDtype):
            digest.update(repr(values.cat.categories.tolist()).encode(*_SAFELY))
            digest.update(values.cat.codes.to_numpy().tobytes())
        elif isinstance(values.dtype, np.dtype) and not values.dtype.hasobject:
            digest.update(values.to_numpy().tobytes())
        else:
            digest.update(repr(values.tolist()).encode(*_SAFELY))
    return digest.digest()
