"""The checks before training, so that hours are not spent on a network that cannot learn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from dataprep.baselines.sanity.data import (
    check_images,
    check_order,
    check_permuted_labels,
    distinct_rows,
    spread_rows,
    strata_of,
    whole_units,
)
from dataprep.baselines.sanity.frozen import frozen_checks
from dataprep.baselines.training.fitting import feeder_for, network_for
from dataprep.baselines.training.network_predictions import deep_features
from dataprep.errors import SanityFailed
from dataprep.probes.classifiers.folds import folds_of
from dataprep.schemas.results.record import jsonable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.augment.policies import Policy
    from dataprep.baselines.sanity.results import CheckResult
    from dataprep.baselines.training.materials import Materials
    from dataprep.baselines.training.networks import Network
    from dataprep.baselines.training.regimes import Regime

#: Images for the checks of the data, for a step of the network, for the batch that is overfitted,
#: and for the control with permuted labels.
_IMAGES, _BATCH, _OVERFITTED, _CONTROL = 32, 16, 8, 96
#: Distinct images that the checks of the network need at least.
_FEWEST = 4
_FOLDS = 4


def check_before_training(
    materials: Materials,
    regime: Regime,
    policy: Policy | None = None,
    *,
    device: str = "cpu",
    seed: int = 0,
    report: Callable[[int, int, str], None] | None = None,
) -> list[dict[str, Any]]:
    """Run the checks before training, the cheap ones first; torch's random state stays as it was.

    Args:
        materials: what is to be learned from.
        regime: how; a frozen one is checked only by what applies to it.
        policy: augmentation.
        device: where the networks of the checks run.
        seed: of the images that are taken, and of the networks.
        report: called with (done, total, check).

    Returns:
        One mapping per check: ``check``, ``value``, ``expected`` (a text), ``passed``,
        ``sentence``.

    Raises:
        SanityFailed: the first check that fails, with its reason and what to do.
    """
    results: list[dict[str, Any]] = []
    with ExitStack() as stack:
        if materials.embedding is not None:
            checks = list(frozen_checks(materials, seed))
        else:
            from dataprep.baselines.training.networks import random_state_of

            stack.enter_context(random_state_of(seed, device))
            checks = list(_checks(materials, regime, policy, device, seed))
        for number, (name, check) in enumerate(checks):
            if report is not None:
                report(number, len(checks), name)
            for result in check():
                if not result.passed:
                    raise SanityFailed(
                        f"{result.check}: {result.sentence}. {result.advice}. (--no-sanity trains "
                        "without the checks before training)"
                    )
                results.append(jsonable(result.to_dict()))
    return results


def _checks(
    materials: Materials, regime: Regime, policy: Policy | None, device: str, seed: int
) -> Iterator[tuple[str, Callable[[], Iterator[CheckResult]]]]:
    """Name and function of every check that applies."""
    from dataprep.baselines.sanity.network import (
        MOST_DEAD,
        MOST_DEAD_PRETRAINED,
        check_dead_units,
        check_first_loss,
        check_gradients,
        check_linear_overfitting,
        check_overfitting,
    )
    from dataprep.baselines.training.networks import random_state_of

    settings, store, frozen = regime.settings, materials.store, regime.name == "frozen"
    codes = strata_of(materials)
    rows = spread_rows(materials, codes, _IMAGES, seed)
    feeder = feeder_for(materials, settings, policy)
    yield "images", lambda: check_images(store, rows, feeder.augment)
    if not frozen:
        yield "order", lambda: check_order(codes[feeder.order(0)])
    distinct = distinct_rows(store, rows)
    if len(distinct) < _FEWEST:
        return
    batch, few = distinct[:_BATCH], distinct[:_OVERFITTED]
    most = MOST_DEAD if regime.name == "scratch" else MOST_DEAD_PRETRAINED

    def fresh() -> Network:
        """The same untrained network at every call, without dropout."""
        with random_state_of(seed, device):
            plain = replace(regime, settings=replace(settings, dropout=0.0))
            network = network_for(materials, plain, device)
        network.freeze(len(network.stages) if frozen else settings.freeze, **settings.kept)
        return network

    yield "start", lambda: check_first_loss(fresh(), materials, settings, batch)
    yield "activations", lambda: check_dead_units(fresh(), materials, distinct, most)
    if frozen:
        yield "overfit", lambda: check_linear_overfitting(fresh(), materials, few)
    else:
        yield "gradients", lambda: check_gradients(fresh(), materials, settings, batch)
        yield "overfit", lambda: check_overfitting(fresh, materials, settings, few)
    yield "control", lambda: _control(fresh(), materials, codes, seed)


def _control(
    network: Network, materials: Materials, codes: NDArray[np.int64], seed: int
) -> Iterator[CheckResult]:
    """The control with permuted labels, on frozen features of whole units."""
    rows = whole_units(materials, _CONTROL, seed)
    features = deep_features(network, materials.store, rows)
    units = np.unique(materials.units[rows], return_inverse=True)[1]
    fold = folds_of(units, codes[rows].astype(np.int32), _FOLDS, seed=seed)
    return check_permuted_labels(features, codes[rows], units, fold, seed)
