"""The contract that every check keeps, as a test that plug-ins can run too.

>>> from dataprep.testing import assert_check_fits
>>> def test_my_check_fits():
...     assert_check_fits(MyCheck)

It looks at the documentation page, the class attributes and the options, then runs the check on
small generated data sets (`synthetic_dataset`): of 0, 1, 8 and 40 rows, with lost rows, with
nothing but lost rows, and without labels.
"""

from __future__ import annotations

import dataclasses
import json
import pickle
import re
from collections.abc import Collection, Iterator, Mapping
from string import Formatter
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dataprep import registry
from dataprep.checks.contract import FAMILIES, HEADINGS, Check
from dataprep.checks.second_look import SecondLook
from dataprep.errors import OptionError
from dataprep.measures.options import PassOptions
from dataprep.schemas.columns import COLUMNS, FILE, GIVEN, PIXEL, Column
from dataprep.schemas.dataset import Dataset
from dataprep.schemas.issues import COLUMNS as ISSUE_COLUMNS
from dataprep.schemas.issues import (
    FILE_SCOPES,
    SCOPES,
    SEVERITIES,
    SUGGESTIONS,
    evidence_of,
    faults_table,
)

if TYPE_CHECKING:
    from dataprep.checks.duplicates.pairs import Duplicates

__all__ = ["assert_check_fits", "synthetic_dataset"]

_CLASSES = ("apple", "pear", "plum")
_SPLITS = ("train", "val", "test")
_TEXTS: Mapping[str, tuple[str, ...]] = {
    "format": ("JPEG", "PNG", "GIF"),
    "extension": ("jpg", "png", "jpeg"),
    "mode": ("RGB", "CMYK", "I;16", "L"),
    "camera": ("", "Acme One"),
    "captured_at": ("", "2024-05-01T12:00:00"),
    "lost_detail": ("",),
}
#: Ranges of the figures that are neither in a unit of `_RANGES` nor shares from 0 to 1.
_RANGES: Mapping[str, tuple[float, float]] = {
    "bytes": (0, 1e7),
    "bits": (1, 16),
    "frames": (1, 4),
    "pixels": (1, 4000),
    "orientation": (1, 8),
    "jpeg_quality": (1, 100),
    "contrast": (0, 0.5),
    "entropy": (0, 8),
    "blockiness": (1, 4),
}


def assert_check_fits(check_class: type[Check], *, measures: Collection[str] = ()) -> None:
    """Assert that a check keeps the contract that the engine and the reports count on.

    Args:
        check_class: the class, a subclass of `dataprep.Check`.
        measures: columns that it needs and that a measure not registered in this environment fills.

    Raises:
        AssertionError: naming the check and the rule that it breaks.

    Example:
        >>> from dataprep import registry
        >>> from dataprep.testing import assert_check_fits
        >>> assert_check_fits(registry.load("dataprep.checks", "odd-mode"))
    """
    name = getattr(check_class, "code", check_class.__name__)
    _assert_attributes(
        check_class, name, {*COLUMNS, *registry.names("dataprep.measures"), *measures}
    )
    _assert_page(check_class, name)
    _assert_options(check_class, name)
    check = check_class()
    assert pickle.loads(pickle.dumps(check)) == check, (
        f"{name}: an unpickled copy differs from the original"
    )
    for dataset in _datasets(check):
        _assert_runs(check, dataset)


