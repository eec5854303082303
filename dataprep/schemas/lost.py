"""Lost: an item that could not be processed, and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

#: Reasons, as the column ``lost`` holds them. The last three are found by the supervisor, the
#: others by the decoder.
REASONS: tuple[str, ...] = (
    "missing",
    "empty",
    "truncated",
    "not-an-image",
    "unsupported",
    "too-large",
    "unreadable",
    "out-of-memory",
    "crashed",
    "timed-out",
)


@dataclass(frozen=True)
class Lost:
    """An item that gave no result.

    Attributes:
        reason: one of `REASONS`.
        detail: what the decoder, the operating system or the supervisor said, in one line.
        facts: columns that were known before the loss (``bytes``, ``format``, ``width``, ...).
    """

    reason: str
    detail: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
