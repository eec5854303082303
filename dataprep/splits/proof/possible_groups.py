"""Possible groups that were not named as such: whether the parts of a division separate them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dataprep.errors import OptionError
from dataprep.ingest.grouping import Grouping
from dataprep.probes.groups.candidates import codes_of
from dataprep.probes.groups.choice import possible_groups
from dataprep.probes.groups.evidence import distinct_pairs
from dataprep.schemas.issues import evidence_of
from dataprep.schemas.results.proof import PossibleGroup, Proof
from dataprep.schemas.text.words import counted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.schemas.audit import Audit
    from dataprep.splits.inputs import SplitInputs

    Rows = NDArray[np.int64]

_CHECK = "possible-groups"
_WHAT = {
    "folder": ("folder below the classes", "folders below the classes"),
    "name": ("part of a file name", "parts of file names"),
    "column": ("value of {column!r}", "values of {column!r}"),
    "numbers": ("run of numbers", "runs of numbers"),
}


def torn_groups(inputs: SplitInputs, parts: Sequence[Rows]) -> tuple[PossibleGroup, ...]:
    """One entry a candidate for groups: what it is and how many of its groups lie in several parts,
    over all repeats the most.

    Args:
        inputs: what is divided; its audit says what looks like groups.
        parts: (n,) part of each sample by name, of the division and its repeats.
    """
    found = []
    rows = inputs.audit.dataset.samples.index.get_indexer(pd.Index(inputs.units.names))
    for grouping, kind in candidates_of(inputs.audit):
        if grouping.by == "column" and grouping.value in inputs.units.groups:
            continue
        code = codes_of(grouping.keys(inputs.audit.dataset))[rows]
        inside = np.flatnonzero(code >= 0)
        several = np.bincount(code[inside], minlength=1) > 1
        spread = [_spread(code[inside], part[inside]) for part in parts]
        most = max(spread, key=lambda each: int(each.sum()))
        torn = np.flatnonzero(most)
        found.append(
            PossibleGroup(
                kind,
                grouping.by,
                grouping.value,
                _option(grouping),
                int(several.sum()),
                len(torn),
                int(np.isin(code, torn).sum()),
            )
        )
    return tuple(found)


def candidates_of(audit: Audit) -> Iterator[tuple[Grouping, str]]:
    """What looks like groups: as the audit found it; by names and columns alone where it did not
    look and was not told not to.
    """
    ran = {check.code for check in audit.checks} - set(audit.skipped)
    claims = audit.issues.where_check(_CHECK).table["evidence"]
    for text in claims:
        evidence = evidence_of(str(text))
        grouping = _grouping_of(evidence)
        if grouping is not None and (
            grouping.by != "column" or grouping.value in audit.dataset.samples
        ):
            yield grouping, str(evidence["kind"])
    if _CHECK in ran or len(claims) or _CHECK in audit.run.get("options", {}).get("skip", ()):
        return
    unit = np.arange(len(audit.dataset))
    for each in possible_groups(audit.dataset, unit):
        yield each.candidate.grouping, each.candidate.kind


def torn_title(proof: Proof) -> str:
    """What is torn most, for the verdict's title; empty where nothing is."""
    worst = max(proof.possible_groups, key=lambda each: each.torn, default=None)
    if worst is None or not worst.torn:
        return ""
    return (
        f"{worst.torn:,} of {_named(worst, worst.groups)} "
        f"{'lies' if worst.torn == 1 else 'lie'} in several parts"
    )


def torn_sentences(proof: Proof) -> Iterator[str]:
    """For each candidate that is torn: what, how much, and what to do."""
    for each in proof.possible_groups:
        if each.torn:
            of_what = (
                "one session each"
                if each.kind == "numbers"
                else "one patient, object or session each"
            )
            yield (
                f"{counted(each.samples, 'sample')} in {_named(each, each.torn)} may belong "
                f"together ({of_what}) "
                f"and lie in several parts. If so, this split leaks; {each.option} keeps them "
                "together."
            )


def candidate_lines(proof: Proof) -> list[str]:
    """One line for each candidate that is torn."""
    return [
        f"{_named(each, each.groups)}: {each.torn:,} in several parts; {each.option} keeps them "
        "together"
        for each in proof.possible_groups
        if each.torn
    ]


def _grouping_of(evidence: Mapping[str, Any]) -> Grouping | None:
    """The grouping that a claim tells; None where the claim was anonymised or is damaged."""
    by, value = evidence.get("by"), str(evidence.get("value", ""))
    if evidence.get("kind") not in _WHAT or by not in ("folder", "name", "regex", "column"):
        return None
    if by == "column":
        return Grouping("column", value)
    try:
        return Grouping.parse(value if by == "regex" else str(by))
    except OptionError:
        return None


def _named(each: PossibleGroup, count: int) -> str:
    one, many = _WHAT[each.kind]
    return f"{count:,} " + (one if count == 1 else many).format(column=each.value)


def _option(grouping: Grouping) -> str:
    return grouping.option.replace("--group-column", "--group")


def _spread(code: Rows, part: Rows) -> NDArray[np.bool_]:
    """(groups,) whether each group lies in several parts."""
    return np.asarray(np.bincount(distinct_pairs(code, part)[0], minlength=1) > 1, bool)
