"""clean(): the claims of an audit, one action per sample.

Several checks may speak about one sample. What decides, first to last:

1. a sample's own fault that makes it useless (a drop that is not about being a copy);
2. an undecided label (`label-conflict`, `conflicting-rows`): it is reviewed, because dropping one of two copies under
   different labels would quietly decide which label is right;
3. being a copy: it is dropped, and the best of its group stays;
4. a suggested label; where two checks suggest different ones, a review;
5. anything else worth a look: a review.

Of every group of copies one sample stays, unless each of them is useless by itself. Claims of severity "info" are facts rather
than faults and lead to no review. To drop a record is not to drop its sample: a cleaned manifest has one row per sample.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dataprep import registry
from dataprep.cleaning.audits import read_audit
from dataprep.errors import FingerprintError, OptionError
from dataprep.reports.messages import render
from dataprep.reports.summary import templates
from dataprep.schemas.options import did_you_mean
from dataprep.schemas.plan import ACTIONS, PLAN_COLUMNS, Plan, data_facts, difference, suggested_text

if TYPE_CHECKING:
    from dataprep.schemas.audit import Audit
    from dataprep.schemas.dataset import Dataset

#: Checks that say a label is in doubt without saying which is right.
UNDECIDED: tuple[str, ...] = ("label-conflict", "conflicting-rows")
#: Confidence from which on a suggested drop or label is taken over without a review.
MIN_CONFIDENCE = 0.8

_OWN_FAULT, _UNDECIDED, _COPY, _LABEL, _LOOK = range(5)
_ACTION_OF = {_OWN_FAULT: "drop", _UNDECIDED: "review", _COPY: "drop", _LABEL: "relabel", _LOOK: "review"}
_REASONS = 3
_ROW_COLUMNS = [name for name in PLAN_COLUMNS if name != "suggested"]


@dataclass(frozen=True)
class CleanOptions:
    """What decides beside the claims: codes of checks, and the confidence from which on suggestions are taken over."""

    drop: tuple[str, ...] = ()
    review: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    min_confidence: float = MIN_CONFIDENCE

    def __post_init__(self) -> None:
        known = registry.names("dataprep.checks")
        for code in (*self.drop, *self.review, *self.keep):
            if code not in known:
                raise OptionError(f"no check is called {code!r}. {did_you_mean(code, known)}")
        named = [*{*self.drop}, *{*self.review}, *{*self.keep}]
        twice = sorted({code for code in named if named.count(code) > 1})
        if twice:
            raise OptionError(f"{', '.join(twice)}: expected in one of drop, review and keep, got more than one")
        if not 0 <= self.min_confidence <= 1:
            raise OptionError(f"option clean.min_confidence: expected a value in [0, 1], got {self.min_confidence!r}")


def clean(
    source: Audit | str | os.PathLike[str],
    *,
    drop: Collection[str] = (),
    review: Collection[str] = (),
    keep: Collection[str] = (),
    min_confidence: float = MIN_CONFIDENCE,
    edits: Plan | None = None,
) -> Plan:
    """A plan from an audit: which samples to drop, relabel, review or keep, and why. Nothing is changed.

    Args:
        source: an Audit, or the folder that `dataprep.report` wrote one to.
        drop: codes of checks whose samples are to be dropped, whatever the check suggests and how sure it is.
        review: codes of checks whose samples are to be reviewed instead of dropped or relabelled.
        keep: codes of checks that are not heard.
        min_confidence: suggestions less sure than this, 0 to 1, are reviewed.
        edits: an earlier plan; what a person changed in it is taken over.

    Returns:
        The plan. `dataprep.cleaning.write_plan` writes it, `dataprep.apply_plan` applies it.

    Raises:
        InputError: no audit in that folder.
        OptionError: an unknown check, or a value out of range.
        FingerprintError: `edits` holds changes, and was made for other data.
    """
    options = CleanOptions(tuple(sorted(drop)), tuple(sorted(review)), tuple(sorted(keep)), min_confidence)
    audit = read_audit(source) if isinstance(source, str | os.PathLike) else source
    votes = _votes(audit, options)
    table = _decided(votes, audit)
    if edits is not None:
        table = _with_edits(table, edits, audit.dataset)
    warnings = tuple(emptied_classes(table, audit.dataset))
    given = {"drop": options.drop, "review": options.review, "keep": options.keep, "min_confidence": min_confidence}
    return Plan(_ordered(table), data_facts(audit.dataset), given, warnings)


def _votes(audit: Audit, options: CleanOptions) -> pd.DataFrame:
    """One row per claim and sample: the claim's columns, ``sample``, and ``rank``, what the claim asks for."""
    table = audit.issues.table
    heard = table[~table["check"].isin(options.keep)]
    ranks = _ranks(heard, options)
    heard = heard.assign(rank=ranks, claim=heard.index)[ranks >= 0]
    return pd.concat([_about_samples(heard, audit.dataset), _about_classes(heard, audit.dataset)], ignore_index=True)


