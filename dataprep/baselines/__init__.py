"""Baselines: honest models trained on a split, and the torch side of it.

`recipe` is the way from a split to a baseline; its larger steps lie beside it (`parts` evaluates
every part, `out_of_fold` trains a model per fold), the work itself in the sub-packages: `training`,
`tuning`, `sanity`, `evaluation`, `diagnosis`, `inference`, `pages`. Imports `augment`, `splits` and
below. Names are loaded when first used (PEP 562): torch is imported by whoever asks for one of
them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataprep.baselines.torch_dataset import torch_dataset as torch_dataset

_HOMES = {"torch_dataset": "dataprep.baselines.torch_dataset"}

__all__ = ["torch_dataset"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'dataprep.baselines' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
