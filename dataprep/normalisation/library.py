"""albumentations, loaded in one place: it sends nothing, its absence is explained, and it does
not load torch.
"""

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
        OptionError: it is not installed, or of another series than 2.0 (the last under the MIT
            licence).
    """
    os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"
    try:
        with _without_torch():
            import albumentations as module
    except ImportError as error:
        raise OptionError(_missing(error)) from error
    if not module.__version__.startswith("2.0."):
        raise OptionError(_missing(f"expected 2.0.8, found {module.__version__}"))
    return module


def _missing(why: object) -> str:
    return (
        f"augmentation needs albumentations, which does not load ({why}): "
        'pip install "albumentations>=2.0.8,<2.1"'
    )


@cache
def yaml() -> Any:
    """PyYAML; only its safe loader is used.

    Raises:
        OptionError: it is not installed.
    """
    try:
        import yaml as module
    except ImportError as error:
        raise OptionError(f"policies in YAML need PyYAML ({error}): pip install pyyaml") from error
    return module


def from_dict(transform: Mapping[str, Any]) -> Any:
    """What `transform` describes, by albumentations' own serialisation; it is believed, see
    `dataprep.augment.serialised`.
    """
    library = albumentations()
    with _without_torch():
        return library.from_dict({"transform": dict(transform)})


@contextmanager
def _without_torch() -> Iterator[None]:
    """albumentations loads torch, where it is installed, for tensors that are of no use here:
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
