"""Duplicates of a data set: files that are equal, pixels that are equal, and images that show the same.

Equal files and pixels are found by their hashes. Of each set of equal images the best one speaks for all in the search for near
duplicates: sources of candidates (`SOURCES`) name pairs that may be the same, nearest first, and a verifier holds them against
each other. Groups are stars: every member was held against the kept one, or is equal to one that was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dataprep.measures.pairs import Confirmed, Copy, Subject, confirm
from dataprep.measures.relations import Facts
from dataprep.neighbours import Pairs
from dataprep.neighbours.cosine import Nearest, nearest
from dataprep.neighbours.embedding_candidates import alike_images, unusual_similarity
from dataprep.neighbours.hash_candidates import near_images
from dataprep.probes.features import Features, features_of

if TYPE_CHECKING:
    from dataprep.measures.options import PassOptions
    from dataprep.schemas.dataset import Dataset

Rows = NDArray[np.int64]
Progress = Callable[[int, int, str], None]
#: (data set, rows to search, best first, jobs) to pairs of positions among these rows, nearest first.
Source = Callable[["Dataset", Rows, int], Pairs]
#: (data set, linked rows nearest first, place of each row when sorted best first, options, progress) to what holds.
Verifier = Callable[["Dataset", list[tuple[int, int]], Rows, "PassOptions", Progress | None], Confirmed]

#: Hash distance that is believed where nothing is verified: unrelated images come this close once in 10 million pairs.
UNVERIFIED_RADIUS = 4
_UNVERIFIED_CONFIDENCE = 0.7
#: Nearest neighbours by embedding among which candidates are looked for.
_KEPT = 32
_LOSSY = ("WEBP", "AVIF", "HEIF", "JPEG2000", "MPO", "JPEG")
_LOSSLESS, _UNKNOWN_QUALITY = 101.0, 75.0
#: Differences in the number of pixels below this ratio's logarithm do not decide which image is best.
_PIXEL_STEP = 0.05


@dataclass(frozen=True, eq=False)
class Duplicates:
    """Verified duplicates.

    Attributes:
        pairs: one row per pair: ``a``, ``b`` (row positions, a < b), ``kind`` ("bytes", "pixels" or "near"), ``relation``
            ("B is A cropped to 80 %, re-encoded"), ``confidence`` (0 to 1). Every member of a group has a pair with the
            group's kept member, or with one that is equal to it in pixels and has such a pair.
        groups: (n,) int64 group id per row, -1 when alone.
        keep: (n,) bool, true for rows that are alone and for the best member of each group: most pixels (by steps of 5 %),
            then without a frame, least compressed, sharpest, first by name.
        notes: what was not looked at, in sentences; empty when everything was.
    """

    pairs: pd.DataFrame
    groups: Rows
    keep: NDArray[np.bool_]
    notes: tuple[str, ...] = ()

    def keeper_of(self) -> Rows:
        """(n,) row of the kept member of each row's group; the row itself when alone."""
        keepers = np.arange(len(self.groups))
        best = np.full(int(self.groups.max(initial=-1)) + 1, -1)
        kept = np.flatnonzero(self.keep & (self.groups >= 0))
        best[self.groups[kept]] = kept
        inside = self.groups >= 0
        keepers[inside] = best[self.groups[inside]]
        return keepers


def hash_source(dataset: Dataset, rows: Rows, jobs: int) -> Pairs:
    """Candidates by perceptual hash and sketch."""
    arrays = dataset.arrays
    if "phash" not in arrays:
        return Pairs.empty()
    phash = arrays["phash"][rows]
    inner = arrays["phash_inner"][rows] if "phash_inner" in arrays else phash
    sketch = arrays["sketch"][rows] if "sketch" in arrays else None
    return near_images(phash, inner, sketch, jobs=jobs)


def strict_hash_source(dataset: Dataset, rows: Rows, jobs: int) -> Pairs:
    """Pairs that hashes alone may be believed on, for data whose files are out of reach."""
    phash = dataset.arrays["phash"][rows] if "phash" in dataset.arrays else np.zeros((0, 8), np.uint64)
    return near_images(phash, phash, None, radius=UNVERIFIED_RADIUS, jobs=jobs)


#: Where candidates come from, in order; a pair that two name is looked at once.
SOURCES: tuple[Source, ...] = (hash_source,)


