"""Fits the trees of `dataprep.measures.pairs.edit_model` on listed pairs of images, and writes
``dataprep/measures/pairs/edit_model.npz``.

    python tools/fit_edit_judge.py LIST.csv [LIST.csv ...] [--out FILE]

A list has the columns a and b (paths relative to the list), edit (1 where one is an edit of the
other, else 0) and source (pairs of one source are never both learned from and judged on), and may
have weight. ``benchmarks/drawn.py`` draws templates and re-shots, and ``benchmarks/edits.py``
plants edits; add re-shots and frames of moving cameras of your own, and lossless edits of drawings.
Prints, for pairs that took no part in the fit (five folds by source), the share that would be
called an edit.
"""

from __future__ import annotations

import argparse
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier

from dataprep.measures.pairs import alignment
from dataprep.measures.pairs.agreement import Agreement
from dataprep.measures.pairs.alignment import Kind, match
from dataprep.measures.pairs.comparison import open_picture
from dataprep.measures.pairs.picture import Picture

#: Statistic to the direction in which it may only speak for an edit (1), only against (-1), or
#: either way (0).
DIRECTIONS = {
    "shear": -1,
    "agreeing": 1,
    "typical": 0,
    "mean": 1,
    "sharpness": 0,
    "moved": -1,
    "moved_high": -1,
    "moved_sure": 0,
    "moved_high_sure": 0,
    "fine": 0,
    "coarse": 0,
    "quiet": 0,
    "fine_correlation": 0,
    "bad": -1,
    "regions": -1,
    "region": 0,
    "bad_outside": -1,
    "flat": 0,
    "placed": 0,
    "textured": 0,
}
FOLDS = 5
NEGATIVE_WEIGHT = 3.0


def statistics_of(a: Picture, b: Picture) -> Agreement | None:
    """What `match` judges the pair by; None where it does not come to that."""
    seen: list[Agreement] = []
    judge = alignment.judge

    def keep(found: Agreement, inliers: int = 0) -> tuple[Kind, float]:
        seen.append(found)
        return judge(found, inliers)

    alignment.judge = keep
    try:
        match(a, b)
    finally:
        alignment.judge = judge
    return seen[-1] if seen else None


def rows_of(path: Path) -> Iterator[dict[str, object]]:
    table = pd.read_csv(path)
    for row in table.to_dict("records"):
        found = statistics_of(
            open_picture(path.parent / str(row["a"])), open_picture(path.parent / str(row["b"]))
        )
        weight = float(row.get("weight", 1.0 if row["edit"] else NEGATIVE_WEIGHT))
        known = {} if found is None else {name: getattr(found, name) for name in DIRECTIONS}
        yield {
            "list": path.stem,
            "edit": bool(row["edit"]),
            "source": str(row["source"]),
            "weight": weight,
            **known,
        }


def fitted(rows: pd.DataFrame) -> HistGradientBoostingClassifier:
    trees = HistGradientBoostingClassifier(
        max_iter=160,
        max_leaf_nodes=8,
        learning_rate=0.1,
        min_samples_leaf=12,
        l2_regularization=1.0,
        monotonic_cst=list(DIRECTIONS.values()),
    )
    return trees.fit(rows[list(DIRECTIONS)], rows["edit"], sample_weight=rows["weight"])


def write(trees: HistGradientBoostingClassifier, path: Path) -> None:
    """The trees as the arrays that `dataprep.measures.pairs.edit_model.Trees` reads."""
    nodes = [stage[0].nodes for stage in trees._predictors]
    width = max(map(len, nodes))

    def padded(field: str, kind: type, missing: float = 0) -> np.ndarray:
        return np.stack(
            [
                np.pad(each[field].astype(kind), (0, width - len(each)), constant_values=missing)
                for each in nodes
            ]
        )

    np.savez_compressed(
        path,
        features=np.array(list(DIRECTIONS)),
        feature=padded("feature_idx", np.int8),
        threshold=padded("num_threshold", np.float32),
        left=padded("left", np.int8),
        right=padded("right", np.int8),
        missing_left=padded("missing_go_to_left", bool),
        leaf=padded("is_leaf", bool, 1),
        value=padded("value", np.float32),
        start=np.float32(trees._baseline_prediction.ravel()[0]),
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("lists", type=Path, nargs="+")
    parser.add_argument(
        "--out",
        type=Path,
        default=Path(__file__).resolve().parents[1] / "dataprep/measures/pairs/edit_model.npz",
    )
    options = parser.parse_args()
    rows = pd.DataFrame([row for path in options.lists for row in rows_of(path)])
    known = rows["agreeing"].notna()
    fold = rows["source"].map(lambda source: zlib.crc32(source.encode()) % FOLDS)
    score = pd.Series(-np.inf, rows.index)
    for number in range(FOLDS):
        judged = known & (fold == number)
        if judged.any():
            score[judged] = fitted(rows[known & (fold != number)]).decision_function(
                rows.loc[judged, list(DIRECTIONS)]
            )
    for name, part in rows.groupby(["list", "edit"]):
        print(
            name,
            len(part),
            {
                least: round(float((score[part.index] > least).mean()), 3)
                for least in (1.5, 2.1, 2.5)
            },
        )
    write(fitted(rows[known]), options.out)


if __name__ == "__main__":
    main()
