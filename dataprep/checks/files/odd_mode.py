"""The check odd-mode: images stored unlike the others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dataprep.checks.contract import Check
from dataprep.checks.statistics.arrays import figures, flags, texts
from dataprep.schemas.options import option

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from dataprep.checks.contract import Look
    from dataprep.schemas.dataset import Dataset


@dataclass(frozen=True)
class OddMode(Check):
    """Unusual colour mode or bit depth.

    What it finds:
        Images with a colour model, a bit depth or transparency that hardly any other image of the
        data set has: CMYK, palette, 16 bits, floating point, 1 bit, an alpha channel with
        transparent pixels.
    Why it matters:
        Loaders convert them each in its own way: CMYK inverted, 16 bits cut to black or white,
        transparent pixels shown in whatever colour lies beneath. What was measured here is the
        image as a viewer shows it.
    What to do:
        Convert them to the most common mode; flatten transparency onto one background colour.
    How it works:
        Colour model, depth above 8 bits and transparency as found in the file. One that at most 5 %
        of the images have (in data sets of fewer than 20 images: at most one image) is odd.
    Known limits:
        Grey files of 8 bits are left to the check grayscale. Pillow reduces colour images of 16
        bits per channel to 8 when it reads them; the depth is that of the file.
    Measured quality:
        Exact: read from the file. No alarm on 2,225 JPEG photos. By eye (files in
        benchmarks/judged/), rules chosen on 12 sets and then looked at once on 12 others: 16 bits,
        transparency and grey of 16 bits are of use; palettes (two sets of the former and two of the
        latter have up to 5 % of them) are true and mostly harmless, and for your information.
    """

    code = "odd-mode"
    family = "files"
    severity = "warning"
    needs = ("mode", "bit_depth", "alpha")
    summary = "Unusual colour mode or bit depth"
    advice = (
        "Convert them to the most common mode; flatten transparency onto one background colour."
    )
    message = "{kind} ({figure:.1%} of the images)"

    share: float = option(
        0.05, "share of the data set up to which a mode is odd", low=0.0, high=1.0
    )

    def find(self, dataset: Dataset, look: Look) -> Iterator[pd.DataFrame]:
        """Yield a claim for each image and each way in which it is odd."""
        modes = texts(dataset, "mode")
        known = modes != ""
        total = int(known.sum())
        if total < 2:
            return
        targets = dataset.samples.index.to_numpy(dtype=object)
        for kind, rows in _kinds(
            modes, figures(dataset, "bit_depth"), flags(dataset, "alpha") & known
        ):
            if 0 < rows.size <= max(self.share * total, 1):
                evidence = {"kind": kind, "share": self.share}
                severity = "info" if kind in _HARMLESS else self.severity
                yield self.claims(
                    targets[rows], severity=severity, figure=rows.size / total, evidence=evidence
                )


def _kinds(
    modes: NDArray[Any], depth: NDArray[np.float64], alpha: NDArray[np.bool_]
) -> Iterator[tuple[str, NDArray[np.int64]]]:
    """Each way to be odd, and the rows that are so."""
    for mode in sorted(set(modes) - _PLAIN_MODES):
        yield f"stored as {_NAMES.get(mode, mode)}", np.flatnonzero(modes == mode)
    deep = (depth > 8) & np.isin(modes, list(_PLAIN_MODES - {""}))
    for bits in np.unique(depth[deep]):
        yield f"{bits:.0f} bits per channel", np.flatnonzero(deep & (depth == bits))
    yield "transparent pixels", np.flatnonzero(alpha)


#: With transparency these are told apart by it, grey by the check grayscale.
_PLAIN_MODES = frozenset(("", "RGB", "RGBA", "RGBX", "L", "LA"))
_NAMES = {
    "1": "1 bit per pixel",
    "P": "a palette",
    "PA": "a palette with alpha",
    "F": "floating point",
    "I": "32-bit integers",
    "I;16": "16-bit grey",
    "I;16B": "16-bit grey",
    "I;16L": "16-bit grey",
    "I;16N": "16-bit grey",
}
#: What the usual ``convert("RGB")`` of a loader puts right.
_HARMLESS = frozenset(
    ("stored as a palette", "stored as a palette with alpha", "stored as 1 bit per pixel")
)
