"""The check gps-metadata: images that tell where they were taken."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dataprep.checks.contract import Check
from dataprep.checks.statistics.arrays import flags, texts
from dataprep.checks.statistics.typical import claim_unless_typical
from dataprep.schemas.options import option

if TYPE_CHECKING:
    import pandas as pd

    from dataprep.checks.contract import Look
    from dataprep.schemas.dataset import Dataset


@dataclass(frozen=True)
class GpsMetadata(Check):
    """Images with GPS location.

    What it finds:
        Files whose EXIF or XMP metadata hold a latitude and a longitude.
    Why it matters:
        A position is personal data: it shows where people live. Published with the data set, it
        stays public.
    What to do:
        Strip the metadata before sharing (exiftool -gps:all= -xmp:geotag=), or keep the files to
        yourself.
    How it works:
        EXIF's GPS directory with both coordinates, or the word GPSLatitude in XMP. The coordinates
        themselves are neither stored nor shown.
    Known limits:
        Positions in maker notes, captions or file names are not found. Where more than a tenth of a
        data set has them, one claim says so.
    Measured quality:
        Exact: read from the file. No alarm on 2,225 photos without metadata.
    """

    code = "gps-metadata"
    family = "files"
    severity = "info"
    needs = ("gps", "format")
    summary = "Images with GPS location"
    advice = "Strip the metadata before sharing: exiftool -gps:all= -xmp:geotag="
    message = "{what}"

    share: float = option(
        0.1, "share of the data set above which one claim speaks for all", low=0.0, high=1.0
    )

    def find(self, dataset: Dataset, look: Look) -> Iterator[pd.DataFrame]:
        """Yield a claim for each image with a position, or one for a data set of them."""
        judged = texts(dataset, "format") != ""
        yield from claim_unless_typical(
            self,
            dataset,
            flags(dataset, "gps"),
            judged=judged,
            figure=np.full(len(dataset), np.nan),
            what="the metadata contain a GPS position",
            share=self.share,
            severity=self.severity,
        )
