"""Reading: what a user says about a source, so that nothing has to be guessed."""

from __future__ import annotations

from dataclasses import dataclass, fields

from dataprep.errors import OptionError
from dataprep.schemas.dataset import Task

_ROLES = ("path", "label", "split", "group")
_TASKS: tuple[Task, ...] = ("classification", "multi-label", "regression")


@dataclass(frozen=True)
class Reading:
    """How a source is read; None leaves it to what the source itself shows.

    Attributes:
        path_column, label_column, split_column, group_column: columns of a manifest.
        encoding: of a manifest's text, in Python's names (``gb18030``, ``cp1252``).
        label_separator: what parts several labels in one cell.
        task: "classification", "multi-label" or "regression".
        label_from: which level of folders names the class: "first" or a number counted from 1 below
            the root (below the split, and below a lone folder around everything), "leaf" the
            deepest, "path" all of them joined by ``/``. It goes before a column of a manifest.
        group_by: what belongs together: "folder" the folders below the class, "name" the file's
            name without the number at its end, or a regular expression on the path relative to the
            root, whose first group (or whole match) names the group.

    Raises:
        OptionError: an unknown task or level of folders.
    """

    path_column: str | None = None
    label_column: str | None = None
    split_column: str | None = None
    group_column: str | None = None
    encoding: str | None = None
    label_separator: str | None = None
    task: str | None = None
    label_from: str | None = None
    group_by: str | None = None

    def __post_init__(self) -> None:
        if self.task is not None and self.task not in _TASKS:
            raise OptionError(
                f"option task: expected one of {', '.join(_TASKS)}, got {self.task!r}"
            )
        level = self.label_from
        if (
            level is not None
            and level not in ("first", "leaf", "path")
            and not (level.isdecimal() and int(level) > 0)
        ):
            raise OptionError(
                f"option label_from: expected first, leaf, path or a number from 1, got {level!r}"
            )

    @property
    def columns(self) -> dict[str, str | None]:
        """Role (path, label, split, group) to the column that was named for it."""
        return {role: getattr(self, f"{role}_column") for role in _ROLES}

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """The names of all options."""
        return tuple(field.name for field in fields(cls))
