"""What a proof says, in words: the verdict and the tables that the terminal and the page show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dataprep.reports.audit.verdict import percent
from dataprep.schemas.text.words import counted
from dataprep.splits.proof.possible_groups import candidate_lines, torn_sentences, torn_title

_TESTED = {
    "labels": "Labels",
    "properties": "Measured properties",
    "embedding": "Content (embedding)",
}
_STATUS = {"match": "no significant difference", "differ": "differ", "not tested": "not tested"}
_CHECKS = {
    "exact-duplicate": "exact copies",
    "near-duplicate": "near copies",
    "another-shot": "images of the same scene",
    "similar-images": "similar images",
}


def verdict(proof: Mapping[str, Any]) -> dict[str, str]:
    """``level`` (good, warning, error), ``title`` and ``text``."""
    total = proof["leaks"]["total"]
    differ = [
        _TESTED[name].lower()
        for name, each in proof["tests"].items()
        if name in _TESTED and each["status"] == "differ"
    ]
    parts = counted(len(proof["parts"]), "part")
    torn = torn_title(proof)
    if total:
        level, title = "error", f"{counted(total, 'leak')} between the parts"
    elif torn:
        level, title = "warning", f"{parts}, no known leakage, but {torn}"
    elif proof["not_looked"]:
        level, title = "warning", f"{parts}, no leakage in what was checked"
    elif proof["given_up"] or differ:
        level, title = "warning", f"{parts}, no leakage; see the compromises"
    else:
        level, title = "good", f"{parts}, no leakage"
    return {"level": level, "title": title, "text": " ".join(_sentences(proof, differ))}


def _sentences(proof: Mapping[str, Any], differ: list[str]) -> Iterator[str]:
    yield (
        f"{counted(proof['samples'], 'sample')} in {counted(proof['units'], 'unit')} that can be "
        f"separated."
    )
    yield from torn_sentences(proof)
    deviation = proof["labels"]["deviation"]
    if deviation is not None and not proof["by_rule"]:
        yield f"No label's share is off by more than {points(deviation)}."
    random = proof["compared"]["random"]
    if random and random["exposed"]:
        yield (
            f"Split at random, {percent(random['exposed'])} of the test samples would have had a "
            f"look-alike in training."
        )
    if differ:
        yield f"The parts differ in {' and '.join(differ)}."
    if proof["not_looked"]:
        yield (
            f"Not checked: {', '.join(_CHECKS.get(code, code) for code in proof['not_looked'])}."
        )


def points(share: float) -> str:
    """A difference of shares: percentage points."""
    return f"{100 * share:.2f} points"


def size_rows(proof: Mapping[str, Any]) -> list[dict[str, str]]:
    """One row a part, as text: ``part``, ``samples``, ``share``, ``target``, ``units``,
    ``holds``.
    """
    return [
        {
            "part": row["part"],
            "samples": f"{row['samples']:,}",
            "share": percent(row["share"]),
            "target": "" if row["target"] is None else f"{row['target']:,.0f}",
            "units": f"{row['units']:,}",
            "holds": row.get("holds", ""),
        }
        for row in proof["sizes"]
    ]


def comparison_rows(proof: Mapping[str, Any]) -> list[dict[str, str]]:
    """One row a figure: ``what``, ``ours``, ``groups`` (StratifiedGroupKFold), ``random``."""
    compared, leaks = proof["compared"], proof["leaks"]
    theirs, random = compared.get("stratified_group_kfold"), compared.get("random")
    ours = compared.get("ours", {})
    deviation = ours.get("deviation", proof["labels"]["deviation"])
    rows = []
    if deviation is not None:
        rows.append(
            _row(
                "largest deviation of a label",
                points(deviation),
                points(theirs["deviation"]) if theirs else "",
                points(random["deviation"]) if random and random["deviation"] is not None else "",
            )
        )
    for column, cut in leaks["groups"].items():
        rows.append(
            _row(
                f"groups cut ({column})",
                f"{cut:,}",
                "0" if theirs else "",
                _mean(random, "groups", column),
            )
        )
    for check, cut in leaks["pairs"].items():
        if proof["kept_together"]["pairs"][check] or cut:
            rows.append(
                _row(
                    f"{_CHECKS[check]} apart",
                    f"{cut:,}",
                    "0" if theirs else "",
                    _mean(random, "pairs", check),
                )
            )
    if random:
        rows.append(
            _row(
                "test samples with a look-alike in training",
                percent(ours["exposed"]),
                "0%" if theirs else "",
                percent(random["exposed"]),
            )
        )
    return rows


def _row(what: str, ours: str, groups: str, random: str) -> dict[str, str]:
    return {"what": what, "ours": ours, "groups": groups, "random": random}


def random_words(proof: Mapping[str, Any]) -> str:
    """What the random splits know."""
    return "single samples, stratified by label" if proof["labels"]["table"] else "single samples"


def _mean(random: Mapping[str, Any] | None, kind: str, name: str) -> str:
    return "" if not random else f"{random[kind][name]:,.1f}".removesuffix(".0")


def tested_rows(proof: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One row a test: ``what``, ``status``, ``text``, ``found``."""
    return [
        {
            "what": title,
            "status": each["status"],
            "text": _tested_text(each),
            "found": each["found"],
        }
        for name, title in _TESTED.items()
        if (each := proof["tests"].get(name))
    ]


def _tested_text(test: Mapping[str, Any]) -> str:
    return f"{_STATUS[test['status']]}: {test['why']}" if test["why"] else _STATUS[test["status"]]


def left_out_lines(proof: Mapping[str, Any]) -> list[str]:
    """Why samples take no part."""
    return [
        f"{counted(each['samples'], 'sample')} left out: {each['why']}"
        for each in proof["left_out"]
    ]


def bond_lines(proof: Mapping[str, Any]) -> list[str]:
    """What was kept together, and what nobody looked for."""
    together, lines = proof["kept_together"], []
    for column, each in together["groups"].items():
        lines.append(
            f"{column}: {counted(each['groups'], 'group')}, {each['of_several']:,} of several "
            "samples"
        )
    for check, pairs in together["pairs"].items():
        if check not in proof["not_looked"]:
            lines.append(f"{_CHECKS[check]}: {counted(pairs, 'pair')}")
    lines += [f"possible groups, not kept together: {line}" for line in candidate_lines(proof)]
    return [
        *lines,
        *(f"{_CHECKS[check]}: not checked ({why})" for check, why in proof["not_looked"].items()),
    ]
