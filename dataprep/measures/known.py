"""Whether the cache knows the files of a data set by every measure, as an audit with all checks
leaves them.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import numpy as np

from dataprep.measures.cache import Cache, file_key
from dataprep.measures.cache_files import cache_folder
from dataprep.measures.work import measures_of, signature_of

if TYPE_CHECKING:
    from dataprep.measures.options import PassOptions
    from dataprep.schemas.dataset import Dataset

#: Files that are looked up, spread over the data set.
_ASKED = 32


def is_known(dataset: Dataset, options: PassOptions) -> bool:
    """Whether `measure` with all columns would find the files in the cache; some of them are looked
    up.
    """
    if not options.cache or options.verify_cache or dataset.is_remote or not len(dataset):
        return False
    signature, now_ns = signature_of(measures_of(None), options), time.time_ns()
    rows = np.unique(np.linspace(0, len(dataset) - 1, _ASKED).astype(np.int64))
    keys = []
    for sample in dataset.samples.index[rows]:
        path = dataset.path(sample)
        try:
            keys.append(file_key(path, os.stat(path), signature, now_ns))
        except (OSError, ValueError):
            continue
    asked = np.array(keys, np.int64).reshape(-1, 2)
    with Cache(cache_folder(options.cache_dir), signature) as cache:
        found = sum(len(places) for places, _, _ in cache.recall(asked))
    return 0 < len(asked) == found
