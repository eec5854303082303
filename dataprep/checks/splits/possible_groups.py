"""possible-groups: folders, names and columns that look like groups that nobody named."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from dataprep.checks.contract import Check, Look
from dataprep.probes.groups.choice import PossibleGroups, Relatives, possible_groups
from dataprep.probes.groups.evidence import distinct_pairs, first_relatives

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.schemas.dataset import Dataset

#: Names of groups that a sentence gives.
_NAMED = 3


@dataclass(frozen=True)
class PossibleGroupsCheck(Check):
    """
    What it finds:
        Ways to group the samples that no option names and that the data seem to follow: folders
        below
        the classes (``benign/PATIENT/1.png``), a part of the file names (``P003b_1.jpg``, frame
        ``00012_00007.ppm`` of a track), a column whose values repeat (``lesion_id``), and
        consecutive numbers, as from one session of one camera (``IMG_4467.JPG``). Each with the
        option
        that uses it.
    Why it matters:
        Pictures of one patient, object, video or session are alike in ways that have nothing to do
        with the class. A split that does not know the groups puts some members into training and
        others into test, and inflates the score on test.
    What to do:
        If they are groups, use the option named in the message: audit and split then keep them
        together and report groups that are spread over splits. If they are not, ignore this; they
        have no effect.
    How it works:
        A candidate is told by its form: keys that a few samples share, more of them than classes
        and not one to one with the classes. Names must have a number or a view behind the key that
        other keys have too, or numbers that run within each key; a column must be called as groups
        are. Then pictures are compared: how often the nearest one (by embedding, else by
        thumbnail), copies aside, is of the same group, and how often it would be, were the groups
        drawn anew within the classes. Forms that say little (dates, columns of any name, numbers in
        a row) are told only where the pictures speak for them; the others are left out where 500
        and more embeddings speak against them.
    Known limits:
        Groups that neither names nor columns show are not found. Runs of numbers are cut every ten
        or hundred numbers, which is seldom where a session ends: a few sessions stay torn. Folders
        that are finer classes look like groups, as their pictures are alike too. Keys that are
        words with words behind them (``folder-new``, ``folder-open``) are taken for kinds of
        things.
    Measured quality:
        On 26 sets, of which 13 were looked at once, when the rules were done; by eye: nothing told
        on 18 without groups (CIFAR-10 and its test images, MNIST, Fashion-MNIST, digits of
        scikit-learn, trashnet, tiles, strokes, Oxygen icons, emoji, stamps, and seven sets of
        textures and photographs). Right: the 157 senders of 2,000 photos of clothes by their column
        (the nearest photo is of the same sender for 55 %, 7 % by chance), students behind 2,062
        photos of hands by runs of numbers (46 %, 4 % by chance), frames of videos (59 %, 4 %),
        poses of 137 drawn figures (76 %, 22 %), icons in two sizes, the 25 fonts of 1,975 drawn
        characters. Arguable: the rows of a sheet of handwritten digits. Missed: camera frames among
        other pictures, where fewer than 95 % of the names end in a number.
    """

    code: ClassVar = "possible-groups"
    family: ClassVar = "splits"
    severity: ClassVar = "fact"
    scope: ClassVar = "dataset"
    wants: ClassVar = ("label", "split", "group", "embedding", "thumb")
    looks: ClassVar = True
    suggestion: ClassVar = "none"
    summary: ClassVar = "Possible groups"
    advice: ClassVar = "If these are groups, use the option; if not, there is nothing to do."
    message: ClassVar = "{text}"

    def find(self, dataset: Dataset, look: Look) -> Iterator[pd.DataFrame]:
        """Yield a claim for each way to group, at most three."""
        if len(dataset) < 2:
            return
        unit = look.units()
        neighbours = look.neighbours() if look.features().known.any() else None
        found = possible_groups(
            dataset, unit, Relatives(*first_relatives(dataset, unit, neighbours))
        )
        for each in found:
            torn = torn_now(each.candidate.code, dataset)
            yield self.claims(
                [""],
                figure=float(each.groups),
                unit="groups",
                evidence=_evidence(each, dataset, torn),
            )


def torn_now(code: NDArray[np.int64], dataset: Dataset) -> int | None:
    """Groups that lie in several of the splits that the data have; None where they have none."""
    if not dataset.has("split"):
        return None
    split = np.asarray(
        pd.factorize(
            dataset.samples["split"].astype("str").where(dataset.samples["split"].notna())
        )[0],
        np.int64,
    )
    inside = (code >= 0) & (split >= 0)
    keys, _ = distinct_pairs(code[inside], split[inside])
    return int((np.bincount(keys, minlength=1) > 1).sum())


def _evidence(found: PossibleGroups, dataset: Dataset, torn: int | None) -> dict[str, Any]:
    grouping, alike = found.candidate.grouping, found.likeness
    figures: dict[str, Any] = {
        "by": grouping.by,
        "value": grouping.value,
        "option": grouping.option,
        "kind": found.candidate.kind,
        "groups": found.groups,
        "samples": found.samples,
        "torn_at_random": round(found.torn),
    }
    if torn is not None:
        figures["torn_now"] = torn
    if alike.judged:
        figures |= {
            "nearest_share": round(alike.share, 4),
            "nearest_chance": round(alike.chance, 4),
            "nearest_by": alike.by,
        }
    return figures | {"text": _text(found, _examples(found, dataset), torn)}


def _examples(found: PossibleGroups, dataset: Dataset) -> list[str]:
    keys = np.asarray(found.candidate.grouping.keys(dataset), dtype=object)[found.candidate.several]
    return [str(key) for key in pd.unique(np.sort(keys.astype(str)))[:_NAMED]]


def _text(found: PossibleGroups, examples: list[str], torn: int | None) -> str:
    grouping, alike, groups = found.candidate.grouping, found.likeness, f"{found.groups:,}"
    what = {
        "folder": f"{groups} folders{' below the classes' if found.classes else ''} look like "
        "groups",
        "name": f"{groups} parts of file names look like groups",
        "column": f"{groups} values of the column {grouping.value!r} look like groups",
        "numbers": f"Images with consecutive numbers look alike ({groups} runs of numbers)",
    }[found.candidate.kind]
    named = ", ".join(map(repr, examples)) + (", ..." if found.groups > len(examples) else "")
    size = found.samples / found.groups
    text = f"{what}: {named}; {f'{size:,.1f}'.removesuffix('.0')} images each on average."
    if alike.judged and alike.speaks_for:
        text += (
            f" The nearest image (duplicates excluded) is from the same group for "
            f"{alike.share:.0%} of them, {alike.chance:.1%} by chance."
        )
    if torn is None:
        text += (
            f" A split by single images would separate members of about {found.torn:,.0f} of them."
        )
    else:
        text += f" {torn:,} of them {'is' if torn == 1 else 'are'} in several splits now."
    option = (
        f"--group-column {grouping.value!r}" if grouping.by == "column" else grouping.option
    )  # quoted: anonymised with the rest
    text += f" If each is one patient, object, video or session: {option}"
    of_words = grouping.by == "folder" and not any(
        letter.isdigit() for example in examples for letter in example
    )
    return text + ("; if each is a class of its own: --label-from leaf" if of_words else "")
