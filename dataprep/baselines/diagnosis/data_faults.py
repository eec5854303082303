"""Data faults: what an audit says about samples that a model gets wrong, and how much of its
error that explains.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.special import gammaln

from dataprep.baselines.evaluation.bootstrap import drawn_weights, percentiles
from dataprep.checks.labels.ambiguous_classes import wilson
from dataprep.reports.audit.summary import templates
from dataprep.reports.messages import render
from dataprep.schemas.issues import SEVERITIES, evidence_of
from dataprep.schemas.results.errors import ClaimOnMistake, Explained

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.schemas.audit import Audit

#: What may be wrong with a sample, and the checks that say so.
KINDS: dict[str, tuple[str, ...]] = {
    "mislabelled": ("wrong-label", "label-conflict", "conflicting-rows"),
    "copied": ("exact-duplicate", "near-duplicate", "duplicate-row", "split-leakage"),
    "unusual": ("outlier", "low-coverage"),
    "hard to see": (
        "dark",
        "bright",
        "low-contrast",
        "blurry",
        "motion-blur",
        "noisy",
        "heavy-compression",
        "upscaled",
        "low-information",
        "odd-size",
        "odd-aspect-ratio",
        "border",
        "already-normalised",
        "exif-rotated",
        "odd-mode",
    ),
}
#: The question that each kind answers.
QUESTIONS = {
    "mislabelled": "Is the label wrong?",
    "copied": "Is it a copy of another image?",
    "unusual": "Is it unlike all others?",
    "hard to see": "Is it too dark, blurred or otherwise hard to see?",
}
_KIND_OF = {check: kind for kind, checks in KINDS.items() for check in checks}
#: Claims below this severity are shown, but do not count as faults.
_LEAST = SEVERITIES.index("warning")
#: Of more classes than this, errors are not compared class by class.
_MOST_CLASSES = 60
_DRAWS = 500
#: One-sided, as the lower end of a 95 % interval is.
_ALPHA = 0.025
#: Claims that are told of one sample.
_MOST_CLAIMS = 4


class Faults:
    """What an audit says about samples.

    Args:
        audit: None for nothing.
        names: (n,) the samples that are asked about.
    """

    def __init__(self, audit: Audit | None, names: NDArray[np.object_]) -> None:
        self.audit, self.names = audit, names
        self.table = _claims(audit, names)

    def having(self, kind: str = "") -> NDArray[np.bool_]:
        """(n,) whether a sample has a fault, of `kind` alone where that is given: a claim that
        is a warning or worse.
        """
        serious = (self.table["severity"] >= _LEAST).to_numpy()
        wanted = serious & (self.table["kind"] == kind).to_numpy() if kind else serious
        return np.isin(self.names, self.table["sample"].to_numpy(dtype=object)[wanted])

    def worst_of(
        self, shown: Iterable[str], train: frozenset[str]
    ) -> dict[str, list[ClaimOnMistake]]:
        """Sample to its worst claims.

        Args:
            shown: samples to tell of.
            train: names of the samples that were trained on.
        """
        part = self.table[self.table["sample"].isin(list(shown))]
        found: dict[str, list[ClaimOnMistake]] = {}
        if self.audit is None or not len(part):
            return found
        messages = render(
            self.audit.issues.table.iloc[part["row"].to_numpy()], templates(self.audit)
        )
        for row, message in zip(part.to_dict("records"), messages, strict=True):
            claims = found.setdefault(str(row["sample"]), [])
            if len(claims) < _MOST_CLAIMS and all(each.check != row["check"] for each in claims):
                claims.append(
                    ClaimOnMistake(
                        check=row["check"],
                        kind=row["kind"],
                        severity=SEVERITIES[row["severity"]],
                        message=message,
                        related=row["other"],
                        in_train=row["other"] in train,
                    )
                )
        return found


def _claims(audit: Audit | None, names: NDArray[np.object_]) -> pd.DataFrame:
    """One row per claim and sample that it names: ``sample``, ``other``, ``check``, ``kind``,
    ``severity`` (number), ``row``.
    """
    columns = ["sample", "other", "check", "kind", "severity", "row"]
    if audit is None:
        return pd.DataFrame(
            {name: pd.Series(dtype=object if name != "severity" else np.int64) for name in columns}
        )
    table = audit.issues.table
    kept = (
        table["check"].isin(list(_KIND_OF)).to_numpy()
        & table["scope"].isin(("sample", "pair")).to_numpy()
    )
    part = table[kept]
    target, related = (
        part[name].astype("str").to_numpy(dtype=object) for name in ("target", "related")
    )
    checks = part["check"].astype("str").to_numpy(dtype=object)
    facts = {
        "check": checks,
        "kind": [_KIND_OF[check] for check in checks],
        "severity": part["severity"].cat.codes.to_numpy(),
        "row": np.flatnonzero(kept),
    }
    paired = (part["scope"].astype("str") == "pair").to_numpy()
    there = pd.DataFrame({"sample": target, "other": related, **facts})
    back = pd.DataFrame({"sample": related, "other": target, **facts})[paired]
    both = pd.concat([there, back], ignore_index=True)[columns]
    return both[both["sample"].isin(names)].sort_values(
        ["severity", "row"], ascending=[False, True], kind="stable"
    )


def ambiguous_pairs(audit: Audit | None) -> set[frozenset[str]]:
    """Pairs of classes that the audit finds hard to tell apart by their labels."""
    if audit is None:
        return set()
    table = audit.issues.where_check("ambiguous-classes").table
    others = [evidence_of(str(text)).get("other", "") for text in table["evidence"]]
    return {
        frozenset((str(target), str(other)))
        for target, other in zip(table["target"], others, strict=True)
        if other
    }


def explained(
    wrong: NDArray[np.bool_],
    faulty: NDArray[np.bool_],
    classes: NDArray[np.int64],
    units: NDArray[np.int64],
    *,
    seed: int = 0,
) -> Explained:
    """The share of the errors that data faults explain beyond coincidence.

    Faulty samples would be got wrong now and then even if they were not: as often as faultless ones
    of the same class. What they are got wrong beyond that, as a share of all errors, is the
    population attributable fraction (Miettinen 1974), with the interval of the bootstrap over
    units, or a wider one where errors are few. That a check which looks with a similar model finds
    the same samples hard is part of it: for wrong labels it is an upper bound.

    Args:
        wrong: (n,) got wrong.
        faulty: (n,) with a fault.
        classes: (n,) code of the class that each is compared within.
        units: (n,) what varies together, from 0 without gaps.
        seed: of the bootstrap.
    """
    kinds = classes if classes.max(initial=0) < _MOST_CLASSES else np.zeros(len(classes), np.int64)
    errors, right = int(wrong.sum()), int((~wrong).sum())
    faulty_errors, faulty_right = int((wrong & faulty).sum()), int((~wrong & faulty).sum())
    share, low, high, beyond = math.nan, math.nan, math.nan, False
    if errors and faulty.any() and not faulty.all():
        share = float(_fraction(np.ones((1, len(wrong))), wrong, faulty, kinds)[0])
        draws = [
            _fraction(block, wrong, faulty, kinds) for block in drawn_weights(units, _DRAWS, seed)
        ]
        least, most, p = _by_shares(wrong, faulty, units)
        ends = percentiles(np.concatenate(draws))
        low, high = min(float(ends[0]), least, share), max(float(ends[1]), most, share)
        beyond = low > 0 and p < _ALPHA
    return Explained(
        errors=errors,
        faulty_errors=faulty_errors,
        right=right,
        faulty_right=faulty_right,
        explained=share,
        low=low,
        high=high,
        beyond_chance=beyond,
        share_of_errors=faulty_errors / errors if errors else None,
        share_of_right=faulty_right / right if right else None,
    )


def _by_shares(
    wrong: NDArray[np.bool_], faulty: NDArray[np.bool_], units: NDArray[np.int64]
) -> tuple[float, float, float]:
    """The interval of how much more often errors are faulty than right answers (Newcombe 1998,
    method 10, over units), and how probable so many or more faulty errors are by chance (Fisher's
    exact test).

    Of a handful of errors the bootstrap knows too little: where all of two are faulty, they are so
    in every draw.
    """
    if wrong.all():
        return np.inf, -np.inf, 1.0
    one, other = faulty[wrong].mean(), faulty[~wrong].mean()
    ends, counts = [], []
    for share, rows in ((one, wrong), (other, ~wrong)):
        count = len(np.unique(units[rows]))
        ends.append([float(end) for end in wilson(share * count, count)])
        counts.append((round(share * count), count))
    (low, high), (other_low, other_high) = ends
    difference = one - other
    least = difference - math.hypot(one - low, other_high - other)
    most = min(1.0, difference + math.hypot(high - one, other - other_low))
    return float(least), float(most), _fisher(*counts[0], *counts[1])


def _fisher(a: int, of: int, b: int, rest: int) -> float:
    """Probability of `a` or more faulty among `of` errors, where `a` + `b` are faulty among `of`
    + `rest`.
    """

    def ways(count: int, taken: NDArray[np.int64]) -> NDArray[np.float64]:
        """Logarithms of binomial coefficients."""
        return gammaln(count + 1) - gammaln(taken + 1) - gammaln(count - taken + 1)  # type: ignore[no-any-return]

    found = np.arange(max(a, a + b - rest), min(of, a + b) + 1)
    all_ways = ways(of + rest, np.array([a + b]))
    shares = np.exp(ways(of, found) + ways(rest, a + b - found) - all_ways)
    return min(1.0, float(shares.sum()))


def _fraction(
    weights: NDArray[np.float64],
    wrong: NDArray[np.bool_],
    faulty: NDArray[np.bool_],
    classes: NDArray[np.int64],
) -> NDArray[np.float64]:
    """(d,) errors on faulty rows beyond those expected of faultless ones, as a share of all
    errors; NaN without errors.
    """
    own = (classes[:, None] == np.arange(int(classes.max(initial=0)) + 1)).astype(
        np.float64
    )  # (n, k)
    missed, clean, ill = (
        weights @ (own * part[:, None]) for part in (wrong & ~faulty, ~faulty, faulty)
    )  # (d, k)
    overall = missed.sum(axis=1, keepdims=True) / np.maximum(
        clean.sum(axis=1, keepdims=True), 1e-12
    )
    rate = np.where(clean > 0, missed / np.maximum(clean, 1e-12), overall)
    errors, observed = weights @ wrong, weights @ (wrong & faulty)
    share = (observed - (ill * rate).sum(axis=1)) / np.maximum(errors, 1e-12)
    return np.where(errors > 0, share, np.nan)
