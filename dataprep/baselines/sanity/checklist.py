"""Sanity: what is looked at before training, so that hours are not spent on a network that
cannot learn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from dataprep.baselines.inference.network_predictions import features_of
from dataprep.baselines.sanity import data as sanity_data
from dataprep.baselines.sanity import network as sanity_network
from dataprep.baselines.sanity.data import Line
from dataprep.baselines.training.fitting import feeder_for
from dataprep.baselines.training.networks import make_network
from dataprep.errors import SanityFailed
from dataprep.probes.classifiers.folds import folds_of
from dataprep.schemas.results.record import jsonable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.augment.policies import Policy
    from dataprep.baselines.training.materials import Materials
    from dataprep.baselines.training.networks import Network
    from dataprep.baselines.training.regimes import Regime

#: Images that data are judged by, of a step of the network, of the batch that is overfitted, and of
#: the permuted control.
_LOOKED, _BATCH, _OVERFITTED, _CONTROLLED = 32, 16, 8, 96
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
    """Look before training, the cheap first; the states of all random numbers are left as they
    were.

    Args:
        materials: what is to be learned from.
        regime: how; of a frozen one only that is looked at which applies to it.
        policy: augmentation.
        device: where the networks of the checks run.
        seed: of the images that are looked at, and of the networks.
        report: called with (done, total, check).

    Returns:
        One mapping per check: ``check``, ``value``, ``expected`` (a text), ``passed``,
        ``sentence``.

    Raises:
        SanityFailed: the first check that fails, with its reason and what to do.
    """
    lines: list[dict[str, Any]] = []
    with _untouched_randomness(device, seed):
        checks = list(_checks(materials, regime, policy, device, seed))
        for number, (name, check) in enumerate(checks):
            if report is not None:
                report(number, len(checks), name)
            for line in check():
                if not line.passed:
                    raise SanityFailed(
                        f"{line.check}: {line.sentence}. {line.advice}. (--no-sanity trains "
                        "without the checks before training)"
                    )
                lines.append(jsonable(line.shown()))
    return lines


def _checks(
    materials: Materials, regime: Regime, policy: Policy | None, device: str, seed: int
) -> Iterator[tuple[str, Callable[[], Iterator[Line]]]]:
    """Name and function of every check that applies."""
    settings, frozen = regime.settings, regime.name == "frozen"
    codes = sanity_data.codes_of_rows(materials)
    rows = sanity_data.spread_rows(materials, codes, _LOOKED, seed)
    feeder = feeder_for(materials, settings, policy)
    fresh = _Fresh(materials, regime, device, seed)
    yield "images", lambda: sanity_data.look_at_images(materials.store, rows, feeder.augment)
    if not frozen:
        yield "order", lambda: sanity_data.look_at_order(codes[feeder.order(0)])
    batch = sanity_data.distinct_rows(materials.store, rows)
    if len(batch) < 4:  # batch norm and folds need a few
        return
    most = (
        sanity_network.MOST_DEAD
        if regime.name == "scratch"
        else sanity_network.MOST_DEAD_PRETRAINED
    )
    yield (
        "start",
        lambda: sanity_network.look_at_start(fresh(), materials, settings, batch[:_BATCH]),
    )
    yield "activations", lambda: sanity_network.look_at_activations(fresh(), materials, batch, most)
    if frozen:
        yield (
            "overfit",
            lambda: sanity_network.overfit_linear(fresh(), materials, batch[:_OVERFITTED]),
        )
    else:
        yield (
            "gradients",
            lambda: sanity_network.look_at_gradients(fresh(), materials, settings, batch[:_BATCH]),
        )
        yield (
            "overfit",
            lambda: sanity_network.overfit_batch(fresh, materials, settings, batch[:_OVERFITTED]),
        )
    yield "control", lambda: _control(fresh(), materials, codes, seed)


def _control(
    network: Network, materials: Materials, codes: NDArray[np.int64], seed: int
) -> Iterator[Line]:
    rows = sanity_data.whole_units(materials, _CONTROLLED, seed)
    features = features_of(network, materials.store, rows)
    units = np.unique(materials.units[rows], return_inverse=True)[1]
    fold = folds_of(units, codes[rows].astype(np.int32), _FOLDS, seed=seed)
    return sanity_data.look_at_permuted(features, codes[rows], units, fold, seed)


class _Fresh:
    """A new network of the regime, without dropout, whose classifier has learned nothing; the
    same at every call.
    """

    def __init__(self, materials: Materials, regime: Regime, device: str, seed: int) -> None:
        self.materials, self.regime, self.device, self.seed = materials, regime, device, seed

    def __call__(self) -> Network:
        torch.manual_seed(self.seed)
        network = make_network(
            self.regime.arch,
            self.materials.goal.outputs,
            size=self.regime.size,
            dropout=0.0,
            pretrained=self.regime.name != "scratch",
        ).to(self.device)
        network.freeze(
            len(network.stages) if self.regime.name == "frozen" else self.regime.settings.freeze
        )
        return network


@contextmanager
def _untouched_randomness(device: str, seed: int) -> Iterator[None]:
    """torch's random numbers go on afterwards as if nothing had been drawn; numpy's global ones
    are not used here.
    """
    gpus = [torch.device(device)] if device.startswith("cuda") else []
    with torch.random.fork_rng(devices=gpus):
        torch.manual_seed(seed)
        yield
