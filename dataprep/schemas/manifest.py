"""The contract of a manifest: what its rows must be, and every way in which they can break it."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from dataprep.schemas.issues import FAULT_COLUMNS, batch
from dataprep.schemas.text.spelling import misspellings

#: Usual writings of a split, lower case.
SPLITS: dict[str, str] = {
    **dict.fromkeys(("train", "training", "tr", "trn"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev", "eval"), "val"),
    **dict.fromkeys(("test", "testing", "tst"), "test"),
}
_FOLD = re.compile(r"(?:(?:cv|k)?[ _-]?(?:fold|split))?[ _-]?\d{1,3}", re.IGNORECASE)


def split_of(name: str) -> str:
    """``train``, ``val`` or ``test`` for any usual writing of it, the name itself for a fold
    (``fold3``, ``3``), else empty.
    """
    bare = name.strip()
    return SPLITS.get(bare.lower(), bare if _FOLD.fullmatch(bare) else "")


@dataclass(frozen=True)
class Manifest:
    """The rows of one manifest, or of several that make one data set, validated against the
    contract.

    The contract, and the code under which a breach is reported:

    ====================  =======================================================================
    ``malformed-row``     every row can be read: as many cells as the header, valid JSON, a path
                          that is not empty
    ``missing-file``      every row's file exists
    ``unlisted-file``     every image file in the folder has a row (where a folder was given with
                          the manifest)
    ``duplicate-row``     a file has one row
    ``conflicting-rows``  rows of one file agree on label and split
    ``empty-label``       where there are labels, every row has one (a split without any label is
                          taken to be meant so)
    ``label-spelling``    one class has one spelling
    ``unknown-split``     a split is train, val or test (in any usual writing) or a fold
    ====================  =======================================================================

    Attributes:
        table: one row per row that could be read. Columns: ``place`` (text: the manifest's name),
            ``row`` (int: line of the file, or number of the record, counted from 1), ``path``
            (text, as written), ``sample`` (text: the file, relative to the data set's root; empty
            when there is none), both escaped by `dataprep.schemas.text.names`; where something is
            known of it ``reason`` and ``detail`` (text: why a row has no file, and names that
            belong to it); and where the manifest has them ``label``, ``split``, ``group``
            (categories, missing where empty) and the user's own columns.
        malformed: one row per row that could not be read: ``place``, ``row``, ``why``.
        unlisted: files that no row lists, relative to the data set's root, escaped.
        whys: per row of the table why it has no label, "" where its cell is empty; may be left out.
        several: whether a label is those of several classes, joined by ``|``.
    """

    table: pd.DataFrame
    malformed: pd.DataFrame = field(
        default_factory=lambda: pd.DataFrame(columns=["place", "row", "why"])
    )
    unlisted: Sequence[str] = ()
    whys: Sequence[str] = ()
    several: bool = False

    def violations(self) -> pd.DataFrame:
        """Every breach of the contract at once, as `Dataset.faults` (``FAULT_COLUMNS``)."""
        parts = [
            self._malformed(),
            self._missing(),
            faults_of(
                "unlisted-file",
                list(self.unlisted),
                location=", ".join(map(str, self.table["place"].unique())),
            ),
            *self._repeated(),
            self._empty_labels(),
            self._misspelt(),
            self._unknown_splits(),
        ]
        return pd.concat(parts, ignore_index=True)

    def samples(self) -> pd.DataFrame:
        """One row per file that exists, indexed by ``sample``, without the columns of the reader.

        It is the first row that lists the file, or the first with a label.
        """
        found = self.table[(self.table["sample"] != "").to_numpy()]
        again = found["sample"].duplicated().to_numpy().copy()
        if "label" in found and again.any():
            order = np.argsort(found["label"].isna().to_numpy(), kind="stable")
            again[order] = found["sample"].iloc[order].duplicated().to_numpy()
        first = found[~again]
        index = pd.Index(first["sample"], name="sample", dtype="str")
        return first.set_index(index).drop(
            columns=["place", "row", "path", "sample", "reason", "detail"], errors="ignore"
        )

    def _malformed(self) -> pd.DataFrame:
        rows = [f"row {row}" for row in self.malformed["row"]]
        return faults_of(
            "malformed-row",
            rows,
            location=_locations(self.malformed),
            evidence=[{"why": why} for why in self.malformed["why"]],
        )

    def _missing(self) -> pd.DataFrame:
        rows = self.table[(self.table["sample"] == "").to_numpy()]
        missing = {"reason": "there is no such file", "detail": ""}
        if "reason" not in rows:
            return faults_of(
                "missing-file", rows["path"], location=_locations(rows), evidence=missing
            )
        evidence = [
            {"reason": reason, "detail": f" {detail}" if detail else ""}
            for reason, detail in zip(rows["reason"], rows["detail"], strict=True)
        ]
        return faults_of("missing-file", rows["path"], location=_locations(rows), evidence=evidence)

    def _repeated(self) -> list[pd.DataFrame]:
        found = self.table[(self.table["sample"] != "").to_numpy()]
        again = found[found["sample"].duplicated().to_numpy()]
        if not len(again):
            return []
        first = found[
            ~found["sample"].duplicated().to_numpy()
            & found["sample"].isin(again["sample"]).to_numpy()
        ]
        first = first.set_index("sample").loc[again["sample"]]
        differing = {
            name: _differ(again[name], first[name]) for name in ("label", "split") if name in found
        }
        conflict = np.logical_or.reduce([np.zeros(len(again), dtype=bool), *differing.values()])
        location = np.array(_locations(again), dtype=object)
        origin = np.array(_locations(first), dtype=object)
        samples = again["sample"].to_numpy(dtype=object)
        evidence = [{"first": place} for place in origin[~conflict]]
        return [
            faults_of(
                "duplicate-row", samples[~conflict], location=location[~conflict], evidence=evidence
            ),
            faults_of(
                "conflicting-rows",
                samples[conflict],
                location=location[conflict],
                evidence=_conflicts(
                    again[conflict], first[conflict], origin[conflict], list(differing)
                ),
            ),
        ]

    def _empty_labels(self) -> pd.DataFrame:
        if "label" not in self.table:
            return faults_of("empty-label", [])
        empty = self.table["label"].isna().to_numpy().copy()
        if "split" in self.table:
            labelled = set(self.table["split"][~empty].astype("str").fillna("").unique())
            empty &= self.table["split"].astype("str").fillna("").isin(labelled).to_numpy()
        elif empty.all():
            empty = np.zeros(len(empty), dtype=bool)
        rows = self.table[empty]
        target = rows["sample"].where(rows["sample"] != "", rows["path"])
        said = np.array(self.whys or [""] * len(empty), dtype=object)[empty]
        evidence = [{"why": why or "the cell is empty"} for why in said]
        return faults_of("empty-label", target, location=_locations(rows), evidence=evidence)

    def _misspelt(self) -> pd.DataFrame:
        if "label" not in self.table or pd.api.types.is_float_dtype(self.table["label"].dtype):
            return spelling_faults({})
        counts, first = counts_of(self.table["label"]), self._first_rows("label")
        if not self.several:
            return spelling_faults(counts, first)
        parts: Counter[str] = Counter()
        places: dict[str, str] = {}
        for label, count in counts.items():
            for part in label.split("|"):
                parts[part] += count
                places.setdefault(part, first[label])
        return spelling_faults(parts, places)

    def _unknown_splits(self) -> pd.DataFrame:
        if "split" not in self.table:
            return unknown_split_faults({})
        return unknown_split_faults(counts_of(self.table["split"]), self._first_rows("split"))

    def _first_rows(self, column: str) -> dict[str, str]:
        """Value of a column to the place of the first row with it."""
        first = self.table[
            self.table[column].notna().to_numpy() & ~self.table[column].duplicated().to_numpy()
        ]
        return dict(zip(first[column].astype("str"), _locations(first), strict=True))


def spelling_faults(
    counts: Mapping[str, int], first_rows: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """A fault per label that is another spelling of one: `target` the label, `value` what is meant,
    `figure` its samples.

    Args:
        counts: label to number of samples.
        first_rows: label to the place of its first row, where labels come from a manifest.
    """
    found = misspellings(counts)
    return faults_of(
        "label-spelling",
        [each.label for each in found],
        location=[(first_rows or {}).get(each.label, "") for each in found],
        figure=[float(counts[each.label]) for each in found],
        value=[each.meant for each in found],
        evidence=[
            {"why": each.why, "confidence": each.confidence, "meant": counts[each.meant]}
            for each in found
        ],
    )


def unknown_split_faults(
    counts: Mapping[str, int], first_rows: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """A fault per split that `split_of` does not know: `target` the split, `value` the nearest
    known one, `figure` its samples.

    Args:
        counts: split to number of samples; known ones are passed over.
        first_rows: split to the place of its first row, where splits come from a manifest.
    """
    names = sorted(name for name in counts if not split_of(name))
    near = [
        difflib.get_close_matches(name.strip().lower(), list(SPLITS), n=1, cutoff=0.7)
        for name in names
    ]
    return faults_of(
        "unknown-split",
        names,
        location=[(first_rows or {}).get(name, "") for name in names],
        figure=[float(counts[name]) for name in names],
        value=[SPLITS[match[0]] if match else "" for match in near],
    )


def counts_of(values: pd.Series[Any]) -> dict[str, int]:
    """Text to how often it occurs; missing values and unused categories are left out."""
    return {str(name): count for name, count in values.value_counts().items() if count}


def faults_of(check: str, target: Any, **columns: Any) -> pd.DataFrame:
    """`Dataset.faults` of one check: scalars are repeated, sequences have one value per target; see
    `FAULT_COLUMNS`.

    `evidence` may be a mapping or one mapping per target.
    """
    return batch(check, "info", "record", target, **columns)[list(FAULT_COLUMNS)].astype(
        {"check": "str"}
    )


def _locations(rows: pd.DataFrame) -> list[str]:
    return [f"{place}:{row}" for place, row in zip(rows["place"], rows["row"], strict=True)]


def _differ(values: pd.Series[Any], others: pd.Series[Any]) -> np.ndarray[Any, Any]:
    """(n,) both are given and not the same."""
    ours, theirs = values.astype(object).to_numpy(), others.astype(object).to_numpy()
    return np.asarray(~pd.isna(ours) & ~pd.isna(theirs) & (ours != theirs), dtype=bool)


def _conflicts(
    again: pd.DataFrame, first: pd.DataFrame, origin: Any, columns: Sequence[str]
) -> list[dict[str, Any]]:
    evidence = [{"first": place, "what": ""} for place in origin]
    for name in columns:
        for item, ours, theirs in zip(
            evidence, again[name].astype(object), first[name].astype(object), strict=True
        ):
            if not pd.isna(ours) and not pd.isna(theirs) and ours != theirs:
                item["what"] += f"{', ' if item['what'] else ''}{name} {theirs!r} and {ours!r}"
    return evidence