@dataclass(frozen=True)
class EmbeddingSource:
    """Candidates by embedding, of which there are none without embeddings; asked when the copies that hashes find are known.

    Attributes:
        features, neighbours: give what was worked out elsewhere already; None works it out from ``arrays["embedding"]``.
    """

    features: Callable[[], Features] | None = None
    neighbours: Callable[[], Nearest] | None = None

    def __call__(self, dataset: Dataset, speaker: Rows, jobs: int) -> Pairs:
        """Pairs of rows that speak for themselves; `speaker` is (n,), the row that speaks for each row, -1 for rows to leave."""
        arrays = dataset.arrays
        if "embedding" not in arrays or len(dataset) < 2:
            return Pairs.empty()
        features = self.features() if self.features is not None else features_of(arrays["embedding"])
        found = self.neighbours() if self.neighbours is not None else nearest(features.values, features.known, _KEPT, jobs=jobs)
        unusual = unusual_similarity(features.values, features.known)
        return alike_images(found, unusual, arrays.get("thumb"), speaker, jobs=jobs)


def verify_files(
    dataset: Dataset, links: list[tuple[int, int]], rank: Rows, options: PassOptions, progress: Progress | None
) -> Confirmed:
    """The `Verifier` that decodes the files and aligns them."""
    samples = dataset.samples
    names = samples.index
    columns = {name: samples[name].to_numpy() for name in _FACTS if name in samples}

    def subject(row: int) -> Subject:
        facts = {field: columns[name][row] for name, field in _FACTS.items() if name in columns}
        return Subject(row, dataset.path(names[row]), Facts(**{field: _plain(field, value) for field, value in facts.items()}))

    read = _reader(dataset) if dataset.is_remote else None
    return confirm(links, subject, rank, options, read=read, progress=progress)


#: Column to field of `Facts`.
_FACTS = {
    "format": "format", "jpeg_quality": "quality", "orientation": "orientation", "chroma_p99": "chroma", "noise": "noise",
    "border": "border",
}  # fmt: skip


def _plain(field: str, value: Any) -> Any:
    if field == "format":
        return str(value)
    number = float(value) if pd.notna(value) else float("nan")
    return (int(number) if number == number else 1) if field == "orientation" else number


def _reader(dataset: Dataset) -> Callable[[str], bytes]:
    import fsspec

    files, _ = fsspec.core.url_to_fs(dataset.root)

    def read(url: str) -> bytes:
        content: bytes = files.cat_file(url)
        return content

    return read


def find_duplicates(
    dataset: Dataset,
    options: PassOptions,
    *,
    verify: Verifier | None = verify_files,
    most_pairs: int = 200_000,
    progress: Progress | None = None,
    by_embedding: EmbeddingSource = EmbeddingSource(),
) -> Duplicates:
    """Every duplicate of a measured data set.

    Args:
        dataset: with ``file_hash``, ``pixel_hash`` and the arrays of hashes; what is missing finds nothing.
        options: limits of decoding, and workers.
        verify: holds candidates against each other; None believes hashes that differ in `UNVERIFIED_RADIUS` bits at most.
        most_pairs: candidates that are verified, the nearest ones; the rest is counted in `Duplicates.notes`.
        progress: called with (pairs done, pairs in all, note).
        by_embedding: gives further candidates among what hashes leave; they are believed only where they are verified.
    """
    order = _best_first(dataset)
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    leader, exact = _equal(dataset, order)
    speakers = order[(leader[order] == order) & _is_measured(dataset)[order]]
    copies, notes = _near(dataset, speakers, rank, options, verify, most_pairs, progress)
    if verify is not None:
        speaker = _speak(np.where(np.isin(leader, speakers), leader, -1), copies)
        found = by_embedding(dataset, speaker, options.jobs)
        copies, more = _nearer(found, copies, lambda links: verify(dataset, links, rank, options, progress))
        notes += more
    near = _table([(copy.keeper, copy.row, "near", copy.relation, copy.confidence) for copy in copies])
    if copies:
        leader[near["a"]] = near["a"]  # no keeper is a copy
        leader[near["b"]] = near["a"]
    leader = leader[leader]
    _, groups = np.unique(leader, return_inverse=True)
    alone = np.bincount(groups)[groups] == 1 if len(groups) else np.zeros(0, bool)
    keep = leader == np.arange(len(leader))
    pairs = _in_row_order(pd.concat([exact, near], ignore_index=True) if len(near) else exact)
    return Duplicates(pairs, _number_groups(leader, alone), keep, notes)


