"""Checks that a caller gives beside the registered ones, held against the contract before
anything is measured.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any, get_args

import pandas as pd

from dataprep.checks.contract import FAMILIES, Check
from dataprep.errors import OptionError
from dataprep.schemas.issues import COLUMNS, SCOPES, SEVERITIES, Suggestion

_CODE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_CHOICES: dict[str, Collection[str]] = {
    "family": FAMILIES,
    "severity": SEVERITIES,
    "scope": SCOPES,
    "suggestion": get_args(Suggestion),
}
_TEXTS = ("code", "summary", "advice", "message")


def own_checks(
    given: Iterable[Check | type[Check]],
    registered: Collection[str],
    options: Mapping[str, Mapping[str, Any]],
) -> list[Check]:
    """Instances of `given`, which are checks or classes of checks.

    Args:
        given: classes are made with their `options`; instances have theirs.
        registered: codes that are taken.
        options: check code to its options.

    Raises:
        OptionError: no check, one that lacks what a check says of itself, or a code that another
            has.
    """
    if isinstance(given, Check | type | str) or not isinstance(given, Iterable):
        raise OptionError(
            f"option checks: expected a list of checks, got {given!r}: write checks=[...]"
        )
    made: list[Check] = []
    for each in given:
        kind = each if isinstance(each, type) else type(each)
        if not issubclass(kind, Check):
            raise OptionError(
                f"option checks: expected checks (subclasses of dataprep.Check), got {each!r}"
            )
        _refuse_incomplete(kind)
        if kind.code in registered or kind.code in {other.code for other in made}:
            raise OptionError(
                f"option checks: another check is called {kind.code!r} already: give "
                f"{kind.__name__} another code"
            )
        if not isinstance(each, type):
            if kind.code in options:
                raise OptionError(
                    f"option checks: {kind.code} was given as an instance, which has its options: "
                    "give the class"
                )
            made.append(each)
        else:
            made.append(each.from_options(options.get(kind.code, {})))
    return made


def _refuse_incomplete(kind: type[Check]) -> None:
    name = kind.__name__
    lacking = [text for text in _TEXTS if not isinstance(getattr(kind, text, None), str)]
    lacking += [text for text in ("family", "severity") if not hasattr(kind, text)]
    if kind.__abstractmethods__:
        lacking += [f"{method}()" for method in sorted(kind.__abstractmethods__)]
    if lacking:
        raise OptionError(f"option checks: {name} lacks {', '.join(dict.fromkeys(lacking))}")
    if not _CODE.fullmatch(kind.code):
        raise OptionError(
            f"option checks: expected a code in kebab-case such as 'too-green', got {name}.code = "
            f"{kind.code!r}"
        )
    for text, choices in _CHOICES.items():
        value = getattr(kind, text)
        if value not in choices:
            raise OptionError(
                f"option checks: expected {name}.{text} to be one of {', '.join(choices)}, got "
                f"{value!r}"
            )


def checked_batch(batch: Any) -> pd.DataFrame:
    """`batch`, if it is one as `Check.claims` makes it.

    Raises:
        TypeError: it is not.
    """
    if not isinstance(batch, pd.DataFrame) or tuple(batch.columns) != COLUMNS:
        raise TypeError(
            f"find() yielded {type(batch).__name__}: expected what self.claims(...) returns"
        )
    unknown = set(batch["severity"].astype("str")) - set(SEVERITIES)
    if unknown:
        raise TypeError(
            f"claims with severity {', '.join(sorted(unknown))}: expected {', '.join(SEVERITIES)}"
        )
    return batch
