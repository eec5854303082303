"""Tar shards as WebDataset reads them: the members ``key.jpg``, ``key.cls`` and ``key.json`` are
one sample.

The key is everything before the first dot of a member's name
(https://github.com/webdataset/webdataset, `base_plus_ext`), so keys have no dots. Samples are in an
order drawn from the hash of their names: a reader shuffles little more than a buffer's worth.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from dataprep.cleaning.applying import rows_of
from dataprep.errors import FingerprintError, OptionError
from dataprep.schemas.text.names import unescape_name
from dataprep.splits.export.views import Rows, classes_of, labels_of

if TYPE_CHECKING:
    from dataprep.schemas.dataset import Dataset

CLASSES = "classes.txt"

_EXTENSIONS = {"JPEG": "jpg", "MPO": "jpg", "TIFF": "tif", "JPEG2000": "jp2"}
#: Extensions that mean something else to the reader than "an image".
_TAKEN = frozenset(("cls", "json", "txt", ""))
_STEM = 48
_BLOCK = 512


@dataclass(frozen=True)
class ShardLimits:
    """How large one shard may grow: `samples`, and `megabytes` unless one sample alone has more."""

    samples: int
    megabytes: float

    def __post_init__(self) -> None:
        if self.samples < 1:
            raise OptionError(f"option shard_samples: expected at least 1, got {self.samples!r}")
        if not self.megabytes > 0:
            raise OptionError(f"option shard_mb: expected more than 0, got {self.megabytes!r}")


def write_shards(
    stage: str,
    dataset: Dataset,
    plan: Mapping[str, tuple[str, Rows]],
    limits: ShardLimits,
    report: Callable[[int, int], None],
) -> dict[str, tuple[Rows, list[str]]]:
    """Write PLACE-000000.tar, ... for each place of `plan`, and ``classes.txt``.

    Gives for each place its rows in the order of the shards, and where each of them is:
    ``PLACE-000000.tar/key.jpg``.

    Raises:
        FingerprintError: a file cannot be read.
    """
    total, done = sum(len(rows) for _, rows in plan.values()), 0
    records, extensions = _records(dataset), _extensions(dataset)
    found = {}
    for place, (part, rows) in plan.items():
        order = np.asarray(
            sorted(rows.tolist(), key=lambda row: _digest(str(dataset.samples.index[row]))),
            np.int64,
        )
        names = []
        with _Shards(stage, place, limits) as shards:
            for row in order.tolist():
                names.append(
                    shards.add(
                        _members(dataset, row, extensions[row], {"split": part, **records(row)})
                    )
                )
                report(done, total)
                done += 1
        found[place] = (order, names)
    with open(os.path.join(stage, CLASSES), "x", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{_one_line(name)}\n" for name in classes_of(dataset))
    return found


class _Shards:
    """The shards of one part, begun as they are needed."""

    def __init__(self, stage: str, place: str, limits: ShardLimits) -> None:
        self._stage, self._place, self._limits = stage, place, limits
        self._file: BinaryIO | None = None
        self._tar: tarfile.TarFile | None = None
        self._shards = self._samples = self._bytes = 0
        self._name = ""

    def __enter__(self) -> _Shards:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def add(self, members: list[tuple[str, bytes]]) -> str:
        """Append one sample; gives where its first member is."""
        size = sum(_BLOCK + -(-len(data) // _BLOCK) * _BLOCK for _, data in members)
        full = (
            self._samples >= self._limits.samples
            or self._bytes + size > self._limits.megabytes * 1e6
        )
        if self._tar is None or (self._samples and full):
            self._begin()
        assert self._tar is not None
        for name, data in members:
            member = tarfile.TarInfo(name)  # owner, group and time are 0, and the mode is rw-r--r--
            member.size = len(data)
            self._tar.addfile(member, io.BytesIO(data))
        self._samples += 1
        self._bytes += size
        return f"{self._name}/{members[0][0]}"

    def _begin(self) -> None:
        self._close()
        self._name = f"{self._place}-{self._shards:06d}.tar"
        self._file = open(os.path.join(self._stage, self._name), "xb")  # noqa: SIM115 - closed with the shard
        self._tar = tarfile.open(fileobj=self._file, mode="w", format=tarfile.USTAR_FORMAT)  # noqa: SIM115
        self._shards += 1
        self._samples = self._bytes = 0

    def _close(self) -> None:
        tar, file, self._tar, self._file = self._tar, self._file, None, None
        try:
            if tar is not None:
                tar.close()
        finally:
            if file is not None:
                file.close()


def _members(
    dataset: Dataset, row: int, extension: str, record: dict[str, Any]
) -> list[tuple[str, bytes]]:
    sample = str(dataset.samples.index[row])
    key = _key(sample)
    members = [(f"{key}.{extension}", _read(dataset, sample))]
    if record.get("class_index") is not None:
        members.append((f"{key}.cls", str(record["class_index"]).encode()))
    members.append((f"{key}.json", json.dumps(record, ensure_ascii=False, sort_keys=True).encode()))
    return members


def _records(dataset: Dataset) -> Callable[[int], dict[str, Any]]:
    """A function (row) -> what ``key.json`` holds: sample, label, class_index or class_indices,
    group, the user's columns.
    """
    numbers = {name: number for number, name in enumerate(classes_of(dataset))}
    rows = (
        rows_of(dataset)
        .drop(columns=["split", "label"], errors="ignore")
        .rename(columns={"path": "sample"})
    )
    columns = {str(name): rows[name].astype("object").tolist() for name in rows}
    labels = labels_of(dataset)

    def record(row: int) -> dict[str, Any]:
        own = {name: _plain(values[row]) for name, values in columns.items()}
        return own | _label_facts(labels[row], dataset.task, numbers)

    return record


def _label_facts(label: str | None, task: str, numbers: Mapping[str, int]) -> dict[str, Any]:
    if label is None or task == "none":
        return {}
    if task == "regression":
        return {"label": float(label)}
    if task == "multi-label":
        names = label.split("|")
        return {
            "label": names,
            "class_indices": [numbers[name] for name in names if name in numbers],
        }
    return {"label": label, "class_index": numbers.get(label) if task == "classification" else None}


def _plain(value: Any) -> Any:
    """A value that JSON holds; null where it is missing."""
    value = value.item() if isinstance(value, np.generic) else value
    if value is None or value != value:
        return None
    return value if isinstance(value, bool | int | float | str) else str(value)


def _key(sample: str) -> str:
    """ASCII, without dots, unique: the file's own name so that people find it, and a hash of the
    whole.
    """
    stem = os.path.splitext(sample.rpartition("/")[2])[0]
    stem = re.sub(r"[^A-Za-z0-9_-]+", "_", stem)[:_STEM].strip("_") or "sample"
    return f"{stem}-{_digest(sample)}"


def _digest(sample: str) -> str:
    return hashlib.blake2b(sample.encode(), digest_size=8).hexdigest()


def _extensions(dataset: Dataset) -> list[str]:
    """(n,) extensions, by content where that was measured, else by name; readers choose their
    decoder by them.
    """
    kinds = (
        dataset.samples["format"].astype("object").tolist()
        if "format" in dataset.samples
        else [""] * len(dataset)
    )
    return [
        _extension(str(sample), kind)
        for sample, kind in zip(dataset.samples.index, kinds, strict=True)
    ]


def _extension(sample: str, kind: Any) -> str:
    if isinstance(kind, str) and kind:
        return _EXTENSIONS.get(kind, re.sub(r"[^a-z0-9]", "", kind.lower()))
    suffix = re.sub(r"[^a-z0-9]", "", os.path.splitext(unescape_name(sample))[1].lower())
    return "img" if suffix in _TAKEN else suffix


def _read(dataset: Dataset, sample: str) -> bytes:
    path = dataset.path(sample)
    try:
        with _opened(path, dataset.is_remote) as file:
            return bytes(file.read())
    except OSError as error:
        raise FingerprintError(
            f"{path} cannot be read: {error.strerror or error}. Run dataprep audit again."
        ) from error


def _opened(path: str, remote: bool) -> Any:
    if not remote:
        return open(path, "rb")
    import fsspec

    return fsspec.open(path, "rb")


def _one_line(name: str) -> str:
    return name.encode("unicode_escape").decode() if len(name.splitlines()) > 1 else name
