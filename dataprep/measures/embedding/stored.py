"""The embeddings that the cache has of a measured data set: no file is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dataprep.measures.cache_files import cache_folder
from dataprep.measures.embedding.contract import embedder_of
from dataprep.measures.embedding.store import VectorStore

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.measures.embedding.contract import Embedder
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
    embedder = embedder_of(options)
    vectors = np.zeros((len(dataset), embedder.dim), np.float16)
    known = recall_embedding(dataset, embedder, options, vectors)
    return vectors if known[dataset.readable].all() else None


def recall_embedding(
    dataset: Dataset, embedder: Embedder, options: PassOptions, vectors: NDArray[np.float16]
) -> NDArray[np.bool_]:
    """(n,) whether the cache knows the embedding of a file's content; those are filled into
    `vectors` (n, d).
    """
    known = np.zeros(len(dataset), bool)
    if not options.cache or "file_hash" not in dataset.samples:
        return known
    hashes = dataset.samples["file_hash"].astype("str").to_numpy(dtype=object)
    rows = np.array([row for row, text in enumerate(hashes) if len(text) == 32], np.int64)
    digests = np.frombuffer(bytes.fromhex("".join(hashes[rows])), np.uint8).reshape(-1, 16)
    store = VectorStore(cache_folder(options.cache_dir), embedder.key, embedder.dim)
    known[rows] = store.recall(digests, vectors, rows)
    return known
