"""What ``dataprep augment`` makes: the policy, its reasons, its safety and its pictures, and the
files they are kept in.
"""

from __future__ import annotations

import json
import os
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dataprep.augment.choice import Choice, choose_policy
from dataprep.augment.page import render_page
from dataprep.augment.policies import POLICIES, Policy
from dataprep.augment.policies import policy as policy_called
from dataprep.augment.preview import preview
from dataprep.augment.probe import AugmentationProbe, options_of
from dataprep.augment.strength import Safety, safety_report
from dataprep.cleaning import read_audit
from dataprep.cleaning.completeness import what_is_lacking
from dataprep.errors import InputError
from dataprep.progress import Progress
from dataprep.schemas.audit import Audit
from dataprep.schemas.files.writing import mark_output, write_together
from dataprep.schemas.run import run_record
from dataprep.schemas.split import SAMPLES

if TYPE_CHECKING:
    from dataprep.measures.options import PassOptions
    from dataprep.schemas.dataset import Dataset
    from dataprep.schemas.split import Split
#: What it consists of.
_FILES = ("policy.yaml", "preview.png", "augment.html", "safety.json", "run.json")


@dataclass(frozen=True)
class Augmentation:
    """A policy for a data set, why it fits, what it does, and how it looks.

    Attributes:
        policy: the policy.
        reasons: why, in sentences.
        safety: what it does to the data, perhaps beside the other policies; None where there are no
            embeddings.
        pictures: PNG file of the preview.
        root: folder of the images.
        run: everything that shaped the result.
    """

    policy: Policy
    reasons: tuple[str, ...]
    safety: Safety | None
    pictures: bytes
    root: str
    run: Mapping[str, Any] = field(default_factory=dict)


def last_source(out: str | os.PathLike[str]) -> tuple[Split | Audit, Audit | None]:
    """The split in ``OUT/split``, or else the audit in ``OUT/audit``; and the audit that the split
    was made from, if it is there.

    An audit of other data than the split is left aside, with a warning: what it claims is not about
    these images.

    Raises:
        InputError: there is neither. FingerprintError: files that do not belong together.
    """
    place = os.path.join(os.fspath(out), "audit")
    audit = read_audit(place) if os.path.isdir(place) else None
    folder = os.path.join(os.fspath(out), "split")
    if os.path.isfile(os.path.join(folder, SAMPLES)):
        from dataprep.splits.records import made_from, read_split
        from dataprep.splits.units import COPIES

        split = read_split(folder)
        if audit is not None and not made_from(split, audit):
            warnings.warn(
                f"the audit in {place} is of other data than the split in {folder}, and was not "
                "used",
                stacklevel=2,
            )
            audit = None
        lacking = "" if audit is None else what_is_lacking(audit.run, COPIES)
        if lacking:
            warnings.warn(
                f"the audit in {place} is not enough, and was not used: {lacking}", stacklevel=2
            )
            audit = None
        return split, audit
    if audit is None:
        raise InputError(
            f"expected a split or an audit in {os.fspath(out)}: run dataprep audit PATH, then "
            "dataprep split"
        )
    return audit, audit


def prepare(
    source: Audit | Split | Dataset,
    policy: str | Policy = "auto",
    *,
    audit: Audit | None = None,
    part: str = "train",
    fold: str | int | None = None,
    seed: int = 0,
    all_pictures: bool = False,
    all_policies: bool = False,
    options: PassOptions | None = None,
    progress: Progress | None = None,
) -> Augmentation:
    """Choose a policy (or take the one that is named), measure what it does and draw it.

    Args:
        source: an audit, a split or a measured data set.
        policy: "auto", a name of `POLICIES`, a file that ends in .yaml, or a Policy.
        audit: whose claims are heard; by default `source`, if it is one.
        part: the part for training, as for `dataprep.fit_normaliser`.
        fold: for k folds: look at all but this one.
        seed: of the changes.
        all_pictures: draw all policies beside it.
        all_policies: measure all policies beside it.
        options: how files are read and embedded; by default as they were in the audit.
        progress: called with (stage, done, total, note).

    Raises:
        OptionError: no such policy, or albumentations is not installed. InputError: a file or data
            that cannot be used, or parts of which none is for training.
    """
    start = time.perf_counter()
    named = policy_called(policy) if isinstance(policy, str) and policy != "auto" else policy
    audit = source if isinstance(source, Audit) else audit
    options = options or options_of(audit or source)
    probe = AugmentationProbe(source, part=part, fold=fold, options=options, progress=progress)
    if isinstance(named, Policy):
        choice = Choice(named, ("it was asked for",))
    else:
        choice = choose_policy(probe, audit=audit, progress=progress)
    chosen, reasons, safety = choice.policy, choice.reasons, choice.safety
    others = [each for each in POLICIES.values() if each.name != chosen.name]
    if probe.sees and (safety is None or all_policies):
        safety = safety_report(
            probe, [chosen, *others] if all_policies else [chosen], seed=seed, progress=progress
        )
        if isinstance(named, Policy):
            reasons = (*reasons, safety.verdict(chosen.name))
    pictures = preview(
        probe,
        [chosen, *others] if all_pictures else [chosen],
        rows=4 if all_pictures else 8,
        seed=seed,
    )
    given = {
        "policy": chosen.name,
        "asked": policy if isinstance(policy, str) else policy.name,
        "seed": seed,
    }
    given |= {"part": part, "fold": "" if fold is None else str(fold)}
    run = run_record("augment", probe.dataset, given, {"augment": time.perf_counter() - start})
    return Augmentation(chosen, tuple(reasons), safety, pictures, probe.dataset.root, run)


def write_augmentation(made: Augmentation, folder: str | os.PathLike[str]) -> str:
    """Write policy.yaml, preview.png, augment.html, safety.json and run.json into `folder`, all or
    none; returns it.

    Raises:
        OutputError: the folder cannot be written.
    """
    folder = os.fspath(folder)
    page = render_page(made.policy, made.reasons, made.safety, made.pictures, made.root)
    safety = {} if made.safety is None else made.safety.to_dict()
    record = {"policy": made.policy.name, "reasons": list(made.reasons), **safety}
    mark_output(folder)
    with write_together(folder, owns=_FILES) as opened:
        opened("policy.yaml").write(made.policy.to_yaml().encode())
        opened("preview.png").write(made.pictures)
        opened("augment.html").write(page.encode())
        opened("safety.json").write(_json(record))
        opened("run.json").write(_json(made.run))
    return folder


def _json(content: Mapping[str, Any]) -> bytes:
    return (json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()
