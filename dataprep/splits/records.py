"""A split on disk: splits.csv, samples.parquet, proof.json, split.html and run.json, written
together and read back.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dataprep.errors import FingerprintError, InputError, UserError
from dataprep.reports.audit.tables import write_samples
from dataprep.schemas.audit import Audit
from dataprep.schemas.dataset import Dataset
from dataprep.schemas.files.publishing import settle
from dataprep.schemas.files.stored import read_record, read_samples
from dataprep.schemas.files.writing import mark_output, write_together
from dataprep.schemas.issues import Issues
from dataprep.schemas.results.proof import Proof
from dataprep.schemas.results.records import as_json, from_json
from dataprep.schemas.split import (
    BEFORE,
    PAGE,
    PART,
    PROOF,
    RUN,
    SAMPLES,
    SPLITS,
    UNIT,
    Split,
    SplitPaths,
)

if TYPE_CHECKING:
    from dataprep.schemas.plan import Plan

_AGAIN = "Make it again: dataprep split"
_RUN_KINDS: dict[str, type] = {
    "fingerprint": str,
    "audit": dict,
    "audit.fingerprint": str,
    "pass": dict,
    "options": dict,
}


def write_split(split: Split, folder: str | os.PathLike[str]) -> SplitPaths:
    """Write a split into `folder`; all of its files take their places at the end, or none does.

    ``splits.csv`` and ``samples.parquet`` are in the order of the sample names, so the same
    division gives the same bytes.

    Raises:
        OutputError: a file cannot be written.
    """
    from dataprep.splits.page import draw_proof

    folder = os.fspath(folder)
    dataset = in_order(split.dataset)
    mark_output(folder)
    with write_together(folder, owns=(SPLITS, SAMPLES, PROOF, RUN, PAGE)) as opened:
        opened(SPLITS).write(
            rows_of(dataset, split.proof).to_csv(index=False, lineterminator="\n").encode()
        )
        write_samples(opened(SAMPLES), Audit(dataset, Issues.collect([])))
        for name, data in ((PROOF, as_json(split.proof)), (RUN, split.run)):
            opened(name).write(
                json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False).encode() + b"\n"
            )
        opened(PAGE).write(draw_proof(split).encode("utf-8", "backslashreplace"))
    return SplitPaths(folder)


def in_order(dataset: Dataset) -> Dataset:
    """The table of samples in the order of their names; arrays are left out."""
    order = np.asarray(dataset.samples.index.argsort())
    return replace(
        dataset, samples=dataset.samples.iloc[order], arrays={}, annotations=None, faults=None
    )


def rows_of(dataset: Dataset, proof: Proof) -> pd.DataFrame:
    """The rows of ``splits.csv``: path, label, split, further repeats, unit, group columns."""
    samples = dataset.samples
    further = [each.column for each in proof.repeats] + [
        name for name in (BEFORE,) if name in samples
    ]
    groups = [
        name for name in proof.kept_together.groups if name not in (PART, UNIT, "label", "path")
    ]
    columns = [*(["label"] if "label" in samples else []), PART, *further, UNIT, *groups]
    rows = samples[columns].rename_axis("path").reset_index()
    if dataset.task == "multi-label" and "label" in rows:
        rows["label"] = rows["label"].map(
            lambda label: json.dumps(str(label).split("|")), na_action="ignore"
        )
    return rows


def read_split(folder: str | os.PathLike[str]) -> Split:
    """The split in `folder` (``dataprep-out/split``).

    Raises:
        InputError: no split there, or one that cannot be read.
        FingerprintError: the files there are not of one split.
    """
    folder = os.fspath(folder)
    settle(folder)
    missing = [
        name for name in (SAMPLES, PROOF, RUN) if not os.path.isfile(os.path.join(folder, name))
    ]
    if missing:
        raise InputError(
            f"expected a split in {folder}, which lacks {', '.join(missing)}. Make one: "
            "dataprep split"
        )
    proof = _read_proof(os.path.join(folder, PROOF))
    run = read_record(os.path.join(folder, RUN), _AGAIN, _RUN_KINDS)
    dataset = read_samples(os.path.join(folder, SAMPLES), run, _AGAIN, needed=(PART, UNIT))
    dataset = dataset.assign(
        **{
            PART: dataset.samples[PART].astype("category"),
            UNIT: dataset.samples[UNIT].astype("str"),
        }
    )
    if not run.get("fingerprint") == proof.fingerprint == dataset.fingerprint:
        raise FingerprintError(
            f"{SAMPLES}, {PROOF} and {RUN} in {folder} are not of the same split. {_AGAIN}"
        )
    return Split(dataset, proof, run)


def _read_proof(path: str) -> Proof:
    content = read_record(path, _AGAIN)
    try:
        return from_json(Proof, content)
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(f"{path} is damaged: {error}. {_AGAIN}") from error


def kept_split(
    folder: str | os.PathLike[str], audit: Audit, plan: Plan | None = None
) -> Split | None:
    """The split in `folder`, if there is one, it was made from `audit`, and `plan` would neither
    drop nor relabel any of it.
    """
    try:
        found = read_split(folder)
    except UserError:
        return None
    return found if made_from(found, audit) and (plan is None or _follows(found, plan)) else None


def _follows(split: Split, plan: Plan) -> bool:
    table, samples = plan.table, split.dataset.samples
    inside = table[table["sample"].isin(samples.index)]
    if (inside["action"] == "drop").any():
        return False
    relabelled = inside[inside["action"] == "relabel"]
    if "label" not in samples:
        return not len(relabelled)
    return bool(
        (
            samples["label"].astype("str").reindex(relabelled["sample"]).to_numpy()
            == relabelled["new_label"]
        ).all()
    )


def made_from(split: Split, audit: Audit) -> bool:
    """Whether `split` was made from `audit`."""
    fingerprint = split.run.get("audit", {}).get("fingerprint")
    return fingerprint in (audit.run.get("fingerprint"), audit.dataset.fingerprint)
