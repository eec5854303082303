"""Known images, kept so that one new image can be held against them in milliseconds."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dataprep.errors import InputError, OptionError
from dataprep.gate.one_image import OneImageMeasures
from dataprep.gate.usual import UsualImages, usual_rows
from dataprep.ingest.paths.junk import extension_of
from dataprep.measures.embedding.contract import embedder_of
from dataprep.measures.options import PassOptions
from dataprep.neighbours.cosine import nearest
from dataprep.neighbours.hash_candidates import near_images, radius_for
from dataprep.neighbours.hash_index import HashIndex
from dataprep.probes.features import Space, space_of
from dataprep.schemas.audit import Audit
from dataprep.schemas.files.publishing import settle
from dataprep.schemas.files.stored import read_record, reading
from dataprep.schemas.files.writing import write_together
from dataprep.schemas.issues import Issues
from dataprep.schemas.text.names import escape_name

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.measures.embedding.contract import Embedder
    from dataprep.schemas.dataset import Dataset

#: What is compared to find copies, as arrays; text columns are kept as 16 bytes a hash.
_HASHES = ("phash", "phash_inner", "sketch")
_EXACT = ("file_hash", "pixel_hash")
#: Columns that are kept of each known image, where the data set has them.
_GIVEN = ("label", "split")
#: Leading components of the features that are compared with all known images, and how many of the
#: nearest by these are compared in whole.
_LEADING, _IN_WHOLE = 64, 512
#: Known images with near hashes that are looked at: thousands of a series have nearly the same.
_CROWD = 1000
#: Near images that are asked how far an image lies from the others.
_ASKED = 10
_RECORD, _SAMPLES, _USUAL, _FORMAT = "known.json", "samples.parquet", "usual.parquet", 1
_AGAIN = "Make it again: dataprep.KnownImages.of(audit).save(folder)"


@dataclass(frozen=True)
class Match:
    """A known image that one new image is like.

    Attributes:
        sample: its name in the data set.
        kind: "bytes" (the same file), "pixels" (the same pixels), "near" (by hashes: edited,
            re-encoded, mirrored or turned; a candidate, since files are not compared), "neighbour"
            (near by embedding).
        figure: bits of 64 that differ where hashes are compared, 0 for equal files and pixels;
            cosine similarity, -1 to 1, of neighbours.
        label, split: as given, "" where there is none.
    """

    sample: str
    kind: str
    figure: float
    label: str = ""
    split: str = ""


@dataclass(frozen=True)
class Examination:
    """What is known of one image, held against the known ones.

    Attributes:
        lost: why it cannot be used (`lost` of `dataprep.schemas.columns`); "" where it can.
        lost_detail: the same in words.
        copies: known images that it is a copy of, equal ones first, then the nearest.
        neighbours: the known images nearest by embedding, nearest first; empty without embedding.
        as_far: share, 0 to 1, of the known images that lie at least as far from their own nearest
            ones; 0 is farther off than any, NaN without embedding.
        issues: what the checks of single images claim, among images that show what is usual.
        values: the measured columns.

    Example:
        >>> import dataprep
        >>> dataprep.Examination(lost="truncated").copies
        ()
    """

    lost: str = ""
    lost_detail: str = ""
    copies: tuple[Match, ...] = ()
    neighbours: tuple[Match, ...] = ()
    as_far: float = float("nan")
    issues: Issues = field(default_factory=lambda: Issues.collect(()))
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class KnownImages:
    """Known images: their hashes, their embeddings in the space in which these are compared, and
    what is usual among them, each worked out once.

    Kept in a folder by `save`; `load` maps its arrays into memory, so that it takes well under a
    second whatever their number. Decoders run in this process: for files of strangers, which may
    hang or exhaust a decoder, `dataprep.audit` has guarded workers.

    Attributes:
        samples: one row per image, indexed by ``sample``: ``label`` and ``split`` where given.
        arrays: aligned with `samples`: hashes, ``features`` (n, m) float32 and its first columns
            ``leading``; ``as_near`` (n,) ascending likeness of known images to their nearest.
        usual: the measured columns of images that show what is usual.
        options: how files are decoded and embedded.
        checks: check code to its options.
        space: the map into the space of features; None without embeddings.

    Example:
        >>> import dataprep
        >>> folder = "sample_data/shapes/val/stone"
        >>> known = dataprep.KnownImages.of(dataprep.measure(dataprep.scan(folder)))
        >>> found = known.examine(f"{folder}/{known.samples.index[0]}", embed=False)
        >>> found.copies[0].kind
        'bytes'
    """

    samples: pd.DataFrame
    arrays: Mapping[str, NDArray[Any]]
    usual: pd.DataFrame
    options: PassOptions = field(default_factory=PassOptions)
    checks: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    space: Space | None = None

    def __len__(self) -> int:
        return len(self.samples)

    @classmethod
    def of(cls, source: Audit | Dataset) -> KnownImages:
        """The readable images of an audit, or of a measured data set, as known ones.

        Raises:
            InputError: hashes were not measured, or no file could be read.
        """
        dataset = source.dataset if isinstance(source, Audit) else source
        if any(not dataset.has(name) for name in (*_HASHES, *_EXACT)):
            raise InputError(
                "expected a data set with all measured columns: dataprep.audit(folder) without "
                "`only`, or dataprep.measure(dataprep.scan(folder))"
            )
        usual = dataset.samples.iloc[usual_rows(dataset)]
        neighbourhood = source.neighbourhood if isinstance(source, Audit) else None
        shown = dataset.where(dataset.readable)
        arrays = {name: shown.arrays[name] for name in _HASHES}
        arrays |= {name: _digests(shown.samples[name]) for name in _EXACT}
        space = space_of(dataset.arrays["embedding"]) if "embedding" in dataset.arrays else None
        if space is not None:
            features = space.place(shown.arrays["embedding"])
            near = (
                neighbourhood[1].similarity[dataset.readable]
                if neighbourhood is not None
                else nearest(features.values, features.known, _ASKED).similarity
            )
            arrays["features"] = features.values
            arrays["leading"] = np.ascontiguousarray(features.values[:, :_LEADING])
            arrays["as_near"] = np.sort(_likeness(near[features.known]))
        given = [name for name in _GIVEN if name in shown.samples]
        run = source.run if isinstance(source, Audit) else {}
        options = PassOptions.of_run(run) if run else PassOptions()
        checks = run.get("options", {}).get("checks", {})
        return cls(shown.samples[given], arrays, usual, options, checks, space)

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Keep them in `folder`, made as needed; all files take their places at once.

        Raises:
            OutputError: it cannot be written.
        """
        record = {
            "format": _FORMAT,
            "images": len(self),
            "pass": asdict(self.options),
            "checks": self.checks,
            "rooted": self.space.rooted if self.space is not None else None,
        }
        arrays = dict(self.arrays)
        if self.space is not None:
            arrays |= {"space-mean": self.space.mean, "space-projection": self.space.projection}
        names = {f"{name}.npy" for name in (*_HASHES, *_EXACT, "features", "leading", "as_near")}
        owns = {*names, "space-mean.npy", "space-projection.npy", _RECORD, _SAMPLES, _USUAL}
        with write_together(folder, owns=owns) as opened:
            for name, values in arrays.items():
                np.lib.format.write_array(opened(f"{name}.npy"), np.ascontiguousarray(values))
            for name, table in ((_SAMPLES, self.samples), (_USUAL, self.usual)):
                opened(name).write(_parquet(table))
            opened(_RECORD).write(json.dumps(record, indent=1).encode())

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> KnownImages:
        """What `save` wrote.

        Raises:
            InputError: the folder holds no known images, or they are damaged.
        """
        folder = os.fspath(folder)
        settle(folder)
        path = os.path.join(folder, _RECORD)
        kinds = {"format": int, "images": int, "pass": dict, "checks": dict}
        record = read_record(path, _AGAIN, kinds)
        if record.get("format") != _FORMAT:
            raise InputError(
                f"{path}: expected format {_FORMAT}, got {record.get('format')}. {_AGAIN}"
            )
        with reading(folder, _AGAIN):
            arrays = {
                name[:-4]: np.load(os.path.join(folder, name), mmap_mode="r", allow_pickle=False)
                for name in os.listdir(folder)
                if name.endswith(".npy")
            }
            space = None
            if record.get("rooted") is not None:
                space = Space(
                    np.array(arrays.pop("space-mean")),
                    np.array(arrays.pop("space-projection")),
                    bool(record["rooted"]),
                )
            samples, usual = (
                pd.read_parquet(os.path.join(folder, name)) for name in (_SAMPLES, _USUAL)
            )
            wrong = [
                name
                for name, values in arrays.items()
                if name != "as_near" and len(values) != record["images"]
            ]
            if wrong or len(samples) != record["images"] or any(n not in arrays for n in _HASHES):
                raise ValueError(f"its files do not belong together: {', '.join(wrong) or path}")
        options = PassOptions.of_run({"pass": record["pass"]})
        return cls(samples, arrays, usual, options, record["checks"], space)

    def examine(
        self, image: Any, *, name: str = "", embed: bool = True, judge: bool = True, most: int = 10
    ) -> Examination:
        """Hold one image against the known ones.

        Args:
            image: the path of a file, its bytes, a PIL image, or an array (height, width) or
                (height, width, 1 to 4 channels).
            name: what claims about it call it; default: the name of its file, or "image".
            embed: embed it and look for neighbours; without, the rest takes a few milliseconds.
            judge: let the checks of single images judge it.
            most: neighbours, and near copies, at most.

        Returns:
            The `Examination`; a file that cannot be decoded is one too, with `lost`.

        Raises:
            InputError: `image` is none of these.
        """
        is_path = isinstance(image, str | os.PathLike)
        name = name or (os.path.basename(os.fspath(image)) if is_path else "image")
        embed = embed and self.space is not None
        measured = (self._measures_all if judge else self._measures_hashes)(image, view=embed)
        values = measured.values
        if is_path:
            values["extension"] = extension_of(os.path.basename(os.fspath(image)))
        issues = self._judges.issues(escape_name(name), values) if judge else Issues.collect(())
        copies = self._copies(values, most)
        if measured.view is None:
            return Examination(
                values["lost"], values["lost_detail"], copies, issues=issues, values=values
            )
        neighbours, as_far = self._neighbours(measured.view, most)
        return Examination("", "", copies, neighbours, as_far, issues, values)

    @cached_property
    def _judges(self) -> UsualImages:
        return UsualImages(self.usual, self.checks)

    @cached_property
    def _embedder(self) -> Embedder:
        embedder = embedder_of(self.options)
        if self.space is not None and embedder.dim != len(self.space.mean):
            raise OptionError(
                f"the known images have embeddings of {len(self.space.mean)} figures, and "
                f"{self.options.embedder} gives {embedder.dim}: examine(embed=False) does without"
            )
        return embedder

    @cached_property
    def _measures_all(self) -> OneImageMeasures:
        return OneImageMeasures((*_HASHES, "pixel_hash", *self._judges.columns), *self._decoding)

    @cached_property
    def _measures_hashes(self) -> OneImageMeasures:
        return OneImageMeasures((*_HASHES, "pixel_hash"), *self._decoding)

    @property
    def _decoding(self) -> tuple[PassOptions, int]:
        return self.options, self._embedder.size if self.space is not None else 0

    @cached_property
    def _hashes(self) -> tuple[HashIndex, NDArray[np.int64]]:
        """An index of the hashes with and without frame, and the row of each."""
        whole, inner = (np.ascontiguousarray(self.arrays[name][:, 0]) for name in _HASHES[:2])
        framed = np.flatnonzero(whole != inner)
        rows = np.concatenate([np.arange(len(whole)), framed])
        return HashIndex(np.concatenate([whole, inner[framed]])), rows

    @cached_property
    def _exact(self) -> dict[str, tuple[NDArray[np.uint64], NDArray[np.int64]]]:
        """For files and pixels, the first halves of their hashes, sorted, and the row of each."""
        found = {}
        for name in _EXACT:
            keys = np.ascontiguousarray(self.arrays[name]).view(np.uint64)[:, 0]
            order = np.argsort(keys, kind="stable")
            found[name] = keys[order], order
        return found

    def _copies(self, values: Mapping[str, Any], most: int) -> tuple[Match, ...]:
        bytes_, pixels = (self._equal(name, values.get(name, "")) for name in _EXACT)
        seen = {*bytes_.tolist(), *pixels.tolist()}
        matches = [self._match(row, "bytes", 0.0) for row in bytes_]
        matches += [self._match(row, "pixels", 0.0) for row in np.setdiff1d(pixels, bytes_)]
        if all(column in values for column in _HASHES):  # a measure that fails leaves its own out
            near = [(row, bits) for row, bits in self._near(values) if row not in seen]
            matches += [self._match(row, "near", bits) for row, bits in near[:most]]
        return tuple(matches)

    def _equal(self, column: str, digest: str) -> NDArray[np.int64]:
        if not digest:
            return np.zeros(0, np.int64)
        keys, order = self._exact[column]
        asked = np.frombuffer(bytes.fromhex(digest), np.uint8)
        first, last = (
            np.searchsorted(keys, asked.view(np.uint64)[0], side) for side in ("left", "right")
        )
        rows = order[first:last]
        return np.sort(rows[(self.arrays[column][rows] == asked).all(axis=1)])

    def _near(self, values: Mapping[str, Any]) -> list[tuple[int, float]]:
        """(row, bits) of the known images that look like copies, nearest first."""
        index, owners = self._hashes
        radius = radius_for(len(index))
        asked = np.concatenate([values["phash"], values["phash_inner"]])
        rows = np.unique(owners[index.within(asked, radius)])[:_CROWD]
        if not len(rows):
            return []
        phash, inner, sketch = (
            np.concatenate([values[name][None], self.arrays[name][rows]]) for name in _HASHES
        )
        found = near_images(phash, inner, sketch, radius=radius, jobs=1)
        mine = found.a == 0
        near = zip(found.b[mine].tolist(), found.distance[mine].tolist(), strict=True)
        return [(int(rows[b - 1]), float(bits)) for b, bits in near]

    def _neighbours(self, view: NDArray[np.uint8], most: int) -> tuple[tuple[Match, ...], float]:
        assert self.space is not None
        placed = self.space.place(self._embedder(view[None])).values[0]
        leading = self.arrays["leading"] @ placed[:_LEADING]
        asked = max(most, _ASKED)
        count = min(len(leading), max(_IN_WHOLE, asked))
        rows = np.argpartition(-leading, count - 1)[:count]
        likeness = self.arrays["features"][rows] @ placed
        order = np.lexsort((rows, -likeness))[:asked]
        rows, likeness = rows[order], likeness[order]
        as_far = np.searchsorted(self.arrays["as_near"], likeness[:_ASKED].mean(), "right")
        share = float(as_far) / max(len(self.arrays["as_near"]), 1)
        matches = (
            self._match(row, "neighbour", float(figure))
            for row, figure in zip(rows[:most], likeness[:most], strict=True)
        )
        return tuple(matches), share

    def _match(self, row: int, kind: str, figure: float) -> Match:
        given: dict[str, Any] = {
            name: self.samples[name].iat[row] for name in _GIVEN if name in self.samples
        }
        words = {name: "" if pd.isna(value) else str(value) for name, value in given.items()}
        return Match(str(self.samples.index[row]), kind, figure, **words)


def _likeness(similarity: NDArray[np.float32]) -> NDArray[np.float32]:
    """(m,) mean likeness of each to its nearest; where there is none, none at all."""
    asked = similarity[:, :_ASKED]
    return np.asarray(np.where(np.isfinite(asked), asked, -1).mean(axis=1), np.float32)


def _digests(column: pd.Series[Any]) -> NDArray[np.uint8]:
    """(n, 16) hashes from hexadecimal text; zeros where there is none."""
    empty = "0" * 32
    text = "".join(value or empty for value in column.astype("str").fillna("").tolist())
    return np.frombuffer(bytes.fromhex(text), np.uint8).reshape(-1, 16)


def _parquet(table: pd.DataFrame) -> bytes:
    file = io.BytesIO()
    table.to_parquet(file)
    return file.getvalue()
