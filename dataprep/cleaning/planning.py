"""clean(): the claims of an audit, one action per sample.

By itself a plan drops only what can be dropped without harm: files that give no pixels, and exact
copies of an image that stays. Whatever else checks say is left to a person as a review, until an
option asks for it. What decides, first to last:

1. a sample's own fault that makes it useless (a drop that is not about being a copy);
2. an undecided label (`label-conflict`, `conflicting-rows`): it is reviewed, because dropping one
   of two copies under different labels would quietly decide which label is right;
3. being a copy: it is dropped, and one of its group stays;
4. a suggested label; where two checks suggest different ones, a review;
5. anything else worth a look: a review.

A test part is left as it is unless asked otherwise, and a member of a group that is in test stays
before any other. The last sample of a class, in its split, stays. Claims of severity "fact" and
"info" are no faults and lead to nothing. To drop a record is not to drop its sample: a cleaned
manifest has one row per sample.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dataprep import registry
from dataprep.cleaning.audits import read_audit
from dataprep.cleaning.copies import Settled, settle
from dataprep.cleaning.guards import SampleFacts, facts_of_samples, files_beside, last_of_class
from dataprep.errors import FingerprintError, OptionError
from dataprep.reports.audit.summary import templates
from dataprep.reports.messages import render
from dataprep.schemas.options import did_you_mean
from dataprep.schemas.plan import (
    ACTIONS,
    PLAN_COLUMNS,
    Plan,
    data_facts,
    difference,
    suggested_text,
)
from dataprep.schemas.text.names import escape_name

if TYPE_CHECKING:
    from dataprep.schemas.audit import Audit
    from dataprep.schemas.dataset import Dataset

#: The check of files that give no pixels, and that of exact copies: what a plan drops by default,
#: and nothing besides.
UNREADABLE, EXACT = "unreadable", "exact-duplicate"
#: Checks that say a label is in doubt without saying which is right.
UNDECIDED: tuple[str, ...] = ("label-conflict", "conflicting-rows")
#: Confidence from which on a suggested drop or label is taken over without a review.
MIN_CONFIDENCE = 0.8

_OWN_FAULT, _UNDECIDED, _COPY, _LABEL, _LOOK, _MIRROR = range(6)
_ACTION_OF = {
    _OWN_FAULT: "drop",
    _UNDECIDED: "review",
    _COPY: "drop",
    _LABEL: "relabel",
    _LOOK: "review",
}
_REASONS = 3
_ROW_COLUMNS = [name for name in PLAN_COLUMNS if name not in ("suggested", "file")]


@dataclass(frozen=True)
class CleanOptions:
    """The options of `clean`."""

    drop: tuple[str, ...] = ()
    review: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    relabel: bool = False
    drop_at_confidence: float | None = None
    min_confidence: float = MIN_CONFIDENCE
    test: bool = False

    def __post_init__(self) -> None:
        known = registry.names("dataprep.checks")
        for code in (*self.drop, *self.review, *self.keep):
            if code not in known:
                raise OptionError(f"no check is called {code!r}. {did_you_mean(code, known)}")
        named = [*{*self.drop}, *{*self.review}, *{*self.keep}]
        twice = sorted({code for code in named if named.count(code) > 1})
        if twice:
            raise OptionError(
                f"{', '.join(twice)}: expected in one of drop, review and keep, got more than one"
            )
        for name in ("min_confidence", "drop_at_confidence"):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= 1:
                raise OptionError(f"option clean.{name}: expected a value in [0, 1], got {value!r}")


def clean(
    source: Audit | str | os.PathLike[str],
    *,
    drop: Collection[str] = (),
    review: Collection[str] = (),
    keep: Collection[str] = (),
    relabel: bool = False,
    drop_at_confidence: float | None = None,
    min_confidence: float = MIN_CONFIDENCE,
    test: bool = False,
    edits: Plan | None = None,
) -> Plan:
    """A plan from an audit: which samples to drop, relabel, review or keep, and why. Nothing is
    changed.

    By default files that give no pixels and exact copies are dropped, one of each group of copies
    being kept; all else that is worth a look is left for review.

    Args:
        source: an Audit, or the folder that `dataprep.report` wrote one to.
        drop: codes of checks whose samples are to be dropped, whatever the check suggests and how
            sure it is; of copies one of each group stays.
        review: codes of checks whose samples are to be reviewed instead of dropped or relabelled.
        keep: codes of checks that are ignored.
        relabel: give samples the labels that checks suggest.
        drop_at_confidence: drop what checks suggest to drop if they are at least this sure, 0 to 1;
            None: only what is dropped by default.
        min_confidence: labels and default drops less sure than this, 0 to 1, are reviewed.
        test: drop and relabel samples in test too.
        edits: an earlier plan; what a person changed in it is taken over, in test too.

    Returns:
        The plan. `dataprep.cleaning.write_plan` writes it, `dataprep.apply_plan` applies it.

    Raises:
        InputError: no audit in that folder.
        OptionError: an unknown check, or a value out of range.
        FingerprintError: `edits` holds changes, and was made for other data.

    Example:
        >>> import dataprep
        >>> audit = dataprep.audit("sample_data/shapes/val", only=["unreadable"])
        >>> dataprep.clean(audit).table[["sample", "action"]].values.tolist()
        [['leaf/leaf-010.jpg', 'drop']]
    """
    options = CleanOptions(
        tuple(sorted(drop)),
        tuple(sorted(review)),
        tuple(sorted(keep)),
        relabel,
        drop_at_confidence,
        min_confidence,
        test,
    )
    audit = read_audit(source) if isinstance(source, str | os.PathLike) else source
    table, in_test = _decided(_votes(audit, options), audit, options)
    if edits is not None:
        table = _with_edits(table, edits, audit.dataset)
        in_test -= set(edits.edited["sample"])
    warnings = (*emptied_classes(table, audit.dataset), *_two_spellings(table, in_test))
    return Plan(
        _ordered(table, audit.dataset),
        data_facts(audit.dataset),
        asdict(options),
        warnings,
        len(in_test),
    )


def _votes(audit: Audit, options: CleanOptions) -> pd.DataFrame:
    """One row per claim and sample: the claim's columns, ``sample``, and ``rank``, what the
    claim asks for.
    """
    table = audit.issues.table
    claims = table[~table["check"].isin(options.keep)]
    ranks = _ranks(claims, options)
    claims = claims.assign(rank=ranks, claim=claims.index)[ranks >= 0]
    return pd.concat(
        [_about_samples(claims, audit.dataset), _about_classes(claims, audit.dataset)],
        ignore_index=True,
    )


def _ranks(table: pd.DataFrame, options: CleanOptions) -> np.ndarray[Any, Any]:
    """(n,) the action that each claim asks for, -1 for none."""
    checks, suggestions = table["check"].astype("str"), table["suggestion"].astype("str")
    pairs, sure = table["scope"].eq("pair"), table["confidence"] >= options.min_confidence
    facts = table["severity"].astype("str").isin(("fact", "info"))
    asked = checks.isin(options.drop) & (~facts | checks.isin(_facts_by_nature(options.drop)))
    drops = suggestions.eq("drop") & checks.isin([UNREADABLE, EXACT]) & sure
    if options.drop_at_confidence is not None:
        drops |= suggestions.eq("drop") & (table["confidence"] >= options.drop_at_confidence)
    labels = suggestions.eq("relabel") & table["value"].ne("")
    undecided = checks.isin(UNDECIDED)
    ranks = np.select(
        [
            checks.isin(options.review),
            asked & (~pairs | undecided),
            asked,
            facts,
            undecided & ~suggestions.isin(["drop"]) & ~labels,
            suggestions.eq("none") | (table["scope"].eq("record") & suggestions.eq("drop")),
            drops & ~pairs,
            drops,
            labels & sure & options.relabel,
        ],
        [_LOOK, _OWN_FAULT, _COPY, -1, _UNDECIDED, -1, _OWN_FAULT, _COPY, _LABEL],
        default=_LOOK,
    )
    return np.asarray(ranks)


def _facts_by_nature(codes: Collection[str]) -> list[str]:
    """The checks whose claims are facts: asked to drop these, one means their claims; of others,
    infos are candidates.
    """
    return [
        code
        for code in codes
        if registry.load("dataprep.checks", code).severity in ("fact", "info")
    ]


def _about_samples(claims: pd.DataFrame, dataset: Dataset) -> pd.DataFrame:
    """Claims whose target is a sample; an undecided label is in doubt on both sides of a pair,
    and either copy may be dropped.
    """
    own = claims[claims["scope"].isin(["sample", "pair", "record"])]
    own = own[_are_samples(own["target"], dataset)]
    doubt = own[own["check"].isin(UNDECIDED) & own["rank"].isin([_UNDECIDED, _LOOK])]
    doubt = doubt[_are_samples(doubt["related"], dataset)]
    copies = own[own["rank"].eq(_COPY)]
    mirrored = copies[_are_samples(copies["related"], dataset)].assign(rank=_MIRROR)
    return pd.concat(
        [
            own.assign(sample=own["target"]),
            doubt.assign(sample=doubt["related"]),
            mirrored.assign(sample=mirrored["related"]),
        ]
    )


def _are_samples(names: pd.Series[Any], dataset: Dataset) -> np.ndarray[Any, Any]:
    return np.asarray(dataset.samples.index.get_indexer(pd.Index(names)) >= 0)


def _about_classes(claims: pd.DataFrame, dataset: Dataset) -> pd.DataFrame:
    """Claims that a class should have another name are about every sample in it."""
    renamed = claims[
        claims["scope"].eq("class")
        & claims["rank"].isin([_LABEL, _LOOK])
        & claims["suggestion"].eq("relabel")
    ]
    if not len(renamed) or "label" not in dataset.samples:
        return renamed.iloc[:0].assign(sample="")
    labels = dataset.samples["label"].astype("str")
    labels = labels[labels.isin(renamed["target"])]
    return pd.DataFrame({"sample": labels.index, "target": labels.to_numpy()}).merge(
        renamed, on="target"
    )


def _decided(
    votes: pd.DataFrame, audit: Audit, options: CleanOptions
) -> tuple[pd.DataFrame, set[str]]:
    """The plan's rows, from every sample's lowest rank; and the samples that are unchanged
    because they are in test.
    """
    asks = votes[votes["rank"] != _MIRROR]
    ranks = asks["rank"].where(asks["rank"] != _COPY, _LOOK).groupby(asks["sample"]).min()
    facts = facts_of_samples(
        audit.dataset, [*votes["sample"], *votes["related"]], test_too=options.test
    )
    copies = _settle_copies(votes, ranks, audit.dataset, facts, options)
    unsettled = _two_labels(ranks, asks)
    in_test = {
        str(sample)
        for sample, rank in ranks.items()
        if rank in (_OWN_FAULT, _LABEL) and facts.is_protected(str(sample))
    }
    in_test |= set(copies.left)
    notes = (
        unsettled
        | copies.doubtful
        | dict.fromkeys(sorted(in_test), "in test, so it is left as it is")
    )
    reviewed = {
        *unsettled,
        *in_test,
        *(sample for sample in copies.doubtful if ranks.get(sample, _LOOK) != _LABEL),
    }
    ranks = _ranked(ranks, reviewed, _LOOK)
    ranks = _ranked(ranks, copies.kept, _COPY)
    lasts = _last_ones(ranks, votes, audit.dataset, facts)
    notes |= {sample: f"the last of class {place} stays" for sample, place in lasts.items()}
    ranks = _ranked(ranks, lasts, _LOOK)
    copies = replace(
        copies, kept={sample: kept for sample, kept in copies.kept.items() if sample not in lasts}
    )
    table = _rows(_deciding(votes, ranks, copies, notes), ranks, audit, notes, copies)
    return pd.concat([table, _kept_rows(copies, set(table["sample"]))], ignore_index=True), in_test


def _settle_copies(
    votes: pd.DataFrame,
    ranks: pd.Series[Any],
    dataset: Dataset,
    facts: SampleFacts,
    options: CleanOptions,
) -> Settled:
    """Which copies are dropped, in favour of which; exact ones first."""
    rows = votes[votes["rank"] == _COPY]
    exact = rows["check"].eq(EXACT)
    rounds = [
        list(zip(part["sample"], part["related"], strict=True))
        for part in (rows[exact], rows[~exact])
    ]
    if exact.any() and EXACT not in options.drop:
        facts = replace(
            facts,
            beside=files_beside(dataset, [*rows.loc[exact, "sample"], *rows.loc[exact, "related"]]),
        )
    useless = {
        str(sample)
        for sample in ranks.index[ranks == _OWN_FAULT]
        if not facts.is_protected(str(sample))
    }
    useless |= set(votes.loc[votes["check"].eq(UNREADABLE), "sample"])
    return settle(rounds, facts, useless=useless, undecided={*ranks.index[ranks == _UNDECIDED]})


def _two_labels(ranks: pd.Series[Any], asks: pd.DataFrame) -> dict[str, str]:
    """Samples for which two labels are suggested: they are reviewed, and what is said about them
    says why.
    """
    labels = asks[(asks["rank"] == _LABEL) & (asks["sample"].map(ranks) == _LABEL)]
    distinct = labels.groupby("sample")["value"].nunique()
    return dict.fromkeys(map(str, distinct.index[distinct > 1]), "")


def _ranked(ranks: pd.Series[Any], samples: Collection[str], rank: int) -> pd.Series[Any]:
    """`ranks` with this rank for the named samples, known or new."""
    given: pd.Series[Any] = pd.Series(
        rank, index=pd.Index(sorted(samples), dtype="str"), dtype="int64"
    )
    found: pd.Series[Any] = pd.concat([ranks.drop(given.index, errors="ignore"), given])
    return found


def _last_ones(
    ranks: pd.Series[Any], votes: pd.DataFrame, dataset: Dataset, facts: SampleFacts
) -> dict[str, str]:
    """Samples that stay because a class would be empty without them; copies rather than files
    with a fault of their own.
    """
    dropped = {str(sample): rank for sample, rank in ranks[ranks.isin([_OWN_FAULT, _COPY])].items()}
    order = sorted(
        dropped, key=lambda sample: (dropped[sample] != _COPY, facts.rank(sample), sample)
    )
    labels = votes[(votes["rank"] == _LABEL) & votes["sample"].isin(ranks.index[ranks == _LABEL])]
    return last_of_class(dataset, order, dict(zip(labels["sample"], labels["value"], strict=True)))


def _deciding(
    votes: pd.DataFrame, ranks: pd.Series[Any], copies: Settled, notes: Collection[str]
) -> pd.DataFrame:
    """The claims that decide, without those about a pair of which the plan leaves one, but for
    labels in doubt.
    """
    rank = votes["sample"].map(ranks)
    mirrored = votes["rank"].eq(_MIRROR) & rank.eq(_COPY)
    looked_at = votes["rank"].eq(_COPY) & rank.eq(_LOOK)
    found = votes[
        (votes["rank"] == rank) | mirrored | looked_at | votes["sample"].isin(list(notes))
    ]
    stands_for = {name: copies.stands_for(name) for name in {*found["related"], *found["target"]}}
    useless = {str(name) for name in ranks.index[ranks == _OWN_FAULT]}
    other = found["related"].where(found["sample"] == found["target"], found["target"])
    one_left = (found["target"].map(stands_for) == found["related"].map(stands_for)) | other.isin(
        useless
    )
    settled = found["scope"].eq("pair") & one_left & found["rank"].isin([_COPY, _LOOK, _MIRROR])
    return found[~settled | found["sample"].map(ranks).isin([_COPY, _OWN_FAULT])]


def _rows(
    deciding: pd.DataFrame,
    ranks: pd.Series[Any],
    audit: Audit,
    notes: dict[str, str],
    copies: Settled,
) -> pd.DataFrame:
    """One row per sample, with the reasons of the claims that decided, surest first."""
    deciding = deciding.sort_values(
        ["sample", "rank", "confidence", "claim"], ascending=[True, True, False, True]
    )
    shown = (deciding.groupby("sample").cumcount() < _REASONS).to_numpy()
    messages = np.full(len(deciding), "", dtype=object)
    messages[shown] = render(deciding[shown], templates(audit))
    columns = (
        deciding[name].tolist()
        for name in ("sample", "check", "value", "confidence", "target", "related", "scope")
    )
    rows, rank_of = [], ranks.to_dict()
    for sample, claims in groupby(zip(*columns, messages.tolist(), strict=True), key=itemgetter(0)):
        listed = list(claims)
        _, checks, values, confidences, *_ = zip(*listed, strict=True)
        action = _ACTION_OF[rank_of[sample]]
        reasons = [
            *filter(None, [notes.get(sample)]),
            *(_reason(*claim) for claim in listed[:_REASONS]),
        ]
        if len(listed) > _REASONS:
            reasons.append(f"and {len(listed) - _REASONS} more")
        stays = copies.kept.get(sample, "")
        if stays and stays not in "; ".join(reasons):
            reasons.append(f"{stays} stays")
        label = next(filter(None, values), "") if action == "relabel" else ""
        rows.append(
            (
                sample,
                action,
                label,
                "; ".join(reasons),
                max(confidences),
                ",".join(dict.fromkeys(checks)),
            )
        )
    return pd.DataFrame(rows, columns=_ROW_COLUMNS)


def _reason(
    sample: str,
    check: str,
    value: str,
    confidence: float,
    target: str,
    related: str,
    scope: str,
    message: str,
) -> str:
    """What a claim says, with the names that its message may leave to the reader."""
    if scope != "pair" or not related:
        return f"{check}: {message}"
    if check in UNDECIDED:
        return f"{check}: {message}" if sample != related else f"{check} with {target}: {message}"
    other = related if sample == target else target
    return f"{check}: {message}" if other in message else f"{check} of {other}: {message}"


def _kept_rows(copies: Settled, listed: Collection[str]) -> pd.DataFrame:
    """Rows for the samples in whose favour others are dropped, so that a reader sees both sides."""
    counts = Counter(copies.stands_for(sample) for sample in copies.kept)
    rows = [
        (name, "keep", "", f"the one of {n + 1} copies that stays", 1.0, "")
        for name, n in counts.items()
        if name not in listed
    ]
    return pd.DataFrame(rows, columns=_ROW_COLUMNS)


def _with_edits(table: pd.DataFrame, edits: Plan, dataset: Dataset) -> pd.DataFrame:
    changed = difference(edits.data, dataset)
    if changed and len(edits.edited):
        raise FingerprintError(
            f"the edited plan was made for other data: {changed}. Move it away to start a new one, "
            "or audit that data."
        )
    if changed:
        return table
    edited, table = edits.edited.set_index("sample"), table.set_index("sample")
    table = table.assign(suggested=suggested_text(table["action"], table["new_label"]))
    suggested = table["suggested"].reindex(edited.index).fillna("")
    table = pd.concat(
        [table.drop(edited.index, errors="ignore"), edited.assign(suggested=suggested)]
    )
    return table.reset_index(names="sample")


def _ordered(table: pd.DataFrame, dataset: Dataset) -> pd.DataFrame:
    """The rows by action and then by sample, with every column as text but `confidence`."""
    table = table.assign(file=[_place(dataset, str(sample)) for sample in table["sample"]])
    if "suggested" not in table:
        table = table.assign(suggested=suggested_text(table["action"], table["new_label"]))
    table = table.iloc[
        np.lexsort((table["sample"].astype("str"), table["action"].map(list(ACTIONS).index)))
    ]
    texts = {name: "str" for name in PLAN_COLUMNS if name != "confidence"}
    return (
        table[list(PLAN_COLUMNS)].reset_index(drop=True).astype({**texts, "confidence": np.float64})
    )


def _place(dataset: Dataset, sample: str) -> str:
    path = dataset.path(sample)
    return escape_name(path if dataset.is_remote else os.path.abspath(path))


def _two_spellings(table: pd.DataFrame, in_test: Collection[str]) -> list[str]:
    """A warning where a class is renamed, but not in test."""
    spelled = table["source"].str.split(",").map(lambda codes: "label-spelling" in codes)
    if not (spelled & table["action"].eq("relabel")).any():
        return []
    count = int((spelled & table["sample"].isin(list(in_test))).sum())
    return (
        [
            f"a class is renamed, but not the {count:,} of its samples that are in test: --test "
            "renames them too"
        ]
        if count
        else []
    )


def emptied_classes(table: pd.DataFrame, dataset: Dataset) -> list[str]:
    """A warning for every class that would lose its last sample, if not by relabelling alone,
    which is meant.
    """
    if dataset.task != "classification":
        return []
    labels = dataset.samples["label"]
    before = labels.value_counts()
    changed = table[table["action"].isin(["drop", "relabel"])]
    leaving = labels.iloc[dataset.samples.index.get_indexer(pd.Index(changed["sample"]))]
    dropped = set(leaving[(changed["action"] == "drop").to_numpy()].dropna())
    gone = leaving.value_counts().reindex(before.index)
    arrived = set(changed.loc[changed["action"] == "relabel", "new_label"])
    lost = [
        label
        for label in before.index[(before > 0) & (before == gone)]
        if label in dropped and label not in arrived
    ]
    return [
        f"class {label!r} would be left empty: none of its {before[label]} samples is kept under it"
        for label in sorted(lost)
    ]
