"""Where the cache is, and what its files are called. Imports no library that is slow to load."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

#: How names of files begin: of embeddings (`dataprep.measures.embedding.store`), of remembered
#: results (`dataprep.measures.results`), and of what is known of the last audit in a folder.
EMBEDDINGS, RESULTS, AUDITS = "embeddings-", "results-", "audit-"


def cache_folder(cache_dir: str = "") -> str:
    """`cache_dir`, else the environment's ``DATAPREP_CACHE_DIR``, else the user's cache folder."""
    import platformdirs

    folder = cache_dir or os.environ.get("DATAPREP_CACHE_DIR", "")
    return os.path.abspath(
        folder or platformdirs.user_cache_dir("dataprep-images", appauthor=False)
    )


def stored_files(folder: str, *kinds: str) -> Iterator[os.DirEntry[str]]:
    """The files in a cache folder whose names begin with one of `kinds`."""
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        yield from [entry for entry in entries if entry.name.startswith(kinds)]


def forget_oldest(folder: str, kind: str, *, most: int, most_bytes: int) -> None:
    """Delete the files of a kind that were not used for longest, beyond `most` files or
    `most_bytes` bytes.
    """
    found = []
    for entry in stored_files(folder, kind):
        with contextlib.suppress(OSError):
            facts = entry.stat()
            found.append((facts.st_mtime_ns, facts.st_size, entry.path))
    total = 0
    for number, (_, size, path) in enumerate(sorted(found, reverse=True)):
        total += size
        if number >= most or total > most_bytes:
            with contextlib.suppress(OSError):
                os.unlink(path)
