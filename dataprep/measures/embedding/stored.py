"""The embeddings that the cache has of a measured data set: no file is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dataprep.measures.cache_files import cache_folder
from dataprep.measures.embedding.contract import load_embedder
from dataprep.measures.embedding.store import VectorStore

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.measures.options import PassOptions
    from dataprep.schemas.dataset import Dataset


def stored_embedding(dataset: Dataset, options: PassOptions) -> NDArray[np.float16] | None:
    """(n, d) embeddings by the embedder of `options`, zeros for files that gave no pixels; None
    where the cache lacks one.

    Args:
        dataset: with the column ``file_hash``.
        options: name the embedder, its size and the cache.

    Raises:
        RegistryError, InputError, OptionError: an embedder that cannot be loaded.
    """
    if not options.cache or not options.embedder or "file_hash" not in dataset.samples:
        return None
    hashes = dataset.samples["file_hash"].astype("str").to_numpy(dtype=object)
    rows = np.flatnonzero(dataset.readable)
    if any(len(text) != 32 for text in hashes[rows]):
        return None
    size = options.embedder_size
    embedder = load_embedder(options.embedder, size=size, threads=options.jobs)
    vectors = np.zeros((len(dataset), embedder.dim), np.float16)
    digests = np.frombuffer(bytes.fromhex("".join(hashes[rows])), np.uint8).reshape(-1, 16)
    store = VectorStore(cache_folder(options.cache_dir), embedder.key, embedder.dim)
    return vectors if store.recall(digests, vectors, rows).all() else None
