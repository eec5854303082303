"""Checks of a caller's own run beside the registered ones; what is asked of a check that is not
there is an error.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import dataprep
from dataprep.checks.contract import Check
from dataprep.errors import OptionError
from dataprep.schemas.issues import Issues, batch
from dataprep.schemas.options import option

FAST = {
    "only": ["dark", "too-green"],
    "pass_options": dataprep.PassOptions(embedder="", jobs=1, cache=False),
}


@dataclass(frozen=True)
class TooGreen(Check):
    """A check without a documentation page."""

    code = "too-green"
    family = "quality"
    severity = "warning"
    needs = ("width",)
    summary = "Images that are too green"
    advice = "Paint them."
    message = "{target} is {figure:.0f} {unit} wide"

    least: int = option(10, "Pixels.", low=1)

    def find(self, dataset: dataprep.Dataset, look: Any) -> Iterator[pd.DataFrame]:
        wide = dataset.samples["width"].to_numpy() >= self.least
        yield self.claims(
            dataset.samples.index[wide], figure=dataset.samples["width"][wide].to_numpy(), unit="px"
        )


@pytest.fixture(scope="module")
def images() -> list[np.ndarray]:
    return [
        np.random.default_rng(i).integers(0, 256, (20, 10 + 10 * i, 3)).astype(np.uint8)
        for i in range(3)
    ]


@pytest.mark.parametrize(
    ("given", "options", "found"),
    [
        (TooGreen(), {}, 3),
        (TooGreen, {}, 3),
        (TooGreen(least=15), {}, 2),
        (TooGreen, {"too-green": {"least": 30}}, 1),
    ],
)
def test_own_checks_are_reported_like_any_other(images, tmp_path: Path, given, options, found):
    audit = dataprep.audit(images, checks=[given], options=options, **FAST)
    assert len(audit.issues.of("too-green")) == found
    assert [check.code for check in audit.checks] == ["dark", "too-green"]
    assert "Images that are too green" in audit._repr_html_()
    if found != 2:
        return
    dataprep.report(audit, tmp_path)
    told = json.loads((tmp_path / "report.json").read_text())
    assert "too-green" in json.dumps(told)
    assert "px wide" in (tmp_path / "issues.csv").read_text()
    dataprep.report(audit, tmp_path / "anonymised", anonymise=True)


def test_own_checks_run_after_the_registered_ones_and_can_be_left_out(images):
    every = dataprep.audit(
        images, checks=[TooGreen()], skip=["dark"], pass_options=FAST["pass_options"]
    )
    assert every.checks[-1].code == "too-green"
    assert len(every.checks) > 40
    assert not len(
        dataprep.audit(
            images, checks=[TooGreen()], only=["dark"], pass_options=FAST["pass_options"]
        ).issues
    )


@dataclass(frozen=True)
class Broken(TooGreen):
    """Ends in whatever it is given."""

    code = "broken"
    made: Any = field(default=None)

    def find(self, dataset: dataprep.Dataset, look: Any) -> Iterator[pd.DataFrame]:
        if isinstance(self.made, Exception):
            raise self.made
        yield self.made


@pytest.mark.parametrize(
    "made",
    [
        ZeroDivisionError("x"),
        {"target": ["a"]},
        pd.DataFrame({"target": ["a"]}),
        None,
        batch("broken", "info", "sample", ["a"]).astype({"severity": "str"}).assign(severity="bad"),
    ],
)
def test_a_broken_check_costs_no_other_its_findings(images, made):
    audit = dataprep.audit(
        images,
        checks=[Broken(made=made), TooGreen()],
        pass_options=FAST["pass_options"],
        only=["broken", "too-green"],
    )
    assert list(audit.failed) == ["broken"]
    assert len(audit.issues.of("too-green")) == 3


def changed(**attributes: Any) -> type[Check]:
    return type("Mine", (TooGreen,), attributes)


class Unfinished(Check):
    """Has neither a code nor find()."""


@pytest.mark.parametrize(
    ("checks", "says"),
    [
        ([changed(code="dark")], "another check is called 'dark' already"),
        ([TooGreen(), TooGreen()], "another check is called 'too-green' already"),
        ([changed(code="Too Green")], "kebab-case"),
        ([changed(family="colours")], "Mine.family to be one of files"),
        ([changed(severity="bad")], "Mine.severity to be one of"),
        ([changed(summary=None)], "Mine lacks summary"),
        ([Unfinished], "Unfinished lacks code, summary, advice, message, family, severity, find"),
        (TooGreen(), "expected a list of checks"),
        (TooGreen, "expected a list of checks"),
        (["dark"], "expected checks"),
        ([int], "expected checks"),
    ],
)
def test_what_is_no_check_is_refused_before_the_work(checks, says):
    with pytest.raises(OptionError, match=says):
        dataprep.audit("nowhere", checks=checks)


def test_options_of_an_instance_are_its_own():
    with pytest.raises(OptionError, match="give the class"):
        dataprep.audit("nowhere", checks=[TooGreen()], options={"too-green": {"least": 3}})
    with pytest.raises(OptionError, match="too-green.least"):
        dataprep.audit("nowhere", checks=[TooGreen], options={"too-green": {"least": 0}})


def test_issues_of_a_check_that_is_not_there(images):
    audit = dataprep.audit(images, checks=[TooGreen()], **FAST)
    with pytest.raises(
        OptionError, match="no check of this audit is called 'drak'. Did you mean 'dark'"
    ):
        audit.issues.of("drak")
    with pytest.raises(OptionError, match="'too-gren'. Did you mean 'too-green'"):
        audit.issues.at_least("info").where(np.ones(3, bool)).of("dark", "too-gren")
    with pytest.raises(OptionError, match="no check of this audit is called 'blurry'"):
        audit.issues.of("blurry")
    assert len(audit.issues.of("dark")) == 0
    assert len(audit.issues.of("dark", "too-green")) == 3
    assert len(Issues.collect([]).of("drak")) == 0
