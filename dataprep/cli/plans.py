"""Which plan of ``dataprep clean`` a later command goes by: ``--plan``, ``--no-plan``, or the
applied one.
"""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand

from dataprep.errors import OptionError

if TYPE_CHECKING:
    from dataprep.schemas.audit import Audit
    from dataprep.schemas.plan import Plan

#: What ``--plan`` without a value stands for.
IN_OUT = "OUT/clean"
PLAN_HELP = "Use a plan that was not applied: its folder or plan.csv; without a value OUT/clean."
NO_PLAN_HELP = "Do not use the plan that was applied."


class WithPlan(TyperCommand):
    """A command whose option ``--plan`` may come without a value."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Give a bare ``--plan`` its value."""
        ends = args.index("--") if "--" in args else len(args)
        filled = [
            f"--plan={IN_OUT}"
            if arg == "--plan" and place < ends and _is_bare(args, place)
            else arg
            for place, arg in enumerate(args)
        ]
        return super().parse_args(ctx, filled)


def _is_bare(args: list[str], place: int) -> bool:
    return place + 1 == len(args) or args[place + 1].startswith("-")


def plan_for(audit: Audit, out: str, plan: str, no_plan: bool) -> Plan | None:
    """The plan to go by; says which, or that one lies there unused.

    Args:
        audit: what is gone on from.
        out: folder for results, with the folder of plans in it.
        plan: a plan to use though it was not applied; `IN_OUT` for the one in `out`.
        no_plan: use none.
    """
    from dataprep.cleaning import plan_in_force

    if plan and no_plan:
        raise OptionError("--plan and --no-plan exclude each other: give one of them")
    if no_plan:
        return None
    folder = os.path.join(out, "clean")
    found, note = plan_in_force(
        folder, audit.dataset, folder if plan == IN_OUT else plan, how=apply_command(out)
    )
    if note:
        typer.echo(f"dataprep: {note}", err=True)
    return found


def apply_command(out: str, flag: str = "--apply") -> str:
    """The command that applies the plan in `out`, or undoes it."""
    place = "" if out == "dataprep-out" else f" --out {shlex.quote(out)}"
    return f"dataprep clean{place} {flag}"
