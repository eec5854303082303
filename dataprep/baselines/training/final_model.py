"""The final model: trained on train and val together, by the settings and for the epochs that
val chose.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from dataprep.baselines.training.fitting import TrainedNetwork, key_of, train_network

if TYPE_CHECKING:
    from dataprep.augment.policies import Policy
    from dataprep.baselines.training.loop import Report
    from dataprep.baselines.training.materials import Materials
    from dataprep.baselines.training.networks import Network
    from dataprep.baselines.training.regimes import Regime

_FOLDER = "final"


def finalise(
    materials: Materials,
    regime: Regime,
    trained: TrainedNetwork,
    *,
    policy: Policy | None = None,
    device: str = "cpu",
    workers: int = 0,
    folder: str = "",
    resume: bool = False,
    report: Report | None = None,
) -> tuple[Network, Mapping[str, Any]]:
    """Train anew on train and val. Nothing is chosen by val any more: it has become training data.

    The number of epochs is that of the best one of `trained`, and the learning rate falls to zero
    within them. Temperature, thresholds and abstention stay those of `trained`, which were chosen
    while val was unseen.

    Args:
        materials, regime, policy, device, workers, folder, resume, report: as of
            `dataprep.baselines.training.fitting.train_network`.
        trained: the model that val chose.

    Returns:
        The network, and figures: ``epochs``, ``samples``, ``train_loss`` of the last epoch (None of
        frozen features).
    """
    epochs = regime.settings.epochs if trained.fitted is None else trained.fitted.best_epoch + 1
    chosen = replace(regime, settings=replace(regime.settings, epochs=max(1, epochs), patience=0))
    both = np.sort(np.concatenate([materials.train, materials.val]))
    whole = replace(materials, parts={**materials.parts, "train": both})
    final = train_network(
        whole,
        chosen,
        policy=policy,
        device=device,
        workers=workers,
        folder=os.path.join(folder, _FOLDER) if folder else "",
        resume=resume,
        key=key_of(whole, chosen, policy),
        report=report,
        choose=False,
    )
    history = final.fitted.history if final.fitted is not None else []
    loss = history[-1]["train_loss"] if history else None
    return final.network, {
        "epochs": chosen.settings.epochs,
        "samples": len(both),
        "train_loss": loss,
    }
