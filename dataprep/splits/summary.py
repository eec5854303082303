"""A proof in words: the verdict and the tables that the terminal and the page show."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dataprep.reports.audit.verdict import percent
from dataprep.schemas.results.proof import MismatchTest, Proof
from dataprep.schemas.text.words import counted
from dataprep.splits.proof.possible_groups import candidate_lines, torn_sentences, torn_title

_STATUS = {"match": "no significant difference", "differ": "differ", "not tested": "not tested"}
_CHECKS = {
    "exact-duplicate": "exact copies",
    "near-duplicate": "near copies",
    "another-shot": "images of the same scene",
    "similar-images": "similar images",
}


def verdict(proof: Proof) -> dict[str, str]:
    """``level`` (good, warning, error), ``title`` and ``text``."""
    total = proof.leaks.total
    differ = [title.lower() for title, test in _tests(proof) if test.status == "differ"]
    parts = counted(len(proof.parts), "part")
    torn = torn_title(proof)
    if total:
        level, title = "error", f"{counted(total, 'leak')} between the parts"
    elif torn:
        level, title = "warning", f"{parts}, no known leakage, but {torn}"
    elif proof.not_looked:
        level, title = "warning", f"{parts}, no leakage in what was checked"
    elif proof.compromises or differ:
        level, title = "warning", f"{parts}, no leakage; some targets were not met"
    else:
        level, title = "good", f"{parts}, no leakage"
    return {"level": level, "title": title, "text": " ".join(_sentences(proof, differ))}


def _sentences(proof: Proof, differ: list[str]) -> Iterator[str]:
    yield (
        f"{counted(proof.samples, 'sample')} in {counted(proof.units, 'unit')} that can be "
        "separated."
    )
    yield from torn_sentences(proof)
    deviation = proof.labels.deviation
    if deviation is not None and not proof.by_rule:
        yield f"No label's share is off by more than {points(deviation)}."
    random = proof.compared.random
    if random and random.exposed:
        yield (
            f"Split at random, {percent(random.exposed)} of the test samples would have had a "
            "look-alike in training."
        )
    if differ:
        yield f"The parts differ in {' and '.join(differ)}."
    if proof.not_looked:
        yield f"Not checked: {', '.join(_CHECKS.get(code, code) for code in proof.not_looked)}."


def points(share: float) -> str:
    """A difference of shares: percentage points."""
    return f"{100 * share:.2f} points"


def size_rows(proof: Proof) -> list[dict[str, str]]:
    """One row a part, as text: ``part``, ``samples``, ``share``, ``target``, ``units``,
    ``holds``.
    """
    return [
        {
            "part": row.part,
            "samples": f"{row.samples:,}",
            "share": percent(row.share),
            "target": "" if row.target is None else f"{row.target:,.0f}",
            "units": f"{row.units:,}",
            "holds": row.holds or "",
        }
        for row in proof.sizes
    ]


def comparison_rows(proof: Proof) -> list[dict[str, str]]:
    """One row a figure: ``what``, ``ours``, ``groups`` (StratifiedGroupKFold), ``random``."""
    ours = proof.compared.ours
    folds = proof.compared.stratified_group_kfold
    random = proof.compared.random
    none = "0" if folds else ""
    rows = []
    deviation = ours.deviation if ours else proof.labels.deviation
    if deviation is not None:
        rows.append(
            _row(
                "largest deviation of a label",
                points(deviation),
                points(folds.deviation) if folds and folds.deviation is not None else "",
                points(random.deviation) if random and random.deviation is not None else "",
            )
        )
    for column, cut in proof.leaks.groups.items():
        mean = _mean(random.groups[column]) if random else ""
        rows.append(_row(f"groups cut ({column})", f"{cut:,}", none, mean))
    for check, cut in proof.leaks.pairs.items():
        if proof.kept_together.pairs[check] or cut:
            mean = _mean(random.pairs[check]) if random else ""
            rows.append(_row(f"{_CHECKS[check]} apart", f"{cut:,}", none, mean))
    if ours and random:
        rows.append(
            _row(
                "test samples with a look-alike in training",
                percent(ours.exposed),
                "0%" if folds else "",
                percent(random.exposed),
            )
        )
    return rows


def _row(what: str, ours: str, groups: str, random: str) -> dict[str, str]:
    return {"what": what, "ours": ours, "groups": groups, "random": random}


def _mean(figure: float) -> str:
    return f"{figure:,.1f}".removesuffix(".0")


def random_words(proof: Proof) -> str:
    """What the random splits take into account."""
    return "single samples, stratified by label" if proof.labels.table else "single samples"


def _tests(proof: Proof) -> list[tuple[str, MismatchTest]]:
    """(title, test) of the tests that were wanted."""
    titled = {
        "Labels": proof.tests.labels,
        "Measured properties": proof.tests.properties,
        "Content (embedding)": proof.tests.embedding,
    }
    return [(title, test) for title, test in titled.items() if test is not None]


def tested_rows(proof: Proof) -> list[dict[str, Any]]:
    """One row a test: ``what``, ``status``, ``text``, ``found``."""
    return [
        {
            "what": title,
            "status": test.status,
            "text": f"{_STATUS[test.status]}: {test.why}" if test.why else _STATUS[test.status],
            "found": test.found,
        }
        for title, test in _tests(proof)
    ]


def left_out_lines(proof: Proof) -> list[str]:
    """Why samples are in no part."""
    return [f"{counted(each.samples, 'sample')} left out: {each.why}" for each in proof.left_out]


def kept_together_lines(proof: Proof) -> list[str]:
    """What was kept together, and which checks did not run."""
    lines = [
        f"{column}: {counted(each.groups, 'group')}, {each.of_several:,} of several samples"
        for column, each in proof.kept_together.groups.items()
    ]
    lines += [
        f"{_CHECKS[check]}: {counted(pairs, 'pair')}"
        for check, pairs in proof.kept_together.pairs.items()
        if check not in proof.not_looked
    ]
    lines += [f"possible groups, not kept together: {line}" for line in candidate_lines(proof)]
    lines += [f"{_CHECKS[check]}: not checked ({why})" for check, why in proof.not_looked.items()]
    return lines