def _number_groups(leader: Rows, alone: NDArray[np.bool_]) -> Rows:
    groups = np.full(len(leader), -1, dtype=np.int64)
    groups[~alone] = np.unique(leader[~alone], return_inverse=True)[1]
    return groups


def _is_measured(dataset: Dataset) -> NDArray[np.bool_]:
    if "lost" not in dataset.samples:
        return np.ones(len(dataset), bool)
    return np.asarray(dataset.samples["lost"].astype("str").fillna("") == "")


def _best_first(dataset: Dataset) -> Rows:
    """Rows from the one that is best to keep to the worst, as `Duplicates.keep` says."""
    samples = dataset.samples

    def column(name: str, missing: float) -> NDArray[np.float64]:
        if name not in samples:
            return np.zeros(len(samples))
        return np.asarray(pd.to_numeric(samples[name]).astype("float64").fillna(missing))

    pixels = column("width", 0) * column("height", 0) * (1 - column("border", 0))
    steps = np.round(np.log(np.maximum(pixels, 1)) / _PIXEL_STEP)
    framed = column("border", 0) > 0
    names = np.argsort(np.argsort(samples.index.to_numpy(dtype=object), kind="stable"), kind="stable")
    sharpness = np.round(column("sharpness", -1), 6)
    return np.lexsort((names, -sharpness, -_quality(samples), framed, -steps)).astype(np.int64)


def _quality(samples: pd.DataFrame) -> NDArray[np.float64]:
    """(n,) the JPEG quality; formats that lose nothing come above it, others that lose an unknown amount in the middle."""
    known = samples["jpeg_quality"].to_numpy(dtype=np.float64) if "jpeg_quality" in samples else np.full(len(samples), np.nan)
    formats = samples["format"].astype("str").to_numpy(dtype=object) if "format" in samples else np.full(len(samples), "")
    return np.where(np.isnan(known), np.where(np.isin(formats, _LOSSY), _UNKNOWN_QUALITY, _LOSSLESS), known)


def _equal(dataset: Dataset, order: Rows) -> tuple[Rows, pd.DataFrame]:
    """(n,) the best row of those with equal pixels (or bytes), and their pairs with it."""
    leader = np.arange(len(dataset))
    for name in ("pixel_hash", "file_hash"):
        if name in dataset.samples:
            codes = _codes(dataset, name)[order]
            known = codes >= 0
            first = np.full(int(codes.max(initial=-1)) + 2, -1)  # the last place is that of rows without a hash
            np.maximum.at(first, codes[known][::-1], 0)
            first[codes[known][::-1]] = order[known][::-1]  # the last to be written is the best
            new = np.where(known, first[codes], order)
            leader[order] = np.where(leader[order] == order, new, leader[order])
    leader = leader[leader]
    members = np.flatnonzero(leader != np.arange(len(leader)))
    files = _codes(dataset, "file_hash") if "file_hash" in dataset.samples else np.full(len(dataset), -1)
    same_file = (files[members] >= 0) & (files[members] == files[leader[members]])
    table = pd.DataFrame(
        {
            "a": leader[members],
            "b": members,
            "kind": np.where(same_file, "bytes", "pixels"),
            "relation": np.where(same_file, "B is A, byte for byte", "B is A in another file, pixel for pixel"),
            "confidence": 1.0,
        }
    )
    return leader, table.astype({"kind": "str", "relation": "str"})


def _codes(dataset: Dataset, name: str) -> Rows:
    """(n,) number of each hash, -1 where it is unknown."""
    values = dataset.samples[name]
    codes, _ = pd.factorize(values.where(values != ""))
    return np.asarray(codes, dtype=np.int64)


def _near(
    dataset: Dataset,
    speakers: Rows,
    rank: Rows,
    options: PassOptions,
    verify: Verifier | None,
    most_pairs: int,
    progress: Progress | None,
) -> tuple[list[Copy], tuple[str, ...]]:
    sources = SOURCES if verify is not None else (strict_hash_source,)
    links, notes = _candidates(dataset, speakers, sources, options.jobs)
    if len(links) > most_pairs:
        notes.append(f"{len(links) - most_pairs:,} of {len(links):,} candidate pairs, the least alike, were not compared.")
        links = dict(list(links.items())[:most_pairs])
    if not links:
        return [], tuple(notes)
    if verify is None:
        return _believe(links, rank), tuple(notes)
    done = verify(dataset, list(links), rank, options, progress)
    return done.copies, (*notes, *_unseen(done))


