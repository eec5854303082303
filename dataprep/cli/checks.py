"""``dataprep checks``."""

from __future__ import annotations

from typing import Annotated

import typer


def checks(format: Annotated[str, typer.Option(help="table or json.")] = "table") -> None:
    """List every check: its code, severity and what it finds."""
    from dataprep.cli.shared.listing import print_rows
    from dataprep.engine import make_checks

    rows = [
        {
            "check": c.code,
            "family": c.family,
            "severity": c.severity,
            "finds": c.summary,
            "needs": ", ".join(c.needs),
        }
        for c in make_checks()
    ]
    print_rows(rows, format, ("check", "severity", "finds"))