def synthetic_dataset(
    rows: int,
    *,
    seed: int = 0,
    lost: Collection[int] = (),
    labels: bool = True,
    measures: Collection[str] = (),
) -> Dataset:
    """A Dataset of `rows` samples without files: every built-in column, filled with figures from
    its whole range.

    Args:
        rows: number of samples.
        seed: other seeds give other figures.
        lost: row positions whose files could not be read: no measured values.
        labels: with ``label``, ``split`` and ``group``, or without.
        measures: further columns of figures from 0 to 1.

    Example:
        >>> from dataprep.testing import synthetic_dataset
        >>> dataset = synthetic_dataset(8, lost=[2])
        >>> len(dataset), dataset.samples["lost"].tolist()[2]
        (8, 'truncated')
    """
    rng = np.random.default_rng(seed)
    gone = np.isin(np.arange(rows), list(lost))
    columns: dict[str, Any] = {}
    if labels:
        columns["label"] = pd.Categorical(rng.choice(_CLASSES, rows))
        columns["split"] = pd.Categorical(rng.choice(_SPLITS, rows), categories=_SPLITS)
        columns["group"] = pd.Categorical([f"g{i}" for i in rng.integers(0, rows // 2 + 1, rows)])
    extra = [Column(name, "float", "", "") for name in measures]
    columns |= {column.name: _values(column, rng, gone) for column in (*FILE, *PIXEL, *extra)}
    columns["lost"] = pd.Categorical(np.where(gone, "truncated", ""), categories=["", "truncated"])
    index = pd.Index([f"made-up/{i:04d}.jpg" for i in range(rows)], name="sample", dtype="str")
    hashes = rng.integers(0, 2**63, (rows, 8)).astype(np.uint64)
    embedding = np.where(gone[:, None], 0.0, np.maximum(rng.normal(0.5, 1, (rows, 64)), 0)).astype(
        np.float16
    )
    return Dataset(
        "made-up",
        pd.DataFrame(columns, index=index),
        "classification" if labels else "none",
        _CLASSES if labels else (),
        arrays={
            "phash": hashes,
            "phash_inner": hashes,
            "sketch": rng.integers(0, 256, (rows, 2, 144)).astype(np.uint8),
            "thumb": rng.integers(0, 256, (rows, 512)).astype(np.uint8),
            "patches": rng.integers(0, 2**16, (rows, 5, 36)).astype(np.uint16),
            "embedding": embedding,
        },
    )


def _values(column: Column, rng: np.random.Generator, gone: np.ndarray[Any, Any]) -> Any:
    rows = len(gone)
    if column.kind in ("text", "category"):
        known = _TEXTS.get(column.name)
        texts = (
            rng.choice(known, rows)
            if known
            else np.array([f"{value:032x}" for value in rng.integers(0, 2**62, rows)])
        )
        texts = np.where(gone, "", texts)
        return pd.Categorical(texts) if column.kind == "category" else pd.array(texts, dtype="str")
    low, high = _RANGES.get(column.name) or _RANGES.get(column.unit) or (0.0, 1.0)
    figures = (
        rng.uniform(low, high, rows)
        if column.kind == "float"
        else rng.integers(int(low), int(high) + 1, rows)
    )
    if column.kind == "bool":
        return pd.Series(figures.astype(bool), dtype="boolean").mask(gone).array
    return np.where(gone, np.nan, figures.astype(np.float64))


class SyntheticLook(SecondLook):
    """A second look without files: rows 0 and 1 are equal in bytes, 2 and 3 in pixels, 4 to 6
    are near duplicates.
    """

    _PAIRS = (
        (0, 1, "bytes", "identical files", 1.0),
        (2, 3, "pixels", "identical pixels, other file", 1.0),
        (4, 5, "near", "B is A cropped to 80 %, re-encoded", 0.97),
        (4, 6, "near", "B is A mirrored", 0.99),
    )

    def __init__(self, dataset: Dataset) -> None:
        super().__init__(dataset, PassOptions(), verify=None)
        self._readable = dataset.readable

    def duplicates(self) -> Duplicates:
        """The pairs above, of those rows that exist and could be read."""
        from dataprep.checks.duplicates.pairs import Duplicates

        readable = self._readable
        known = [
            pair
            for pair in self._PAIRS
            if pair[1] < len(readable) and readable[pair[0]] and readable[pair[1]]
        ]
        pairs = pd.DataFrame(known, columns=["a", "b", "kind", "relation", "confidence"])
        pairs = pairs.astype(
            {
                "a": np.int64,
                "b": np.int64,
                "kind": "str",
                "relation": "str",
                "confidence": np.float64,
            }
        )
        groups = np.full(len(readable), -1, dtype=np.int64)
        keep = np.ones(len(readable), dtype=bool)
        for a, b, *_ in known:
            groups[a], groups[b], keep[b] = a, a, False
        return Duplicates(pairs=pairs, groups=groups, keep=keep)


def _assert_attributes(check_class: type[Check], name: str, known: Collection[str]) -> None:
    assert issubclass(check_class, Check), f"{name}: not a subclass of dataprep.Check"
    params = vars(check_class).get("__dataclass_params__")
    assert params is not None, f"{name}: not a dataclass of its own"
    assert params.frozen, f"{name}: the dataclass is not frozen"
    for attribute in ("code", "family", "severity", "summary", "advice", "message"):
        assert getattr(check_class, attribute, ""), (
            f"{name}: the class attribute {attribute!r} is missing or empty"
        )
    assert re.fullmatch("[a-z0-9]+(-[a-z0-9]+)*", name), f"{name}: the code is not kebab-case"
    _assert_one_of(name, "family", check_class.family, FAMILIES)
    _assert_one_of(name, "severity", check_class.severity, SEVERITIES)
    _assert_one_of(name, "scope", check_class.scope, SCOPES)
    _assert_one_of(name, "suggestion", check_class.suggestion, SUGGESTIONS)
    for need in check_class.needs:
        assert need in known, f"{name}: needs {need!r}, which no measure fills"


def _assert_one_of(name: str, attribute: str, value: str, known: Collection[str]) -> None:
    assert value in known, f"{name}: {attribute} is {value!r}, expected one of {', '.join(known)}"


def _assert_page(check_class: type[Check], name: str) -> None:
    page = check_class.page()
    assert tuple(page) == HEADINGS, (
        f"{name}: expected the headings {', '.join(HEADINGS)} in this order, got {', '.join(page)}"
    )
    for heading, text in page.items():
        assert text.strip(), f"{name}: nothing under {heading!r}"


def _assert_options(check_class: type[Check], name: str) -> None:
    for field in dataclasses.fields(check_class):
        assert field.metadata.get("help"), (
            f"{name}: option {field.name!r} has no help; declare it with dataprep's option()"
        )
        assert (
            field.default is not dataclasses.MISSING
            or field.default_factory is not dataclasses.MISSING
        ), f"{name}: option {field.name!r} has no default"
        low = field.metadata.get("low")
        if low is not None:
            _assert_refuses(check_class, name, {field.name: type(low)(low - 1)})
    _assert_refuses(check_class, name, {"no_such_option": 1})


def _assert_refuses(check_class: type[Check], name: str, options: Mapping[str, Any]) -> None:
    try:
        check_class.from_options(options)
    except OptionError:
        return
    raise AssertionError(f"{name}: accepts the options {dict(options)}")


def _datasets(check: Check) -> Iterator[Dataset]:
    own = set(check.needs) - set(COLUMNS)
    yield synthetic_dataset(0, measures=own)
    yield synthetic_dataset(1, measures=own)
    yield synthetic_dataset(8, measures=own)
    yield synthetic_dataset(8, measures=own, lost=range(8))
    yield synthetic_dataset(8, measures=own, labels=False)
    for seed in range(3):
        yield synthetic_dataset(40, measures=own, seed=seed, lost=(1, 5, 20))


def _assert_runs(check: Check, dataset: Dataset) -> None:
    if not all(need in dataset.samples or need in dataset.arrays for need in check.needs):
        return  # the engine skips it, and says why
    dataset = dataclasses.replace(dataset, faults=_faults(check, dataset))
    before = pickle.dumps((dataset.samples, dataset.faults, dict(dataset.arrays)))
    claims = list(check.find(dataset, SyntheticLook(dataset)))
    again = list(check.find(dataset, SyntheticLook(dataset)))
    after = pickle.dumps((dataset.samples, dataset.faults, dict(dataset.arrays)))
    assert before == after, f"{check.code}: changes the data set it was given"
    assert len(claims) == len(again), (
        f"{check.code}: two runs gave {len(claims)} and {len(again)} batches"
    )
    for first, second in zip(claims, again, strict=True):
        pd.testing.assert_frame_equal(first, second, obj=f"{check.code}: claims of two runs")
        _assert_claims(check, dataset, first)


def _faults(check: Check, dataset: Dataset) -> pd.DataFrame:
    """Two faults with the code of `check`, as a reader of records would leave them, with the
    evidence its message asks for.
    """
    given = {"figure", "unit", "target", "related", "value"}
    evidence = json.dumps(dict.fromkeys(_fields(check.message) - given, 2))
    measured = dataset.samples.index[dataset.readable]
    fault = {
        "check": check.code,
        "location": "labels.csv:3",
        "figure": 2.0,
        "value": "apple",
        "evidence": evidence,
    }
    targets = dataset.classes if check.scope == "class" else measured
    return faults_table([{**fault, "target": target, "related": "row 2"} for target in targets[:2]])


def _fields(template: str) -> set[str]:
    return {
        field.split(".")[0].split("[")[0] for _, field, _, _ in Formatter().parse(template) if field
    }


def _assert_claims(check: Check, dataset: Dataset, claims: pd.DataFrame) -> None:
    name = check.code
    assert tuple(claims.columns) == ISSUE_COLUMNS, (
        f"{name}: a batch has the columns {list(claims.columns)}; use self.claims()"
    )
    assert claims["check"].astype("str").eq(name).all(), (
        f"{name}: a claim under another check's name"
    )
    confidence = claims["confidence"].to_numpy(dtype=float)
    assert ((confidence >= 0) & (confidence <= 1)).all(), f"{name}: a confidence outside 0 to 1"
    for column, known in (("scope", SCOPES), ("severity", SEVERITIES), ("suggestion", SUGGESTIONS)):
        assert claims[column].notna().all(), f"{name}: {column} must be one of {', '.join(known)}"
    for scope, part in claims.groupby("scope", observed=True):
        _assert_targets(name, str(scope), part, dataset)
    _assert_leaves_lost_alone(check, dataset, claims)
    for row in claims.to_dict("records"):
        _assert_message(check, row)


def _assert_targets(name: str, scope: str, part: pd.DataFrame, dataset: Dataset) -> None:
    targets, samples = set(part["target"]), set(dataset.samples.index)
    if scope in FILE_SCOPES:
        assert targets <= samples, f"{name}: a target that is no sample: {targets - samples}"
    if scope == "pair":
        assert set(part["related"]) <= samples, f"{name}: a pair whose other side is no sample"
        assert (part["target"] != part["related"]).all(), f"{name}: a pair of a sample with itself"
    if scope == "class":
        assert targets <= set(dataset.classes), (
            f"{name}: a target that is no class: {targets - set(dataset.classes)}"
        )


def _assert_leaves_lost_alone(check: Check, dataset: Dataset, claims: pd.DataFrame) -> None:
    reads_files = bool(set(check.needs) - {column.name for column in GIVEN}) or check.looks
    if "lost" in check.needs or not reads_files:
        return
    lost = dataset.samples.index[~dataset.readable]
    about = claims[claims["scope"].isin(FILE_SCOPES)]
    claimed = sorted(set(about["target"]) & set(lost))
    assert not claimed, f"{check.code}: a claim about {claimed[0]}, whose file could not be read"


def _assert_message(check: Check, row: Mapping[Any, Any]) -> None:
    evidence = evidence_of(row["evidence"])
    known = {key: row[key] for key in ("figure", "unit", "target", "related", "value")} | evidence
    try:
        text = check.message.format(**known)
    except (KeyError, IndexError, ValueError, TypeError) as error:
        raise AssertionError(
            f"{check.code}: the message {check.message!r} does not render with {sorted(known)}: "
            f"{type(error).__name__}: {error}"
        ) from error
    assert text.strip(), f"{check.code}: a message is empty"
    assert "nan" not in text.split(), f"{check.code}: the message renders as {text!r}"
