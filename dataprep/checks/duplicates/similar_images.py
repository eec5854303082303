"""similar-images: images that look alike without being copies."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from dataprep.checks.contract import Check, Look
from dataprep.checks.duplicates.claims import DUPLICATE_COLUMNS
from dataprep.checks.duplicates.similar_groups import Alike, find_alike
from dataprep.schemas.options import option

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from dataprep.schemas.dataset import Dataset

_NAMED = 8
#: How sure a pair is at the least similarity and at that from which hardly anything but one scene
#: is left.
_LEAST_SURE, _MOST_SURE, _SURE_FROM = 0.7, 0.95, 0.9


@dataclass(frozen=True)
class SimilarImages(Check):
    """
    What it finds:
        Groups of images with similar embeddings: a fact about the data, not a fault. Often they
        show the same thing: bursts, frames of one video, one object photographed again. Verified
        copies count as one image here (see near-duplicate); where the pixels confirm the same
        scene, see another-shot.

    Why it matters:
        They are not independent samples. Divided between training and test they inflate the score,
        and a class of 500 images of 20 scenes is a class of 20.

    What to do:
        Keep each group in one split: give the name in the column `group` of the issue as the
        samples' group. `dataprep split` does, unless it is told `--cut-similar`. Nothing has to be
        dropped.

    How it works:
        Two images are joined when each is among the five nearest of the other by embedding
        (centred, principal components, partly whitened; Jégou & Chum 2012) and their cosine is at
        least 12 standard deviations above that of random pairs of the same data set. Groups are
        what hangs together; where one would swallow more than 5 % of the images (and more than 50
        images), its members have to be more alike. The figure is the cosine with the related image.

    Known limits:
        What counts as the same depends on the embedder: photos of different garments on one bed in
        one light may be joined. Where all images look alike (digits, cells, satellite tiles), so
        may unrelated ones. The longer a burst, the likelier it is found in parts.

    Measured quality:
        On 2,000 photos of clothes 2.5 % of the images are joined; the two of every pair are of one
        sender, as are 4 % of random pairs. On three sets with one photo per sender none is joined
        (`benchmarks/neardup.py`).
    """

    min_similarity: float = option(
        0.0,
        "cosine below which images are not joined, whatever is usual in the data",
        low=0.0,
        high=1.0,
    )

    code: ClassVar = "similar-images"
    family: ClassVar = "duplicates"
    severity: ClassVar = "fact"
    scope: ClassVar = "pair"
    needs: ClassVar = ("embedding", *DUPLICATE_COLUMNS)
    looks: ClassVar = True
    suggestion: ClassVar = "regroup"
    summary: ClassVar = "Similar images that are not duplicates"
    advice: ClassVar = "Keep each group in one split."
    message: ClassVar = (
        "similar to {related}: cosine similarity {figure:.2f}, unrelated images stay below "
        "{least:.2f}; {members} images in the group"
    )

    def find(self, dataset: Dataset, look: Look) -> Iterator[pd.DataFrame]:
        """One claim for every member of a group but its first, with the member that it is most
        like.
        """
        alike = find_alike(look, self.min_similarity)
        related, similarity = _most_alike(alike)
        targets = np.flatnonzero(related >= 0)
        if not len(targets):
            return
        names = dataset.samples.index.to_numpy(dtype=object)
        groups = alike.groups[targets]
        first = np.full(int(groups.max()) + 1, len(names))
        np.minimum.at(first, groups, targets)
        targets = targets[targets != first[groups]]
        groups, figure = alike.groups[targets], similarity[targets]
        above = np.clip((figure - alike.least) / max(_SURE_FROM - alike.least, 1e-6), 0, 1)
        yield self.claims(
            names[targets],
            related=names[related[targets]],
            group=names[first[groups]],
            figure=figure.astype(np.float64),
            unit="cosine",
            confidence=_LEAST_SURE + (_MOST_SURE - _LEAST_SURE) * above,
            evidence=_evidence(targets, groups, alike, names),
        )


def _most_alike(alike: Alike) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """(n,) the row that each row is joined with and most like, -1 for none; and their cosine."""
    count = len(alike.groups)
    related, similarity = np.full(count, -1), np.full(count, -1, np.float32)
    order = np.argsort(alike.similarity, kind="stable")
    for one, other in ((alike.a, alike.b), (alike.b, alike.a)):
        best = np.full(count, -1)
        best[one[order]] = order  # the last to be written is the most alike
        better = np.flatnonzero(best >= 0)
        better = better[alike.similarity[best[better]] > similarity[better]]
        related[better], similarity[better] = other[best[better]], alike.similarity[best[better]]
    return related, similarity


def _evidence(
    targets: NDArray[np.int64], groups: NDArray[np.int64], alike: Alike, names: NDArray[np.object_]
) -> list[dict[str, Any]]:
    """What the group holds, of each target."""
    shown = set(groups.tolist())
    members: dict[int, list[int]] = defaultdict(list)
    for row in np.flatnonzero(alike.groups >= 0).tolist():
        if alike.groups[row] in shown:
            members[int(alike.groups[row])].append(row)
    return [
        {
            "neighbours": [str(names[other]) for other in members[group] if other != row][:_NAMED],
            "members": len(members[group]),
            "least": round(alike.least, 4),
        }
        for row, group in zip(targets.tolist(), groups.tolist(), strict=True)
    ]
