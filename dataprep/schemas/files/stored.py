"""Reading back what a stage left in its folder: a record in JSON, and the table of samples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dataprep.errors import DataprepError, InputError
from dataprep.schemas.columns import COLUMNS
from dataprep.schemas.dataset import Dataset
from dataprep.schemas.files.reading import MB, check_input, read_json
from dataprep.schemas.options import is_of_kind
from dataprep.schemas.plan import labels_in
from dataprep.schemas.text.class_order import class_order

if TYPE_CHECKING:
    import pandas as pd

#: Bytes that a file of an earlier stage may have: that of some ten million samples.
STAGE_LIMIT = 4096 * MB

#: What values are called in messages.
_WORDS: dict[type, str] = {
    dict: "an object",
    list: "a list",
    str: "text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
}
_RUN: dict[str, type] = {"root": str, "task": str, "fingerprint": str, "options": dict}
_TASKS = ("classification", "multi-label", "regression", "detection", "segmentation", "none")


def read_record(path: str, again: str, kinds: Mapping[str, type] | None = None) -> dict[str, Any]:
    """The JSON object in `path`.

    Args:
        path: the file.
        again: what to do where it cannot be read.
        kinds: as of `refuse_wrong_kinds`.

    Raises:
        InputError: it cannot be read, or holds something else; `again` says what to do.
    """
    try:
        found = read_json(path, "the file", limit=STAGE_LIMIT)
    except InputError as error:
        raise InputError(f"{error}. {again}") from error
    if not isinstance(found, dict):
        raise InputError(f"{path} holds no record of a run. {again}")
    refuse_wrong_kinds(found, path, again, kinds or {})
    return found


def refuse_wrong_kinds(
    record: Mapping[str, Any], path: str, again: str, kinds: Mapping[str, type]
) -> None:
    """Refuse a record of which a value that is there is of another kind than was written.

    Args:
        record: what was read from the file `path`.
        path: for messages.
        again: what to do then.
        kinds: key to kind: ``options`` or ``options.checks``; ``options.checks.*`` for every value
            of an object or list. A key that is missing is as good as one that is not named; null is
            of no kind.

    Raises:
        InputError: naming the key, what was expected and what came.
    """
    for key, kind in kinds.items():
        for place, value in _values(record, key.split("."), ""):
            if not is_of_kind(value, kind):
                raise InputError(
                    f"{path} is damaged: {place}: expected {_WORDS[kind]}, got "
                    f"{_shortened(value)}. {again}"
                )


def _values(value: Any, keys: list[str], place: str) -> Iterator[tuple[str, Any]]:
    """(place, value) of every value that the path `keys` leads to."""
    if not keys:
        yield place, value
        return
    key, *rest = keys
    if key == "*":
        inside = (
            value.items()
            if isinstance(value, dict)
            else enumerate(value)
            if isinstance(value, list)
            else ()
        )
        for name, each in inside:
            yield from _values(each, rest, f"{place}.{name}")
    elif isinstance(value, dict) and key in value:
        yield from _values(value[key], rest, f"{place}.{key}" if place else key)


def _shortened(value: Any) -> str:
    text = repr(value)[:60]
    return text if len(text) < 60 else text[:57] + "..."


@contextmanager
def reading(path: str, again: str) -> Iterator[None]:
    """A block that reads the file `path` by a library: whatever it raises of a damaged file is an
    InputError of one line.

    Raises:
        InputError: naming the file, the fault and `again`.
    """
    try:
        yield
    except DataprepError:
        raise
    # pandas, pyarrow and torch raise a dozen classes for the dozen ways of being damaged
    except Exception as error:
        words = " ".join(str(error).split())[:200] or type(error).__name__
        raise InputError(f"cannot read {path}: {words}. {again}") from error


def read_samples(
    path: str, run: dict[str, Any], again: str, needed: tuple[str, ...] = ()
) -> Dataset:
    """The data set whose table of samples is in `path` (Parquet), with the root and task that the
    record of its run names.

    Raises:
        InputError: it cannot be read, or lacks one of the columns `needed`.
    """
    import pandas as pd

    refuse_wrong_kinds(run, path, again, _RUN)
    task = run.get("task", "none")
    if task not in _TASKS:
        raise InputError(
            f"the record of {path} is damaged: task: expected one of {', '.join(_TASKS)}, got "
            f"{task!r}. {again}"
        )
    check_input(path, "the file", limit=STAGE_LIMIT)
    with reading(path, again):
        samples = pd.read_parquet(path).set_index("sample")
        samples[list(needed)]
        samples.index = samples.index.astype("str")
        samples.index.name = "sample"
        if not samples.index.is_unique:
            raise ValueError("a sample has two rows")
        _refuse_wrong_columns(samples, task, needed)
        return Dataset(
            str(run.get("root", "")), samples, task, class_order(labels_in(samples, task))
        )


def _refuse_wrong_columns(samples: pd.DataFrame, task: str, needed: tuple[str, ...]) -> None:
    """Refuse a published column that is stored as another kind than every stage after this one
    takes it for.
    """
    kinds = {name: column.kind for name, column in COLUMNS.items() if name in samples}
    kinds |= {name: "text" for name in needed if name not in kinds}
    for name, kind in kinds.items():
        values = samples[name]
        if name == "label" and task == "regression":
            kind = "float"
        if not _is_of(values, kind):
            raise ValueError(f"the column {name!r} is stored as {values.dtype}, expected {kind}")


def _is_of(values: pd.Series[Any], kind: str) -> bool:
    import pandas as pd

    if kind == "bool":
        return pd.api.types.is_bool_dtype(values.dtype)
    if kind in ("float", "int"):
        return pd.api.types.is_numeric_dtype(values.dtype) and not pd.api.types.is_bool_dtype(
            values.dtype
        )
    texts = values.cat.categories if isinstance(values.dtype, pd.CategoricalDtype) else values
    return not len(texts.dropna()) or pd.api.types.infer_dtype(texts, skipna=True) == "string"