def _ranks(table: pd.DataFrame, options: CleanOptions) -> np.ndarray[Any, Any]:
    """(n,) what each claim asks for, -1 for nothing."""
    checks, suggestions = table["check"].astype("str"), table["suggestion"].astype("str")
    pairs, sure = table["scope"].eq("pair"), table["confidence"] >= options.min_confidence
    labels = suggestions.eq("relabel") & table["value"].ne("")
    ranks = np.select(
        [
            checks.isin(options.review),
            checks.isin(options.drop) & ~pairs,
            checks.isin(options.drop),
            checks.isin(UNDECIDED) & ~suggestions.isin(["drop"]) & ~labels,
            suggestions.eq("none") | (table["scope"].eq("record") & suggestions.eq("drop")),
            suggestions.eq("drop") & sure & ~pairs,
            suggestions.eq("drop") & sure,
            labels & sure,
            suggestions.isin(["drop", "relabel"]) | table["severity"].astype("str").ne("info"),
        ],
        [_LOOK, _OWN_FAULT, _COPY, _UNDECIDED, -1, _OWN_FAULT, _COPY, _LABEL, _LOOK],
        default=-1,
    )
    return np.asarray(ranks)


def _about_samples(heard: pd.DataFrame, dataset: Dataset) -> pd.DataFrame:
    """Claims whose target is a sample; an undecided label is in doubt on both sides of a pair."""
    own = heard[heard["scope"].isin(["sample", "pair", "record"])]
    own = own[_are_samples(own["target"], dataset)]
    doubt = own[own["check"].isin(UNDECIDED)]
    doubt = doubt[_are_samples(doubt["related"], dataset)]
    return pd.concat([own.assign(sample=own["target"]), doubt.assign(sample=doubt["related"])])


def _are_samples(names: pd.Series[Any], dataset: Dataset) -> np.ndarray[Any, Any]:
    return np.asarray(dataset.samples.index.get_indexer(pd.Index(names)) >= 0)


def _about_classes(heard: pd.DataFrame, dataset: Dataset) -> pd.DataFrame:
    """Claims that a class should have another name are about every sample in it."""
    renamed = heard[heard["scope"].eq("class") & heard["rank"].isin([_LABEL, _LOOK]) & heard["suggestion"].eq("relabel")]
    if not len(renamed) or "label" not in dataset.samples:
        return renamed.iloc[:0].assign(sample="")
    labels = dataset.samples["label"].astype("str")
    labels = labels[labels.isin(renamed["target"])]
    return pd.DataFrame({"sample": labels.index, "target": labels.to_numpy()}).merge(renamed, on="target")


def _decided(votes: pd.DataFrame, audit: Audit) -> pd.DataFrame:
    """The plan's rows, from every sample's lowest rank."""
    ranks = votes.groupby("sample")["rank"].min()
    ranks, unsettled = _settle_labels(ranks, votes)
    copies = _copies(votes, ranks)
    spared = _spared(ranks, copies)
    ranks[spared] = _LOOK
    deciding = votes[(votes["rank"] == votes["sample"].map(ranks)) | votes["sample"].isin([*spared, *unsettled])]
    table = _rows(deciding, ranks, audit)
    table.loc[table["sample"].isin(spared), "reason"] = "the last of its copies stays; " + table["reason"]
    return pd.concat([table, _kept_rows(copies, ranks)], ignore_index=True)


def _settle_labels(ranks: pd.Series[Any], votes: pd.DataFrame) -> tuple[pd.Series[Any], list[str]]:
    """Samples for which two labels are suggested are reviewed."""
    labels = votes[(votes["rank"] == _LABEL) & (votes["sample"].map(ranks) == _LABEL)]
    distinct = labels.groupby("sample")["value"].nunique()
    unsettled = list(distinct.index[distinct > 1])
    ranks = ranks.copy()
    ranks[unsettled] = _LOOK
    return ranks, unsettled


def _copies(votes: pd.DataFrame, ranks: pd.Series[Any]) -> pd.DataFrame:
    """``sample`` and the ``kept`` one it is a copy of, for samples that are dropped as copies."""
    rows = votes[(votes["rank"] == _COPY) & (votes["sample"].map(ranks) == _COPY)]
    return rows[["sample", "related"]].rename(columns={"related": "kept"}).astype("str")


def _spared(ranks: pd.Series[Any], copies: pd.DataFrame) -> list[str]:
    """One sample of each group of copies in which every member would be dropped: one that is nobody's copy, if there is one."""
    dropped = {sample for sample, rank in ranks.items() if rank in (_OWN_FAULT, _COPY)}
    targets = set(copies["sample"])
    spared = []
    for group in _connected(copies):
        if group <= dropped:
            originals = sorted(group - targets)
            spared.append(originals[0] if originals else min(group))
    return spared


