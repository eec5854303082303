"""Dataset: a frozen table of samples that everything flows through."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from dataprep.schemas.text.names import unescape_name

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

Task = Literal["classification", "multi-label", "regression", "detection", "segmentation", "none"]


@dataclass(frozen=True, eq=False)
class Dataset:
    """A frozen table of samples; `assign` and `where` give new ones.

    Attributes:
        root: directory or fsspec URL that the samples' paths are relative to.
        samples: DataFrame, one row per sample, indexed by ``sample``: the path relative to `root`
            with POSIX separators, unique, escaped by `dataprep.schemas.text.names.escape_name`.
            Columns: see `dataprep.schemas.columns`; any other column is the user's own.
        task: what the labels are; "none" without labels.
        classes: ordered class names, the columns of ``arrays["probs"]``.
        arrays: named arrays aligned with the rows (first axis n): ``phash``, ``embedding``,
            ``probs``.
        annotations: one row per annotation, when more than one label per sample is known; else
            None.
        faults: defects found while reading the records, one row each
            (`dataprep.schemas.issues.FAULT_COLUMNS`).
        ignored: junk that was passed over: kind (``Thumbs.db``) to count.
        notes: how the source was read, where that was a choice: one plain sentence each, for the
            terminal and the report.
        listed: the rows of the manifest or list that named the samples, as they stand there, also
            those that are missing or repeated: ``path`` as written and ``sample`` ("" where no file
            is), both escaped; None without such a list.
        holds: what lives as long as the data set does, such as the folder of images that came from
            memory.

    Example:
        >>> import dataprep, pandas as pd
        >>> samples = pd.DataFrame({"label": ["cat", "dog"]}, index=["1.jpg", "2.jpg"])
        >>> dataset = dataprep.Dataset("photos", samples, "classification", ("cat", "dog"))
        >>> dataset.where(dataset.samples["label"] == "dog")
        Dataset('photos', 1 samples, task=classification, 2 classes)
        >>> dataset.assign(split=["train", "test"]).has("split")
        True
    """

    root: str
    samples: pd.DataFrame
    task: Task = "none"
    classes: tuple[str, ...] = ()
    arrays: Mapping[str, np.ndarray[Any, Any]] = field(default_factory=dict)
    annotations: pd.DataFrame | None = None
    faults: pd.DataFrame | None = None
    ignored: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    listed: pd.DataFrame | None = None
    holds: object = field(default=None, repr=False)

    def __len__(self) -> int:
        return len(self.samples)

    def __repr__(self) -> str:
        return (
            f"Dataset({self.root!r}, {len(self)} samples, task={self.task}, "
            f"{len(self.classes)} "
            "classes)"
        )

    def has(self, column: str) -> bool:
        """Whether `column` is known: an array, or a column with at least one value that is not
        missing.
        """
        if column in self.arrays:
            return True
        return column in self.samples and bool(self.samples[column].notna().any())

    def assign(self, **columns: Any) -> Dataset:
        """A new Dataset with columns added or replaced (scalars, or n values in row order)."""
        return replace(self, samples=self.samples.assign(**columns))

    def with_arrays(self, **arrays: np.ndarray[Any, Any]) -> Dataset:
        """A new Dataset with aligned arrays added or replaced, each of n rows."""
        for name, array in arrays.items():
            if len(array) != len(self):
                raise ValueError(f"array {name!r}: expected {len(self)} rows, got {len(array)}")
        return replace(self, arrays={**self.arrays, **arrays})

    def where(self, mask: Any) -> Dataset:
        """A new Dataset with the rows where the boolean `mask` (n,) is true; `classes` and
        `faults` stay.
        """
        import numpy as np

        rows = np.flatnonzero(np.asarray(mask, dtype=bool))
        annotations = self.annotations
        samples = self.samples.iloc[rows]
        if annotations is not None:
            annotations = annotations[annotations["sample"].isin(samples.index)]
        arrays = {name: array[rows] for name, array in self.arrays.items()}
        return replace(self, samples=samples, arrays=arrays, annotations=annotations)

    def path(self, sample: str) -> str:
        """Where a sample's file is: an operating system path, or a URL when `root` is one."""
        if self._prefix and not ("\\" in sample or "//" in sample or sample[:1] == "/"):
            return self._prefix + sample
        if self.is_remote:
            return f"{self.root.rstrip('/')}/{unescape_name(sample)}"
        return os.path.join(self.root, *unescape_name(sample).split("/"))

    @cached_property
    def is_remote(self) -> bool:
        """Whether `root` is an fsspec URL rather than a directory."""
        return "://" in self.root

    @cached_property
    def _prefix(self) -> str:
        """What stands before most samples in their path; "" where each has to be put together."""
        is_plain = os.sep == "/" and self.root and not self.is_remote
        return os.path.join(self.root, "") if is_plain else ""

    @cached_property
    def readable(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """(n,) whether the file gave pixels; true for every file before `dataprep.measure`."""
        import numpy as np

        known = np.ones(len(self), bool)
        if "lost" in self.samples:
            lost = self.samples["lost"]
            known = np.array(lost.isna() | (lost.astype("str") == ""), dtype=bool)
        known.flags.writeable = False  # worked out once for all who ask
        return known

    @cached_property
    def fingerprint(self) -> str:
        """128-bit hexadecimal hash of what identifies the data: sample names, labels, splits,
        groups and file hashes.

        The same whatever the order of the rows, the folder the data lies in and the machine.
        """
        import pandas as pd
        import xxhash

        given = [c for c in ("label", "split", "group", "file_hash") if c in self.samples]
        table = pd.DataFrame({"sample": self.samples.index.astype(str)})
        for column in given:
            table[column] = self.samples[column].astype("str").fillna("").to_numpy()
        hashes = pd.util.hash_pandas_object(table.sort_values("sample"), index=False).to_numpy()
        digest = xxhash.xxh3_128(hashes.tobytes())
        digest.update(",".join(given).encode())
        return digest.hexdigest()
