"""``dataprep audit``."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args, get_origin, get_type_hints

import typer

from dataprep.cli.shared import inputs
from dataprep.cli.shared.inputs import reading_of, with_notes_said
from dataprep.cli.shared.listing import listed_files, silence_stdout
from dataprep.cli.shared.outputs import audit_folder, is_kept, refuse_among_images, say, with_inputs
from dataprep.cli.shared.progress import progress_bar
from dataprep.errors import InputError, OptionError, WorkError

if TYPE_CHECKING:
    from dataprep.measures.options import PassOptions
    from dataprep.schemas.audit import Audit
    from dataprep.schemas.dataset import Dataset
    from dataprep.schemas.report import ReportPaths

Format = Literal["table", "json", "csv"]
Masks = Literal["leave-out", "keep"]
FailAt = Literal["never", "info", "warning", "error"]

_INPUT, _CHECKS, _EMBEDDING, _PASS, _OUTPUT = (
    "Input",
    "Checks",
    "Embedding",
    "Reading files",
    "Output",
)
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
    path: Annotated[
        str, typer.Argument(help="Folder, fsspec URL or manifest to audit.", show_default=False)
    ] = "",
    manifest: Annotated[
        str,
        typer.Option(help="CSV, Parquet or JSONL that lists the files.", rich_help_panel=_INPUT),
    ] = "",
    files: Annotated[
        str,
        typer.Option(help="Text file with one path a line; - reads stdin.", rich_help_panel=_INPUT),
    ] = "",
    path_column: inputs.PathColumn = "",
    label_column: inputs.LabelColumn = "",
    split_column: inputs.SplitColumn = "",
    group_column: inputs.GroupColumn = "",
    group_by: inputs.GroupBy = "",
    encoding: inputs.Encoding = "",
    label_separator: inputs.LabelSeparator = "",
    label_from: inputs.LabelFrom = "",
    task: inputs.TaskOption = "",
    include: Annotated[
        list[str] | None,
        typer.Option(help="Glob of paths to take; may be repeated.", rich_help_panel=_INPUT),
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option(help="Glob of paths to leave out; may be repeated.", rich_help_panel=_INPUT),
    ] = None,
    masks: Annotated[
        Masks,
        typer.Option(
            help="Masks beside the pictures: leave them out, or keep them as pictures.",
            rich_help_panel=_INPUT,
        ),
    ] = "leave-out",
    reference: Annotated[
        str,
        typer.Option(
            help="Folder, URL or manifest to compare with; it is not audited.",
            rich_help_panel=_INPUT,
        ),
    ] = "",
    sample: Annotated[
        int | None,
        typer.Option(help="Quick look at N random files.", min=1, rich_help_panel=_INPUT),
    ] = None,
    seed: Annotated[
        int, typer.Option(help="Seed of everything that is random.", rich_help_panel=_INPUT)
    ] = 0,
    only: Annotated[
        list[str] | None,
        typer.Option(help="Run this check alone; may be repeated.", rich_help_panel=_CHECKS),
    ] = None,
    skip: Annotated[
        list[str] | None,
        typer.Option(help="Leave this check out; may be repeated.", rich_help_panel=_CHECKS),
    ] = None,
    setting: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="A check's option, as CHECK.OPTION=VALUE; may be repeated.",
            rich_help_panel=_CHECKS,
        ),
    ] = None,
    known: Annotated[
        str,
        typer.Option(
            help="Earlier report.json: show and gate on new issues only.", rich_help_panel=_CHECKS
        ),
    ] = "",
    ignore: Annotated[
        str, typer.Option(help="List of dismissed false alarms (CSV).", rich_help_panel=_CHECKS)
    ] = "",
    fail_at: Annotated[
        FailAt,
        typer.Option(help="Exit with 1 if an issue is this bad or worse.", rich_help_panel=_CHECKS),
    ] = "never",
    embedder: Annotated[
        str | None,
        typer.Option(
            help="lite0, onnx:FILE, hf:MODEL or a plug-in's name; default: lite0.",
            rich_help_panel=_EMBEDDING,
        ),
    ] = None,
    embedder_size: Annotated[
        int | None,
        typer.Option(
            help="Pixels a side that it sees: 128, 160 or 224; default: 160.",
            rich_help_panel=_EMBEDDING,
        ),
    ] = None,
    embeddings: Annotated[
        str,
        typer.Option(
            help="Your own: .npy, .npz or Parquet; nothing is embedded.", rich_help_panel=_EMBEDDING
        ),
    ] = "",
    probs: Annotated[
        str,
        typer.Option(
            help="Class probabilities instead of the probe's: predictions_out_of_fold.parquet.",
            rich_help_panel=_EMBEDDING,
        ),
    ] = "",
    deep: Annotated[
        bool,
        typer.Option(
            "--deep",
            help="Judge labels by networks trained on the images, in 5 folds; needs torch.",
            rich_help_panel=_EMBEDDING,
        ),
    ] = False,
    no_embedding: Annotated[
        bool,
        typer.Option(
            "--no-embedding",
            help="Leave out every check that looks at content.",
            rich_help_panel=_EMBEDDING,
        ),
    ] = False,
    jobs: Annotated[
        int,
        typer.Option(help="Worker processes; 0 takes every usable core.", rich_help_panel=_PASS),
    ] = 0,
    time_limit: Annotated[
        float | None, typer.Option(help="Seconds that one file may take.", rich_help_panel=_PASS)
    ] = None,
    memory_limit: Annotated[
        int | None, typer.Option(help="Megabytes that one worker may use.", rich_help_panel=_PASS)
    ] = None,
    max_megapixels: Annotated[
        float | None, typer.Option(help="Larger images are not decoded.", rich_help_panel=_PASS)
    ] = None,
    no_cache: Annotated[
        bool,
        typer.Option("--no-cache", help="Neither use nor fill the cache.", rich_help_panel=_PASS),
    ] = False,
    verify_cache: Annotated[
        bool,
        typer.Option(
            "--verify-cache",
            help="Read every file again, trusting content alone.",
            rich_help_panel=_PASS,
        ),
    ] = False,
    out: Annotated[
        str, typer.Option(help="Folder for results.", rich_help_panel=_OUTPUT)
    ] = "dataprep-out",
    format: Annotated[
        Format, typer.Option(help="What stdout gets.", rich_help_panel=_OUTPUT)
    ] = "table",
    no_thumbnails: Annotated[
        bool,
        typer.Option("--no-thumbnails", help="No pictures in the report.", rich_help_panel=_OUTPUT),
    ] = False,
    anonymise: Annotated[
        bool,
        typer.Option(
            "--anonymise",
            help="No pictures, names, labels or camera facts in the report.",
            rich_help_panel=_OUTPUT,
        ),
    ] = False,
    quiet: Annotated[
        bool,
        typer.Option("--quiet", "-q", help="Print the verdict alone.", rich_help_panel=_OUTPUT),
    ] = False,
    config: Annotated[
        str,
        typer.Option(
            help="TOML file with options; default: dataprep.toml or pyproject.toml here.",
            callback=_read_configuration,
            is_eager=True,
            rich_help_panel=_OUTPUT,
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
    from dataprep.schemas.files.writing import mark_output

    flags = ctx.params
    options = _pass_options(ctx.obj.passing, flags)
    early = min(worker_count(options.jobs), _EARLY)
    with audit_folder(ctx) as folder:
        with (
            progress_bar(quiet) as progress,
            warm_workers(early, module="dataprep.measures.decode.decoding"),
        ):
            progress("scan", 0, 0, "")
            lists = _known(flags, folder)
            _refuse_deep(flags)
            dataset = with_notes_said(_scan(flags)) if quiet else _scan(flags)
            dataset = _with_probs(_with_embeddings(dataset, flags), flags)
            if deep:
                from dataprep.baselines.deep_labels import refuse_unsuitable

                refuse_unsuitable(dataset)
            if is_kept(ctx):
                refuse_among_images(flags, "audit")
            mark_output(
                folder
            )  # a folder that cannot be written is said before the work, not after
            made = _deepened(
                _audit(dataset, flags, options, ctx.obj.checks, progress),
                flags,
                is_kept(ctx),
                progress,
            )
            found = with_inputs(_without_known(made, lists), flags)
            paths = _write(found, flags, folder, progress)
        _print(paths, format, quiet)
    raise typer.Exit(_exit_code(found, fail_at))


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
                f"--embeddings and --{other.replace('_', '-')} exclude each other: give one of them"
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
    options: PassOptions,
    tables: Mapping[str, Any],
    progress: Any,
) -> Audit:
    from dataprep.engine import audit as run

    return run(
        dataset,
        only=flags["only"] or (),
        skip=flags["skip"] or (),
        options=_check_options(tables, flags["setting"] or ()),
        pass_options=options,
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


def _deepened(audit: Audit, flags: Mapping[str, Any], kept: bool, progress: Any) -> Audit:
    if not flags["deep"]:
        return audit
    from dataprep.baselines.deep_labels import judge_labels

    folder = os.path.join(flags["out"], "deep") if kept else ""
    return judge_labels(audit, keep=folder, say=say, progress=progress)


def _known(flags: Mapping[str, Any], folder: str) -> dict[str, str]:
    """Where issues to leave out are listed (--ignore, --known); faults in the lists are said
    before the work.
    """
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
    return {name: flags[name] for name in ("ignore", "known") if flags[name]}


def _without_known(audit: Audit, lists: Mapping[str, str]) -> Audit:
    """The audit without the issues on the lists; its record says how many each list took."""
    from dataclasses import replace

    from dataprep.known_issues import only_new, without_ignored

    issues, left_out = audit.issues, {}
    for name, leave_out in (("ignore", without_ignored), ("known", only_new)):
        if name in lists:
            before = len(issues)
            issues = leave_out(issues, audit.dataset, lists[name])
            left_out[name] = before - len(issues)
    return (
        replace(audit, issues=issues, run={**audit.run, "left_out": left_out}) if lists else audit
    )


def _check_options(
    tables: Mapping[str, Mapping[str, Any]], settings: list[str] | tuple[()]
) -> dict[str, dict[str, Any]]:
    options = {code: dict(table) for code, table in tables.items()}
    for setting in settings:
        name, equals, text = setting.partition("=")
        code, dot, option = name.partition(".")
        if not (equals and dot and code and option):
            raise OptionError(
                f"--set: expected CHECK.OPTION=VALUE such as dark.threshold=0.1, got {setting!r}"
            )
        options.setdefault(code.strip(), {})[option.strip()] = _value(text.strip())
    return options


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
        "cache": False if flags["no_cache"] else None,
        "verify_cache": True if flags["verify_cache"] else None,
    }
    return from_mapping(
        PassOptions,
        {**table, **{name: value for name, value in given.items() if value is not None}},
        "pass",
    )


def _write(
    audit: Audit,
    flags: Mapping[str, Any],
    folder: str,
    progress: Callable[[str, int, int, str], None],
) -> ReportPaths:
    from dataprep.cleaning.completeness import report_beside_previous

    pictures, hidden = not flags["no_thumbnails"], flags["anonymise"]
    return report_beside_previous(
        audit, folder, say, thumbnails=pictures, anonymise=hidden, progress=progress
    )


def _print(paths: ReportPaths, format: Format, quiet: bool) -> None:
    try:
        _print_report(paths, format, quiet)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader had enough, and the gate still holds
        silence_stdout()


def _print_report(paths: ReportPaths, format: Format, quiet: bool) -> None:
    if format == "table":
        from dataprep.reports.audit.console import print_report

        with open(paths.json, encoding="utf-8") as file:
            print_report(json.load(file), paths, verdict_only=quiet)
        return
    with open(paths.json if format == "json" else paths.issues, encoding="utf-8") as file:
        for line in file:
            sys.stdout.write(line)


def _exit_code(audit: Audit, fail_at: FailAt) -> int:
    if audit.failed:  # what they look for may be there: no gate opens
        for code, reason in audit.failed.items():
            say(f"the check {code} {reason}")
        return WorkError.exit_code
    return int(fail_at != "never" and len(audit.issues.at_least(fail_at)) > 0)
