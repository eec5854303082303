"""The feature map: which images lie near each other among the features, in the plane, and what
that says about the labels.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dataprep.backends.blas import one_blas_thread
from dataprep.checks.memory import remembered
from dataprep.measures.options import PassOptions
from dataprep.neighbours.cosine import nearest
from dataprep.probes.features import features_of
from dataprep.probes.tsne import NEIGHBOURS, lay_out
from dataprep.reports.audit.distributions import flagged_samples
from dataprep.reports.audit.verdict import percent
from dataprep.schemas.text.words import counted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.neighbours.cosine import Nearest
    from dataprep.probes.features import Features
    from dataprep.schemas.audit import Audit
    from dataprep.schemas.dataset import Dataset

#: Most images on the map; of a larger set a sample is drawn.
MOST = 6000
#: Fewer images make no map.
FEWEST = 12
#: Of a sample, the part that is kept for images that a check complains of.
_CLAIMED_PART = 0.3
#: Classes in the table beside the map.
CLASSES = 40
#: How much better than chance neighbours agree, from 0 (chance) to 1 (always), for classes to come
#: apart, or to do so in part.
CLEAR, IN_PART = 0.6, 0.25
#: What stands for "no label" in the counts of neighbours that share it.
_NONE = 255


@dataclass(frozen=True, eq=False)
class FeatureMap:
    """Where images lie on the map, and how well their labels agree with their neighbours'.

    Attributes:
        rows: (m,) rows of the data set, ascending.
        positions: (m, 2) float32, -1 to 1.
        agreeing: (m,) uint8, of the 15 nearest neighbours among the features how many share the
            label; 255 where that is unknown.
        total: images that could be on the map.
        agreement: share of neighbours with the same label, 0 to 1; NaN without labels.
        chance: the same if neighbours were drawn at random.
        classes: for each class, most frequent first: ``name``, ``count``, ``agreement``, and
            ``other`` with ``share``: the class that its neighbours have most often besides.
    """

    rows: NDArray[np.int64]
    positions: NDArray[np.float32]
    agreeing: NDArray[np.uint8]
    total: int
    agreement: float
    chance: float
    classes: tuple[Mapping[str, Any], ...] = ()

    def __len__(self) -> int:
        return len(self.rows)


def feature_map(audit: Audit, *, most: int = MOST, seed: int = 0) -> FeatureMap | None:
    """Lay the images of an audit out by their embeddings; None where fewer than 12 have one.

    Args:
        audit: the audit; its data set has the array ``embedding``, or there is no map.
        most: images on the map. Of a larger set a sample is drawn: images that checks complain of,
            up to 3 in 10, and images at random, of every class its share.
        seed: of the sample and of the layout.
    """
    embedding = audit.dataset.arrays.get("embedding")
    if embedding is None:
        return None
    readable = np.flatnonzero(audit.dataset.readable)
    rows, drawn = _sample(audit, readable, most, seed)
    with one_blas_thread():
        values, known, near = _neighbourhood(audit, rows, seed)
    rows, drawn = rows[known], drawn[known]
    if len(rows) < FEWEST:
        return None
    total = len(readable) if len(readable) > most else len(rows)
    labels, names = _codes(audit.dataset, "label", rows)
    options = PassOptions.of_run(audit.run)

    def layout(near: NDArray[Any], values: NDArray[Any], *, seed: int) -> NDArray[np.float32]:
        def make() -> NDArray[np.float32]:
            return lay_out(near, values, seed=seed)

        return remembered(f"layout {seed}", make, (near, values), options)

    return map_of(rows, values, labels, names, drawn, total, near=near, seed=seed, layout=layout)


def _neighbourhood(
    audit: Audit, rows: NDArray[np.int64], seed: int
) -> tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.int64] | None]:
    """(m, d) features of those of `rows` that have an embedding, which these are, and their nearest
    neighbours as positions among them: the audit's own where it has them and no row is left out.
    """
    shared: tuple[Features, Nearest] | None = audit.neighbourhood
    if shared is None or len(shared[0]) != len(audit.dataset):
        found = features_of(np.asarray(audit.dataset.arrays["embedding"][rows]), seed=seed)
        return found.values[found.known], found.known, None
    features, neighbours = shared
    known = features.known[rows]
    rows = rows[known]
    if len(rows) < features.known.sum() or neighbours.indices.shape[1] < NEIGHBOURS:
        return features.values[rows], known, None
    place = np.full(len(features) + 1, -1)  # the last is for no neighbour
    place[rows] = np.arange(len(rows))
    return features.values[rows], known, place[neighbours.indices[rows, :NEIGHBOURS]]


def map_of(
    rows: NDArray[np.int64],
    values: NDArray[np.float32],
    labels: NDArray[np.int64],
    names: list[str],
    drawn: NDArray[np.bool_],
    total: int,
    *,
    near: NDArray[np.int64] | None = None,
    seed: int = 0,
    layout: Callable[..., NDArray[np.float32]] = lay_out,
) -> FeatureMap:
    """Lay rows out by their features.

    Args:
        rows: (m,) rows of the data set.
        values: (m, d) features of those rows (`dataprep.probes.features.features_of`).
        labels: (m,) codes of `names`, -1 where missing.
        names: values of the label, most frequent first.
        drawn: (m,) whether a row was drawn at random; agreement is told of these.
        total: images that could be on the map.
        near: (m, k) the nearest neighbours of each row as positions among `rows`, -1 where there
            are fewer; None looks for them.
        seed: of the layout.
        layout: as `dataprep.probes.tsne.lay_out`.
    """
    if near is None:
        near = nearest(values, np.ones(len(rows), bool), NEIGHBOURS).indices.astype(np.int64)
    agreeing, agreement, chance = _agreement(labels, near, drawn)
    classes = _classes(labels, names, near) if len(names) > 1 else ()
    return FeatureMap(
        rows, layout(near, values, seed=seed), agreeing, total, agreement, chance, classes
    )


def why_unmapped(audit: Audit) -> str:
    """Why there is no map, in words."""
    if "embedding" not in audit.dataset.arrays:
        return "needs embeddings, which this run did not compute"
    return f"fewer than {FEWEST} images have an embedding"


def _sample(
    audit: Audit, readable: NDArray[np.int64], most: int, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Rows for the map, ascending, and which of them were drawn at random rather than for what a
    check says of them.
    """
    if len(readable) <= most:
        return readable, np.ones(len(readable), bool)
    random = np.random.default_rng(seed)
    share = int(most * _CLAIMED_PART) // max(1, len(flags := flagged_samples(audit)))
    claimed = [
        random.permutation(np.intersect1d(np.flatnonzero(flagged), readable))[:share]
        for flagged in flags.values()
    ]
    kept = np.unique(np.concatenate([*claimed, np.zeros(0, np.int64)]))
    labels, _ = _codes(audit.dataset, "label", readable)
    order = random.permutation(len(readable))
    order = order[np.argsort(labels[order], kind="stable")]
    spread = order[np.linspace(0, len(order) - 1, most - len(kept)).astype(np.int64)]
    drawn = readable[spread]
    rest = np.setdiff1d(readable, np.union1d(kept, drawn))
    drawn = np.union1d(drawn, random.permutation(rest)[: most - len(np.union1d(kept, drawn))])
    rows = np.union1d(kept, drawn)
    return rows, np.isin(rows, drawn)


