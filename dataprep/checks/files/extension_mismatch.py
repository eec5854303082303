"""The check extension-mismatch: files whose name promises another format."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dataprep.checks.contract import Check
from dataprep.checks.statistics.arrays import texts

if TYPE_CHECKING:
    from dataprep.checks.contract import Look
    from dataprep.schemas.dataset import Dataset


@dataclass(frozen=True)
class ExtensionMismatch(Check):
    """File extensions that do not match the format.

    What it finds:
        Image files with the extension of another image format: a PNG called .jpg, a WebP called
        .png.
    Why it matters:
        Readers that trust the name fail on them (TensorFlow's decode_jpeg, many annotation tools,
        web servers), and filters by name miss them.
    What to do:
        Rename the files, in the manifest too.
    How it works:
        The format by content against the extensions that are in use for it.
    Known limits:
        Extensions of no image format, and files without one, are passed over.
    Measured quality:
        Exact: a comparison with a table. No alarm on 2,225 JPEG photos.
    """

    code = "extension-mismatch"
    family = "files"
    severity = "info"
    needs = ("format", "extension")
    summary = "File extensions that do not match the format"
    advice = "Rename the files, in the manifest too."
    message = "a {format} file with the extension .{extension}"

    def find(self, dataset: Dataset, look: Look) -> Iterator[pd.DataFrame]:
        """Yield a claim for each misnamed file."""
        formats, names = pd.factorize(texts(dataset, "format"))
        endings, extensions = pd.factorize(texts(dataset, "extension"))
        if not len(formats):
            return
        wrong = np.array(
            [[_is_wrong(name, extension) for extension in extensions] for name in names]
        )
        rows = np.flatnonzero(wrong[formats, endings])
        evidence = [
            {"format": names[formats[row]], "extension": extensions[endings[row]]} for row in rows
        ]
        yield self.claims(dataset.samples.index.to_numpy(dtype=object)[rows], evidence=evidence)


def _is_wrong(name: str, extension: str) -> bool:
    """Whether `extension` belongs to other image formats than `name` alone."""
    return name in _EXTENSIONS and extension in _KNOWN and extension not in _EXTENSIONS[name]


_JPEG = frozenset(("jpg", "jpeg", "jpe", "jfif", "jif"))
_HEIF = frozenset(("heic", "heif", "heics", "heifs", "hif"))
_EXTENSIONS: dict[str, frozenset[str]] = {
    "JPEG": _JPEG,
    "MPO": _JPEG | {"mpo"},
    "PNG": frozenset(("png", "apng")),
    "GIF": frozenset(("gif",)),
    "WEBP": frozenset(("webp",)),
    "TIFF": frozenset(("tif", "tiff")),
    "BMP": frozenset(("bmp", "dib")),
    "AVIF": frozenset(("avif", "avifs", "avis")),
    "HEIF": _HEIF,
    "JPEG2000": frozenset(("jp2", "j2k", "jpc", "jpf", "jpx", "j2c")),
    "PPM": frozenset(("ppm", "pgm", "pbm", "pnm", "pfm")),
    "ICO": frozenset(("ico",)),
    "TGA": frozenset(("tga", "icb", "vda", "vst")),
    "PSD": frozenset(("psd",)),
}
_KNOWN = frozenset().union(*_EXTENSIONS.values())
