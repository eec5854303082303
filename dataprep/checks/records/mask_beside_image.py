"""The check mask-beside-image: masks that lie among the pictures, and were left out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dataprep.checks.contract import Check
from dataprep.schemas.issues import evidence_of

if TYPE_CHECKING:
    import pandas as pd

    from dataprep.checks.contract import Look
    from dataprep.schemas.dataset import Dataset

_EXAMPLES = 5
#: Files that the evidence names; all are in ``Dataset.faults``.
_NAMED = 2_000


@dataclass(frozen=True)
class MaskBesideImage(Check):
    """Masks among the pictures, left out of the audit.

    What it finds:
        Files that say which pixel of a picture is what (segmentation masks, label maps, trimaps),
        and that lie beside the pictures or in a folder of their own. They are not samples: no other
        check looks at them, they make no class and enter no split and no training. One claim says
        how many there are; its evidence in issues.csv and report.json names them.
    Why it matters:
        As pictures they would be blank, copies of each other and a class of their own, and half of
        what a classifier learns.
    What to do:
        Nothing, if they are masks: a scan leaves them out. Where they are pictures, keep them with
        ``--masks keep`` (``scan(..., masks="keep")``).
    How it works:
        Names propose them: ``a.png`` beside ``a.jpg``; ``a_mask.png``, ``a_label.png``,
        ``a_seg.png`` beside ``a.jpg``; a folder called masks, labels, annotations, gt, trainannot
        or the like in which at least 80 % of the files have the stems of one folder of pictures.
        The pixels of a few pairs decide, of all where these few disagree: 64 colours cover 95 % of
        a mask, 80 % of its pixels equal the one to their right, it has the shape of its picture,
        and is not the same picture in another format. This is the only time that a scan opens
        images, and only where names propose masks.
    Known limits:
        Masks with other names than their pictures (one file for each nucleus) are not recognised,
        nor are soft ones (alpha mattes, depth maps) and those of another shape than the picture. A
        manifest or a list of files is believed as it is.
    Measured quality:
        Planted: drawn layouts in tests/ingest/test_masks.py. Natural: of 674 photographs of tiles
        with a mask beside each, the 674 masks and no photograph; none among 800 photographs and
        edits of them, some saved as PNG, nor in digits, clothes, hands, rubbish, CIFAR-10,
        photographs of clothes, blood cells and nuclei.
    """

    code = "mask-beside-image"
    family = "records"
    severity = "fact"
    scope = "dataset"
    suggestion = "none"
    summary = "Segmentation masks left out"
    advice = "Nothing to do if they are masks; if they are images, keep them with --masks keep."
    message = "{what}"

    def find(self, dataset: Dataset, look: Look) -> Iterator[pd.DataFrame]:
        """Yield a claim with the masks that the scan left out."""
        faults = dataset.faults
        masks = None if faults is None else faults[(faults["check"] == self.code).to_numpy()]
        if masks is None or not len(masks):
            return
        names = [str(name) for name in masks["target"]]
        why = evidence_of(str(masks["evidence"].iloc[0])).get("why", "")
        files = "1 file is a mask" if len(masks) == 1 else f"{len(masks):,} files are masks"
        what = f"{files} of the pictures beside them, such as {names[0]}: {why}"
        evidence = {
            "what": what,
            "why": why,
            "examples": names[:_EXAMPLES],
            "files": names[:_NAMED],
        }
        yield self.claims([""], figure=len(masks), unit="files", evidence=evidence)
