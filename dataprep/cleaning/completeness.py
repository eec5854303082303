"""Whether an audit covers what the next stage needs; a fuller earlier audit is kept when a narrower
one replaces it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dataprep.cleaning.staging import link_or_copy, staged
from dataprep.errors import InputError, UserError
from dataprep.reports import report
from dataprep.schemas.files.stored import read_record
from dataprep.schemas.files.writing import MARKER, mark_output
from dataprep.schemas.report import REPORT_FILES, RUN, ReportPaths

if TYPE_CHECKING:
    from dataprep.schemas.audit import Audit

#: Beside an audit: the one that it took the place of.
PREVIOUS = "previous"

_MOST_KEPT = 99
_LISTED = 4


def refuse_partial(audit: Audit, needed: Collection[str], folder: str, goal: str) -> None:
    """Refuse an audit that lacks checks which the next stage needs.

    Args:
        audit: read from `folder`.
        needed: checks that must have been run, whether they could look or not.
        folder: where it is.
        goal: what it is wanted for, in words.

    Raises:
        InputError: with the command that makes it whole.
    """
    lacking = what_is_lacking(audit.run, needed)
    if lacking:
        raise InputError(f"the audit in {folder} is not enough for {goal}: {lacking}")


def what_is_lacking(run: Mapping[str, Any], needed: Collection[str]) -> str:
    """What an audit lacks for whoever needs these checks, and the command that makes it whole;
    "" where it is enough.
    """
    ran = _mapping(_options(run), "checks")
    missing = [code for code in needed if ran and code not in ran]
    sample, known = _selection(run).get("sample"), _mapping(run, "left_out").get("known")
    if sample:
        why, without = f"it looked at a sample of {_count(run)} alone", "--sample"
    elif missing:
        named = ", ".join(missing[:_LISTED]) + ", ..." * (len(missing) > _LISTED)
        why = f"it did not look for {named}"
        without = "--only" if _options(run).get("only") else "--skip"
    elif known:
        why, without = "issues of an earlier report were left out of it", "--known"
    else:
        return ""
    return f"{why}. Make it whole: {_command(run)}, with its other options and without {without}"


def report_beside_previous(
    audit: Audit,
    folder: str,
    say: Callable[[str], None],
    *,
    anonymise: bool = False,
    **options: Any,
) -> ReportPaths:
    """`dataprep.reports.report`; an audit there that is of other data, or fuller, is kept beside it
    first, and that is said.

    Args:
        audit: the audit.
        folder: of audits (``dataprep-out/audit``).
        say: told in one line what is replaced and where it is now.
        anonymise: as of `report`.
        options: further ones of `report`.

    Raises:
        OutputError: a file cannot be written; the audit there is as it was then.
    """
    keep_previous(audit, folder, say, anonymise=anonymise)
    return report(audit, folder, anonymise=anonymise, **options)


def keep_previous(
    audit: Audit, folder: str, say: Callable[[str], None], *, anonymise: bool = False
) -> None:
    """The part of `report_beside_previous` before the report."""
    old = _run_in(folder)
    if old is None:
        return
    lost = _lost_with(old, audit.run, anonymise)
    if not lost:
        return
    place = _free_place(folder, old)
    with staged(place) as stage:
        mark_output(stage)
        for name in REPORT_FILES:
            if os.path.isfile(os.path.join(folder, name)):
                link_or_copy(os.path.join(folder, name), os.path.join(stage, name))
    say(f"{folder} contained {lost} ({_count(old)}); it is in {place} now")


def _lost_with(old: Mapping[str, Any], new: Mapping[str, Any], anonymise: bool) -> str:
    """What the old audit is, where the new one does not hold all that it holds; "" where it
    does.
    """
    if old.get("anonymised"):
        return "an anonymised audit"
    if _is_other_data(old, new):
        return f"an audit of other data, {old.get('root', '?')}"
    if _wider(old, new) or (anonymise and not old.get("anonymised")):
        return "a fuller audit of the same data"
    return ""


def _wider(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether an audit of the same data looked for more, or at more, than another."""
    checks = set(_mapping(_options(old), "checks")) - set(_mapping(_options(new), "checks"))
    if checks and (_options(new).get("only") or _options(new).get("skip")):
        return True
    chosen = {name: value for name, value in _selection(new).items() if value}
    if chosen and any(_selection(old).get(name) != value for name, value in chosen.items()):
        return True
    return bool(_mapping(new, "left_out").get("known")) and not _mapping(old, "left_out").get(
        "known"
    )


def _is_other_data(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether two audits are of other folders, or by other lists, as far as their records name
    them.
    """
    if old.get("root") != new.get("root"):
        return True
    former, now = (_mapping(_options(run), "inputs") for run in (old, new))
    return bool(former and now) and any(
        former.get(name) != now.get(name) for name in ("manifest", "files")
    )


def _free_place(folder: str, old: Mapping[str, Any]) -> str:
    """Where an audit is kept: in a place of its own, or in that of one that it holds all of."""
    first = f"{folder.rstrip(os.sep)}-{PREVIOUS}"
    for number in range(1, _MOST_KEPT):
        place = first if number == 1 else f"{first}-{number}"
        if not os.path.lexists(place):
            return place
        kept = _run_in(place)
        ours = os.path.isdir(place) and set(os.listdir(place)) <= {*REPORT_FILES, MARKER}
        if ours and kept is not None and not _lost_with(kept, old, False):
            return place
    raise InputError(
        f"{first} to {place} are all taken: remove those that are not wanted any more, or choose "
        "another --out"
    )


def _run_in(folder: str) -> dict[str, Any] | None:
    """The record of the audit in a folder; None where there is none that can be read."""
    path = os.path.join(folder, RUN)
    if not os.path.isfile(path):
        return None
    try:
        return read_record(path, "")
    except UserError:
        return None


def _command(run: Mapping[str, Any]) -> str:
    import shlex

    inputs = _mapping(_options(run), "inputs")
    words = ["dataprep", "audit"]
    if inputs.get("path") or not inputs:
        words.append(shlex.quote(str(inputs.get("path") or run.get("root") or "PATH")))
    for name in ("manifest", "files"):
        if inputs.get(name):
            words += [f"--{name}", shlex.quote(str(inputs[name]))]
    return " ".join(words)


def _count(run: Mapping[str, Any]) -> str:
    count = run.get("samples")
    return f"{count:,} images" if isinstance(count, int) else "images"


def with_inputs(
    audit: Audit, inputs: Mapping[str, str], selection: Mapping[str, Any] | None = None
) -> Audit:
    """The audit; its record says what it was made from: files and folders by what they are (path,
    manifest, known, ...).

    Args:
        audit: just made.
        inputs: role to path; absolute paths are kept.
        selection: what chose among the files: sample, include, exclude.
    """
    named = {
        name: os.path.abspath(path) if os.path.exists(path) else path
        for name, path in inputs.items()
        if path
    }
    options = {
        **_options(audit.run),
        "inputs": named,
        "selection": {name: each for name, each in (selection or {}).items() if each},
    }
    return replace(audit, run={**audit.run, "options": options})


def _options(run: Mapping[str, Any]) -> Mapping[str, Any]:
    return _mapping(run, "options")


def _selection(run: Mapping[str, Any]) -> Mapping[str, Any]:
    return _mapping(_options(run), "selection")


def _mapping(record: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = record.get(name)
    return value if isinstance(value, Mapping) else {}
