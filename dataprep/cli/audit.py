"""``dataprep audit``."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args, get_origin, get_type_hints

import typer

from dataprep.cli.shared import options
from dataprep.cli.shared.inputs import reading_of, with_notes_said
from dataprep.cli.shared.listing import listed_files, print_file, until_closed
from dataprep.cli.shared.options import argument, images, output, panel
from dataprep.cli.shared.outputs import (
    audit_folder,
    flag,
    is_kept,
    refuse_among_images,
    say,
    with_inputs,
)
from dataprep.cli.shared.progress import progress_bar
from dataprep.errors import InputError, OptionError, WorkError
from dataprep.progress import Progress

if TYPE_CHECKING:
    from dataprep.cli.shared.unchanged import Former, LastAudit
    from dataprep.measures.options import PassOptions
    from dataprep.schemas.audit import Audit
    from dataprep.schemas.dataset import Dataset
    from dataprep.schemas.report import ReportPaths

Masks = Literal["leave-out", "keep"]
FailAt = Literal["never", "info", "warning", "error"]

_checks, _embedding, _reading = panel("Checks"), panel("Embeddings"), panel("Reading files")
#: Workers that start while this process loads its libraries; a larger pass starts more.
_EARLY = 8


def _read_configuration(ctx: typer.Context, value: str) -> str:
    """Make the ``[audit]`` table the defaults of the flags that follow."""
    from dataprep.schemas.configuration import read_configuration

    hints = get_type_hints(audit)
    kinds = {
        name: _kind(hints[name])
        for name in hints
        if name not in ("ctx", "config", "path", "setting", "return")
    }
    configuration = read_configuration(value, audit_kinds=kinds)
    ctx.default_map = dict(configuration.audit)
    ctx.obj = configuration
    return value


def _kind(hint: Any) -> type:
    """What a configuration gives for an option of that type: ``list[str] | None`` is a list,
    choices are text.
    """
    inner = (
        next((each for each in get_args(hint) if each is not type(None)), hint)
        if type(None) in get_args(hint)
        else hint
    )
    kind = get_origin(inner) or inner
    return kind if kind in (list, bool, int, float) else str


def audit(
    ctx: typer.Context,
    path: Annotated[str, argument("Folder, fsspec URL or manifest to audit.")] = "",
    manifest: options.Manifest = "",
    files: options.Files = "",
    include: Annotated[list[str] | None, images("Glob of paths to include; repeatable.")] = None,
    exclude: Annotated[list[str] | None, images("Glob of paths to exclude; repeatable.")] = None,
    masks: Annotated[Masks, images("Segmentation masks beside the images.")] = "leave-out",
    reference: Annotated[
        str, images("Folder, URL or manifest to compare with; it is not audited itself.")
    ] = "",
    sample: Annotated[int | None, images("Audit only N random files.", min=1)] = None,
    seed: Annotated[int, images("Random seed.")] = 0,
    path_column: options.PathColumn = "",
    label_column: options.LabelColumn = "",
    split_column: options.SplitColumn = "",
    group_column: options.GroupColumn = "",
    group_by: options.GroupBy = "",
    encoding: options.Encoding = "",
    label_separator: options.LabelSeparator = "",
    label_from: options.LabelFrom = "",
    task: options.Task = "",
    only: Annotated[list[str] | None, _checks("Run only this check; repeatable.")] = None,
    skip: Annotated[list[str] | None, _checks("Skip this check; repeatable.")] = None,
    setting: Annotated[
        list[str] | None, _checks("Option of a check: CHECK.OPTION=VALUE; repeatable.", "--set")
    ] = None,
    known: Annotated[str, _checks("Earlier report.json: report only issues that are new.")] = "",
    ignore: Annotated[str, _checks("CSV list of issues dismissed as false alarms.")] = "",
    fail_at: Annotated[FailAt, _checks("Exit with 1 if an issue is this severe.")] = "never",
    embedder: Annotated[
        str | None,
        _embedding("lite0, onnx:FILE, hf:MODEL or the name of a plug-in; default: lite0."),
    ] = None,
    embedder_size: Annotated[
        int | None, _embedding("Input size in pixels: 128, 160 or 224; default: 160.")
    ] = None,
    device: Annotated[
        options.Device | None,
        _embedding("Where to embed; auto, the default, takes a GPU where there is one."),
    ] = None,
    embeddings: Annotated[
        str, _embedding("Your own embeddings instead: .npy, .npz or Parquet.")
    ] = "",
    probs: Annotated[
        str, _embedding("Your model's class probabilities: predictions_out_of_fold.parquet.")
    ] = "",
    deep: Annotated[
        bool, _embedding("Check labels with networks trained in 5 folds; needs torch.", "--deep")
    ] = False,
    no_embedding: Annotated[
        bool, _embedding("Skip every check that looks at image content.", "--no-embedding")
    ] = False,
    jobs: Annotated[int, _reading("Worker processes; 0 uses every core.")] = 0,
    time_limit: Annotated[float | None, _reading("Seconds that one file may take.")] = None,
    memory_limit: Annotated[int | None, _reading("Megabytes that one worker may use.")] = None,
    max_megapixels: Annotated[float | None, _reading("Do not decode larger images.")] = None,
    no_cache: Annotated[bool, _reading("Neither read nor write the cache.", "--no-cache")] = False,
    verify_cache: Annotated[
        bool, _reading("Read every file again and compare its content.", "--verify-cache")
    ] = False,
    out: Annotated[str, output("Folder for results.")] = "dataprep-out",
    format: options.FormatOption = "table",
    no_thumbnails: Annotated[bool, output("No images in the report.", "--no-thumbnails")] = False,
    anonymise: Annotated[
        bool, output("No images, names, labels or camera data in the report.", "--anonymise")
    ] = False,
    quiet: options.Quiet = False,
    config: Annotated[
        str,
        output(
            "TOML file with options; default: dataprep.toml or pyproject.toml here.",
            callback=_read_configuration,
            is_eager=True,
        ),
    ] = "",
) -> None:
    """Find what is wrong with a folder of images, and write a report.

    Takes class folders (root/CLASS/*), split folders (root/train/CLASS/*), a flat folder, a
    manifest or a list of files. Nothing in the folder is changed. Results go to OUT/audit:
    report.html, report.json, issues.csv, samples.parquet, report.sarif and run.json; the
    probabilities of --deep to OUT/deep. With --format json or csv nothing is written unless --out
    is given.
    """
    from dataprep.backends.capacity import worker_count
    from dataprep.backends.warm import warm_workers
    from dataprep.cli.shared.unchanged import LastAudit

    flags = ctx.params
    passing = _pass_options(ctx.obj.passing, flags)
    early = min(worker_count(passing.jobs), _EARLY)
    with audit_folder(ctx) as folder:
        last = LastAudit(ctx, folder, passing)
        former = last.recall()
        if former is not None:
            _print_unchanged(former, folder, format, quiet)
            raise typer.Exit(int(fail_at in former.fails_at))
        with (
            progress_bar(quiet) as progress,
            warm_workers(early, module="dataprep.measures.decode.decoding"),
            last.watched(),
        ):
            made = _audited(ctx, folder, passing, progress, last)
            paths = _write(made, flags, folder, progress)
        last.keep(made)
        with until_closed():  # the gate holds after a closed pipe too
            _print(paths, format, quiet)
    raise typer.Exit(_exit_code(made, fail_at))


def _print_unchanged(former: Former, folder: str, format: options.Format, quiet: bool) -> None:
    from datetime import datetime

    from dataprep.schemas.report import ReportPaths

    for note in former.notes if quiet else ():
        say(note)
    with until_closed():
        _print(ReportPaths(folder), format, quiet)
    if not quiet:
        when = datetime.fromisoformat(former.finished_at).astimezone()
        say(f"nothing changed since the audit of {when:%Y-%m-%d %H:%M}: its results still hold")


def _audited(
    ctx: typer.Context, folder: str, passing: PassOptions, progress: Progress, last: LastAudit
) -> Audit:
    """The audit, without known issues; faults in what is given are reported before the work."""
    from dataprep.known_issues import without_known
    from dataprep.schemas.files.writing import mark_output

    flags, kept = ctx.params, is_kept(ctx)
    progress("scan", 0, 0, "")
    _refuse_bad_lists(flags, folder)
    _refuse_deep(flags)
    dataset = with_notes_said(_scan(flags)) if flags["quiet"] else _scan(flags)
    dataset = _with_probs(_with_embeddings(dataset, flags), flags)
    if flags["deep"]:
        from dataprep.baselines.deep_labels import refuse_unsuitable

        refuse_unsuitable(dataset)
    if kept:
        refuse_among_images(flags, "audit")
    last.look_at(dataset)
    mark_output(folder)  # a folder that cannot be written is reported before the work, not after
    made = _audit(dataset, flags, passing, ctx.obj.checks, progress)
    made = _deepened(made, flags, kept, progress)
    return with_inputs(without_known(made, ignore=flags["ignore"], known=flags["known"]), flags)


def _scan(flags: Mapping[str, Any]) -> Dataset:
    from dataprep.ingest import scan

    if not (flags["path"] or flags["manifest"] or flags["files"]):
        raise InputError(
            "nothing to audit: give a folder, --manifest FILE or --files LIST. Try: dataprep audit "
            "./images"
        )
    return scan(
        flags["path"] or None,
        manifest=flags["manifest"] or None,
        files=listed_files(flags["files"]) if flags["files"] else None,
        include=flags["include"] or (),
        exclude=flags["exclude"] or (),
        sample=flags["sample"],
        masks=flags["masks"],
        seed=flags["seed"],
        **reading_of(flags),
    )


def _with_embeddings(dataset: Dataset, flags: Mapping[str, Any]) -> Dataset:
    if not flags["embeddings"]:
        return dataset
    for other in ("embedder", "no_embedding"):
        if flags[other]:
            raise OptionError(
                f"--embeddings and {flag(other)} exclude each other: give one of them"
            )
    from dataprep.measures.embedding.precomputed import read_embeddings

    return dataset.with_arrays(embedding=read_embeddings(flags["embeddings"], dataset))


def _with_probs(dataset: Dataset, flags: Mapping[str, Any]) -> Dataset:
    if not flags["probs"]:
        return dataset
    from dataprep.probes.labels.given_probs import with_probs

    return with_probs(dataset, flags["probs"])


def _audit(
    dataset: Dataset,
    flags: Mapping[str, Any],
    passing: PassOptions,
    tables: Mapping[str, Any],
    progress: Progress,
) -> Audit:
    from dataprep.engine import audit as run

    return run(
        dataset,
        only=flags["only"] or (),
        skip=flags["skip"] or (),
        options=_check_options(tables, flags["setting"] or ()),
        pass_options=passing,
        reference=flags["reference"] or None,
        progress=progress,
    )


def _refuse_deep(flags: Mapping[str, Any]) -> None:
    """Say before the work what --deep lacks."""
    from importlib.util import find_spec

    if not flags["deep"]:
        return
    if flags["probs"]:
        raise OptionError(
            "--deep and --probs exclude each other: both say what labels are judged by"
        )
    if find_spec("torch") is None:
        from dataprep.schemas.text.extras import how_to_install

        raise InputError(
            f"--deep trains networks with torch, which is not installed: {how_to_install('train')}"
        )


def _deepened(audit: Audit, flags: Mapping[str, Any], kept: bool, progress: Progress) -> Audit:
    if not flags["deep"]:
        return audit
    from dataprep.baselines.deep_labels import judge_labels

    folder = os.path.join(flags["out"], "deep") if kept else ""
    return judge_labels(audit, keep=folder, say=say, progress=progress)


def _refuse_bad_lists(flags: Mapping[str, Any], folder: str) -> None:
    """Refuse --ignore and --known that cannot be read, and a --known that would be replaced."""
    from dataprep.known_issues import known_ids, read_ignored, report_path
    from dataprep.schemas.report import ReportPaths

    if flags["ignore"]:
        read_ignored(flags["ignore"])
    if flags["known"]:
        known_ids(flags["known"])
        ours = ReportPaths(folder).json
        if os.path.realpath(report_path(flags["known"])) == os.path.realpath(ours):
            raise OptionError(
                f"--known: this run would replace {ours}: keep a copy of it elsewhere, or give "
                "another --out"
            )


def _check_options(
    tables: Mapping[str, Mapping[str, Any]], settings: list[str] | tuple[()]
) -> dict[str, dict[str, Any]]:
    chosen = {code: dict(table) for code, table in tables.items()}
    for setting in settings:
        name, equals, text = setting.partition("=")
        code, dot, option = name.partition(".")
        if not (equals and dot and code and option):
            raise OptionError(
                f"--set: expected CHECK.OPTION=VALUE such as dark.threshold=0.1, got {setting!r}"
            )
        chosen.setdefault(code.strip(), {})[option.strip()] = _value(text.strip())
    return chosen


def _value(text: str) -> Any:
    import tomllib

    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _pass_options(table: Mapping[str, Any], flags: Mapping[str, Any]) -> PassOptions:
    from dataprep.measures.options import PassOptions
    from dataprep.schemas.options import from_mapping

    given = {
        "jobs": flags["jobs"] or None,
        "time_limit_s": flags["time_limit"],
        "memory_limit_mb": flags["memory_limit"],
        "max_megapixels": flags["max_megapixels"],
        "embedder": "" if flags["no_embedding"] else flags["embedder"],
        "embedder_size": flags["embedder_size"],
        "device": flags["device"],
        "cache": False if flags["no_cache"] else None,
        "verify_cache": True if flags["verify_cache"] else None,
    }
    return from_mapping(
        PassOptions,
        {**table, **{name: value for name, value in given.items() if value is not None}},
        "pass",
    )


def _write(audit: Audit, flags: Mapping[str, Any], folder: str, progress: Progress) -> ReportPaths:
    from dataprep.cleaning.completeness import report_beside_previous

    pictures, hidden = not flags["no_thumbnails"], flags["anonymise"]
    return report_beside_previous(
        audit, folder, say, thumbnails=pictures, anonymise=hidden, progress=progress
    )


def _print(paths: ReportPaths, format: options.Format, quiet: bool) -> None:
    if format != "table":
        print_file(paths.json if format == "json" else paths.issues)
        return
    from dataprep.reports.audit.console import print_report

    with open(paths.json, encoding="utf-8") as file:
        print_report(json.load(file), paths, verdict_only=quiet)


def _exit_code(audit: Audit, fail_at: FailAt) -> int:
    if audit.failed:  # what they look for may be there: no gate opens
        for code, reason in audit.failed.items():
            say(f"the check {code} {reason}")
        return WorkError.exit_code
    return int(fail_at != "never" and len(audit.issues.at_least(fail_at)) > 0)
