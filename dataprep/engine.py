"""audit(): the union of the checks' needs, one pass over the files, every check on the same
table.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from dataprep import registry
from dataprep.backends.blas import one_blas_thread
from dataprep.backends.warm import warm_workers
from dataprep.checks.contract import Check
from dataprep.checks.memory import memory_of
from dataprep.checks.second_look import LOOK_COLUMNS, SecondLook
from dataprep.checks.user_checks import checked_batch, own_checks
from dataprep.errors import OptionError
from dataprep.ingest import scan
from dataprep.ingest.memory.scanning import Labels
from dataprep.ingest.scanning import Source
from dataprep.measures.decode_pass import measure
from dataprep.measures.known import is_known
from dataprep.measures.options import PassOptions
from dataprep.measures.rows import ALWAYS
from dataprep.progress import Progress, ProgressOption, StageClock, shown
from dataprep.schemas.audit import FAILED, Audit
from dataprep.schemas.columns import GIVEN
from dataprep.schemas.dataset import Dataset
from dataprep.schemas.issues import Issues
from dataprep.schemas.options import did_you_mean
from dataprep.schemas.run import run_record

if TYPE_CHECKING:
    import pandas as pd

    from dataprep.checks.memory import Memory

_GIVEN = frozenset(column.name for column in GIVEN)


def audit(
    source: Dataset | Source,
    *,
    only: Collection[str] = (),
    skip: Collection[str] = (),
    options: Mapping[str, Mapping[str, Any]] | None = None,
    pass_options: PassOptions | None = None,
    reference: Dataset | str | os.PathLike[str] | None = None,
    progress: ProgressOption = "auto",
    labels: Labels | None = None,
    checks: Iterable[Check | type[Check]] = (),
) -> Audit:
    """Measure every file of `source` once and run every check.

    Args:
        source: a Dataset, or what `dataprep.scan` takes: a folder, an fsspec URL, a manifest, a
            list of files; a DataFrame; images in memory, a Hugging Face or torch data set.
        only: codes of the checks to run; empty means all.
        skip: codes of checks to leave out.
        options: check code to its options: ``{"dark": {"threshold": 0.1}}``.
        pass_options: how files are read and decoded; see `PassOptions`.
        reference: data that this is compared with (distribution-mismatch): measured alike, but not
            audited.
        progress: called with (stage, done, total, note) now and then, in this thread; "auto" shows
            a bar in a notebook and on a terminal, None nothing.
        labels: of images in memory: one for each in order, or a mapping from name to label.
        checks: of one's own, run after the registered ones: instances, or classes that `options`
            are for.

    Returns:
        The Audit. A check that cannot look is named in `Audit.skipped` with its reason; one that
        ends in an error is also in `Audit.failed`, and costs no other check its findings.

    Raises:
        InputError: the source or the reference cannot be read.
        OptionError: an unknown check or option, a value out of range, or a check of one's own that
            is none.
        WorkersLost: no worker process could be started.

    Example:
        >>> import dataprep
        >>> audit = dataprep.audit("sample_data/shapes/val", only=["border"])
        >>> audit.issues.table[["target", "severity", "figure"]].round(2).values.tolist()
        [['fruit/fruit-009.jpg', 'info', 0.41]]
    """
    chosen = make_checks(only, skip, options or {}, checks)
    pass_options = _checked(pass_options or PassOptions())
    if isinstance(source, Dataset) and labels is not None:
        raise OptionError("option labels: a Dataset has its labels already")
    with shown(progress) as callback:
        look, dataset, issues, skipped, clock = _run(
            source, labels, reference, chosen, bool(only), pass_options, callback
        )
    given = {
        "only": sorted(only),
        "skip": sorted(skip),
        "checks": {c.code: asdict(c) for c in chosen},
        "pass": asdict(pass_options),
    }
    if look.compared_with is not None:
        given["reference"] = look.compared_with.fingerprint
    return Audit(
        dataset,
        issues,
        skipped,
        tuple(chosen),
        run_record("audit", dataset, given, clock.seconds),
        look.neighbourhood(),
    )


def _run(
    source: Dataset | Source,
    labels: Labels | None,
    reference: Dataset | str | os.PathLike[str] | None,
    chosen: list[Check],
    some: bool,
    pass_options: PassOptions,
    progress: Progress | None,
) -> tuple[SecondLook, Dataset, Issues, dict[str, str], StageClock]:
    """What was worked out for checks, the measured data set, its issues, what was skipped, and the
    time that it took.
    """
    clock = StageClock(progress)
    clock.start("scan")
    dataset = source if isinstance(source, Dataset) else scan(source, labels=labels)
    compared = reference if isinstance(reference, Dataset | None) else scan(reference)
    clock.start("measure")
    columns = _columns_of(chosen) if some else None
    with warm_workers():
        own_vectors = dataset.has("embedding")
        given = dataset
        dataset = _measured(dataset, columns, chosen, pass_options, clock)
        if compared is not None:
            clock.start("reference")
            embedder = (
                "" if own_vectors else pass_options.embedder
            )  # vectors of two embedders cannot be compared
            compared = measure(
                compared, columns, replace(pass_options, embedder=embedder), clock.report
            )
        clock.start("check")
        memory = memory_of(dataset, pass_options, compared)
        look = SecondLook(
            dataset, pass_options, clock.report, compared_with=compared, memory=memory
        )
        issues, skipped = run_checks(chosen, dataset, look, clock, memory)
        if memory is not None:
            memory.close()
    clock.start("")
    dataset = dataset if columns is None else _with_columns(dataset, {*columns, *ALWAYS}, given)
    return look, dataset, issues, skipped, clock


def _columns_of(checks: list[Check]) -> list[str]:
    """The measured columns that some checks read."""
    names = {name for check in checks for name in (*check.needs, *check.wants)}
    if any(check.looks for check in checks):
        names.update(LOOK_COLUMNS)
    return sorted(names - _GIVEN)


def _measured(
    dataset: Dataset,
    columns: Collection[str] | None,
    chosen: list[Check],
    options: PassOptions,
    clock: StageClock,
) -> Dataset:
    """The data set with at least `columns`.

    Where an earlier audit has measured all columns, it gets all: what that audit worked out of them
    is remembered, and nothing is decoded again.
    """
    if columns is None or not is_known(dataset, options):
        return measure(dataset, columns, options, clock.report)
    if "embedding" not in columns and not any(check.looks for check in chosen):
        options = replace(options, embedder="")
    return measure(dataset, None, options, clock.report)


def _with_columns(dataset: Dataset, columns: Collection[str], given: Dataset) -> Dataset:
    """Without the measured columns and arrays that are not among `columns` and were not `given`."""
    samples = dataset.samples
    kept = [name for name in samples if name in columns or name in given.samples]
    arrays = {
        name: array
        for name, array in dataset.arrays.items()
        if name in columns or name in given.arrays
    }
    return replace(dataset, samples=samples[kept], arrays=arrays)


def make_checks(
    only: Collection[str] = (),
    skip: Collection[str] = (),
    options: Mapping[str, Mapping[str, Any]] | None = None,
    own: Iterable[Check | type[Check]] = (),
) -> list[Check]:
    """The registered checks with their options, in registry order, and after them a caller's own.

    Raises:
        OptionError: an unknown code or option, or a value out of range.
    """
    registered = registry.names("dataprep.checks")
    options = options or {}
    for name, codes in (("only", only), ("skip", skip)):
        if isinstance(codes, str):
            raise OptionError(
                f"option {name}: expected a list of codes, got text: {name}=[{codes!r}]"
            )
    for code, given in options.items():
        if not isinstance(given, Mapping):
            raise OptionError(
                f"options of {code}: expected a mapping such as {{'threshold': 0.1}}, got {given!r}"
            )
    owned = {check.code: check for check in own_checks(own, registered, options)}
    known = [*registered, *owned]
    for code in (*only, *skip, *options):
        if code not in known:
            raise OptionError(f"no check is called {code!r}. {did_you_mean(code, known)}")
    wanted = [code for code in known if (not only or code in only) and code not in skip]
    return [
        owned.get(code)
        or registry.load("dataprep.checks", code).from_options(options.get(code, {}))
        for code in wanted
    ]


def _checked(options: PassOptions) -> PassOptions:
    if not isinstance(options, PassOptions):
        raise OptionError(
            f"option pass_options: expected dataprep.PassOptions(jobs=1, ...), got {options!r}"
        )
    return options


def run_checks(
    checks: Iterable[Check],
    dataset: Dataset,
    look: SecondLook,
    clock: StageClock | None = None,
    memory: Memory | None = None,
) -> tuple[Issues, dict[str, str]]:
    """Every check's claims about a measured data set, and code to reason for those that could
    not look; what `memory` knows is not looked for again.
    """
    skipped: dict[str, str] = {}
    run = list(checks)
    with one_blas_thread():
        issues = Issues.collect(
            _batches(run, dataset, look, skipped, clock or StageClock(), memory)
        )
    return replace(issues, codes=tuple(check.code for check in run)), skipped


def _batches(
    checks: Iterable[Check],
    dataset: Dataset,
    look: SecondLook,
    skipped: dict[str, str],
    clock: StageClock,
    memory: Memory | None,
) -> Iterator[pd.DataFrame]:
    for check in checks:
        clock.start(f"check:{check.code}")
        try:
            missing = check.lacks(dataset, look)
            if missing:
                skipped[check.code] = _why_missing(missing, dataset)
            else:
                yield from _claims(check, dataset, look, memory)
        except (
            Exception
        ) as error:  # a broken plug-in must not cost the user every other check's findings
            skipped[check.code] = f"{FAILED}: {type(error).__name__}: {error}"


def _claims(
    check: Check, dataset: Dataset, look: SecondLook, memory: Memory | None
) -> list[pd.DataFrame]:
    def find() -> list[pd.DataFrame]:
        return list(map(checked_batch, check.find(dataset, look)))

    return find() if memory is None else memory.claims(check, find)


def _why_missing(missing: list[str], dataset: Dataset) -> str:
    given = [need for need in missing if need in _GIVEN]
    if given:
        return "needs " + " and ".join(f"{need}s" for need in given)
    if not len(dataset):
        return "no samples"
    if not dataset.readable.any():
        return "no image could be measured"
    if missing == ["embedding"]:
        return "needs embeddings, which this run did not compute"
    if " " in missing[0]:  # what a check says in words
        return f"needs {missing[0]}"
    return f"no image has the property {missing[0]}"
