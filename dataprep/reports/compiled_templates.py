"""Templates of pages compiled once, not in every run: kept where Python keeps its own bytecode."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import sys
from importlib.util import cache_from_source

import jinja2
from jinja2.bccache import Bucket

from dataprep.version import __version__


class CompiledTemplates(jinja2.BytecodeCache):
    """The bytecode of the templates in a folder, each in a file of its own under ``__pycache__``
    (``PYTHONPYCACHEPREFIX`` and ``PYTHONDONTWRITEBYTECODE`` hold). Two runs may write at once.
    What cannot be read, or is of another version, is compiled anew; a folder that cannot be
    written stays as it is.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def get_cache_key(self, name: str, filename: str | None = None) -> str:
        """The name of the template."""
        return name

    def get_source_checksum(self, source: str) -> str:
        """Of the template and of the versions that it was compiled by."""
        versions = f"{jinja2.__version__} {__version__}\n"
        return hashlib.sha256((versions + source).encode()).hexdigest()

    def load_bytecode(self, bucket: Bucket) -> None:
        """Read the template's bytecode, if there is any that fits."""
        try:
            with open(self._path(bucket), "rb") as file:
                bucket.load_bytecode(file)
        except Exception:  # whatever a damaged file leads to
            bucket.reset()

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Write it for the next run."""
        if sys.dont_write_bytecode:
            return
        path = self._path(bucket)
        part = f"{path}.{secrets.token_hex(4)}"
        try:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(part, "xb") as file:
                bucket.write_bytecode(file)
            os.replace(part, path)
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(part)

    def _path(self, bucket: Bucket) -> str:
        return cache_from_source(os.path.join(self._folder, bucket.key))
