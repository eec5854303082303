"""The check unreadable: files that give no pixels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dataprep.checks.contract import Check
from dataprep.checks.statistics.arrays import texts

if TYPE_CHECKING:
    import pandas as pd

    from dataprep.checks.contract import Look
    from dataprep.schemas.dataset import Dataset


@dataclass(frozen=True)
class Unreadable(Check):
    """Unreadable images.

    What it finds:
        Files that could not be read or decoded, with the reason: missing, empty, truncated,
        not-an-image, unsupported, too-large, out-of-memory, crashed, timed-out, or unreadable
        (damaged).
    Why it matters:
        One of them ends a training run after hours, or is skipped in silence; a file cut off in the
        middle is worse: most loaders fill the rest with grey and go on.
    What to do:
        Download the file again or drop it. "unsupported" and "too-large" can be fixed by installing
        an extra, by converting, or with a higher limit; the message says which.
    How it works:
        Every file is decoded completely, by content and not by name. JPEGs are decoded strictly:
        data that end early, block after block of zeros and damaged entropy codes count, harmless
        warnings do not. Of other formats the end marker or the announced size is compared too.
    Known limits:
        A flipped bit that leaves a valid file is not found: formats without checksums cannot tell.
    Measured quality:
        Empty, cut off, overwritten with zeros, HTML: 10 of 10 of the scored half found
        (benchmarks/quality.py), and 2 of 2 with flipped bits. Of 510 odd, broken and fuzzed files
        (benchmarks/hostile.py) each is measured or reported; Pillow alone judges four otherwise. No
        alarm on 2,100 untouched photos.
    """

    code = "unreadable"
    family = "files"
    severity = "error"
    needs = ("lost",)
    suggestion = "drop"
    summary = "Unreadable images"
    advice = "Download the file again, or drop it."
    message = "{reason}: {detail}"

    def find(self, dataset: Dataset, look: Look) -> Iterator[pd.DataFrame]:
        """Yield a claim for each file that was lost."""
        lost = texts(dataset, "lost", lost=True)
        known = "lost_detail" in dataset.samples
        details = (
            texts(dataset, "lost_detail", lost=True)
            if known
            else np.full(len(lost), "", dtype=object)
        )
        rows = np.flatnonzero(lost != "")
        evidence = [{"reason": str(lost[row]), "detail": str(details[row])} for row in rows]
        yield self.claims(dataset.samples.index.to_numpy(dtype=object)[rows], evidence=evidence)
