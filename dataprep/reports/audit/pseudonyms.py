"""Anonymised audits: stable pseudonyms in place of names, and nothing that tells where, when or
by whom a picture was taken.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

import pandas as pd
import xxhash

from dataprep.reports.messages import read_evidence
from dataprep.schemas.audit import FAILED, Audit, is_failure
from dataprep.schemas.columns import COLUMNS

if TYPE_CHECKING:
    from dataprep.schemas.dataset import Dataset

#: Stands for the folder, and for text that is left out.
HIDDEN_ROOT, HIDDEN_TEXT = "(anonymised)", "(left out)"
#: Columns that name, place or date a picture; the user's own columns go as well.
PRIVATE = ("lost_detail", "extension", "captured_at", "camera", "gps", "pixel_hash")
#: Columns that identities are made of, dropped from the files that are written.
UNWRITTEN = ("file_hash",)
#: Keys of evidence whose text is a check's own words, in which names are quoted, or are labels,
#: splits or groups; text under other keys is left out.
OWN_WORDS = frozenset(
    re.findall(
        r"\w+",
        "advice change column_label direction figure_name format kind legend meaning mode more "
        "place reason regime relation row_label sentence text todo told unit what worst x_label "
        "y_label",
    )
)
#: Keys of evidence that hold a drawing (`dataprep.reports.audit.evidence`), whose own keys are
#: ours, not names.
DRAWINGS = frozenset({"histogram", "patch", "curve", "matrix"})
#: Series of a histogram that are no class or split.
_OWN_SERIES = frozenset({"all", "the others", "others", "rest"})

_USUAL_SPLIT = re.compile(r"(?i:train|training|val|valid|validation|dev|test|fold[-_ ]?\d+|\d+)")
_AT_ROW, _ROW = re.compile(r"(?:row |:)(\d+)$"), re.compile(r"row \d+")
_NUMBER, _WORD = re.compile(r"[\d.,]+"), re.compile(r"[\w-]+")
_QUOTED = re.compile(r"'([^']*)'|\"([^\"]*)\"")
#: Names of several words that are looked for in sentences, the longest first.
_PHRASES = 2000


class _Names(dict[str, str]):
    """Name to pseudonym; a name met for the first time is numbered."""

    def __init__(self, kind: str, known: Iterable[str] = ()) -> None:
        super().__init__()
        self._kind = kind
        for name in known:
            self[name]

    def __missing__(self, name: str) -> str:
        self[name] = f"{self._kind}-{len(self) + 1:02d}" if name else ""
        return self[name]


def anonymise(audit: Audit) -> Audit:
    """The same audit with pseudonyms for files, labels, groups, unusual split names and whatever
    else names something.

    A file's pseudonym is a hash of its content, so it stays the same when files are renamed or
    added; without the file it cannot be undone. Labels and groups are numbered. The root, the
    user's own columns, capture time, camera and position, the decoder's words and options that hold
    text are left out.
    """
    names = _Pseudonyms(audit.dataset)
    run = {key: value for key, value in audit.run.items() if key not in ("root", "options")}
    run |= {"root": HIDDEN_ROOT, "options": without_text(audit.run.get("options", {}))}
    return Audit(
        _dataset(audit.dataset, names),
        replace(audit.issues, table=_issues(audit.issues.table, names)),
        {code: FAILED if is_failure(reason) else reason for code, reason in audit.skipped.items()},
        audit.checks,
        run,
        audit.neighbourhood,
    )


class _Pseudonyms:
    """Every map from a name to its pseudonym."""

    def __init__(self, dataset: Dataset) -> None:
        splits = _unique(dataset, "split")
        usual = {name: name for name in splits if _USUAL_SPLIT.fullmatch(name)}
        self.samples = dict(zip(dataset.samples.index.tolist(), _file_names(dataset), strict=True))
        self.classes = _Names("class", [*dataset.classes, *_unique(dataset, "label")])
        self.splits = _Names("split", (name for name in splits if name not in usual))
        self.splits.update(usual)
        self.groups = _Names("group", _unique(dataset, "group"))
        self.others, self.issue_groups = _Names("name"), _Names("set")
        spoken = {**self.groups, **self.splits, **self.classes}
        self._spoken = {name: of for name, of in spoken.items() if not _NUMBER.fullmatch(name)}
        phrases = (name for name in self._spoken if name and not _WORD.fullmatch(name))
        longest = sorted(phrases, key=len, reverse=True)[:_PHRASES]
        self._phrases = re.compile("|".join(map(re.escape, longest)) or "(?!)")

    def of(self, name: str, scope: str = "") -> str:
        """The pseudonym of a name whose kind the scope may tell; text that only says a row is
        kept.
        """
        if not name or _ROW.fullmatch(name):
            return name
        first = {"class": self.classes, "split": self.splits}.get(scope, self.samples)
        known = (first, self.samples, self.classes, self.splits, self.groups)
        return next((names[name] for names in known if name in names), None) or self.others[name]

    def text(self, text: str, key: str) -> str:
        """What stands for a text in evidence: its pseudonym if it is a name; where these are our
        own words, the words with pseudonyms for what they quote and for labels, splits and groups
        that they name, but numbers.
        """
        for known in (self.samples, self.classes, self.groups, self.splits):
            if text in known:
                return known[text]
        if key not in OWN_WORDS:
            return HIDDEN_TEXT if text else text
        text = _QUOTED.sub(lambda found: f"'{self.of(found[1] or found[2] or '')}'", text)
        text = self._phrases.sub(lambda found: self._spoken[found[0]], text)
        return _WORD.sub(lambda found: self._spoken.get(found[0], found[0]), text)


def _unique(dataset: Dataset, column: str) -> list[str]:
    if column not in dataset.samples:
        return []
    return sorted({str(value) for value in dataset.samples[column].dropna().unique()})


def _file_names(dataset: Dataset) -> list[str]:
    """(n,) pseudonyms: ``image-`` and 12 digits of a hash of the content's hash; copies are
    numbered.
    """
    hashes = dataset.samples.get("file_hash", pd.Series("", dataset.samples.index)).fillna("")
    names = pd.Series(
        [f"image-{xxhash.xxh3_64_hexdigest(each.encode())[:12]}" if each else "" for each in hashes]
    )
    numbers = names.groupby(names).cumcount() + 1
    return [
        name if name and number == 1 else f"{name or 'unread'}-{number}"
        for name, number in zip(names, numbers, strict=True)
    ]


def _dataset(dataset: Dataset, names: _Pseudonyms) -> Dataset:
    kept = [name for name in dataset.samples if name in COLUMNS and name not in PRIVATE]
    samples = dataset.samples[kept].copy()
    samples.index = pd.Index([names.samples[name] for name in samples.index], name="sample")
    columns = {"label": names.classes, "group": names.groups, "split": names.splits}
    for column in columns.keys() & set(samples):
        given = zip(samples[column], samples[column].notna(), strict=True)
        samples[column] = pd.Categorical(
            [columns[column][str(value)] if known else None for value, known in given]
        )
    return replace(
        dataset,
        root=HIDDEN_ROOT,
        samples=samples,
        classes=tuple(names.classes[name] for name in dataset.classes),
        annotations=None,
        faults=None,
        ignored={"junk": sum(dataset.ignored.values())} if dataset.ignored else {},
        notes=(),
    )


def _issues(table: pd.DataFrame, names: _Pseudonyms) -> pd.DataFrame:
    @cache
    def evidence(text: str) -> str:
        return _evidence(text, names)

    def row_only(location: str) -> str:
        found = _AT_ROW.search(location)
        return f"row {found[1]}" if found else ""

    columns = {
        "target": map(names.of, table["target"], table["scope"]),
        "related": map(names.of, table["related"], table["scope"]),
        "group": (names.samples.get(name) or names.issue_groups[name] for name in table["group"]),
        "location": map(row_only, table["location"]),
        "value": (names.of(value, "class") for value in table["value"]),
        "evidence": map(evidence, table["evidence"]),
    }
    return table.assign(
        **{name: pd.array(list(values), dtype="str") for name, values in columns.items()}
    )


def _evidence(text: str, names: _Pseudonyms) -> str:
    evidence = {
        key: _hidden_drawing(value, names)
        if key in DRAWINGS and isinstance(value, dict)
        else _hidden(value, key, names)
        for key, value in read_evidence(text).items()
    }
    return json.dumps(evidence, separators=(",", ":"), sort_keys=True) if evidence else ""


def _hidden(value: Any, key: str, names: _Pseudonyms) -> Any:
    if isinstance(value, str):
        return names.text(value, key)
    if isinstance(value, list):
        return [_hidden(item, key, names) for item in value]
    if isinstance(value, dict):
        return {names.of(name): _hidden(item, key, names) for name, item in value.items()}
    return value


def _hidden_drawing(drawing: Mapping[str, Any], names: _Pseudonyms) -> dict[str, Any]:
    """A drawing with pseudonyms for the names in it, without pixels."""
    hidden = {key: _hidden(value, key, names) for key, value in drawing.items() if key != "pixels"}
    series = drawing.get("series")
    if isinstance(series, dict):
        hidden["series"] = {
            name if name in _OWN_SERIES else names.of(name): counts
            for name, counts in series.items()
        }
    for key in {"categories", "classes"} & set(drawing):
        listed = drawing[key] if isinstance(drawing[key], list) else []
        hidden[key] = [names.of(str(name)) for name in listed]
    if drawing.get("label") in COLUMNS:
        hidden["label"] = drawing["label"]
    return hidden


def without_text(value: Any) -> Any:
    """Options without those that hold text: it could name something."""
    if isinstance(value, Mapping):
        kept = {key: without_text(item) for key, item in value.items()}
        return {key: item for key, item in kept.items() if item is not None}
    return value if isinstance(value, bool | int | float) else None
