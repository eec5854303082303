"""scan(): what a source is, and which reader reads it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from dataprep.errors import InputError
from dataprep.ingest.folders import scan_folder
from dataprep.ingest.selection import path_filter, sample_of
from dataprep.schemas.dataset import Dataset


def scan(
    source: str | os.PathLike[str] | Iterable[str | os.PathLike[str]] | None = None,
    *,
    manifest: str | os.PathLike[str] | None = None,
    files: Iterable[str | os.PathLike[str]] | None = None,
    path_column: str | None = None,
    label_column: str | None = None,
    split_column: str | None = None,
    group_column: str | None = None,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    sample: int | None = None,
    seed: int = 0,
) -> Dataset:
    keeps = path_filter(include, exclude)
    if isinstance(source, str | os.PathLike):
        dataset = scan_folder(os.fspath(source), keeps)
    else:
        raise InputError("nothing to scan: give a folder, a manifest or a list of files")
    return dataset if sample is None else sample_of(dataset, sample, seed)
