"""another-shot: the same scene or thing, photographed again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from dataprep.checks.contract import Check, Look
from dataprep.checks.duplicates.claims import DUPLICATE_COLUMNS

if TYPE_CHECKING:
    import pandas as pd

    from dataprep.checks.duplicates.pairs import Duplicates
    from dataprep.schemas.dataset import Dataset


@dataclass(frozen=True)
class AnotherShot(Check):
    """
    What it finds:
        Images that show the same scene or thing from elsewhere or a moment later: bursts, frames of
        a moving camera, one object photographed twice. They are not copies of each other (see
        near-duplicate).

    Why it matters:
        A model trained on one knows much of the other. Divided between training and test they
        inflate the score, and a class of 500 images of 20 scenes is a class of 20.

    What to do:
        Keep each group in one split; `dataprep split` does. Nothing has to be dropped.

    How it works:
        Of the candidates of near-duplicate, those whose key points (ORB; at least 12) follow one
        affine map under which 60 % of the cells with texture agree, and which are no edits. How
        much two pictures share counts only as far as it is unusual here: up to 120 pairs of other
        labels (or, without labels, of no verified edit) that are alike are compared too, and a
        claim must have more key points than these do, so that at most one in twenty is expected to
        be of their kind. Where nothing stands out there are no claims.

    Known limits:
        Candidates are found by hash and embedding, so views from far apart are missed; so are
        pictures of up to 60 pixels. Two things of one make before one background may be joined: the
        same print on two boxes.

    Measured quality:
        By eye (`benchmarks/judged/pairs.csv`): of 30 pairs in pictures of rubbish 23 right, 6
        arguable (two things of one make), 1 wrong; 20 pairs of tiles looked at were right. No claim
        in written digits, small pictures of clothes and hands, where key points of pairs with other
        labels agree as often. Of re-shots planted or found by people (`benchmarks/pairs.py`): 255
        of 272 drawn scenes, 48 of 55 in the pictures of rubbish.
    """

    code: ClassVar = "another-shot"
    family: ClassVar = "duplicates"
    severity: ClassVar = "warning"
    scope: ClassVar = "pair"
    needs: ClassVar = (*DUPLICATE_COLUMNS, "width", "height")
    wants: ClassVar = ("embedding", "label")
    looks: ClassVar = True
    suggestion: ClassVar = "regroup"
    summary: ClassVar = "Images of the same scene"
    advice: ClassVar = "Keep each group in one split; nothing has to be dropped."
    message: ClassVar = (
        "shows the same scene or object as {related} in another shot: {figure:.0f} matching key "
        "points; {members} images in the group"
    )

    def find(self, dataset: Dataset, look: Look) -> Iterator[pd.DataFrame]:
        """One claim for every image of a scene but its first, with the image that it shares most
        with.
        """
        duplicates = look.duplicates()
        target, related, points, confidence = best_shots(duplicates)
        if not len(target):
            return
        names = dataset.samples.index.to_numpy(dtype=object)
        scenes = duplicates.scenes()
        sizes = np.bincount(scenes[scenes >= 0])
        first = np.full(len(sizes), len(names))
        np.minimum.at(first, scenes[scenes >= 0], np.flatnonzero(scenes >= 0))
        yield self.claims(
            names[target],
            related=names[related],
            group=names[first[scenes[target]]],
            figure=points,
            unit="key points",
            confidence=confidence,
            evidence=[{"members": int(sizes[scenes[row]])} for row in target.tolist()],
        )


def best_shots(duplicates: Duplicates) -> tuple[np.ndarray, ...]:
    """(target, related, key points, confidence) of each image of a scene but one, with the other
    that it shares most with.
    """
    shots = duplicates.shots.sort_values(["key_points", "a", "b"], ascending=[False, True, True])
    joined: dict[int, int] = {}

    def root(row: int) -> int:
        while joined.get(row, row) != row:
            row = joined[row]
        return row

    kept = []
    for a, b, points, sure in shots[["a", "b", "key_points", "confidence"]].itertuples(index=False):
        one, other = root(int(a)), root(int(b))
        if one != other:  # a tree over the scene: as many claims as it takes to join its images
            joined[max(one, other)] = min(one, other)
            kept.append((int(b), int(a), float(points), float(sure)))
    columns = zip(*sorted(kept), strict=True) if kept else ([], [], [], [])
    kinds = (np.int64, np.int64, np.float64, np.float64)
    return tuple(np.array(column, kind) for column, kind in zip(columns, kinds, strict=True))
