"""Whether the compiled measures (`kernel.c`) are used: they are where they were built. They give
what the Python ones give, faster.

Set ``DATAPREP_MEASURES=python`` to do without them, for a comparison.
"""

from __future__ import annotations

import importlib
import os
from types import ModuleType

#: What `kernel.c` names as its version.
_VERSION = 4


def _load() -> tuple[ModuleType | None, str]:
    """The compiled measures, or None and why."""
    if os.environ.get("DATAPREP_MEASURES") == "python":
        return None, "DATAPREP_MEASURES is set; slower"
    try:
        kernel = importlib.import_module("dataprep.measures._kernel")
    except ModuleNotFoundError:
        return None, "no C compiler when it was installed; slower"
    except ImportError as error:
        return None, f"the compiled ones do not load: {error}; slower"
    if kernel.VERSION != _VERSION:
        return None, "the compiled ones are of another version: install again; slower"
    return kernel, ""


#: The compiled measures; None where Python measures.
KERNEL, _WHY_NOT = _load()


def describe_measures() -> str:
    """Which measures are used, in a few words.

    >>> describe_measures().startswith(("compiled", "Python ("))
    True
    """
    return "compiled" if KERNEL is not None else f"Python ({_WHY_NOT})"
