"""Where the split comes from: the one that the stage before left, or one made now."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from dataprep.cleaning import read_audit
from dataprep.cleaning.completeness import what_is_lacking
from dataprep.cleaning.staging import refuse_changed
from dataprep.errors import FingerprintError, UserError
from dataprep.progress import Progress
from dataprep.schemas.split import RUN
from dataprep.splits import read_split
from dataprep.splits.records import made_from
from dataprep.splits.units import COPIES

if TYPE_CHECKING:
    from dataprep.schemas.audit import Audit
    from dataprep.schemas.plan import Plan
    from dataprep.schemas.split import Split


def last_split(out: str) -> tuple[Split, Audit | None, str]:
    """The split in ``OUT/split``, whose files are still as they were, and the audit in
    ``OUT/audit`` that it was made from.

    Returns:
        The split; its audit, None where there is none of the same data; and why there is none, ""
        where there is.

    Raises:
        InputError: no split there.
        FingerprintError: its files do not belong together, or images changed since.
    """
    split = read_split(os.path.join(out, "split"))
    if not split.dataset.is_remote:
        refuse_changed(split.dataset)
    folder = os.path.join(out, "audit")
    try:
        audit = read_audit(folder)
    except UserError as error:
        return split, None, f"trained without what an audit says: {error}"
    if not made_from(split, audit):
        return (
            split,
            None,
            f"the audit in {folder} is of other data than the split, and was not used",
        )
    lacking = what_is_lacking(audit.run, COPIES)
    if lacking:
        return (
            split,
            None,
            f"trained without what an audit says: that in {folder} is not enough: {lacking}",
        )
    return split, audit, ""


def split_into(
    folder: str, audit: Audit, plan: Plan | None, progress: Progress
) -> tuple[Split, bool]:
    """The split in `folder`, else a new one by the default ratios, written there.

    Returns:
        The split, and whether it was made now.

    Raises:
        FingerprintError: the split there is of other data than `audit`; it may hold choices of the
            user and is not replaced.
        InputError: it cannot be read.
    """
    if os.path.exists(os.path.join(folder, RUN)):
        found = read_split(folder)
        if not made_from(found, audit):
            raise FingerprintError(
                f"the split in {folder} was made from another audit: make it again (dataprep "
                "split, with its options), or take "
                "another --out"
            )
        return found, False
    from dataprep.splits import split as divide
    from dataprep.splits import write_split

    made = divide(audit, plan=plan, progress=progress)
    write_split(made, folder)
    return made, True
