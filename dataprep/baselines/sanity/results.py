"""What one check before training found."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class CheckResult:
    """What a check found.

    Attributes:
        check: its name.
        value: the figure; None where there is none.
        expected: what it should be, as a text.
        passed: whether it is.
        sentence: the finding, with its figure.
        advice: what to do where it failed.
    """

    check: str
    value: float | None
    expected: str
    passed: bool
    sentence: str
    advice: str = ""

    def to_dict(self) -> dict[str, Any]:
        """As the report takes it."""
        return {name: value for name, value in asdict(self).items() if name != "advice"}
