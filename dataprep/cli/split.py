"""``dataprep split``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from dataprep.cli.plans import NO_PLAN_HELP, PLAN_HELP, plan_for
from dataprep.cli.shared import options
from dataprep.cli.shared.inputs import given_of, reading_of, with_notes_said
from dataprep.cli.shared.listing import print_file, until_closed
from dataprep.cli.shared.options import argument, images, output, panel
from dataprep.cli.shared.outputs import flag, refuse_among_images, say, typed
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

Kind = Literal["folders", "webdataset", "huggingface", "yolo"]
Link = Literal["auto", "hard", "reflink", "symlink", "copy"]

_sizes, _groups = panel("Sizes and folds"), panel("What stays together")
_existing, _files = panel("Change an existing split"), panel("Write the split as files")
_TOLERANCES = ("size_tolerance", "label_tolerance")
#: Options that say nothing about how to divide.
_LAYOUT = ("out", "materialise", "kind", "link", "shard_samples", "shard_mb", "format", "quiet")


def split(
    ctx: typer.Context,
    path: Annotated[
        str, argument("Folder, URL or manifest to audit first; without it, uses OUT/audit.")
    ] = "",
    manifest: options.Manifest = "",
    no_embedding: Annotated[
        bool, images("Audit without looking at image content.", "--no-embedding")
    ] = False,
    plan: Annotated[str, images(PLAN_HELP, "--plan", show_default=False)] = "",
    no_plan: Annotated[bool, images(NO_PLAN_HELP, "--no-plan")] = False,
    path_column: options.PathColumn = "",
    label_column: options.LabelColumn = "",
    split_column: options.SplitColumn = "",
    group_column: options.GroupColumn = "",
    group_by: options.GroupBy = "",
    encoding: options.Encoding = "",
    label_separator: options.LabelSeparator = "",
    label_from: options.LabelFrom = "",
    task: options.Task = "",
    ratios: Annotated[
        str,
        _sizes(
            "Shares or numbers of samples (test=500 leaves the rest to train); default: "
            "train=0.7,val=0.15,test=0.15.",
            show_default=False,
        ),
    ] = "",
    folds: Annotated[int, _sizes("Make K folds instead.", show_default=False)] = 0,
    repeats: Annotated[int, _sizes("Repeat the split N times, each time differently.")] = 1,
    leave_one_group_out: Annotated[
        bool, _sizes("Make every group a fold.", "--leave-one-group-out")
    ] = False,
    external: Annotated[
        list[str] | None,
        _sizes("COLUMN=VALUE of rows kept apart as the split 'external'; repeatable."),
    ] = None,
    time_column: Annotated[
        str, _sizes("Split in the order of this column: train before test.")
    ] = "",
    day_first: Annotated[
        bool | None,
        _sizes(
            "How to read 01/02/2023 in that column; default: what fits all rows.",
            "--day-first/--month-first",
            show_default=False,
        ),
    ] = None,
    balance: Annotated[str, _sizes("Columns to balance too: site,brightness.")] = "",
    keep_unlabelled: Annotated[
        bool, _sizes("Include samples without a label.", "--keep-unlabelled")
    ] = False,
    seed: Annotated[int, _sizes("Random seed.", min=0)] = 0,
    group: Annotated[
        list[str] | None, _groups("Column whose equal values stay together: patient; repeatable.")
    ] = None,
    similar: Annotated[
        bool | None,
        _groups(
            "Images that look alike without being copies; default: keep, or as in the earlier "
            "split.",
            "--keep-similar/--cut-similar",
            show_default=False,
        ),
    ] = None,
    repair: Annotated[bool, _existing("Repair it with the fewest moves.", "--repair")] = False,
    extend: Annotated[
        bool, _existing("Add new samples without moving old ones.", "--extend")
    ] = False,
    earlier: Annotated[
        str,
        _existing(
            "Its splits.csv or folder; default: the data's column (--repair), OUT/split "
            "(--extend).",
            "--from",
        ),
    ] = "",
    size_tolerance: Annotated[
        float | None,
        _existing(
            "--repair: relative error allowed in a split's size; default: 0.05.",
            min=0.0,
            show_default=False,
        ),
    ] = None,
    label_tolerance: Annotated[
        float | None,
        _existing(
            "--repair: error allowed in a label's share of a split; default: 0.02.",
            min=0.0,
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        str, output("Folder for results; the split goes to OUT/split.")
    ] = "dataprep-out",
    format: options.FormatOption = "table",
    quiet: options.Quiet = False,
    materialise: Annotated[str, _files("New folder to write the split to, for training.")] = "",
    kind: Annotated[Kind, _files("Layout of that folder.", "--as")] = "folders",
    link: Annotated[
        Link, _files("How files get there; auto: hard links, copies elsewhere.")
    ] = "auto",
    shard_samples: Annotated[int, _files("Most samples per shard.", min=1)] = 10_000,
    shard_mb: Annotated[float, _files("Most megabytes per shard.")] = 1000.0,
) -> None:
    """Split a data set into train, val and test without leakage, and prove it.

    Copies, look-alikes and the given groups stay together; every split has the same class balance.
    Results go to OUT/split: splits.csv, split.html (the proof),
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
        only_writes = materialise and set(typed(ctx)) <= set(_LAYOUT)
        made = kept_split(folder, audit, wanted) if only_writes else None
        if made is not None:
            paths = SplitPaths(folder)
            say(
                f"the split in {folder} is laid out as it is; to divide anew, give the folder of "
                "images"
            )
        else:
            made = _made(audit, flags, wanted, folder, progress)
            paths = write_split(made, folder)
    with until_closed():
        _print(made, paths, format, quiet)
    if materialise:
        with progress_bar(quiet) as progress:
            laid = _materialise(made, flags, progress)
        _tell(laid)


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
        raise OptionError(f"{flag(tolerances[0])} goes with --repair")
    dividing = {
        "folds": flags["folds"],
        "leave_one_group_out": flags["leave_one_group_out"],
        "external": flags["external"],
        "time_column": flags["time_column"],
        "repeats": flags["repeats"] != 1,
        "day_first": flags["day_first"],
        "month_first": flags["day_first"] is False,
    }
    mixed = [name for name, value in dividing.items() if value]
    if changing and mixed:
        raise OptionError(f"{changing} keeps the parts that are there: leave out {flag(mixed[0])}")


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
    passing = PassOptions(embedder="") if flags["no_embedding"] else None
    inputs = {name: flags[name] for name in ("path", "manifest")}
    return audit_for(folder, dataset, passing, progress, inputs)


def _whole(audit: Audit, folder: str) -> Audit:
    """The audit, if it looked for what has to stay together."""
    from dataprep.cleaning.completeness import refuse_partial
    from dataprep.splits.units import COPIES

    refuse_partial(audit, COPIES, folder, "a split")
    return audit


def audit_for(
    folder: str,
    dataset: Dataset,
    passing: PassOptions | None,
    progress: Progress,
    inputs: Mapping[str, str],
) -> Audit:
    """The audit of a data set: the one in `folder` if it is of the same data, else a new one;
    says which.
    """
    from dataprep.splits.sources import audit_into

    audit, is_new = audit_into(folder, dataset, passing, progress, inputs=inputs, say=say)
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


def _print(made: Split, paths: SplitPaths, format: options.Format, quiet: bool) -> None:
    from dataprep.splits.console import print_split

    if format == "table":
        print_split(made, paths, verdict_only=quiet)
    else:
        print_file(paths.proof if format == "json" else paths.splits)
