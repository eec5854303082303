"""The search for near duplicates: sources of candidates, nearest first, and a verifier that holds
them against each other. What does not stand out from pairs of this data set that cannot be copies
(`dataprep.checks.duplicates.null_pairs`) is left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dataprep.checks.duplicates.null_pairs import Limits, limits_of, null_links
from dataprep.measures.pairs.comparison import (
    Compared,
    Confirmed,
    Link,
    Subject,
    compare_each,
    confirm,
)
from dataprep.measures.pairs.relations import Facts
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
#: (data set, rows to search, best first, jobs) to pairs of positions among these rows, nearest
#: first.
Source = Callable[["Dataset", Rows, int], Pairs]


class Verifier(Protocol):
    """Holds linked rows, nearest first, against each other."""

    def __call__(
        self,
        dataset: Dataset,
        links: list[Link],
        rank: Rows,
        options: PassOptions,
        progress: Progress | None,
        *,
        least: float = 0.0,
        every: bool = False,
        known: Mapping[Link, Compared] | None = None,
    ) -> Confirmed:
        """What holds.

        Args:
            dataset: the measured data set.
            links: pairs of rows.
            rank: (n,) place of each row when sorted best first.
            options: limits of decoding, and workers.
            progress: called with (pairs done, pairs in all, note).
            least: strength that copies among small pictures must have.
            every: each link for itself, all of them in `Confirmed.others`.
            known: (keeper, row) to what was found before, which is not compared again.
        """
        ...


#: Hash distance that is believed where nothing is verified: unrelated images come this close once
#: in 10 million pairs.
UNVERIFIED_RADIUS = 4
#: Pictures that differ from one in some part each from which on they are a series.
_SERIES = 3
#: Candidates that are compared first, and share of copies among them below which the others are
#: spared where no shot stands out.
_FIRST, _CROWD = 2_000, 0.01
#: Nearest neighbours by embedding among which candidates are looked for.
_KEPT = 32


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
    phash = (
        dataset.arrays["phash"][rows] if "phash" in dataset.arrays else np.zeros((0, 8), np.uint64)
    )
    return near_images(phash, phash, None, radius=UNVERIFIED_RADIUS, jobs=jobs)


#: Where candidates come from, in order; a pair that two name is looked at once.
SOURCES: tuple[Source, ...] = (hash_source,)


@dataclass(frozen=True)
class EmbeddingSource:
    """Candidates by embedding, of which there are none without embeddings; asked when the copies
    that hashes find are known.

    Attributes:
        features, neighbours: give what was worked out elsewhere already; None works it out from
            ``arrays["embedding"]``.
    """

    features: Callable[[], Features] | None = None
    neighbours: Callable[[], Nearest] | None = None

    def __call__(self, dataset: Dataset, speaker: Rows, jobs: int) -> Pairs:
        """Pairs of rows that speak for themselves; `speaker` is (n,), the row that speaks for
        each row, -1 for rows to leave.
        """
        arrays = dataset.arrays
        if "embedding" not in arrays or len(dataset) < 2:
            return Pairs.empty()
        features = (
            self.features() if self.features is not None else features_of(arrays["embedding"])
        )
        found = (
            self.neighbours()
            if self.neighbours is not None
            else nearest(features.values, features.known, _KEPT, jobs=jobs)
        )
        unusual = unusual_similarity(features.values, features.known)
        return alike_images(found, unusual, arrays.get("thumb"), speaker, jobs=jobs)


def verify_files(
    dataset: Dataset,
    links: list[Link],
    rank: Rows,
    options: PassOptions,
    progress: Progress | None,
    *,
    least: float = 0.0,
    every: bool = False,
    known: Mapping[Link, Compared] | None = None,
) -> Confirmed:
    """The `Verifier` that decodes the files and aligns them."""
    samples = dataset.samples
    names = samples.index
    columns = {name: samples[name].to_numpy() for name in FACT_COLUMNS if name in samples}

    def subject(row: int) -> Subject:
        facts = {
            field: columns[name][row] for name, field in FACT_COLUMNS.items() if name in columns
        }
        return Subject(
            row,
            dataset.path(names[row]),
            Facts(**{field: _plain(field, value) for field, value in facts.items()}),
        )

    read = _reader(dataset) if dataset.is_remote else None
    if every:
        return Confirmed(others=compare_each(links, subject, options, read=read))
    return confirm(
        links, subject, rank, options, read=read, progress=progress, least=least, known=known
    )


#: Column to field of `Facts`.
FACT_COLUMNS = {
    "format": "format",
    "jpeg_quality": "quality",
    "orientation": "orientation",
    "chroma_p99": "chroma",
    "noise": "noise",
    "border": "border",
}


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


@dataclass(frozen=True, eq=False)
class Search:
    """The search for near duplicates and other shots among the rows that speak for themselves."""

    dataset: Dataset
    leader: Rows
    speakers: Rows
    rank: Rows
    options: PassOptions
    verify: Verifier
    most_pairs: int
    progress: Progress | None
    by_embedding: EmbeddingSource

    def run(self) -> tuple[Confirmed, tuple[str, ...]]:
        """What stands out, and what was not looked at."""
        links, notes = self._links()
        done = self._compare(links[:_FIRST])
        if len(links) > _FIRST and self._is_crowd(done):
            left = len(links) - _FIRST
            notes.append(
                f"{left:,} pairs were not compared: the most similar pairs are no duplicates."
            )
        elif len(links) > _FIRST:
            done = self._compare(links, known=done.by_rows())
        notes += _unseen(done)
        done, more = self._with_embedding(done)
        limits = self._limits(done)
        if np.isfinite(limits.small) and any(
            copy.small and not limits.holds(copy) for copy in done.copies
        ):
            # Weak copies stood in the way of strong ones.
            known = done.by_rows()
            done = self._compare(links, limits.small, known)
            done, more = self._with_embedding(done, limits.small, known)
        return _standing_out(done, limits), (*notes, *more)

    def _is_crowd(self, done: Confirmed) -> bool:
        """Whether hardly anything of what was compared is a copy, and no other shot stands out."""
        if len(done.copies) >= _CROWD * done.compared:
            return False
        limits = self._limits(done)
        return not any(pair.kind == "shot" and limits.holds(pair) for pair in done.others)

    def _links(self) -> tuple[list[Link], list[str]]:
        found, notes = _candidates(self.dataset, self.speakers, SOURCES, self.options.jobs)
        if len(found) > self.most_pairs:
            left = len(found) - self.most_pairs
            notes.append(
                f"{left:,} of {len(found):,} candidate pairs, the least similar ones, were not "
                "compared."
            )
        return list(found)[: self.most_pairs], notes

    def _compare(
        self, links: list[Link], least: float = 0.0, known: Mapping[Link, Compared] | None = None
    ) -> Confirmed:
        if not links:
            return Confirmed()
        return self.verify(
            self.dataset, links, self.rank, self.options, self.progress, least=least, known=known
        )

    def _with_embedding(
        self, done: Confirmed, least: float = 0.0, known: Mapping[Link, Compared] | None = None
    ) -> tuple[Confirmed, tuple[str, ...]]:
        own = np.where(np.isin(self.leader, self.speakers), self.leader, -1)
        further = self.by_embedding(self.dataset, _speak(own, done.copies), self.options.jobs)
        return _nearer(further, done, lambda links: self._compare(links, least, known))

    def _limits(self, done: Confirmed) -> Limits:
        speaker = _speak(
            np.arange(len(self.dataset)), [copy for copy in done.copies if not copy.small]
        )

        def compare_null(count: int) -> list[Compared]:
            features = (
                self.by_embedding.features() if self.by_embedding.features is not None else None
            )
            links = null_links(self.dataset, self.speakers, speaker, features, count)
            return (
                self.verify(self.dataset, links, self.rank, self.options, None, every=True).others
                if links
                else []
            )

        return limits_of([*done.copies, *done.others], compare_null)


def _standing_out(found: Confirmed, limits: Limits) -> Confirmed:
    """What is claimed; a series of pictures that differ from one in some part each is one
    template, not edits of it.
    """
    copies = [copy for copy in found.copies if limits.holds(copy)]
    covered = Counter(copy.keeper for copy in copies if copy.kind == "overlay")
    plain = Counter(copy.keeper for copy in copies if copy.kind == "edit")
    series = {
        keeper for keeper, count in covered.items() if count >= _SERIES and count > plain[keeper]
    }
    kept = [copy for copy in copies if copy.kind != "overlay" or copy.keeper not in series]
    others = [pair for pair in found.others if pair.kind == "shot" and limits.holds(pair)]
    return replace(found, copies=kept, others=others)


def believed_by_hash(
    dataset: Dataset, speakers: Rows, rank: Rows, options: PassOptions, most_pairs: int
) -> tuple[list[Compared], tuple[str, ...]]:
    """Pairs that hashes alone are believed on."""
    links, notes = _candidates(dataset, speakers, (strict_hash_source,), options.jobs)
    return _believe(dict(list(links.items())[:most_pairs]), rank), tuple(notes)


def _unseen(done: Confirmed) -> list[str]:
    return [
        f"{count:,} candidate pairs could not be compared: {reason}."
        for reason, count in sorted(done.unseen.items())
    ]


def _speak(speaker: Rows, copies: list[Compared]) -> Rows:
    """`speaker` where keepers speak for their copies."""
    keeper = np.arange(len(speaker) + 1)  # the last place is that of rows that none speaks for
    keeper[-1] = -1
    for copy in copies:
        keeper[copy.row] = copy.keeper
    return keeper[speaker]


def _nearer(
    found: Pairs, done: Confirmed, compare: Callable[[list[Link]], Confirmed]
) -> tuple[Confirmed, tuple[str, ...]]:
    """`done` and what holds of `found`; where a keeper turns out to be a copy, its own copies
    are held against the new keeper.
    """
    notes = (
        [
            f"For {found.cut:,} images, not every look-alike by embedding was compared pixel by "
            "pixel."
        ]
        if found.cut
        else []
    )
    if not len(found):
        return done, tuple(notes)
    further = compare(list(zip(found.a.tolist(), found.b.tolist(), strict=True)))
    keeper = {copy.row: copy.keeper for copy in further.copies}
    orphans = [(keeper[copy.keeper], copy.row) for copy in done.copies if copy.keeper in keeper]
    again = compare(orphans) if orphans else Confirmed()
    kept = [copy for copy in done.copies if copy.keeper not in keeper]
    together = Confirmed(
        [*kept, *further.copies, *again.copies], [*done.others, *further.others, *again.others]
    )
    return together, (*notes, *_unseen(further), *_unseen(again))


def _candidates(
    dataset: Dataset, speakers: Rows, sources: Iterable[Source], jobs: int
) -> tuple[dict[Link, float], list[str]]:
    """Pairs of rows to distance, source by source, nearest first."""
    links: dict[Link, float] = {}
    notes = []
    for source in sources:
        found = source(dataset, speakers, jobs)
        for a, b, far in zip(
            speakers[found.a].tolist(),
            speakers[found.b].tolist(),
            found.distance.tolist(),
            strict=True,
        ):
            links.setdefault((a, b), far)
        if found.cut:
            notes.append(
                f"{found.cut:,} images have so many look-alikes that not every pair was searched."
            )
    return links, notes


def _believe(links: dict[Link, float], rank: Rows) -> list[Compared]:
    """Stars of the candidates themselves, best row first."""
    ordered = [((a, b) if rank[a] < rank[b] else (b, a), far) for (a, b), far in links.items()]
    keeper_of: dict[int, int] = {}
    copies = []
    for (keeper, row), far in sorted(
        ordered, key=lambda link: (rank[link[0][0]], rank[link[0][1]])
    ):
        if keeper in keeper_of or row in keeper_of:
            continue
        keeper_of[row] = keeper
        words = f"B is A by its hash ({far:.0f} of 64 bits differ), not compared"
        copies.append(Compared(keeper, row, "edit", -1.0, relation=words))
    return copies
