"""Cleaning: issues to a plan, and the plan, edited by people or not, to a cleaned manifest or a new
folder.

The originals are read and linked to, never written. Imports `reports`, `engine` and below; never a
later stage.
"""

from __future__ import annotations

from dataprep.cleaning.applied import plan_in_force, read_applied
from dataprep.cleaning.applying import apply_plan, cleaned_dataset
from dataprep.cleaning.audits import read_audit
from dataprep.cleaning.plan_files import read_plan, write_plan
from dataprep.cleaning.planning import clean
from dataprep.cleaning.undoing import undo

__all__ = [
    "apply_plan",
    "clean",
    "cleaned_dataset",
    "plan_in_force",
    "read_applied",
    "read_audit",
    "read_plan",
    "undo",
    "write_plan",
]
