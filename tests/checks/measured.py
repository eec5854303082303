"""Measured data sets made in memory, without worker processes: from the bytes of files, or from
columns.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from dataprep.checks.contract import Check
from dataprep.checks.quality.close_ups import suspected_close_ups
from dataprep.checks.second_look import SecondLook
from dataprep.measures import builtin_measures
from dataprep.measures.contract import Measure
from dataprep.measures.decode.decoding import Undecodable, open_pixels
from dataprep.measures.image.close_up import FIGURES, CloseUps, close_up_of
from dataprep.measures.options import PassOptions
from dataprep.schemas.columns import COLUMNS
from dataprep.schemas.dataset import Dataset
from dataprep.schemas.issues import Issues, evidence_of


def scalar_measures() -> list[Measure]:
    return [measure for measure in builtin_measures() if COLUMNS[measure.column].kind != "array"]


def measured(files: Mapping[str, bytes], options: PassOptions | None = None) -> Dataset:
    """A Dataset of `files` (name to bytes) as the pass would give it, but for arrays and hashes
    of files, with close-ups.
    """
    measures, rows = scalar_measures(), []
    for name, data in files.items():
        row: dict[str, Any] = {
            "lost": "",
            "lost_detail": "",
            "extension": name.rpartition(".")[2].lower(),
        }
        try:
            pixels = open_pixels(data, options or PassOptions())
            row |= {measure.column: measure(pixels) for measure in measures}
            row |= dict(zip(FIGURES, close_up_of(pixels), strict=True))
        except Undecodable as failure:
            row |= {**failure.facts, "lost": failure.reason, "lost_detail": failure.detail}
        rows.append(row)
    return Dataset(
        "in-memory", pd.DataFrame(rows, index=pd.Index(list(files), name="sample", dtype="str"))
    )


class Look(SecondLook):
    """A second look without files: at the close-ups in the columns of a data set made by
    `measured`.
    """

    def close_ups(self) -> CloseUps:
        columns = self.dataset.samples.reindex(columns=list(FIGURES)).to_numpy(np.float32)
        return suspected_close_ups(self.dataset, lambda rows: columns[rows], len(self.dataset))


def with_columns(rows: int, **columns: Any) -> Dataset:
    """A Dataset of `rows` samples named by their number, with the given columns."""
    index = pd.Index([str(row) for row in range(rows)], name="sample", dtype="str")
    return Dataset(
        "in-memory",
        pd.DataFrame({name: np.asarray(values) for name, values in columns.items()}, index=index),
    )


def targets(check: Check, dataset: Dataset, scope: str = "sample") -> set[str]:
    """What the check's claims of `scope` name."""
    table = issues(check, dataset).table
    return set(table.loc[table["scope"] == scope, "target"])


def issues(check: Check, dataset: Dataset) -> Issues:
    return Issues.collect(check.find(dataset, Look(dataset, PassOptions(), verify=None)))


def messages(check: Check, dataset: Dataset) -> list[str]:
    """The text of each claim, rendered from the check's template."""
    return [
        check.message.format(
            **{**evidence_of(claim["evidence"]), "figure": claim["figure"], "unit": claim["unit"]}
        )
        for claim in issues(check, dataset)
    ]
