"""``dataprep clean``."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from dataprep.cli.plans import apply_command
from dataprep.cli.shared import options
from dataprep.cli.shared.options import argument, output, panel
from dataprep.cli.shared.outputs import flag, refuse_among_images, say, typed, with_inputs
from dataprep.cli.shared.progress import progress_bar
from dataprep.errors import OptionError
from dataprep.progress import Progress

if TYPE_CHECKING:
    from dataprep.schemas.audit import Audit
    from dataprep.schemas.plan import Cleaned, Plan

Layout = Literal["auto", "class", "split", "tree"]

_plan, _apply_it = panel("Make the plan"), panel("Apply the plan")
#: Options that shape the plan, and those of its application.
_SHAPING = (
    "drop",
    "review",
    "keep",
    "relabel",
    "drop_at_confidence",
    "min_confidence",
    "test",
    "overwrite",
)
_APPLYING = ("manifest", "to", "layout", "copy", "force")
#: Exit code of a question that was answered with no, as of an interruption.
_DECLINED = 130


def clean(
    ctx: typer.Context,
    path: Annotated[str, argument("Images to audit first; without it, uses OUT/audit.")] = "",
    out: Annotated[str, output("Folder for results; the plan goes to OUT/clean.")] = "dataprep-out",
    quiet: options.Quiet = False,
    relabel: Annotated[
        bool, _plan("Give samples the labels that checks suggest.", "--relabel")
    ] = False,
    drop: Annotated[
        list[str] | None,
        _plan(
            "Drop the samples of this check, such as near-duplicate (one of each group of copies "
            "stays); repeatable."
        ),
    ] = None,
    drop_at_confidence: Annotated[
        float | None,
        _plan(
            "Drop what checks suggest to drop, from this confidence on.",
            min=0.0,
            max=1.0,
            show_default=False,
        ),
    ] = None,
    review: Annotated[
        list[str] | None,
        _plan("Review the samples of this check, without dropping or relabelling; repeatable."),
    ] = None,
    keep: Annotated[list[str] | None, _plan("Ignore this check; repeatable.")] = None,
    min_confidence: Annotated[
        float, _plan("Review labels (and default drops) below this confidence.", min=0.0, max=1.0)
    ] = 0.8,
    test: Annotated[
        bool, _plan("Drop and relabel in the test set too; by default it is not changed.", "--test")
    ] = False,
    overwrite: Annotated[
        bool, _plan("Replace a plan that you have edited.", "--overwrite")
    ] = False,
    apply: Annotated[
        bool, _apply_it("Apply OUT/clean/plan.csv instead of making it.", "--apply")
    ] = False,
    undo: Annotated[bool, _apply_it("Undo what --apply did.", "--undo")] = False,
    yes: Annotated[
        bool, _apply_it("Do not ask; without a terminal nothing is asked.", "--yes", "-y")
    ] = False,
    manifest: Annotated[
        str,
        _apply_it(
            "Cleaned manifest to write, .csv, .parquet or .jsonl; default: OUT/clean/clean.csv."
        ),
    ] = "",
    to: Annotated[str, _apply_it("New folder for the kept files.")] = "",
    layout: Annotated[Layout, _apply_it("Layout of the new folder.")] = "auto",
    copy: Annotated[bool, _apply_it("Copy files instead of hard links.", "--copy")] = False,
    force: Annotated[
        bool, _apply_it("Let --manifest overwrite a file of yours.", "--force")
    ] = False,
    new_labels: Annotated[
        bool, _apply_it("Allow labels that no sample has so far.", "--new-labels")
    ] = False,
) -> None:
    """Turn an audit's issues into a plan you can edit, or apply the plan. The originals are never
    changed.

    Without --apply: writes OUT/clean/plan.csv. It drops exact copies and unreadable files and
    leaves the rest to you, unless --relabel, --drop or --drop-at-confidence say otherwise. With
    --apply: writes the cleaned manifest, and with --to FOLDER a folder of the kept files. --undo
    undoes that.
    """
    _refuse_mixes(ctx)
    flags = ctx.params
    refuse_among_images(flags, "audit", "clean")
    if undo:
        _undo(flags)
    elif apply:
        _apply(flags)
    else:
        _propose(flags)


def _refuse_mixes(ctx: typer.Context) -> None:
    """Refuse options that would have no effect."""
    given = typed(ctx)
    if ctx.params["apply"] and ctx.params["undo"]:
        raise OptionError("--apply and --undo exclude each other: give one of them")
    if ctx.params["apply"] or ctx.params["undo"]:
        refused = [name for name in given if name in _SHAPING]
        then = "it shapes the plan: make the plan with it first, then apply it"
    else:
        refused = [name for name in given if name in (*_APPLYING, "yes")]
        then = "it goes with --apply"
    if ctx.params["undo"]:
        refused = [name for name in given if name in (*_SHAPING, *_APPLYING, "new_labels", "path")]
        then = "it does not go with --undo"
    if refused:
        name = flag(refused[0]) if refused[0] != "path" else ctx.params["path"]
        raise OptionError(f"{name}: {then}")


def _audit(flags: Mapping[str, Any], progress: Progress) -> Audit:
    from dataprep.cleaning import read_audit

    folder = os.path.join(flags["out"], "audit")
    if not flags["path"]:
        return read_audit(folder)
    from dataprep.cleaning.completeness import report_beside_previous
    from dataprep.engine import audit

    found = with_inputs(audit(flags["path"], progress=progress), flags)
    report_beside_previous(found, folder, say, progress=progress)
    return found


def _propose(flags: Mapping[str, Any]) -> None:
    from dataprep.cleaning import clean as propose
    from dataprep.cleaning import read_plan, write_plan
    from dataprep.cleaning.console import print_plan

    folder = os.path.join(flags["out"], "clean")
    with progress_bar(flags["quiet"]) as progress:
        audit = _audit(flags, progress)
        _refuse_partial(audit, flags)
        kept = os.path.exists(os.path.join(folder, "plan.csv")) and not flags["overwrite"]
        edits = read_plan(folder, audit.dataset, new_labels=flags["new_labels"]) if kept else None
        chosen: dict[str, Any] = {
            name: flags[name]
            for name in ("relabel", "drop_at_confidence", "min_confidence", "test")
        }
        chosen |= {name: flags[name] or () for name in ("drop", "review", "keep")}
        plan = propose(audit, edits=edits, **chosen)
        written = write_plan(plan, folder, overwrite=flags["overwrite"])
    if flags["quiet"]:
        _print_counts(plan)
    else:
        print_plan(plan, audit.dataset)
    _warn(plan.warnings)
    if not flags["quiet"]:
        _tell_next(plan, written, flags["out"])


def _print_counts(plan: Plan) -> None:
    """The verdict."""
    counts = plan.counts
    typer.echo(
        f"{counts['drop']:,} to drop, {counts['relabel']:,} to relabel, {counts['review']:,} left "
        "to you"
    )


def _refuse_partial(audit: Audit, flags: Mapping[str, Any]) -> None:
    """Refuse an audit that did not look for what the plan acts on."""
    from dataprep.cleaning.completeness import refuse_partial
    from dataprep.cleaning.planning import EXACT, UNREADABLE

    needed = dict.fromkeys(
        [UNREADABLE, EXACT, *(["wrong-label"] if flags["relabel"] else []), *(flags["drop"] or ())]
    )
    ignored = (*(flags["keep"] or ()), *(flags["review"] or ()))
    wanted = [code for code in needed if code not in ignored]
    refuse_partial(audit, wanted, os.path.join(flags["out"], "audit"), "a plan")


def _tell_next(plan: Plan, path: str, out: str) -> None:
    typer.echo(
        f"\nPlan: {path}; nothing was changed. Edit the columns action and new_label if you like."
    )
    typer.echo(f"Apply it: {apply_command(out)}")
    if plan.counts["review"]:
        typer.echo("To have more of it done: --relabel, --drop CHECK, --drop-at-confidence 0.95")


def _apply(flags: Mapping[str, Any]) -> None:
    from dataprep.cleaning import apply_plan, read_plan
    from dataprep.cleaning.applying import refuse_other_data
    from dataprep.cleaning.console import print_plan

    folder = os.path.join(flags["out"], "clean")
    with progress_bar(flags["quiet"]) as progress:
        audit = _audit(flags, progress)
        plan = read_plan(folder, audit.dataset, new_labels=flags["new_labels"])
        refuse_other_data(plan, audit.dataset)
    if not flags["quiet"]:
        print_plan(plan, audit.dataset)
    _warn(plan.warnings)
    _ask("Apply this plan? The originals are not changed.", flags["yes"])
    with progress_bar(flags["quiet"]) as progress:
        done = apply_plan(
            plan,
            audit,
            manifest=flags["manifest"] or os.path.join(folder, "clean.csv"),
            folder=flags["to"],
            layout=flags["layout"],
            copy=flags["copy"],
            new_labels=flags["new_labels"],
            record=folder,
            force=flags["force"],
            progress=progress,
        )
    _print_cleaned(done, audit.dataset.root, flags["out"], flags["quiet"])


def _ask(question: str, yes: bool) -> None:
    """Ask on a terminal; no, or Ctrl-C, ends the command with everything as it was."""
    if yes or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return
    try:
        agreed = typer.confirm(f"\n{question}", err=True)
    except typer.Abort:
        agreed = False
    if not agreed:
        typer.echo("Nothing was changed.", err=True)
        raise typer.Exit(_DECLINED)


def _warn(warnings: tuple[str, ...]) -> None:
    for warning in warnings:
        typer.echo(f"warning: {warning}", err=True)


def _print_cleaned(done: Cleaned, root: str, out: str, quiet: bool) -> None:
    if not quiet:
        typer.echo("")
    typer.echo(
        f"{done.samples:,} sample{'s' * (done.samples != 1)} kept, {done.dropped:,} dropped, "
        f"{done.relabelled:,} relabelled"
    )
    if quiet:
        return
    if done.unreviewed:
        typer.echo(
            f"{done.unreviewed:,} of them still wait{'s' * (done.unreviewed == 1)} for a review"
        )
    typer.echo(f"Manifest: {done.manifest} (paths relative to {root})")
    if done.folder:
        typer.echo(f"Folder:   {done.folder} ({done.linked:,} hard links, {done.copied:,} copies)")
    typer.echo(
        f"Record:   {os.path.join(out, 'clean', 'applied.json')} (what was changed; to get back: "
        f"{apply_command(out, '--undo')})"
    )


def _undo(flags: Mapping[str, Any]) -> None:
    from dataprep.cleaning import read_applied, read_audit, undo
    from dataprep.cleaning.undoing import look_before_undoing
    from dataprep.errors import InputError, UserError

    folder = os.path.join(flags["out"], "clean")
    applied = read_applied(folder)
    if applied is None:
        raise InputError(f"nothing to undo: no plan was applied in {folder}")
    try:
        dataset = read_audit(os.path.join(flags["out"], "audit")).dataset
    except UserError:
        dataset = None
    planned = look_before_undoing(applied, dataset)
    for place in planned.removed:
        typer.echo(f"Removes: {place}")
    for place, why in planned.left:
        typer.echo(f"Leaves:  {place} ({why})")
    _ask("Undo? The originals and the plan stay as they are.", flags["yes"])
    undo(folder, dataset)
    typer.echo(f"Undone: no plan counts any more; {os.path.join(folder, 'plan.csv')} is as it was")
    if os.path.exists(os.path.join(flags["out"], "split")):
        typer.echo(
            f"A split that was made with it stays in {os.path.join(flags['out'], 'split')}: "
            "dataprep split makes it anew"
        )
