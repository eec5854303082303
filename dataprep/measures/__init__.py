"""Measures: bytes to numbers. One decode pass, its cache, and the functions that fill the
columns.

The pass is `decode_pass`, the work on one file is `work`; `decode` gives pixels, `image` and
`fingerprints` measure them, `embedding` embeds them, `pairs` compares two images. Imports
`schemas`, `registry` and `backends`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataprep.measures.contract import Measure


def builtin_measures() -> tuple[Measure, ...]:
    """Every measure that comes with the package, in the order in which they run; imported when
    first asked for.
    """
    from importlib.util import find_spec

    from dataprep.measures.image.close_up import CLOSE_UP
    from dataprep.measures.image.facts import FACTS
    from dataprep.measures.image.focus import FOCUS
    from dataprep.measures.image.frame import FRAME
    from dataprep.measures.image.grain import GRAIN
    from dataprep.measures.image.patches import PATCHES
    from dataprep.measures.image.spectrum import SPECTRUM
    from dataprep.measures.image.surround import SURROUND
    from dataprep.measures.image.tones import TONES

    measures = (*FACTS, *TONES, *FOCUS, *GRAIN, *SPECTRUM, *FRAME, *SURROUND, *PATCHES, *CLOSE_UP)
    if find_spec("dataprep.measures.fingerprints.hashes"):
        from dataprep.measures.fingerprints.hashes import HASHES

        measures += HASHES
    return measures
