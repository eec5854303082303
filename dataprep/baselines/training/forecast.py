"""How long a training will take, by the time of a few steps."""

from __future__ import annotations

import time
from itertools import islice
from typing import TYPE_CHECKING

from dataprep.baselines.training.distributed import Gradients
from dataprep.baselines.training.fitting import feeder_for, loss_for, network_for

if TYPE_CHECKING:
    from dataprep.augment.policies import Policy
    from dataprep.baselines.training.materials import Materials
    from dataprep.baselines.training.regimes import Regime

#: Steps that are timed, of which the quickest counts, and what scoring an epoch adds.
_STEPS, _BESIDE = 3, 1.15


def training_seconds(
    materials: Materials, regime: Regime, policy: Policy | None = None, device: str = "cpu"
) -> float:
    """Seconds that the training takes, about, if it does not stop early; 0 of a frozen regime.

    torch's random state stays as it was.
    """
    if regime.name == "frozen":
        return 0.0
    from dataprep.baselines.training.loop import autocast
    from dataprep.baselines.training.networks import random_state_of

    settings = regime.settings
    with random_state_of(settings.seed, device):
        network = network_for(materials, regime, device)
        network.freeze(settings.freeze, **settings.kept)
        network.train()
        feeder = feeder_for(materials, settings, policy)
        gradients = Gradients(
            network,
            loss_for(materials, settings).to(device),
            lambda: autocast(settings.precision, device.split(":")[0]),
            settings.batch,
        )
        taken, since = [], time.perf_counter()
        with gradients.running(islice(feeder(), _STEPS)) as (fed, backward):
            for images, targets in fed:
                backward(images.to(device), targets.to(device), lambda value: value)
                taken.append(time.perf_counter() - since)
                since = time.perf_counter()
    return min(taken) * len(feeder) * settings.epochs * _BESIDE


def in_words(seconds: float) -> str:
    """About how long: "under a minute", "7 minutes", "3 hours"."""
    minutes = seconds / 60
    if minutes < 1:
        return "under a minute"
    if minutes < 100:
        return f"{minutes:.0f} minute{'' if round(minutes) == 1 else 's'}"
    return f"{minutes / 60:.0f} hours"
