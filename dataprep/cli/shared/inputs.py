"""From the options about the source to `dataprep.scan`, and what it notes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dataprep.cli.shared.outputs import flag, say

if TYPE_CHECKING:
    from dataprep.schemas.dataset import Dataset


def reading_of(flags: Mapping[str, Any]) -> dict[str, str | None]:
    """The keywords of `dataprep.scan` that say how the source is read; None where an option was
    not given.
    """
    from dataprep.schemas.source import Reading

    return {name: flags[name] or None for name in Reading.names()}


def with_notes_said(dataset: Dataset) -> Dataset:
    """The data set; what it notes about how it was read is said on stderr."""
    for note in dataset.notes:
        say(note)
    return dataset


def given_of(flags: Mapping[str, Any]) -> list[str]:
    """The options about the source that were given, as they are typed."""
    return [flag(name) for name, value in reading_of(flags).items() if value is not None]
