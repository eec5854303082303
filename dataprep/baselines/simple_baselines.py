"""What a model is compared with: trivial baselines, a probe on frozen embeddings, and the ceiling
of label noise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dataprep.backends.blas import one_blas_thread
from dataprep.baselines.class_weight_effect import compare_weights
from dataprep.baselines.evaluation.dummy import trivial_baselines
from dataprep.baselines.evaluation.estimates import evaluate
from dataprep.baselines.evaluation.label_noise import noise_ceiling
from dataprep.baselines.evaluation.linear_probe import FeatureSpace, probe_baseline
from dataprep.baselines.evaluation.nearest_neighbours import NEIGHBOURS, neighbour_baseline
from dataprep.baselines.frozen.model import EMBEDDER, embeddings_of
from dataprep.probes.vectors import known_rows
from dataprep.schemas.results.evaluation import Estimate, NeighbourFigures, ProbeFigures

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.baselines.training.materials import Materials
    from dataprep.baselines.training.settings import TrainSettings
    from dataprep.measures.options import PassOptions
    from dataprep.schemas.audit import Audit


def reference_figures(
    materials: Materials,
    settings: TrainSettings,
    audit: Audit | None,
    passing: PassOptions,
    *,
    test: bool = True,
) -> dict[str, Any]:
    """What must be beaten (``dumb``, ``probe``, ``neighbours``), what cannot be (``ceiling``), and
    what class weights do (``imbalance``).

    Args:
        materials: judged on val.
        settings: of the training.
        audit: for the share of wrong labels.
        passing: how files are read, and which embedder looks at them.
        test: judge the probe on the parts other than train and val, too.
    """
    with one_blas_thread():
        embedding, values = _embedding(materials, passing)
        own = embedding is not None and embedding is materials.embedding
        penalty = materials.penalty if own else None
        found: dict[str, Any] = {
            "dumb": trivial_baselines(
                materials.goal, materials.labels, materials.train, materials.val
            ),
            "ceiling": noise_ceiling(audit.issues if audit is not None else None),
            "probe": ProbeFigures(known=False),
            "imbalance": compare_weights(materials, settings, values, penalty),
        }
        if embedding is not None and values is not None:
            found["probe"] = _probe(materials, embedding, values, penalty, test)
            found["neighbours"] = _neighbours(materials, values, test)
    return found


def _embedding(
    materials: Materials, passing: PassOptions
) -> tuple[NDArray[Any] | None, NDArray[np.float32] | None]:
    """The audit's embeddings, and the same in the space of the training rows; None without."""
    if not passing.embedder:
        return None, None
    if materials.embedding is not None and passing.embedder == EMBEDDER:
        return materials.embedding, materials.values
    measured = embeddings_of(materials.dataset, passing).embedding
    if not measured.any():
        return None, None
    train = materials.train[known_rows(measured[materials.train])]
    return measured, FeatureSpace.fitted_on(measured, train)(measured)


def _probe(
    materials: Materials,
    embedding: NDArray[Any],
    values: NDArray[np.float32],
    penalty: float | None,
    test: bool,
) -> ProbeFigures:
    """The linear probe; its `penalty` is chosen where it is not known."""
    wanted = np.concatenate(list(_judged(materials, test).values()))
    probs, facts = probe_baseline(
        embedding,
        materials.labels,
        materials.units,
        materials.train,
        wanted,
        materials.goal,
        values=values,
        penalty=penalty,
    )
    return ProbeFigures(known=True, **facts, parts=_estimates(materials, probs, test))


def _neighbours(materials: Materials, values: NDArray[np.float32], test: bool) -> NeighbourFigures:
    """Nearest neighbours in the same space."""
    wanted = np.concatenate(list(_judged(materials, test).values()))
    train = materials.train[values[materials.train].any(axis=1)]
    probs = neighbour_baseline(values, materials.labels, train, wanted, materials.goal)
    return NeighbourFigures(neighbours=NEIGHBOURS, parts=_estimates(materials, probs, test))


def _judged(materials: Materials, test: bool) -> dict[str, NDArray[np.int64]]:
    """The parts that are not learned from, without empty ones."""
    return {name: part for name, part in materials.unlearned(test).items() if len(part)}


def _estimates(
    materials: Materials, probs: NDArray[Any], test: bool
) -> dict[str, dict[str, Estimate]]:
    """Part to its metrics, of predictions for all judged parts one after the other."""
    parts = _judged(materials, test)
    ends = np.cumsum([len(part) for part in parts.values()])
    return {
        name: evaluate(
            materials.goal, materials.labels[part], each, units=materials.units[part], draws=200
        ).metrics
        for (name, part), each in zip(parts.items(), np.split(probs, ends[:-1]), strict=True)
    }
