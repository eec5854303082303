"""Facts as a report tells them under "Your data": true of the data set, with nothing to mend; a
few lines a check.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dataprep.reports.messages import read_evidence, render
from dataprep.schemas.text.words import counted

if TYPE_CHECKING:
    import pandas as pd

    from dataprep.checks.contract import Check
    from dataprep.schemas.audit import Audit

#: Families whose facts come first: how many classes and images there are, and what they look like.
_FIRST = ("labels", "content", "quality")
#: More facts of one check than this are told together: of those about single images, and of the
#: others.
SINGLY, OF_MANY = 3, 5


def told_facts(audit: Audit) -> list[dict[str, Any]]:
    """The facts of an audit: of labels first, then of content and quality, then the rest.

    Returns:
        For each check that states a fact: ``check``, ``title``, ``count`` (facts), ``samples``
        (distinct ones that they are about) and ``lines``, each with ``target`` (empty for the data
        set) and ``text``.
    """
    table = audit.issues.table
    facts = table[(table["severity"] == "fact").to_numpy()]
    codes, told = facts["check"].to_numpy(dtype=object), []
    for check in sorted(
        audit.checks,
        key=lambda check: _FIRST.index(check.family) if check.family in _FIRST else len(_FIRST),
    ):
        of_check = codes == check.code
        if of_check.any():
            part = facts[of_check]
            of_samples = part["scope"].isin(("sample", "pair"))
            samples = int(part["target"][of_samples].nunique())
            lines = (
                _each(check, part)
                if len(part) <= (SINGLY if samples else OF_MANY)
                else [_together(check, part, samples)]
            )
            told.append(
                {
                    "check": check.code,
                    "title": check.summary,
                    "count": len(part),
                    "samples": samples,
                    "lines": lines,
                }
            )
    return told


def _each(check: Check, part: pd.DataFrame) -> list[dict[str, str]]:
    """A line each: the evidence's ``sentence``, which names the target, where there is one, else
    target and message.
    """
    messages = render(part, {check.code: check.message})
    told = [str(read_evidence(str(evidence)).get("sentence", "")) for evidence in part["evidence"]]
    targets = ["" if own else str(target) for own, target in zip(told, part["target"], strict=True)]
    texts = [own or message for own, message in zip(told, messages, strict=True)]
    return [
        {"target": target, "text": text if target else _sentence(text)}
        for target, text in zip(targets, texts, strict=True)
    ]


def _together(check: Check, part: pd.DataFrame, samples: int) -> dict[str, str]:
    groups = part["group"][part["group"] != ""].nunique()
    amount = counted(samples, "image") if samples else f"{len(part):,} times"
    text = f"{check.summary}: {amount}" + (f", in {counted(groups, 'group')}" if groups else "")
    return {"target": "", "text": f"{text}. {check.advice}"}


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")