def _codes(
    dataset: Dataset, column: str, rows: NDArray[np.int64]
) -> tuple[NDArray[np.int64], list[str]]:
    """As `frequent_first`, of a column that may not be there; empty values are missing."""
    if column not in dataset.samples:
        return np.full(len(rows), -1, np.int64), []
    values: pd.Series[Any] = dataset.samples[column].iloc[rows].astype("object")
    return frequent_first(values.mask(values.isin([""])))


def frequent_first(values: pd.Series[Any]) -> tuple[NDArray[np.int64], list[str]]:
    """(m,) code of each value, -1 where it is missing, and the values as text, most frequent
    first.
    """
    texts = values.astype("object").map(str, na_action="ignore")
    counts = texts.value_counts()
    names = sorted(counts.index, key=lambda name: (-counts[name], name))
    codes = pd.Index(names, dtype="object").get_indexer(pd.Index(texts, dtype="object"))
    return codes.astype(np.int64), names


def _agreement(
    labels: NDArray[np.int64], near: NDArray[np.int64], drawn: NDArray[np.bool_]
) -> tuple[NDArray[np.uint8], float, float]:
    """Neighbours that share each label, their share over the rows drawn at random, and what
    chance gives.
    """
    known = (near >= 0) & (labels[near] >= 0) & (labels >= 0)[:, None]
    same = known & (labels[near] == labels[:, None])
    agreeing = np.where(known.any(axis=1), same.sum(axis=1), _NONE).astype(np.uint8)
    counts = np.bincount(labels[labels >= 0])
    labelled = int(counts.sum())
    if len(counts) < 2 or not known[drawn].any():
        return agreeing, float("nan"), float("nan")
    chance = float((counts * (counts - 1.0)).sum() / (labelled * (labelled - 1.0)))
    return agreeing, float(same[drawn].sum() / known[drawn].sum()), chance


