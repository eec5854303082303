"""albumentations, loaded in one place, without network access and without torch."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any

from dataprep.errors import OptionError

_TORCH_PART = "albumentations.pytorch"


@cache
def albumentations() -> Any:
    """The module, with its look for newer versions on the network switched off.

    Raises:
        OptionError: another series than 2.0 (the last under the MIT licence) is installed.
    """
    os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"
    with _without_torch():
        import albumentations as module
    if not module.__version__.startswith("2.0."):
        raise OptionError(
            f"augmentation needs albumentations 2.0.8, found {module.__version__}: "
            'pip install "albumentations>=2.0.8,<2.1"'
        )
    return module


def from_dict(transform: Mapping[str, Any]) -> Any:
    """What `transform` describes, by albumentations' own serialisation, which runs what it is told
    to: `dataprep.augment.serialised` checks first.
    """
    library = albumentations()
    with _without_torch():
        return library.from_dict({"transform": dict(transform)})


@contextmanager
def _without_torch() -> Iterator[None]:
    """albumentations loads torch, where it is installed, for tensors that are not needed here:
    seconds and hundreds of MB.
    """
    if "torch" in sys.modules or _TORCH_PART in sys.modules:
        yield
        return
    sys.modules[_TORCH_PART] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[_TORCH_PART]
