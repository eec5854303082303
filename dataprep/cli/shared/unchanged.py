"""An audit of which nothing changed since: recognised by the times and sizes of what it read and
wrote, before any large library is loaded.
"""

from __future__ import annotations

import json
import os
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dataprep.cli.shared.outputs import INPUTS, is_kept
from dataprep.schemas.files.snapshot import Snapshot, snapshot, software

if TYPE_CHECKING:
    import typer

    from dataprep.measures.options import PassOptions
    from dataprep.schemas.audit import Audit
    from dataprep.schemas.dataset import Dataset
    from dataprep.schemas.issues import Severity

_LEVELS: tuple[Severity, ...] = ("info", "warning", "error")
#: Options that change what is printed, not what is written.
_SHOWN = ("quiet", "format", "fail_at", "config")
_MODEL_FILE = "onnx:"
#: Why a file gave no pixels, where another run may find otherwise though the file is the same.
_PASSING = ("out-of-memory", "crashed", "timed-out", "unreadable")
#: Folders besides the source in which listed images lie, at most.
_MOST_FOLDERS = 10_000
#: Audits that are remembered, of different output folders.
_MOST, _MOST_BYTES = 200, 2**26


@dataclass(frozen=True)
class Former:
    """The audit that a new one would repeat.

    Attributes:
        finished_at: when it was finished, as in its run.json.
        fails_at: severities of which it found issues, or of worse ones.
        notes: how the source was read.
    """

    finished_at: str
    fails_at: tuple[str, ...]
    notes: tuple[str, ...]


class LastAudit:
    """What is remembered of the last audit that wrote to a folder: all that it was made from, and
    what it wrote. Nothing this does fails: it remembers less, or nothing.

    An audit is not remembered if it warned, if a check failed, if the time or memory ran out for a
    file, or if it read what has no time stamp, such as a URL.
    """

    def __init__(self, ctx: typer.Context, folder: str, passing: PassOptions) -> None:
        """Look at what an audit with these options will read, before it is read."""
        self._folder, self._place = os.path.realpath(folder), ""
        self._warned = False
        self._folders: list[str] = []
        self._images: Snapshot | None = None
        flags = ctx.params
        self._inputs = [os.path.abspath(flags[name]) for name in INPUTS if flags.get(name)]
        if passing.embedder.startswith(_MODEL_FILE):
            self._inputs.append(os.path.abspath(passing.embedder.removeprefix(_MODEL_FILE)))
        self._is_list = bool(flags["manifest"] or flags["files"]) or os.path.isfile(flags["path"])
        if not _can_be_known(ctx, passing, self._inputs):
            return
        from dataprep.measures.cache_files import AUDITS, cache_folder

        options = {name: value for name, value in flags.items() if name not in _SHOWN}
        self._key = _hash(
            software(), os.getcwd(), repr(sorted(options.items())), repr(ctx.obj), repr(passing)
        )
        name = f"{AUDITS}{_hash(self._folder)}.json"
        self._place = os.path.join(cache_folder(passing.cache_dir), name)
        self._begun_ns = time.time_ns()
        self._before = snapshot(self._inputs)

    def recall(self) -> Former | None:
        """The audit in the folder, if a new one would find and write the same."""
        if not self._place:
            return None
        try:
            with open(self._place, encoding="utf-8") as file:
                record = json.load(file)
            same = (
                record["key"] == self._key
                and record["inputs"] == self._before.digest
                and record["images"] == snapshot((), record["folders"]).digest
                and record["outputs"] == _outputs(self._folder)
            )
            former = Former(
                record["finished_at"], tuple(record["fails_at"]), tuple(record["notes"])
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return former if same else None

    def look_at(self, dataset: Dataset) -> None:
        """Look at the images of a data set before they are read."""
        if self._place:
            self._folders = self._folders_of(dataset)
            if len(self._folders) <= _MOST_FOLDERS:
                self._images = snapshot((), self._folders)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """A block whose warnings are noticed."""
        shown = warnings.showwarning

        def show(*args: Any, **more: Any) -> None:
            self._warned = True
            shown(*args, **more)

        warnings.showwarning = show
        try:
            yield
        finally:
            warnings.showwarning = shown

    def keep(self, audit: Audit) -> None:
        """Remember an audit that was made and written just now."""
        if not self._place or self._warned or not _is_lasting(audit):
            return
        if self._images is None or not (
            self._before.is_reliable(self._begun_ns) and self._images.is_reliable(self._begun_ns)
        ):
            return
        with suppress(OSError):
            record = {
                "key": self._key,
                "inputs": self._before.digest,
                "folders": self._folders,
                "images": self._images.digest,
                "outputs": _outputs(self._folder),
                "finished_at": audit.run["finished_at"],
                "fails_at": [each for each in _LEVELS if len(audit.issues.at_least(each))],
                "notes": list(audit.dataset.notes),
            }
            _write(self._place, json.dumps(record))

    def _folders_of(self, dataset: Dataset) -> list[str]:
        """Folders of images that are not below the source, and the root of a list."""
        folders = {sample.rpartition("/")[0] for sample in dataset.samples.index}
        places = {os.path.abspath(os.path.dirname(dataset.path(f"{name}/x"))) for name in folders}
        if self._is_list:
            return sorted(places | {os.path.abspath(dataset.root)})
        root = os.path.join(self._inputs[0], "")
        return sorted(place for place in places if not f"{place}{os.sep}".startswith(root))


def _can_be_known(ctx: typer.Context, passing: PassOptions, inputs: list[str]) -> bool:
    flags = ctx.params
    named = [flags.get(name) or "" for name in INPUTS]
    return (
        is_kept(ctx)
        and passing.cache
        and not passing.verify_cache
        and not flags["deep"]
        and not passing.embedder.startswith("hf:")
        and not any("://" in name or name == "-" for name in named)
        and all(map(os.path.exists, inputs))
    )


def _is_lasting(audit: Audit) -> bool:
    """Whether another run would find the same in the same files."""
    from dataprep import registry

    extra = any(
        set(registry.names(group)) - set(registry.BUILT_IN[group]) for group in registry.BUILT_IN
    )
    lost, listed = audit.dataset.samples.get("lost"), audit.dataset.listed
    return (
        not extra
        and (listed is None or not (listed["sample"] == "").any())
        and not audit.failed
        and (lost is None or not lost.isin(_PASSING).any())
        and not audit.dataset.is_remote
    )


def _outputs(folder: str) -> dict[str, str]:
    """Name to the hash of each file of the report."""
    from dataprep.schemas.files.reading import content_hash
    from dataprep.schemas.report import REPORT_FILES

    return {name: content_hash(os.path.join(folder, name)) for name in REPORT_FILES}


def _hash(*parts: str) -> str:
    import xxhash

    return xxhash.xxh3_128_hexdigest("\0".join(parts).encode("utf-8", "surrogateescape"))


def _write(place: str, text: str) -> None:
    from dataprep.measures.cache_files import AUDITS, forget_oldest
    from dataprep.schemas.files.writing import write_atomically

    os.makedirs(os.path.dirname(place), mode=0o700, exist_ok=True)
    with write_atomically(place) as file:
        file.write(text.encode("utf-8", "surrogateescape"))
    forget_oldest(os.path.dirname(place), AUDITS, most=_MOST, most_bytes=_MOST_BYTES)
