"""Measures: bytes to numbers. One decode pass, its cache, and the functions that fill the columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataprep.measures.contract import Measure


def builtin_measures() -> tuple[Measure, ...]:
    """Every measure that comes with the package, in the order in which they run; imported when first asked for."""
    from importlib.util import find_spec

    from dataprep.measures.facts import FACTS
    from dataprep.measures.focus import FOCUS
    from dataprep.measures.frame import FRAME
    from dataprep.measures.grain import GRAIN
    from dataprep.measures.patches import PATCHES
    from dataprep.measures.spectrum import SPECTRUM
    from dataprep.measures.surround import SURROUND
    from dataprep.measures.tones import TONES

    measures = (*FACTS, *TONES, *FOCUS, *GRAIN, *SPECTRUM, *FRAME, *SURROUND, *PATCHES)
    if find_spec("dataprep.measures.hashes"):
        from dataprep.measures.hashes import HASHES

        measures += HASHES
    return measures
