"""A private temporary folder for in-memory images; it lives as long as the data set that refers to
it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import weakref

from dataprep.errors import OutputError
from dataprep.schemas.text.names import escape_name

#: Bytes that one part of a name may have; file systems take 255.
_LONGEST = 200


class Spool:
    """A folder that is removed with the last data set that holds it, or at the end of the program.

    Attributes:
        folder: where it is.
        renamed: how many names could not be kept.
    """

    def __init__(self) -> None:
        try:
            self.folder = tempfile.mkdtemp(prefix="dataprep-memory-")
        except OSError as error:
            raise OutputError(
                f"cannot make a temporary folder for images from memory: {error}"
            ) from error
        self.renamed = 0
        self._taken: set[str] = set()
        self._folders: set[str] = set()
        self._finalizer = weakref.finalize(self, _remove, self.folder, os.getpid())

    def close(self) -> None:
        """Remove the folder now."""
        self._finalizer()

    def add(self, name: str, data: bytes) -> str:
        """Write a file; give back its name, which is `name` where a file can have it and no other
        has it.

        Raises:
            OutputError: it cannot be written; the disk may be full.
        """
        kept = self._free(_possible(name))
        self.renamed += kept != name
        place = os.path.join(self.folder, *kept.split("/"))
        try:
            os.makedirs(os.path.dirname(place), exist_ok=True)
            with open(place, "wb") as file:
                file.write(data)
        except OSError as error:
            raise OutputError(
                f"cannot write images from memory to {self.folder}: {error.strerror or error}. "
                "Name another folder for them with the environment variable TMPDIR"
            ) from error
        return kept

    def _free(self, name: str) -> str:
        stem, dot, extension = name.rpartition(".")
        if not stem or "/" in extension:
            stem, dot, extension = name, "", ""
        tried, number = name, 1
        while (
            tried in self._taken
            or tried in self._folders
            or any(above in self._taken for above in _above(tried))
        ):
            number += 1
            tried = f"{stem}-{number}{dot}{extension}"
            if any(above in self._taken for above in _above(name)):
                tried = tried.replace("/", "_")
        self._taken.add(tried)
        self._folders.update(_above(tried))
        return tried


def _above(name: str) -> list[str]:
    parts = name.split("/")
    return ["/".join(parts[:depth]) for depth in range(1, len(parts))]


def _possible(name: str) -> str:
    """A relative path that a file can have: without ``..``, and with long parts shortened."""
    parts = [part for part in name.replace("\0", "_").split("/") if part not in ("", ".", "..")]
    return "/".join(map(_shortened, parts)) or "image"


def _shortened(part: str) -> str:
    if len(os.fsencode(escape_name(part))) <= _LONGEST:
        return escape_name(part) if any("\ud800" <= sign < "\udc80" for sign in part) else part
    stem, dot, extension = part.rpartition(".")
    kept = dot + extension if stem and len(extension) < 9 and extension.isascii() else ""
    ending = f"-{hashlib.sha256(part.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}{kept}"
    return (
        os.fsencode(escape_name(part))[: _LONGEST - len(ending)].decode("utf-8", "ignore") + ending
    )


def _remove(folder: str, owner: int) -> None:
    if os.getpid() == owner:  # not in a process that was forked off
        shutil.rmtree(folder, ignore_errors=True)
