"""Groups of copies: which member is kept, and which are dropped."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from dataprep.neighbours.components import connect

if TYPE_CHECKING:
    from dataprep.cleaning.guards import SampleFacts

Pair = tuple[str, str]


@dataclass
class Settled:
    """What becomes of groups of copies.

    Attributes:
        kept: dropped sample to the one that stays for it.
        left: sample that would be dropped, were it not in test, to the one that it is a copy of.
        doubtful: copies that are not dropped, and why: their labels differ, or the one that stays
            has none, so that dropping one would quietly decide which label is right; or another
            file has the same name, as a mask has its picture's.
    """

    kept: dict[str, str] = field(default_factory=dict)
    left: dict[str, str] = field(default_factory=dict)
    doubtful: dict[str, str] = field(default_factory=dict)

    def stands_for(self, sample: str) -> str:
        """The sample that stays for this one: itself unless it is dropped."""
        while sample in self.kept:
            sample = self.kept[sample]
        return sample


def settle(
    rounds: Sequence[Iterable[Pair]],
    facts: SampleFacts,
    *,
    useless: Collection[str],
    undecided: Collection[str],
) -> Settled:
    """Keep one sample of each group of copies.

    Of a group, a member in test stays before any other, then one that has a label, then one beside
    which there is another file of its name, then one whose label is not in doubt, then one in
    another part than train, then the one that the check keeps.

    Args:
        rounds: (copy, what it is a copy of), surest kind first: the groups of a later round are
            made of what the earlier left, and were asked for, so that files of the same name are no
            hindrance in them.
        facts: labels and parts.
        useless: samples that are dropped for a fault of their own, or give no pixels: no other
            sample is dropped for them.
        undecided: samples whose label is in doubt; they are not dropped as copies.
    """
    done = Settled()
    for number, pairs in enumerate(rounds):
        by_name = facts.beside if number == 0 else {}
        left = [(done.stands_for(a), done.stands_for(b)) for a, b in pairs]
        left = [(a, b) for a, b in left if a != b]
        copies = {a for a, _ in left}
        for group in connected(left):
            _settle(
                done,
                group - set(useless),
                copies,
                replace(facts, beside=by_name),
                {*undecided, *done.doubtful},
            )
    return done


def _settle(
    done: Settled,
    group: set[str],
    copies: Collection[str],
    facts: SampleFacts,
    undecided: Collection[str],
) -> None:
    if len(group) < 2:
        return
    labels = {facts.labels.get(member, "") for member in group} - {""}
    if len(labels) > 1:
        done.doubtful |= dict.fromkeys(group, "its copies have other labels")
        return

    alone = {member for member in group if not facts.beside.get(member, frozenset()) - group}

    def key(member: str) -> tuple[bool, bool, bool, bool, int, bool, str]:
        known, rank = bool(facts.labels.get(member)), facts.rank(member)
        return (
            rank != 0,
            not known,
            member in alone,
            member in undecided,
            rank,
            member in copies,
            member,
        )

    stays = min(group, key=key)
    for member in sorted(group - {stays} - set(undecided)):
        if facts.is_protected(member):
            done.left[member] = stays
        elif facts.labels.get(member) and not facts.labels.get(stays):
            done.doubtful[member] = "the copy that stays has no label"
        elif member not in alone:
            done.doubtful[member] = "another file has its name, and may belong to it"
        else:
            done.kept[member] = stays


def connected(pairs: Iterable[Pair]) -> list[set[str]]:
    """Groups of samples joined by pairs."""
    pairs = list(pairs)
    names = list(dict.fromkeys(name for pair in pairs for name in pair))
    row = {name: number for number, name in enumerate(names)}
    a, b = (np.array([row[pair[side]] for pair in pairs], dtype=np.int64) for side in (0, 1))
    groups: dict[int, set[str]] = {}
    for name, first in zip(names, connect(len(names), a, b).tolist(), strict=True):
        groups.setdefault(first, set()).add(name)
    return list(groups.values())