def _connected(copies: pd.DataFrame) -> list[set[str]]:
    """Groups of samples joined by being copies of each other."""
    parent: dict[str, str] = {}

    def find(sample: str) -> str:
        root = sample
        while parent.setdefault(root, root) != root:
            root = parent[root]
        while parent[sample] != root:
            parent[sample], sample = root, parent[sample]
        return root

    for sample, kept in zip(copies["sample"], copies["kept"], strict=True):
        parent[find(sample)] = find(kept)
    groups: dict[str, set[str]] = {}
    for sample in parent:
        groups.setdefault(find(sample), set()).add(sample)
    return list(groups.values())


def _rows(deciding: pd.DataFrame, ranks: pd.Series[Any], audit: Audit) -> pd.DataFrame:
    """One row per sample, with the reasons of the claims that decided, surest first."""
    deciding = deciding.sort_values(["sample", "rank", "confidence", "claim"], ascending=[True, True, False, True])
    shown = (deciding.groupby("sample").cumcount() < _REASONS).to_numpy()
    messages = np.full(len(deciding), "", dtype=object)
    messages[shown] = render(deciding[shown], templates(audit))
    columns = (deciding[name].tolist() for name in ("sample", "check", "value", "confidence", "target", "related", "rank"))
    rows = []
    for sample, claims in groupby(zip(*columns, messages.tolist(), strict=True), key=itemgetter(0)):
        listed = list(claims)
        _, checks, values, confidences, *_ = zip(*listed, strict=True)
        action = _ACTION_OF[int(ranks[sample])]
        reasons = [_reason(*claim) for claim in listed[:_REASONS]]
        if len(listed) > _REASONS:
            reasons.append(f"and {len(listed) - _REASONS} more")
        label = values[0] if action == "relabel" else ""
        rows.append((sample, action, label, "; ".join(reasons), max(confidences), ",".join(dict.fromkeys(checks))))
    return pd.DataFrame(rows, columns=_ROW_COLUMNS)


def _reason(sample: str, check: str, value: str, confidence: float, target: str, related: str, rank: int, message: str) -> str:
    """What a claim says, with the names that its message may leave to the reader."""
    if rank == _COPY:
        return f"{check}: {message}" if related in message else f"{check} of {related}: {message}"
    return f"{check}: {message}" if sample != related else f"{check} with {target}: {message}"


def _kept_rows(copies: pd.DataFrame, ranks: pd.Series[Any]) -> pd.DataFrame:
    """Rows for the samples in whose favour others are dropped, so that a reader sees both sides."""
    counts = copies[~copies["kept"].isin(ranks.index)].drop_duplicates()["kept"].value_counts()
    rows = [(sample, "keep", "", f"the best of {count + 1} copies", 1.0, "") for sample, count in counts.items()]
    return pd.DataFrame(rows, columns=_ROW_COLUMNS)


def _with_edits(table: pd.DataFrame, edits: Plan, dataset: Dataset) -> pd.DataFrame:
    changed = difference(edits.data, dataset)
    if changed and len(edits.edited):
        raise FingerprintError(
            f"the edited plan was made for other data: {changed}. Move it away to start a new one, or audit that data."
        )
    if changed:
        return table
    edited, table = edits.edited.set_index("sample"), table.set_index("sample")
    table = table.assign(suggested=suggested_text(table["action"], table["new_label"]))
    suggested = table["suggested"].reindex(edited.index).fillna("")
    table = pd.concat([table.drop(edited.index, errors="ignore"), edited.assign(suggested=suggested)])
    return table.reset_index(names="sample")


def _ordered(table: pd.DataFrame) -> pd.DataFrame:
    """The rows by action and then by sample, with every column as text but `confidence`."""
    if "suggested" not in table:
        table = table.assign(suggested=suggested_text(table["action"], table["new_label"]))
    table = table.iloc[np.lexsort((table["sample"].astype("str"), table["action"].map(list(ACTIONS).index)))]
    texts = {name: "str" for name in PLAN_COLUMNS if name != "confidence"}
    return table[list(PLAN_COLUMNS)].reset_index(drop=True).astype({**texts, "confidence": np.float64})


def emptied_classes(table: pd.DataFrame, dataset: Dataset) -> list[str]:
    """A warning for every class that would lose its last sample, if not by relabelling alone, which is meant."""
    if dataset.task != "classification":
        return []
    labels = dataset.samples["label"]
    before = labels.value_counts()
    changed = table[table["action"].isin(["drop", "relabel"])]
    leaving = labels.iloc[dataset.samples.index.get_indexer(pd.Index(changed["sample"]))]
    dropped = set(leaving[(changed["action"] == "drop").to_numpy()].dropna())
    gone = leaving.value_counts().reindex(before.index)
    arrived = set(changed.loc[changed["action"] == "relabel", "new_label"])
    lost = [label for label in before.index[(before > 0) & (before == gone)] if label in dropped and label not in arrived]
    return [
        f"class {label!r} would be left empty: none of its {before[label]} samples is kept under it" for label in sorted(lost)
    ]
