"""split(): a data set into parts that share no copies and no groups, with the proof."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from dataprep.cleaning import read_plan
from dataprep.errors import OptionError
from dataprep.progress import Progress
from dataprep.schemas.results.records import as_json
from dataprep.schemas.run import run_record
from dataprep.schemas.split import Split
from dataprep.splits.inputs import SplitInputs, collect_inputs, with_parts
from dataprep.splits.proof.proving import prove
from dataprep.splits.requests import (
    EXTERNAL,
    Ratios,
    Request,
    fold_names,
    read_external,
    read_ratios,
)
from dataprep.splits.solver.division import (
    Division,
    divide_by_time,
    groups_apart,
    problem_of,
    refuse_too_few,
)
from dataprep.splits.solver.solving import solve
from dataprep.splits.sources import audit_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.schemas.audit import Audit
    from dataprep.schemas.dataset import Dataset
    from dataprep.schemas.plan import Plan
    from dataprep.schemas.results.proof import Changed
    from dataprep.splits.features import Features

    Rows = NDArray[np.int64]


def split(
    source: Audit | Dataset | str | os.PathLike[str] | Iterable[str],
    *,
    ratios: Ratios | None = None,
    folds: int = 0,
    repeats: int = 1,
    leave_one_group_out: bool = False,
    group: str | Sequence[str] = (),
    external: str | Sequence[str | tuple[str, str]] = (),
    time_column: str = "",
    day_first: bool | None = None,
    balance: str | Sequence[str] = (),
    seed: int = 0,
    keep_similar: bool = True,
    keep_unlabelled: bool = False,
    plan: Plan | str | os.PathLike[str] | None = None,
    tests: bool = True,
    progress: Progress | None = None,
) -> Split:
    """Divide a data set so that what belongs together stays together, and every part has the same
    mix of labels.

    Exact and near duplicates, images that look alike, and samples of one group stay together; where
    several of these overlap, all that hangs together does. The same samples, options and seed give
    the same parts, whatever the order of the files.

    Args:
        source: an Audit, the folder of one, or what `dataprep.audit` takes (it is audited first).
        ratios: ``"train=0.7,val=0.15,test=0.15"`` (the default) or a mapping; numbers of samples
            instead of shares: ``"test=500"``, where "train", or the part that is given ``rest``,
            takes what is left.
        folds: make so many folds (``fold1``, ...) instead.
        repeats: divide so many times (``split``, ``split_2``, ...), each another way unless units
            are so few that notes say so.
        leave_one_group_out: make every group a fold of its own.
        group: columns of what belongs together: patient, video, sender; ``group`` counts without
            being named.
        external: ``"site=B"``, several: rows that go to the part "external", for validation
            elsewhere.
        time_column: parts (train, val, test) follow each other in the order of this column:
            numbers, Unix time, or dates as in ISO 8601, EXIF (2024:05:01 12:30:00) or letters. A
            unit is where its last member is; nothing is balanced then.
        day_first: whether 01/02/2023 is the first of February; None takes the reading that fits all
            rows.
        balance: columns whose values every part should have in the same proportion; of numbers,
            five quantiles. Measured ones too: ``brightness`` means ``luma_mean``.
        seed: another one gives another division of the same quality.
        keep_similar: keep images together that look alike without being copies (`similar-images`).
        keep_unlabelled: keep samples without a label though others have one.
        plan: what to drop and relabel first: a Plan, or its folder or file.
        tests: test whether the parts differ in labels, measured properties and embedding.
        progress: called with (stage, done, total, note) now and then.

    Raises:
        InputError: nothing to divide, or a source that cannot be read.
        OptionError: ratios that come to something else than everything, options that contradict
            each other, an unknown column or value, fewer units than parts, dates in `time_column`
            that two readings fit.
        FingerprintError: a plan for other data.

    Example:
        >>> import dataprep
        >>> audit = dataprep.audit("sample_data/shapes/val", only=["exact-duplicate"])
        >>> divided = dataprep.split(audit, ratios={"train": 20, "test": 9}, tests=False)
        >>> divided
        Split(train: 20, test: 9)
        >>> divided.dataset.samples["split"].value_counts().to_dict()
        {'train': 20, 'test': 9}
    """
    started = time.perf_counter()
    request = request_of(
        ratios=ratios,
        folds=folds,
        repeats=repeats,
        leave_one_group_out=leave_one_group_out,
        group=group,
        external=external,
        time_column=time_column,
        day_first=day_first,
        balance=balance,
        seed=seed,
        keep_similar=keep_similar,
        keep_unlabelled=keep_unlabelled,
    )
    audit = audit_of(source, progress)
    say = progress or (lambda stage, done, total, note: None)
    say("split", 0, 0, "")
    inputs = collect_inputs(audit, request, plan_of(plan, audit))
    division = divide(inputs)
    say("prove", 0, 0, "")
    return finished(inputs, division, tests=tests, seconds=time.perf_counter() - started)


def request_of(
    *,
    ratios: Ratios | None,
    folds: int,
    leave_one_group_out: bool,
    group: str | Sequence[str],
    external: str | Sequence[str | tuple[str, str]],
    balance: str | Sequence[str],
    **others: Any,
) -> Request:
    """The request from the options of `split`, checked."""
    parts, sizes, mode = read_ratios(ratios)
    if folds and ratios is None:
        parts, sizes, mode = fold_names(folds), (1 / folds,) * folds, "ratios"
    elif (folds or leave_one_group_out) and ratios is not None:
        raise OptionError(
            f"ratios and {'folds' if folds else 'leave_one_group_out'} exclude each other: give "
            "one of them"
        )
    return Request(
        parts,
        sizes,
        mode,
        folds=folds,
        leave_one_group_out=leave_one_group_out,
        groups=_names(group),
        external=read_external(external),
        balance=_names(balance),
        **others,
    )


def _names(given: str | Sequence[str]) -> tuple[str, ...]:
    pieces = (
        given.split(",")
        if isinstance(given, str)
        else [name for each in given for name in each.split(",")]
    )
    return tuple(dict.fromkeys(name.strip() for name in pieces if name.strip()))


def plan_of(plan: Plan | str | os.PathLike[str] | None, audit: Audit) -> Plan | None:
    """The plan, read if it is on disk."""
    return read_plan(plan, audit.dataset) if isinstance(plan, str | os.PathLike) else plan


def divide(inputs: SplitInputs) -> Division:
    """The parts of `inputs` as its request wants them."""
    request, inside = inputs.request, ~inputs.external
    if request.leave_one_group_out:
        division = _groups_apart(inputs, inside)
    elif request.time_column:
        division = _by_time(inputs, inside)
    else:
        division = _searched(inputs, inside)
    return division if not request.external else _with_external(division, inputs)


def _searched(inputs: SplitInputs, inside: NDArray[np.bool_]) -> Division:
    request = inputs.request
    targets = request.targets(int(inside.sum()))
    parts = [
        searched_part(inputs, inside, request.parts, targets, seeds=(request.seed, repeat))
        for repeat in range(request.repeats)
    ]
    return Division(
        request.parts, parts[0], tuple(targets), tuple(parts[1:]), notes=tuple(_same_again(parts))
    )


def _same_again(parts: Sequence[Rows]) -> list[str]:
    """A note where repeats part the samples alike: the same samples are together, whatever the
    names of their parts.
    """
    seen = set()
    for part in parts:
        _, first, inverse = np.unique(part, return_index=True, return_inverse=True)
        seen.add(first[inverse].tobytes())
    if len(seen) == len(parts):
        return []
    return [
        f"Of {len(parts)} divisions {len(seen)} {'is' if len(seen) == 1 else 'are'} different; the "
        "others have the same samples "
        "together, under other names of parts at most: with so few units there is no other one "
        "that is as good."
    ]


def searched_part(
    inputs: SplitInputs,
    inside: NDArray[np.bool_],
    parts: Sequence[str],
    targets: Sequence[float],
    *,
    seeds: tuple[int, int],
) -> Rows:
    """(n,) part of each sample inside, as the solver divides their units; -1 outside."""
    numbers, first, unit = np.unique(
        inputs.units.unit[inside], return_index=True, return_inverse=True
    )
    refuse_too_few(len(numbers), len(parts))
    names = inputs.units.names[inside][first]
    problem, places = problem_of(
        unit, names, features_inside(inputs, inside), parts, targets, seeds=seeds
    )
    found = solve(problem, seed=seeds[0] * 1000 + seeds[1])
    part = np.full(len(inside), -1)
    part[inside] = found[places]
    return part


def features_inside(inputs: SplitInputs, inside: NDArray[np.bool_]) -> Features:
    """The features of the samples inside, as rows among these."""
    features = inputs.features
    if inside.all():
        return features
    kept = inside[features.rows]
    rows = (np.cumsum(inside) - 1)[features.rows[kept]]
    return replace(
        features, rows=rows, features=features.features[kept], classes=features.classes[inside]
    )


def _groups_apart(inputs: SplitInputs, inside: NDArray[np.bool_]) -> Division:
    holds, fold = groups_apart(inputs.units, inputs.dataset, inputs.external)
    if (fold[inside] < 0).any():
        raise OptionError(
            f"leave_one_group_out: {int((fold[inside] < 0).sum()):,} samples are in no group: give "
            "them one, or drop them"
        )
    parts = fold_names(len(holds))
    return Division(
        parts, np.where(inside, fold, -1), (np.nan,) * len(parts), holds=tuple(holds), by_rule=True
    )


def _by_time(inputs: SplitInputs, inside: NDArray[np.bool_]) -> Division:
    assert inputs.times is not None
    request = inputs.request
    targets = request.targets(int(inside.sum()))
    _, unit = np.unique(inputs.units.unit[inside], return_inverse=True)
    refuse_too_few(int(unit.max()) + 1, len(request.parts))
    parts, older = divide_by_time(unit, inputs.times[inside], targets, request.parts)
    part = np.full(len(inside), -1)
    part[inside] = parts[unit]
    notes = [
        f"Parts follow each other in the order of {request.time_column!r}; the mix of labels is "
        "what time makes it."
    ]
    if older:
        notes.append(
            f"{older:,} samples are older than the newest sample of an earlier part: they are with "
            "what they belong to, "
            "which sits where its last member is."
        )
    return Division(request.parts, part, tuple(targets), notes=tuple(notes), by_rule=True)


def _with_external(division: Division, inputs: SplitInputs) -> Division:
    number = len(division.parts)
    size = float(inputs.external.sum())
    fill: Callable[[Rows], Rows] = lambda part: np.where(inputs.external, number, part)  # noqa: E731
    return replace(
        division,
        parts=(*division.parts, EXTERNAL),
        part=fill(division.part),
        targets=(*division.targets, size),
        repeats=tuple(fill(part) for part in division.repeats),
        apart=(*division.apart, EXTERNAL),
        holds=(*division.holds, " or ".join(f"{c}={v}" for c, v in inputs.request.external))
        if division.holds
        else (),
    )


def finished(
    inputs: SplitInputs,
    division: Division,
    *,
    tests: bool,
    seconds: float,
    changed: Changed | None = None,
) -> Split:
    """The Split of a division, with its proof and the record of the run; `changed` says what was
    done to an earlier one.
    """
    dataset = with_parts(inputs, division.parts, division.part, division.repeats)
    proof = replace(
        prove(inputs, division, tests=tests), fingerprint=dataset.fingerprint, changed=changed
    )
    options = {**as_json(proof.asked), "tests": tests}
    record = run_record("split", dataset, options, {"split": seconds})
    fingerprint = inputs.audit.run.get("fingerprint") or inputs.audit.dataset.fingerprint
    audited = {"audit": {"fingerprint": fingerprint, "samples": len(inputs.audit.dataset)}}
    passing = inputs.audit.run.get("options", {}).get("pass")
    return Split(dataset, proof, record | audited | ({"pass": passing} if passing else {}))
