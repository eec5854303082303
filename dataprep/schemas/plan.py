"""Plan: what to do with which samples, made from issues, edited by people, applied to make a
cleaned data set.

``plan.csv`` holds the rows, to be edited in a spreadsheet; ``plan.json`` beside it says which data
the plan is for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from dataprep.schemas.dataset import Dataset

#: What can be done with a sample, in the order in which a plan lists them. A sample that no row
#: names is kept, and so is one that is still to be reviewed when the plan is applied.
ACTIONS: dict[str, str] = {
    "drop": "leave the sample out",
    "relabel": "keep the sample under the label in new_label",
    "review": "a person should look; kept as it is until then",
    "keep": "keep the sample as it is",
}
#: The columns of ``plan.csv``, in order.
PLAN_COLUMNS: dict[str, str] = {
    "sample": "path of the file relative to the folder of images",
    "action": "drop, relabel, review or keep; edit it",
    "new_label": "the label to give, for relabel; edit it",
    "suggested": "the action that dataprep suggested; how an edit is told from a suggestion",
    "reason": "what the checks found, in words",
    "confidence": "how sure the surest of these findings is, 0 to 1",
    "source": "the checks that decided, separated by commas, and `edit` where a person did",
    "file": "where the file is, for looking at it",
}
PLAN_CSV, PLAN_JSON = "plan.csv", "plan.json"
#: Raised when a column or key changes its meaning.
PLAN_VERSION = 1
EDIT = "edit"
#: Kinds of what `data_facts` gives, below the key ``data`` of a record.
DATA_KINDS: dict[str, type] = {
    "data.root": str,
    "data.samples": int,
    "data.fingerprint": str,
    "data.columns": dict,
    "data.columns.*": str,
    "data.classes": dict,
    "data.classes.*": int,
}


@dataclass(frozen=True, eq=False)
class Plan:
    """What to do with which samples.

    Attributes:
        table: DataFrame with `PLAN_COLUMNS`, one row per sample at most, by action and then by
            sample.
        data: what the plan was made for: `data_facts` of the audited data set.
        options: the options of `dataprep.clean` that shaped it.
        warnings: what the plan would do that nobody may have meant, in words ("class 'stone' would
            be left empty").
        left_in_test: samples that it would drop or relabel, were they not in test.
    """

    table: pd.DataFrame
    data: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    left_in_test: int = 0

    def __len__(self) -> int:
        return len(self.table)

    def __repr__(self) -> str:
        return f"Plan({', '.join(f'{count} {action}' for action, count in self.counts.items())})"

    @property
    def counts(self) -> dict[str, int]:
        """Action to number of samples."""
        found = self.table["action"].value_counts()
        return {action: int(found.get(action, 0)) for action in ACTIONS}

    @property
    def changes(self) -> pd.DataFrame:
        """The rows that drop or relabel their sample."""
        return self.table[self.table["action"].isin(["drop", "relabel"])]

    @property
    def edited(self) -> pd.DataFrame:
        """The rows whose action or new label a person changed or added."""
        table = self.table
        return table[table["suggested"] != suggested_text(table["action"], table["new_label"])]

    def _repr_html_(self) -> str:
        """A short table for notebooks."""
        rows = "".join(
            f"<tr><td>{action}</td><td "
            f"style='text-align:right'>{count:,}</td><td>{ACTIONS[action]}</td></tr>"
            for action, count in self.counts.items()
        )
        warnings = "".join(f"<li>{escape(warning)}</li>" for warning in self.warnings)
        head = "<tr><th>action</th><th>samples</th><th style='text-align:left'>meaning</th></tr>"
        return (
            "<p><b>Plan</b> for "
            f"{escape(str(self.data.get('root', '')))}</p><table>{head}{rows}</table><ul>{warnings}</ul>"  # noqa: E501
        )


@dataclass(frozen=True)
class Cleaned:
    """What applying a plan made.

    Attributes:
        manifest: path of the cleaned manifest, empty when none was asked for.
        folder: path of the new folder, empty when none was asked for.
        record: path of the record that says what was changed and how to get back, empty when
            neither was asked for.
        samples: samples in it.
        dropped: samples left out.
        relabelled: samples under a new label.
        unreviewed: samples that the plan says to review; they were kept.
        linked: files in the new folder that share their content with the original (hard links).
        copied: files in the new folder that are copies.
        warnings: as in `Plan`.
    """

    manifest: str = ""
    folder: str = ""
    record: str = ""
    samples: int = 0
    dropped: int = 0
    relabelled: int = 0
    unreviewed: int = 0
    linked: int = 0
    copied: int = 0
    warnings: tuple[str, ...] = ()


def suggested_text(action: pd.Series[Any], new_label: pd.Series[Any]) -> pd.Series[Any]:
    """What the column `suggested` says of an action and its label: ``drop``, ``relabel: cat``."""
    return action.where(action != "relabel", "relabel: " + new_label)


def labels_in(samples: pd.DataFrame, task: str) -> set[str]:
    """The classes that `samples` have; of ``a|b``, the several labels of one sample, each. None
    in a regression.
    """
    if "label" not in samples or task == "regression":
        return set()
    labels = map(str, samples["label"].dropna().unique())
    return (
        {part for label in labels for part in label.split("|")}
        if task == "multi-label"
        else set(labels)
    )


def data_facts(dataset: Dataset) -> dict[str, Any]:
    """What identifies a data set, in enough detail to name a difference: ready for JSON."""
    import pandas as pd

    names = pd.util.hash_array(dataset.samples.index.astype("str").to_numpy(dtype=object))
    given = [name for name in ("label", "split", "group", "file_hash") if name in dataset.samples]
    values = {
        name: dataset.samples[name].astype("str").fillna("").to_numpy(dtype=object)
        for name in given
    }
    labels: dict[Any, int] = (
        dataset.samples["label"].value_counts().to_dict() if "label" in given else {}
    )
    return {
        "root": dataset.root,
        "samples": len(dataset),
        "fingerprint": dataset.fingerprint,
        "columns": {"sample": _digest(names)}
        | {name: _digest(names, values[name]) for name in given},
        "classes": {
            str(label): int(count)
            for label, count in sorted(labels.items(), key=lambda item: str(item[0]))
            if count
        },
    }


def _digest(names: np.ndarray[Any, Any], values: np.ndarray[Any, Any] | None = None) -> str:
    """Hash of a column, given the hashes of its samples' names; the order of the rows does not
    enter it.
    """
    import numpy as np
    import pandas as pd

    hashes = (
        names
        if values is None
        else (names * np.uint64(0x9E3779B97F4A7C15)) ^ pd.util.hash_array(values)
    )
    return f"{int(hashes.sum(dtype=np.uint64)):016x}"


def difference(planned: Mapping[str, Any], dataset: Dataset) -> str:
    """How `dataset` differs from the data that a plan was made for (its `Plan.data`), in words;
    empty when it does not.
    """
    if planned.get("fingerprint") == dataset.fingerprint:
        return ""
    found = data_facts(dataset)
    if planned.get("samples") != found["samples"]:
        return (
            f"it was made for {planned.get('samples')} samples, and there are {found['samples']} "
            "now"
        ) + _classes_text(planned, found)
    before, now = planned.get("columns", {}), found["columns"]
    if before.get("sample") != now["sample"]:
        return "the same number of samples, under other names"
    changed = sorted(name for name in {*before, *now} if before.get(name) != now.get(name))
    words = {
        "file_hash": "the contents of files",
        "label": "labels",
        "split": "splits",
        "group": "groups",
    }
    return (
        " and ".join(words.get(name, name) for name in changed)
        + " changed"
        + _classes_text(planned, found)
    )


def _classes_text(planned: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    before, now = planned.get("classes", {}), found["classes"]
    changed = sorted(name for name in {*before, *now} if before.get(name, 0) != now.get(name, 0))
    texts = [f"{name} {before.get(name, 0)} → {now.get(name, 0)}" for name in changed[:5]]
    return f" ({', '.join(texts)}{', ...' if len(changed) > 5 else ''})" if texts else ""
