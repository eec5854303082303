"""``dataprep clean``."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from dataprep.cli.progress import progress_bar

if TYPE_CHECKING:
    from dataprep.schemas.audit import Audit
    from dataprep.schemas.plan import Cleaned, Plan

Layout = Literal["auto", "class", "split", "tree"]

_PLAN, _APPLY = "Making the plan", "Applying the plan"


def clean(
    path: Annotated[
        str, typer.Argument(help="Images to audit first; without it, goes on from OUT/audit.", show_default=False)
    ] = "",
    out: Annotated[str, typer.Option(help="Folder for results; the plan goes to OUT/clean.")] = "dataprep-out",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar.")] = False,
    drop: Annotated[
        list[str] | None, typer.Option(help="Check whose samples are dropped; may be repeated.", rich_help_panel=_PLAN)
    ] = None,
    review: Annotated[
        list[str] | None, typer.Option(help="Check whose samples are only reviewed; may be repeated.", rich_help_panel=_PLAN)
    ] = None,
    keep: Annotated[
        list[str] | None, typer.Option(help="Check that is not heard; may be repeated.", rich_help_panel=_PLAN)
    ] = None,
    min_confidence: Annotated[
        float, typer.Option(help="Less sure suggestions are reviewed.", min=0.0, max=1.0, rich_help_panel=_PLAN)
    ] = 0.8,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a plan with your edits in it.", rich_help_panel=_PLAN)
    ] = False,
    apply: Annotated[
        bool, typer.Option("--apply", help="Apply OUT/clean/plan.csv instead of making it.", rich_help_panel=_APPLY)
    ] = False,
    manifest: Annotated[
        str,
        typer.Option(
            help="Cleaned manifest to write, .csv, .parquet or .jsonl; default: OUT/clean/clean.csv.", rich_help_panel=_APPLY
        ),
    ] = "",
    to: Annotated[str, typer.Option(help="New folder to make of the kept files.", rich_help_panel=_APPLY)] = "",
    layout: Annotated[Layout, typer.Option(help="Layout of the new folder.", rich_help_panel=_APPLY)] = "auto",
    copy: Annotated[bool, typer.Option("--copy", help="Copies instead of hard links.", rich_help_panel=_APPLY)] = False,
    new_labels: Annotated[
        bool, typer.Option("--new-labels", help="Allow labels that no sample has so far.", rich_help_panel=_APPLY)
    ] = False,
) -> None:
    """Turn an audit's issues into a plan you can edit, or apply the plan. The originals are never changed.

    Without --apply: writes OUT/clean/plan.csv, one row per sample to drop, relabel or review, with the reasons.
    With --apply: writes the cleaned manifest, and with --to FOLDER a folder of the kept files.
    """
    from dataprep.cleaning import apply_plan, read_audit, read_plan, write_plan
    from dataprep.cleaning import clean as propose

    folder = os.path.join(out, "clean")
    with progress_bar(quiet) as progress:
        audit = _audited(path, out, progress) if path else read_audit(os.path.join(out, "audit"))
        if apply:
            manifest = manifest or os.path.join(folder, "clean.csv")
            done = apply_plan(
                folder, audit, manifest=manifest, folder=to, layout=layout, copy=copy, new_labels=new_labels, progress=progress
            )
        else:
            kept = os.path.exists(os.path.join(folder, "plan.csv")) and not overwrite
            edits = read_plan(folder, audit.dataset, new_labels=new_labels) if kept else None
            plan = propose(
                audit, drop=drop or (), review=review or (), keep=keep or (), min_confidence=min_confidence, edits=edits
            )
            written = write_plan(plan, folder, overwrite=overwrite)
    if apply:
        _print_cleaned(done, audit.dataset.root)
    else:
        _print_plan(plan, written, out)


def _audited(path: str, out: str, progress: Callable[[str, int, int, str], None]) -> Audit:
    from dataprep.engine import audit
    from dataprep.reports import report

    found = audit(path, progress=progress)
    report(found, os.path.join(out, "audit"), progress=progress)
    return found


def _print_plan(plan: Plan, path: str, out: str) -> None:
    import shlex

    from dataprep.schemas.plan import ACTIONS

    for action, count in plan.counts.items():
        typer.echo(f"{action:<8} {count:>9,}  {ACTIONS[action]}")
    for warning in plan.warnings:
        typer.echo(f"warning: {warning}", err=True)
    place = "" if out == "dataprep-out" else f" --out {shlex.quote(out)}"
    typer.echo(f"\nPlan: {path}\nEdit the columns action and new_label if you like, then: dataprep clean{place} --apply")


def _print_cleaned(done: Cleaned, root: str) -> None:
    typer.echo(
        f"{done.samples:,} sample{'s' * (done.samples != 1)} kept, {done.dropped:,} dropped, {done.relabelled:,} relabelled"
    )
    if done.unreviewed:
        typer.echo(f"{done.unreviewed:,} of them still wait{'s' * (done.unreviewed == 1)} for a review")
    for warning in done.warnings:
        typer.echo(f"warning: {warning}", err=True)
    typer.echo(f"Manifest: {done.manifest} (paths relative to {root})")
    if done.folder:
        typer.echo(f"Folder:   {done.folder} ({done.linked:,} hard links, {done.copied:,} copies)")
