"""``dataprep split``."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from dataprep.cli.plans import NO_PLAN_HELP, PLAN_HELP, plan_for
from dataprep.cli.shared import inputs
from dataprep.cli.shared.inputs import given_of, reading_of, with_notes_said
from dataprep.cli.shared.listing import silence_stdout
from dataprep.cli.shared.outputs import refuse_among_images, say
from dataprep.cli.shared.progress import progress_bar
from dataprep.errors import OptionError
from dataprep.progress import Progress

if TYPE_CHECKING:
    from dataprep.measures.options import PassOptions
    from dataprep.schemas.audit import Audit
    from dataprep.schemas.dataset import Dataset
    from dataprep.schemas.plan import Plan
    from dataprep.schemas.split import Split, SplitPaths
    from dataprep.splits.export.materialising import Materialised

Format = Literal["table", "json", "csv"]
Kind = Literal["folders", "webdataset", "huggingface", "yolo"]
Link = Literal["auto", "hard", "reflink", "symlink", "copy"]

_INPUT, _PARTS, _BONDS, _CHANGE, _OUTPUT = (
    "Input",
    "Parts",
    "What stays together",
    "A split that is there",
    "Output",
)
_TOLERANCES = ("size_tolerance", "label_tolerance")
#: Options that say nothing about how to divide.
_LAYING = frozenset(
    ("out", "materialise", "kind", "link", "shard_samples", "shard_mb", "format", "quiet")
)


def split(
    ctx: typer.Context,
    path: Annotated[
        str,
        typer.Argument(
            help="Folder, URL or manifest to audit first; without it, goes on from OUT/audit.",
            show_default=False,
        ),
    ] = "",
    manifest: Annotated[
        str,
        typer.Option(help="CSV, Parquet or JSONL that lists the files.", rich_help_panel=_INPUT),
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
    no_embedding: Annotated[
        bool,
        typer.Option(
            "--no-embedding", help="Audit without looking at content.", rich_help_panel=_INPUT
        ),
    ] = False,
    plan: Annotated[
        str, typer.Option("--plan", help=PLAN_HELP, rich_help_panel=_INPUT, show_default=False)
    ] = "",
    no_plan: Annotated[
        bool, typer.Option("--no-plan", help=NO_PLAN_HELP, rich_help_panel=_INPUT)
    ] = False,
    ratios: Annotated[
        str,
        typer.Option(
            help="Shares or numbers of samples: test=500 leaves the rest to train. [default: "
            "train=0.7,val=0.15,test=0.15]",
            rich_help_panel=_PARTS,
            show_default=False,
        ),
    ] = "",
    folds: Annotated[
        int, typer.Option(help="Make K folds instead.", rich_help_panel=_PARTS, show_default=False)
    ] = 0,
    repeats: Annotated[
        int, typer.Option(help="Divide so many times, each another way.", rich_help_panel=_PARTS)
    ] = 1,
    leave_one_group_out: Annotated[
        bool,
        typer.Option(
            "--leave-one-group-out",
            help="Every group is a fold of its own.",
            rich_help_panel=_PARTS,
        ),
    ] = False,
    external: Annotated[
        list[str] | None,
        typer.Option(
            help="COLUMN=VALUE whose rows are kept apart as 'external'; may be repeated.",
            rich_help_panel=_PARTS,
        ),
    ] = None,
    time_column: Annotated[
        str,
        typer.Option(
            help="Parts in the order of this column: train before test.", rich_help_panel=_PARTS
        ),
    ] = "",
    day_first: Annotated[
        bool | None,
        typer.Option(
            "--day-first/--month-first",
            help="01/02/2023 in that column. [default: what fits all rows]",
            rich_help_panel=_PARTS,
            show_default=False,
        ),
    ] = None,
    balance: Annotated[
        str,
        typer.Option(help="Columns to share out evenly: site,brightness.", rich_help_panel=_PARTS),
    ] = "",
    keep_unlabelled: Annotated[
        bool,
        typer.Option(
            "--keep-unlabelled", help="Divide samples without a label too.", rich_help_panel=_PARTS
        ),
    ] = False,
    seed: Annotated[
        int, typer.Option(help="Another seed, another division.", min=0, rich_help_panel=_PARTS)
    ] = 0,
    group: Annotated[
        list[str] | None,
        typer.Option(
            help="Column of what belongs together: patient; may be repeated.",
            rich_help_panel=_BONDS,
        ),
    ] = None,
    similar: Annotated[
        bool | None,
        typer.Option(
            "--keep-similar/--cut-similar",
            help="Images that look alike without being copies. [default: keep-similar, or as in "
            "the earlier split]",
            rich_help_panel=_BONDS,
            show_default=False,
        ),
    ] = None,
    repair: Annotated[
        bool,
        typer.Option("--repair", help="Mend it with the fewest moves.", rich_help_panel=_CHANGE),
    ] = False,
    extend: Annotated[
        bool,
        typer.Option(
            "--extend", help="New samples join; no old one moves.", rich_help_panel=_CHANGE
        ),
    ] = False,
    earlier: Annotated[
        str,
        typer.Option(
            "--from",
            help="Its splits.csv or folder; default: the data's column (--repair), OUT/split "
            "(--extend).",
            rich_help_panel=_CHANGE,
        ),
    ] = "",
    size_tolerance: Annotated[
        float | None,
        typer.Option(
            help="--repair: share by which a part may miss its size. [default: 0.05]",
            min=0.0,
            rich_help_panel=_CHANGE,
            show_default=False,
        ),
    ] = None,
    label_tolerance: Annotated[
        float | None,
        typer.Option(
            help="--repair: how far a label's share in a part may be off. [default: 0.02]",
            min=0.0,
            rich_help_panel=_CHANGE,
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        str,
        typer.Option(
            help="Folder for results; the split goes to OUT/split.", rich_help_panel=_OUTPUT
        ),
    ] = "dataprep-out",
    materialise: Annotated[
        str,
        typer.Option(
            help="New folder to lay the split out in, for training.", rich_help_panel=_OUTPUT
        ),
    ] = "",
    kind: Annotated[
        Kind, typer.Option("--as", help="What --materialise makes.", rich_help_panel=_OUTPUT)
    ] = "folders",
    link: Annotated[
        Link,
        typer.Option(
            help="How files come there; auto: hard links, copies elsewhere.",
            rich_help_panel=_OUTPUT,
        ),
    ] = "auto",
    shard_samples: Annotated[
        int, typer.Option(help="Most samples in a shard.", min=1, rich_help_panel=_OUTPUT)
    ] = 10_000,
    shard_mb: Annotated[
        float, typer.Option(help="Most megabytes in a shard.", rich_help_panel=_OUTPUT)
    ] = 1000.0,
    format: Annotated[
        Format, typer.Option(help="What stdout gets.", rich_help_panel=_OUTPUT)
    ] = "table",
    quiet: Annotated[
        bool,
        typer.Option("--quiet", "-q", help="Print the verdict alone.", rich_help_panel=_OUTPUT),
    ] = False,
) -> None:
    """Divide a data set into train, val and test so that nothing leaks, and prove it.

    Copies, images that look alike and the given groups stay together; labels are in the same
    proportion in every part. Results go to OUT/split: splits.csv, split.html (the proof),
    proof.json, samples.parquet and run.json.
    """
    from dataprep.schemas.files.writing import mark_output
    from dataprep.schemas.split import SplitPaths
    from dataprep.splits.records import kept_split, write_split

    flags = ctx.params
    _refuse_mixes(flags)
    folder = os.path.join(out, "split")
    refuse_among_images(flags, "audit", "split")
    with progress_bar(quiet) as progress:
        mark_output(folder)
        audit = _audit(flags, progress)
        wanted = plan_for(audit, out, plan, no_plan)
        made = kept_split(folder, audit, wanted) if materialise and _only_lays_out(ctx) else None
        if made is not None:
            paths = SplitPaths(folder)
            say(
                f"the split in {folder} is laid out as it is; to divide anew, give the folder of "
                "images"
            )
        else:
            made = _made(audit, flags, wanted, folder, progress)
            paths = write_split(made, folder)
    _print(made, paths, format, quiet)
    if materialise:
        with progress_bar(quiet) as progress:
            laid = _materialise(made, flags, progress)
        _tell(laid)


def _only_lays_out(ctx: typer.Context) -> bool:
    """Whether no option was typed that says how to divide."""
    return all(
        name in _LAYING or str(ctx.get_parameter_source(name)).endswith(("DEFAULT", "DEFAULT_MAP"))
        for name in ctx.params
    )


def _refuse_mixes(flags: Mapping[str, Any]) -> None:
    if flags["repair"] and flags["extend"]:
        raise OptionError(
            "--repair and --extend exclude each other: extend first, then repair what came of it"
        )
    changing = "--repair" if flags["repair"] else "--extend" if flags["extend"] else ""
    if flags["earlier"] and not changing:
        raise OptionError("--from goes with --repair or --extend")
    tolerances = [name for name in _TOLERANCES if flags[name] is not None]
    if tolerances and not flags["repair"]:
        raise OptionError(f"--{tolerances[0].replace('_', '-')} goes with --repair")
    others = ("folds", "leave_one_group_out", "external", "time_column")
    mixed = [name for name in others if flags[name]] + (
        ["repeats"] if flags["repeats"] != 1 else []
    )
    mixed += (
        ["day_first"]
        if flags["day_first"]
        else ["month_first"]
        if flags["day_first"] is not None
        else []
    )
    if changing and mixed:
        raise OptionError(
            f"{changing} keeps the parts that are there: leave out --{mixed[0].replace('_', '-')}"
        )


def _audit(flags: Mapping[str, Any], progress: Progress) -> Audit:
    from dataprep.measures.options import PassOptions
    from dataprep.splits.sources import last_audit

    folder = os.path.join(flags["out"], "audit")
    if not (flags["path"] or flags["manifest"]):
        given = [*given_of(flags), *(["--no-embedding"] if flags["no_embedding"] else [])]
        if given:
            raise OptionError(f"{given[0]} is for a new audit: give the folder or the manifest too")
        return _whole(last_audit(folder), folder)
    progress("scan", 0, 0, "")
    dataset = with_notes_said(_scan(flags))
    options = PassOptions(embedder="") if flags["no_embedding"] else None
    return audit_for(
        folder, dataset, options, progress, {name: flags[name] for name in ("path", "manifest")}
    )


def _whole(audit: Audit, folder: str) -> Audit:
    """The audit, if it looked for what has to stay together."""
    from dataprep.cleaning.completeness import refuse_partial
    from dataprep.splits.units import COPIES

    refuse_partial(audit, COPIES, folder, "a split")
    return audit


def audit_for(
    folder: str,
    dataset: Dataset,
    options: PassOptions | None,
    progress: Progress,
    inputs: Mapping[str, str],
) -> Audit:
    """The audit of a data set: the one in `folder` if it is of the same data, else a new one;
    says which.
    """
    from dataprep.splits.sources import audit_into

    audit, is_new = audit_into(folder, dataset, options, progress, inputs=inputs, say=say)
    say(f"{'audited, report in' if is_new else 'going on from the audit in'} {folder}")
    return audit


def _scan(flags: Mapping[str, Any]) -> Dataset:
    """The data set; a group column that is asked for and that the manifest has under another
    role becomes its group.
    """
    from dataprep.ingest import scan

    reading: dict[str, Any] = reading_of(flags)
    source, manifest = flags["path"] or None, flags["manifest"] or None
    dataset = scan(source, manifest=manifest, **reading)
    asked = [name for name in flags["group"] or () if name not in dataset.samples]
    if len(asked) != 1 or flags["group_column"]:
        return dataset
    reading["group_column"] = asked[0]
    flags["group"].remove(asked[0])
    return scan(source, manifest=manifest, **reading)


def _made(
    audit: Audit, flags: Mapping[str, Any], plan: Plan | None, folder: str, progress: Progress
) -> Split:
    from dataprep.splits.changing import extend, repair
    from dataprep.splits.splitting import split as divide

    common: dict[str, Any] = {
        "ratios": flags["ratios"] or None,
        "group": flags["group"] or (),
        "balance": flags["balance"],
        "seed": flags["seed"],
        "keep_similar": flags["similar"],
        "keep_unlabelled": flags["keep_unlabelled"],
        "plan": plan,
        "progress": progress,
    }
    if flags["repair"]:
        tolerances = {name: flags[name] for name in _TOLERANCES if flags[name] is not None}
        return repair(audit, earlier=flags["earlier"] or None, **tolerances, **common)
    if flags["extend"]:
        return extend(audit, flags["earlier"] or folder, **common)
    return divide(
        audit,
        folds=flags["folds"],
        repeats=flags["repeats"],
        leave_one_group_out=flags["leave_one_group_out"],
        external=flags["external"] or (),
        time_column=flags["time_column"],
        day_first=flags["day_first"],
        **common | {"keep_similar": flags["similar"] is not False},
    )


def _materialise(made: Split, flags: Mapping[str, Any], progress: Progress) -> Materialised:
    from dataprep.splits.export.materialising import materialise

    sizes = {name: flags[name] for name in ("shard_samples", "shard_mb")}
    return materialise(
        made, flags["materialise"], flags["kind"], link=flags["link"], progress=progress, **sizes
    )


def _tell(laid: Materialised) -> None:
    for note in laid.notes:
        typer.echo(f"note: {note}", err=True)
    files = (
        f"{laid.linked:,} links, {laid.copied:,} copies"
        if laid.linked or laid.copied
        else "lists of images"
    )
    parts = ", ".join(f"{part} {count:,}" for part, count in laid.parts.items())
    typer.echo(f"Materialised: {laid.folder} ({files}; {parts})", err=True)


def _print(made: Split, paths: SplitPaths, format: Format, quiet: bool) -> None:
    from dataprep.splits.console import print_split

    try:
        if format == "table":
            print_split(made, paths, verdict_only=quiet)
        else:
            with open(paths.proof if format == "json" else paths.splits, encoding="utf-8") as file:
                for line in file:
                    sys.stdout.write(line)
        sys.stdout.flush()
    except BrokenPipeError:
        silence_stdout()