def _unseen(done: Confirmed) -> list[str]:
    return [f"{count:,} candidate pairs could not be compared: {reason}." for reason, count in sorted(done.unseen.items())]


def _speak(speaker: Rows, copies: list[Copy]) -> Rows:
    """`speaker` where keepers speak for their copies."""
    keeper = np.arange(len(speaker) + 1)  # the last place is that of rows that none speaks for
    keeper[-1] = -1
    for copy in copies:
        keeper[copy.row] = copy.keeper
    return keeper[speaker]


def _nearer(
    found: Pairs, copies: list[Copy], verify: Callable[[list[tuple[int, int]]], Confirmed]
) -> tuple[list[Copy], tuple[str, ...]]:
    """`copies` and those among `found`; where a keeper turns out to be a copy, its own copies are held against the new keeper."""
    notes = [f"{found.cut:,} images have look-alikes by embedding that were not compared."] if found.cut else []
    if not len(found):
        return copies, tuple(notes)
    done = verify(list(zip(found.a.tolist(), found.b.tolist(), strict=True)))
    keeper = {copy.row: copy.keeper for copy in done.copies}
    orphans = [(keeper[copy.keeper], copy.row) for copy in copies if copy.keeper in keeper]
    again = verify(orphans) if orphans else Confirmed()
    kept = [copy for copy in copies if copy.keeper not in keeper]
    return [*kept, *done.copies, *again.copies], (*notes, *_unseen(done), *_unseen(again))


def _candidates(
    dataset: Dataset, speakers: Rows, sources: Iterable[Source], jobs: int
) -> tuple[dict[tuple[int, int], float], list[str]]:
    """Pairs of rows to distance, source by source, nearest first."""
    links: dict[tuple[int, int], float] = {}
    notes = []
    for source in sources:
        found = source(dataset, speakers, jobs)
        for a, b, far in zip(speakers[found.a].tolist(), speakers[found.b].tolist(), found.distance.tolist(), strict=True):
            links.setdefault((a, b), far)
        if found.cut:
            notes.append(f"{found.cut:,} images lie in crowds of look-alikes, of which not every pair was searched.")
    return links, notes


def _believe(links: dict[tuple[int, int], float], rank: Rows) -> list[Copy]:
    """Stars of the candidates themselves, best row first."""
    ordered = [((a, b) if rank[a] < rank[b] else (b, a), far) for (a, b), far in links.items()]
    keeper_of: dict[int, int] = {}
    copies = []
    for (keeper, row), far in sorted(ordered, key=lambda link: (rank[link[0][0]], rank[link[0][1]])):
        if keeper in keeper_of or row in keeper_of:
            continue
        keeper_of[row] = keeper
        words = f"B is A by its hash ({far:.0f} of 64 bits differ), not compared"
        copies.append(Copy(keeper, row, words, _UNVERIFIED_CONFIDENCE))
    return copies


def _table(rows: list[tuple[int, int, str, str, float]]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["a", "b", "kind", "relation", "confidence"])
    return table.astype({"a": np.int64, "b": np.int64, "kind": "str", "relation": "str", "confidence": np.float64})


def _in_row_order(pairs: pd.DataFrame) -> pd.DataFrame:
    """Pairs with a < b, sorted; where the two change places, so do the letters of their relation."""
    swapped = (pairs["a"] > pairs["b"]).to_numpy()
    low, high = np.minimum(pairs["a"], pairs["b"]), np.maximum(pairs["a"], pairs["b"])
    relation = pairs["relation"].where(~swapped, swap_letters(pairs["relation"]))
    pairs = pairs.assign(a=low, b=high, relation=relation)
    return pairs.sort_values(["a", "b"], ignore_index=True)


def swap_letters(relations: pd.Series[str]) -> pd.Series[str]:
    """Relations as seen from the other side: "B is A mirrored" to "A is B mirrored"."""
    head = relations.str.slice(0, 6).map({"B is A": "A is B", "A is B": "B is A"})
    return head + relations.str.slice(6)