def _classes(
    labels: NDArray[np.int64], names: list[str], near: NDArray[np.int64]
) -> tuple[dict[str, Any], ...]:
    classes = []
    for code, name in enumerate(names[:CLASSES]):
        around = labels[near[labels == code]]
        counts = np.bincount(around[around >= 0], minlength=len(names))
        total = max(int(counts.sum()), 1)
        others = np.where(np.arange(len(names)) == code, -1, counts)
        other = int(others.argmax())
        classes.append(
            {
                "name": name,
                "count": int((labels == code).sum()),
                "agreement": float(counts[code] / total),
                "other": names[other] if others[other] > 0 else "",
                "share": float(max(others[other], 0) / total),
            }
        )
    return tuple(classes)


def reading(found: FeatureMap) -> str:
    """What the map says about the labels, in one sentence with its figures; empty without
    labels.
    """
    if found.agreement != found.agreement:
        return ""
    figures = (
        f"{percent(found.agreement)} of an image's {NEIGHBOURS} nearest neighbours have the same "
        f"label ({percent(found.chance)} by chance)"
    )
    gained = (found.agreement - found.chance) / max(1 - found.chance, 1e-9)
    if gained >= CLEAR:
        return f"{figures}: the classes form clusters, so these features separate them well."
    if gained >= IN_PART:
        return (
            f"{figures}: the classes are partly separated; check labels and classes where colours "
            f"mix."
        )
    return f"{figures}: no clear clusters, so these features alone do not separate the classes."


def extent(found: FeatureMap) -> str:
    """How much of the data the map shows, in words."""
    if len(found) >= found.total:
        return counted(len(found), "image")
    return f"{len(found):,} of {counted(found.total, 'image')}"


def map_payload(audit: Audit, found: FeatureMap) -> dict[str, Any]:
    """What the page's script draws of the map of an audit."""
    samples = audit.dataset.samples.iloc[found.rows]
    flags = {
        code: np.flatnonzero(flagged[found.rows]).tolist()
        for code, flagged in flagged_samples(audit).items()
    }
    return points_payload(
        samples,
        places_of(found),
        _codes(audit.dataset, "label", found.rows),
        _codes(audit.dataset, "split", found.rows),
        agreeing_of(found),
        {code: points for code, points in flags.items() if points},
    )


def places_of(found: FeatureMap) -> NDArray[np.int64]:
    """(m, 2) positions from 0 to 65535."""
    return np.round((found.positions + 1) * 32767.5).astype(np.int64)


def agreeing_of(found: FeatureMap) -> list[int]:
    """Of each image's neighbours how many share its label; -1 where that is unknown."""
    return [-1 if count == _NONE else int(count) for count in found.agreeing]


def points_payload(
    samples: pd.DataFrame,
    places: NDArray[np.int64],
    labels: tuple[NDArray[np.int64], list[str]],
    splits: tuple[NDArray[np.int64], list[str]],
    agreeing: list[int],
    flags: Mapping[str, list[int]],
) -> dict[str, Any]:
    """What the script of a page draws of m images.

    Args:
        samples: their rows of a data set.
        places: (m, 2) positions from 0 to 65535; base64 of little-endian uint16 in the page.
        labels, splits: of `frequent_first`.
        agreeing: of `agreeing_of`.
        flags: what is wrong to the images (from 0) that have it.
    """
    return {
        "at": base64.b64encode(places.astype("<u2").tobytes()).decode("ascii"),
        "names": samples.index.tolist(),
        "labels": labels[1],
        "labelOf": labels[0].tolist(),
        "splits": splits[1],
        "splitOf": splits[0].tolist(),
        "agreeing": agreeing,
        "neighbours": NEIGHBOURS,
        "flags": flags,
        "facts": {name: _numbers(samples, name) for name in ("width", "height", "bytes")},
    }


def _numbers(samples: pd.DataFrame, column: str) -> list[int]:
    """Whole numbers of a column, -1 where unknown."""
    if column not in samples:
        return [-1] * len(samples)
    return [int(value) for value in samples[column].astype("float64").fillna(-1).tolist()]
