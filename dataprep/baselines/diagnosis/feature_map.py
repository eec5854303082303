"""The penultimate layer in the plane: which images look alike to a trained network."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from dataprep.baselines.training.network_predictions import deep_features
from dataprep.probes.features import features_of
from dataprep.reports.audit.feature_map import (
    FEWEST,
    agreeing_of,
    frequent_first,
    map_of,
    places_of,
    reading,
)
from dataprep.reports.charts import in_figures
from dataprep.schemas.results.baseline import FeatureMapFigures

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.baselines.training.materials import Materials
    from dataprep.baselines.training.networks import Network

#: Images on the map: of train, and of all other parts.
_OF_TRAIN, _OF_OTHERS = 1000, 2000
#: Parts of equal size into which the values of a regression are cut.
_FIFTHS = 5


def plane_of(
    materials: Materials, network: Network, *, test: bool = True, seed: int = 0
) -> FeatureMapFigures:
    """Where images lie on the map of the penultimate layer; empty for fewer than 12.

    Args:
        materials: whose images.
        network: the model.
        test: with the parts other than train and val.
        seed: of the sample and of the layout.
    """
    rng = np.random.default_rng(seed)
    judged = np.concatenate(list(materials.unlearned(test).values()))
    rows = np.sort(
        np.concatenate(
            [rng.permutation(judged)[:_OF_OTHERS], rng.permutation(materials.train)[:_OF_TRAIN]]
        )
    )
    features = features_of(deep_features(network, materials.store, rows), seed=seed)
    rows, values = rows[features.known], features.values[features.known]
    if len(rows) < FEWEST:
        return FeatureMapFigures()
    labels, names = _labels(materials, rows)
    found = map_of(
        rows,
        values,
        labels,
        names,
        np.ones(len(rows), bool),
        len(judged) + len(materials.train),
        seed=seed,
    )
    places = places_of(found)
    return FeatureMapFigures(
        samples=[str(name) for name in materials.names[rows]],
        x=places[:, 0].tolist(),
        y=places[:, 1].tolist(),
        agreeing=agreeing_of(found),
        labels=names,
        label_of=labels.tolist(),
        total=found.total,
        reading=reading(found),
        classes=[dict(each) for each in found.classes],
    )


def _labels(materials: Materials, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], list[str]]:
    """(m,) code of each row's label, and the names, most frequent first; fifths of the values of
    a regression.
    """
    if materials.goal.kind == "regression":
        values = np.asarray(materials.labels[rows], np.float64)
        edges = np.quantile(values, np.linspace(0, 1, _FIFTHS + 1))
        names = [f"{in_figures(low)} to {in_figures(high)}" for low, high in pairwise(edges)]
        return np.clip(np.searchsorted(edges, values, side="right") - 1, 0, _FIFTHS - 1).astype(
            np.int64
        ), names
    return frequent_first(materials.dataset.samples["label"].iloc[rows])
