"""Where the audit comes from: given, read back from its folder, or made now."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from dataprep.cleaning import read_audit
from dataprep.cleaning.completeness import report_beside_previous, what_is_lacking, with_inputs
from dataprep.cleaning.staging import refuse_changed
from dataprep.engine import audit
from dataprep.errors import UserError
from dataprep.progress import Progress
from dataprep.schemas.audit import Audit
from dataprep.schemas.columns import COLUMNS
from dataprep.schemas.dataset import Dataset
from dataprep.schemas.plan import data_facts
from dataprep.schemas.report import RUN, SAMPLES
from dataprep.splits.units import COPIES

if TYPE_CHECKING:
    from dataprep.measures.options import PassOptions


def audit_of(
    source: Audit | Dataset | str | os.PathLike[str] | Iterable[str],
    progress: Progress | None = None,
) -> Audit:
    """The audit of a source: itself, the one in the folder it names, or one made now."""
    if isinstance(source, Audit):
        return source
    if isinstance(source, str | os.PathLike) and all(
        os.path.isfile(os.path.join(source, name)) for name in (RUN, SAMPLES)
    ):
        return last_audit(os.fspath(source))
    return audit(source, progress=progress)


def last_audit(folder: str) -> Audit:
    """The audit in `folder`, whose files are still as they were.

    Raises:
        InputError: no audit there.
        FingerprintError: files changed or went since.
    """
    found = read_audit(folder)
    readable = found.dataset.where(found.dataset.readable)
    if not readable.is_remote:
        refuse_changed(readable)
    return found


def audit_into(
    folder: str,
    dataset: Dataset,
    options: PassOptions | None = None,
    progress: Progress | None = None,
    *,
    inputs: Mapping[str, str] | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> tuple[Audit, bool]:
    """The audit of `dataset`: the one in `folder` where that is of the same samples and files, else
    a new one, written there.

    The user's own columns (patient, site, captured_at) are those of `dataset` in any case: no
    finding that is gone on from depends on them. Other labels, splits or groups are another audit,
    and one that did not look for copies is made anew. One of other data is kept beside the new one,
    which `say` is told. `inputs` are recorded: role (path, manifest) to what was read.

    Returns:
        The audit, and whether it was made now.
    """
    kept = _same(folder, dataset)
    if kept is not None:
        return kept, False
    found = with_inputs(audit(dataset, pass_options=options, progress=progress), inputs or {})
    report_beside_previous(found, folder, say, progress=progress)
    return found, True


def _same(folder: str, dataset: Dataset) -> Audit | None:
    """The audit in `folder`, if it is of these samples, labels, splits and groups, and no file
    changed since.
    """
    try:
        found = last_audit(folder)
    except UserError:
        return None
    if what_is_lacking(found.run, COPIES):
        return None
    ours, theirs = data_facts(dataset)["columns"], data_facts(found.dataset)["columns"]
    theirs.pop("file_hash", None)
    ours.pop("file_hash", None)
    if ours != theirs or found.dataset.root != dataset.root:
        return None
    return replace(found, dataset=_with_own_columns(found.dataset, dataset))


def _with_own_columns(audited: Dataset, now: Dataset) -> Dataset:
    """What was measured, with the user's own columns as they are now."""
    kept = audited.samples[[name for name in audited.samples if name in COLUMNS]]
    own = now.samples[[name for name in now.samples if name not in COLUMNS]]
    return replace(audited, samples=kept.join(own.reindex(kept.index)), notes=now.notes)
