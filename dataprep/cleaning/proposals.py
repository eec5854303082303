"""clean(): the claims of an audit, one action per sample.

Several checks may speak about one sample. What decides, first to last:

1. a sample's own fault that makes it useless (a drop that is not about being a copy);
2. an undecided label (`label-conflict`, `conflicting-rows`): it is reviewed, because dropping one of two copies under
   different labels would quietly decide which label is right;
3. being a copy: it is dropped, and the best of its group stays;
4. a suggested label; where two checks suggest different ones, a review;
5. anything else worth a look: a review.

Of every group of copies one sample stays, unless each of them is useless by itself. Claims of severity "info" are facts rather
than faults and lead to no review.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass
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
    """One row per claim and sample: ``sample``, ``rank`` (what the claim asks for), and ``claim``, its row in the issues."""
    table = audit.issues.table
    heard = table[~table["check"].isin(options.keep)]
    claims = pd.DataFrame({"claim": heard.index.to_numpy(), "rank": _ranks(heard, options)}, index=heard.index)
    votes = pd.concat([_about_samples(heard, audit.dataset), _about_classes(heard, audit.dataset)])
    votes = votes.join(claims, on="claim_row").drop(columns="claim_row")
    return votes[votes["rank"] >= 0].reset_index(drop=True)


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
            suggestions.eq("none"),
            suggestions.eq("drop") & sure & ~pairs,
            suggestions.eq("drop") & sure,
            labels & sure,
            suggestions.isin(["drop", "relabel"]) | table["severity"].astype("str").ne("info"),
        ],
        [_LOOK, _OWN_FAULT, _COPY, _UNDECIDED, -1, _OWN_FAULT, _COPY, _LABEL, _LOOK],
        default=-1,
    )
    return np.asarray(ranks)


def _about_samples(table: pd.DataFrame, dataset: Dataset) -> pd.DataFrame:
    """Claims whose target is a sample; an undecided label is in doubt on both sides of a pair."""
    own = table[table["scope"].isin(["sample", "pair", "record"]) & table["target"].isin(dataset.samples.index)]
    doubt = own[own["check"].isin(UNDECIDED) & own["related"].isin(dataset.samples.index)]
    return pd.DataFrame({
        "sample": [*own["target"], *doubt["related"]],
        "claim_row": [*own.index, *doubt.index],
    })  # fmt: skip


def _about_classes(table: pd.DataFrame, dataset: Dataset) -> pd.DataFrame:
    """Claims that a class should have another name are about every sample in it."""
    renamed = table[table["scope"].eq("class") & table["suggestion"].eq("relabel") & table["value"].ne("")]
    if not len(renamed) or "label" not in dataset.samples:
        return pd.DataFrame({"sample": [], "claim_row": []})
    labels = pd.DataFrame({"sample": dataset.samples.index, "target": dataset.samples["label"].astype("str").to_numpy()})
    claims = pd.DataFrame({"target": renamed["target"].to_numpy(), "claim_row": renamed.index})
    return labels.merge(claims, on="target")[["sample", "claim_row"]]


def _decided(votes: pd.DataFrame, audit: Audit) -> pd.DataFrame:
    """The plan's rows, from every sample's lowest rank."""
    claims = audit.issues.table
    votes = votes.assign(
        confidence=claims["confidence"].to_numpy()[votes["claim"].astype(np.int64)],
        value=claims["value"].to_numpy(dtype=object)[votes["claim"].astype(np.int64)],
    )
    ranks = votes.groupby("sample")["rank"].min()
    ranks, unsettled = _settle_labels(ranks, votes)
    copies = _copies(votes, ranks, claims)
    spared = _spared(ranks, copies)
    ranks[spared] = _LOOK
    deciding = votes[(votes["rank"] == votes["sample"].map(ranks)) | votes["sample"].isin([*spared, *unsettled])]
    table = _rows(deciding, ranks, audit)
    table.loc[table["sample"].isin(spared), "reason"] = "the last of its copies stays; " + table["reason"]
    return pd.concat([table, _kept_rows(copies, table, ranks)], ignore_index=True)


def _settle_labels(ranks: pd.Series[Any], votes: pd.DataFrame) -> tuple[pd.Series[Any], list[str]]:
    """Samples for which two labels are suggested are reviewed."""
    labels = votes[(votes["rank"] == _LABEL) & (votes["sample"].map(ranks) == _LABEL)]
    distinct = labels.groupby("sample")["value"].nunique()
    unsettled = list(distinct.index[distinct > 1])
    ranks = ranks.copy()
    ranks[unsettled] = _LOOK
    return ranks, unsettled


def _copies(votes: pd.DataFrame, ranks: pd.Series[Any], claims: pd.DataFrame) -> pd.DataFrame:
    """``sample`` and the ``kept`` one it is a copy of, for samples that are dropped as copies."""
    rows = votes[(votes["rank"] == _COPY) & (votes["sample"].map(ranks) == _COPY)]
    return pd.DataFrame({
        "sample": rows["sample"].to_numpy(),
        "kept": claims["related"].to_numpy(dtype=object)[rows["claim"].astype(np.int64)],
    })  # fmt: skip


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
    if not len(deciding):
        return pd.DataFrame(columns=[name for name in PLAN_COLUMNS if name != "suggested"])
    deciding = deciding.sort_values(["sample", "rank", "confidence", "claim"], ascending=[True, True, False, True])
    first = deciding.groupby("sample").cumcount() < _REASONS
    shown = deciding[first]
    claims = audit.issues.table.iloc[shown["claim"].astype(np.int64)]
    reasons = claims["check"].astype("str").to_numpy() + ": " + np.array(render(claims, templates(audit)), dtype=object)
    shown = shown.assign(reason=reasons)
    sources = deciding.assign(check=audit.issues.table["check"].astype("str").to_numpy()[deciding["claim"].astype(np.int64)])
    grouped = deciding.groupby("sample")
    samples = np.array(list(grouped.groups), dtype=object)
    action = pd.Series(ranks.reindex(samples)).map(_ACTION_OF).to_numpy(dtype=object)
    label = np.where(action == "relabel", grouped["value"].first().to_numpy(dtype=object), "")
    more = (grouped.size() - _REASONS).to_numpy()
    reason = shown.groupby("sample")["reason"].agg("; ".join).to_numpy(dtype=object)
    return pd.DataFrame({
        "sample": samples,
        "action": action,
        "new_label": label,
        "reason": [f"{text}; and {n} more" if n > 0 else text for text, n in zip(reason, more, strict=True)],
        "confidence": grouped["confidence"].max().to_numpy(dtype=float),
        "source": sources.groupby("sample")["check"].agg(lambda checks: ",".join(dict.fromkeys(checks))).to_numpy(dtype=object),
    })  # fmt: skip


def _kept_rows(copies: pd.DataFrame, table: pd.DataFrame, ranks: pd.Series[Any]) -> pd.DataFrame:
    """Rows for the samples in whose favour others are dropped, so that a reader sees both sides."""
    counts = copies[~copies["kept"].isin(ranks.index)].drop_duplicates().groupby("kept").size()
    return pd.DataFrame({
        "sample": np.array(counts.index, dtype=object),
        "action": "keep",
        "new_label": "",
        "reason": [f"the best of {count + 1} copies" for count in counts],
        "confidence": 1.0,
        "source": "",
    })  # fmt: skip


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
    """A warning for every class that the rows of a plan would leave without a sample."""
    if "label" not in dataset.samples:
        return []
    before = dataset.samples["label"].astype("str")
    after = before.copy()
    new = table[table["action"] == "relabel"].set_index("sample")["new_label"]
    after[new.index] = new
    after = after.drop(table.loc[table["action"] == "drop", "sample"])
    lost = sorted(set(before.dropna()) - set(after.dropna()))
    counts = before.value_counts()
    return [
        f"class {label!r} would be left empty: all of its {counts[label]} samples are dropped or relabelled" for label in lost
    ]
