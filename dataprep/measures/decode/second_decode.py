"""A second decoding of some files in worker processes, at full size and with time for several."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dataprep.backends import imap
from dataprep.measures.decode.thumbnails import read_remote
from dataprep.schemas.lost import Lost

if TYPE_CHECKING:
    from dataprep.measures.options import PassOptions
    from dataprep.schemas.dataset import Dataset

#: Times the limit of one file that a batch of files may take.
_PATIENCE = 4


def decode_again(
    task: str,
    batches: Sequence[Any],
    dataset: Dataset,
    options: PassOptions,
    load: Callable[..., Any],
) -> dict[int, Any]:
    """Number of a batch to what the task makes of it; batches that are lost are left out.

    Args:
        task: "module:function" that makes the worker's task from the options.
        batches: what the task is given, each a tuple.
        dataset: whose files they are.
        options: limits of decoding, and workers.
        load: reads a batch of a data set that is not on a local disk.
    """
    results = imap(
        task,
        batches,
        setup=replace(options, scale_above_megapixels=options.max_megapixels),
        jobs=options.jobs,
        time_limit_s=options.time_limit_s * _PATIENCE,
        memory_limit_mb=options.memory_limit_mb,
        load=load if dataset.is_remote else None,
    )
    with closing(results):  # type: ignore[type-var]
        return {index: result for index, result in results if not isinstance(result, Lost)}


def read_remote_batch(urls: tuple[str, ...]) -> tuple[bytes, ...] | Lost:
    """The contents of the files of one batch, which may lie on any file system that fsspec
    knows.
    """
    contents = []
    for url in urls:
        content = read_remote(url)
        if isinstance(content, Lost):
            return content
        contents.append(content)
    return tuple(contents)
