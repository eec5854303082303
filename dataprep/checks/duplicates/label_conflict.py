"""label-conflict: duplicates under different labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from dataprep.checks.contract import Check, Look
from dataprep.checks.duplicates.claims import DUPLICATE_COLUMNS, group_names, member_confidence
from dataprep.schemas.options import option

if TYPE_CHECKING:
    from dataprep.checks.duplicates.pairs import Duplicates
    from dataprep.schemas.dataset import Dataset


#: Confidence of a pair of copies from which a conflict is an error: exact copies and edits that
#: hardly anything speaks against.
_CERTAIN = 0.94
_COPY, _OTHER_SHOT = "its duplicate", "another shot of the same scene"


@dataclass(frozen=True)
class LabelConflict(Check):
    """
    What it finds:
        Groups of duplicates, exact or near, whose members carry different labels (an error; a
        warning where the pair is less sure than 0.94); and images of the same scene under different
        labels (a warning: the scene may show more than one thing).

    Why it matters:
        At least one of the labels is wrong, or the classes overlap. Training pulls in both
        directions, and whatever the model answers, a score counts one of them as an error.

    What to do:
        Look at the image and give all members one label. Where most of the group agrees, its label
        is suggested; with one against one there is nothing to prefer. If both labels are right, the
        task may need several labels per image.

    How it works:
        Groups come from the verified duplicates. The label that most members have is the reference
        (of equally frequent ones that of the kept member, then the first by name); every member
        with another label is a claim, beside one that has the reference. Other shots are the pairs
        of another-shot.

    Known limits:
        Samples without a label are ignored. A crop may truly show another class than the whole:
        look before relabelling.

    Measured quality:
        As good as the duplicates are: no false pair among 2,200 unrelated photos
        (`benchmarks/neardup.py`).
    """

    majority: float = option(
        0.6, "share of a group that must agree before its label is suggested", low=0.5, high=1.0
    )

    code: ClassVar = "label-conflict"
    family: ClassVar = "duplicates"
    severity: ClassVar = "error"
    scope: ClassVar = "pair"
    needs: ClassVar = ("label", *DUPLICATE_COLUMNS)
    wants: ClassVar = ("embedding",)
    looks: ClassVar = True
    suggestion: ClassVar = "review"
    summary: ClassVar = "Duplicates with different labels"
    advice: ClassVar = "Give all images of the group the same label."
    message: ClassVar = "labelled {label}, but {what} {related} is labelled {other_label}"

    def find(self, dataset: Dataset, look: Look) -> Iterator[pd.DataFrame]:
        """One claim for every member whose label differs from its group's, and for other shots
        under different labels.
        """
        yield from self._of_copies(dataset, look)
        yield from self._of_shots(dataset, look)

    def _of_shots(self, dataset: Dataset, look: Look) -> Iterator[pd.DataFrame]:
        shots = look.duplicates().shots
        labels = dataset.samples["label"].astype("object").to_numpy()
        a, b = shots["a"].to_numpy(), shots["b"].to_numpy()
        differ = pd.notna(labels[a]) & pd.notna(labels[b]) & (labels[a] != labels[b])
        if not differ.any():
            return
        names = dataset.samples.index.to_numpy(dtype=object)
        a, b = a[differ], b[differ]
        yield self.claims(
            names[b],
            related=names[a],
            severity="warning",
            confidence=shots["confidence"].to_numpy()[differ],
            figure=2.0,
            unit="labels",
            evidence=[
                {"label": str(labels[row]), "other_label": str(labels[other]), "what": _OTHER_SHOT}
                for row, other in zip(b.tolist(), a.tolist(), strict=True)
            ],
        )

    def _of_copies(self, dataset: Dataset, look: Look) -> Iterator[pd.DataFrame]:
        duplicates = look.duplicates()
        members = _labelled_members(dataset, duplicates)
        against = members[members["label"] != members["reference"]]
        if not len(against):
            return
        names = dataset.samples.index.to_numpy(dtype=object)
        sure = member_confidence(duplicates)
        certain = np.minimum(sure[against["row"]], sure[against["witness"]])
        agreed = (against["share"] >= self.majority).to_numpy()
        yield self.claims(
            names[against["row"]],
            related=names[against["witness"]],
            group=group_names(dataset, duplicates)[against["row"]],
            figure=against["labels"].to_numpy(dtype=np.float64),
            unit="labels in the group",
            confidence=certain,
            severity=np.where(certain >= _CERTAIN, "error", "warning"),
            suggestion=np.where(agreed, "relabel", "review"),
            value=np.where(agreed, against["reference"], ""),
            evidence=[_evidence(row) for row in against.to_dict("records")],
        )


def _labelled_members(dataset: Dataset, duplicates: Duplicates) -> pd.DataFrame:
    """One row per labelled member of a group: row, label, the group's reference label, its
    share, a witness that has it.
    """
    labels = dataset.samples["label"].astype("object").to_numpy()
    rows = np.flatnonzero((duplicates.groups >= 0) & pd.notna(labels))
    table = pd.DataFrame(
        {
            "row": rows,
            "group": duplicates.groups[rows],
            "label": [str(label) for label in labels[rows]],
            "kept": duplicates.keep[rows],
            "name": dataset.samples.index.to_numpy(dtype=object)[rows],
        }
    )
    table["votes"] = table.groupby(["group", "label"])["row"].transform("size")
    table["labels"] = table.groupby("group")["label"].transform("nunique")
    table = table[table["labels"] > 1]
    best = table.sort_values(
        ["group", "votes", "kept", "name"], ascending=[True, False, False, True]
    ).drop_duplicates("group")
    table = table.merge(
        best[["group", "label", "row"]].rename(columns={"label": "reference", "row": "witness"}),
        on="group",
    )
    agreeing = table["label"] == table["reference"]
    size = table.groupby("group")["row"].transform("size")
    return table.assign(share=agreeing.groupby(table["group"]).transform("sum") / size, size=size)


def _evidence(row: Mapping[Any, Any]) -> dict[str, Any]:
    share = round(float(row["share"]), 3)
    members = {"labelled_members": int(row["size"]), "share_with_other_label": share}
    return {"label": row["label"], "other_label": row["reference"], "what": _COPY, **members}
