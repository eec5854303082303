"""Results as dataclasses and as the dictionaries of metrics.json, whose keys stay the same."""

from __future__ import annotations

import json
import math
import pickle
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import numpy as np
import pytest

from dataprep.schemas.results.baseline import BaselineMetrics
from dataprep.schemas.results.evaluation import CleaningEffect, Estimate
from dataprep.schemas.results.record import MERGED, Record


@dataclass(frozen=True, eq=False, kw_only=True)
class Part(Record):
    share: Estimate
    note: str | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class Result(Record):
    name: str = field(metadata={"key": "class"})
    best: float | None
    parts: dict[str, Part] | None = field(default=None, metadata=MERGED)
    rows: list[Part]


MADE = Result(
    name="a",
    best=math.nan,
    parts={"test": Part(share=Estimate(np.float64(0.5), 0.0, 1.0))},
    rows=[Part(share=Estimate(0.5, math.inf, None), note="few")],
)


def test_a_record_is_plain_and_a_dictionary_in_the_order_of_its_fields() -> None:
    share = {"value": 0.5, "low": 0.0, "high": 1.0}
    unknown = {"value": 0.5, "low": None, "high": None}
    assert list(MADE) == ["class", "best", "test", "rows"]
    assert {
        "class": "a",
        "best": None,
        "test": {"share": share},
        "rows": [{"share": unknown, "note": "few"}],
    } == MADE
    assert MADE.best is None
    assert type(MADE.rows[0].share.value) is float


def test_what_is_read_back_is_the_same_record() -> None:
    back = Result.read(json.loads(json.dumps(MADE, allow_nan=False)))
    assert back == MADE
    assert back.parts is not None
    assert isinstance(back.parts["test"].share, Estimate)
    assert pickle.loads(pickle.dumps(back)).rows[0].note == "few"
    assert "note" not in replace(back.rows[0], note=None)


@pytest.mark.parametrize("damage", [{"rows": 5}, {"more": 1}, {"class": None, "best": 1.0}])
def test_what_does_not_fit_is_refused(damage: dict[str, Any]) -> None:
    data = {**MADE, **damage}
    if "best" in damage:
        del data["rows"]
    with pytest.raises((TypeError, ValueError)):
        Result.read(data)


def test_keys_that_may_be_absent_together_come_and_go_together() -> None:
    kinds = get_type_hints(CleaningEffect)
    assert get_args(kinds["paired"])[0].__name__ == "PairedSeeds"


def key_paths(kind: Any, path: str = "") -> Iterator[str]:
    """Every key that JSON may have; ``*`` for names that are not known beforehand."""
    kinds = [each for each in (get_args(kind) or (kind,)) if each is not type(None)]
    if get_origin(kind) in (list, dict):
        kinds = [kinds[-1]]
        path += "[]" if get_origin(kind) is list else ".*"
    elif get_args(kind) and len(kinds) == 1:
        yield from key_paths(kinds[0], path)
        return
    if isinstance(kinds[0], type) and issubclass(kinds[0], Record):
        hints = get_type_hints(kinds[0])
        for each in fields(kinds[0]):
            name = "" if each.metadata.get("merged") else f".{each.metadata.get('key', each.name)}"
            yield from key_paths(hints[each.name], path + name)
    elif get_origin(kind) in (list, dict) and get_args(kinds[0]):
        yield from key_paths(kinds[0], path)
    else:
        yield path.lstrip(".")


def test_the_keys_of_metrics_json_are_those_that_programs_read() -> None:
    """Taken from metrics.json before its dictionaries became dataclasses."""
    golden = (Path(__file__).parent / "metrics_keys.txt").read_text(encoding="utf-8").split()
    assert list(key_paths(BaselineMetrics)) == golden
