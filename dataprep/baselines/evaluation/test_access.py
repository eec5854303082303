"""Uses of test sets: every evaluation on a part other than train and val goes into the log of its
split.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np
import xxhash

from dataprep.splits import record_evaluation

if TYPE_CHECKING:
    from dataprep.schemas.baseline import Baseline
    from dataprep.schemas.split import Split

_CHOSEN_BY = ("train", "val")


def record_test_use(
    baseline: Baseline, folder: str | os.PathLike[str], split: Split | None = None
) -> list[str]:
    """Write each part that `baseline` was evaluated on, except train and val, into the log of the
    split in `folder`.

    Args:
        baseline: just trained: its network is at hand.
        folder: of the split (``dataprep-out/split``).
        split: the split in it, where it is at hand.

    Returns:
        The warnings of parts that were used before.

    Raises:
        OutputError: the log cannot be written. Then the figures must not be shown.
    """
    regime, evaluations = baseline.metrics.regime, baseline.metrics.parts or {}
    assert regime is not None
    assert baseline.metrics.data is not None
    model_hash = weights_hash(baseline.network)
    said = []
    for part in baseline.metrics.data.parts:
        if part in _CHOSEN_BY or part not in evaluations:
            continue
        figures = {name: each.value for name, each in evaluations[part].metrics.items()}
        said.append(
            record_evaluation(
                folder,
                model=f"{regime.arch} ({regime.name})",
                metrics=figures,
                model_hash=model_hash,
                part=part,
                split=split,
            )
        )
    return [text for text in said if text]


def weights_hash(network: Any) -> str:
    """128-bit hash of the names and values of a network's weights (its ``state_dict``)."""
    digest = xxhash.xxh3_128()
    for name, tensor in network.state_dict().items():
        values = tensor if isinstance(tensor, np.ndarray) else tensor.detach().cpu().numpy()
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(values).tobytes())
    return str(digest.hexdigest())
