"""Every registered check keeps the contract, and the contract test notices when one does not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from dataprep import registry
from dataprep.checks.contract import Check
from dataprep.schemas.options import option
from dataprep.testing import assert_check_fits, synthetic_dataset


@pytest.mark.parametrize("code", registry.names("dataprep.checks"))
def test_registered_check_fits(code):
    check_class = registry.load("dataprep.checks", code)
    assert check_class.code == code
    assert_check_fits(check_class)


@dataclass(frozen=True)
class Tall(Check):
    """Images taller than an option allows.

    What it finds:
        Tall images.
    Why it matters:
        A loader crops them.
    What to do:
        Crop them.
    How it works:
        Height against a limit.
    Known limits:
        None known.
    Measured quality:
        Not measured.
    """

    code = "tall"
    family = "quality"
    severity = "info"
    needs = ("height",)
    summary = "Tall images"
    advice = "Crop them."
    message = "{figure:.0f} pixels tall, above {limit:.0f}"

    limit: float = option(2000.0, "pixels", low=1)

    def find(self, dataset, look):
        height = dataset.samples["height"].to_numpy()
        tall = height > self.limit
        yield self.claims(
            dataset.samples.index[tall],
            figure=height[tall],
            unit="pixels",
            evidence={"limit": self.limit},
        )


def test_a_fitting_check_passes():
    assert_check_fits(Tall)


def _no_page(cls):
    cls.__doc__ = cls.__doc__.replace("Known limits:", "Limits:")


def _empty_section(cls):
    cls.__doc__ = cls.__doc__.replace("None known.", "")


def _no_advice(cls):
    cls.advice = ""


def _unknown_family(cls):
    cls.family = "taste"


def _unknown_need(cls):
    cls.needs = ("tallness",)


def _message_without_evidence(cls):
    cls.message = "{figure} above {ceiling}"


def _mutates(cls):
    find = cls.find

    def mutate(self, dataset, look):
        dataset.samples["height"] = 0
        return find(self, dataset, look)

    cls.find = mutate


def _not_deterministic(cls):
    rng = np.random.default_rng(1)

    def find(self, dataset, look):
        yield self.claims(
            dataset.samples.index, figure=rng.random(len(dataset)), evidence={"limit": 1}
        )

    cls.find = find


def _claims_on_lost_rows(cls):
    def find(self, dataset, look):
        yield self.claims(dataset.samples.index, figure=1.0, evidence={"limit": 1})

    cls.find = find


def _unknown_target(cls):
    def find(self, dataset, look):
        yield self.claims(["elsewhere.jpg"], figure=1.0, evidence={"limit": 1})

    cls.find = find


def _confidence_above_one(cls):
    def find(self, dataset, look):
        yield self.claims(
            dataset.samples.index[:1], figure=1.0, confidence=1.5, evidence={"limit": 1}
        )

    cls.find = find


def _swallows_options(cls):
    cls.from_options = classmethod(lambda cls, options: cls())


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (_no_page, "headings"),
        (_empty_section, "nothing under 'Known limits'"),
        (_no_advice, "'advice'"),
        (_unknown_family, "family"),
        (_unknown_need, "tallness"),
        (_message_without_evidence, "does not render"),
        (_mutates, "changes the data set"),
        (_not_deterministic, "two runs"),
        (_claims_on_lost_rows, "could not be read"),
        (_unknown_target, "no sample"),
        (_confidence_above_one, "confidence"),
        (_swallows_options, "accepts the options"),
    ],
)
def test_a_check_that_does_not_fit_is_named(spoil, says):
    spoiled = dataclass(frozen=True)(
        type("Tall", (Tall,), {"__doc__": Tall.__doc__, "__module__": __name__})
    )
    spoil(spoiled)
    with pytest.MonkeyPatch.context() as patch:  # pickle finds the class by its name in this module
        patch.setitem(globals(), "Tall", spoiled)
        with pytest.raises(AssertionError, match=says):
            assert_check_fits(spoiled)


def test_made_up_rows_are_the_same_every_time_and_lost_rows_hold_nothing():
    dataset = synthetic_dataset(8, lost=[2])
    assert dataset.samples.equals(synthetic_dataset(8, lost=[2]).samples)
    assert dataset.samples["luma_mean"].isna().tolist() == [False, False, True, *[False] * 5]
    assert dataset.samples["file_hash"].iloc[2] == ""
