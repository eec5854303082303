"""The log of a test set: every evaluation on it, by whom, when, and of which model. A test set that
is used often no longer measures performance on unseen data.

One line of JSON per evaluation in ``test_ledger.jsonl``, beside the split. Lines are only ever
appended, each in one write, so that runs side by side do not harm each other and a run that dies
harms its own line alone. An evaluation counts for the samples that it was made on: after a new
split, the count of its test set starts again, and uses of the earlier one are reported beside it.
"""

from __future__ import annotations

import getpass
import json
import os
import warnings
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dataprep.errors import InputError, OutputError
from dataprep.schemas.files.reading import check_input
from dataprep.schemas.files.stored import STAGE_LIMIT, reading
from dataprep.schemas.split import LEDGER, PART, SPLITS

if TYPE_CHECKING:
    import pandas as pd

    from dataprep.schemas.split import Split

#: The columns of `earlier_evaluations`, with their meanings.
LEDGER_COLUMNS: dict[str, str] = {
    "when": "UTC, ISO 8601",
    "who": "name of the user",
    "part": "the part that was evaluated on",
    "model": "name of the model",
    "model_hash": "hash of its weights, empty when not given",
    "metrics": "name to value",
    "test_set": "hash of the names of the part's samples",
}


class TestSetReused(UserWarning):
    """A test set was evaluated on before."""

    __test__ = False  # not a test of pytest's


def record_evaluation(
    folder: str | os.PathLike[str],
    *,
    model: str,
    metrics: Mapping[str, Any],
    model_hash: str = "",
    who: str = "",
    part: str = "test",
    split: Split | None = None,
) -> str:
    """Append an evaluation to the log of a split; warns when the part, or an earlier one of its
    name, was used before.

    Args:
        folder: the split's folder (``dataprep-out/split``).
        model: name of the model, as people know it.
        metrics: name to value: numbers, texts, or dictionaries of them.
        model_hash: hash of the weights, to tell models of one name apart.
        who: name of the person; empty takes the name of the account.
        part: the part that was evaluated on.
        split: the split in the folder, where it is at hand; else its ``splits.csv`` is read.

    Returns:
        The warning, in words; empty at the first use of any test part of the split.

    Raises:
        InputError: no split in the folder, or no such part.
        OutputError: the log cannot be written.
    """
    test_set = part_hash(folder, part, split=split)
    before = earlier_evaluations(folder, part=part, split=split)
    line = {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "who": who or _account(),
        "part": part,
        "model": model,
        "model_hash": model_hash,
        "metrics": dict(metrics),
        "test_set": test_set,
    }
    _append(
        os.path.join(folder, LEDGER), json.dumps(line, ensure_ascii=False, default=float) + "\n"
    )
    warning = describe(before, part)
    if warning:
        warnings.warn(warning, TestSetReused, stacklevel=2)
    return warning


def earlier_evaluations(
    folder: str | os.PathLike[str], *, part: str = "test", split: Split | None = None
) -> pd.DataFrame:
    """Evaluations on the part as it is now, oldest first: `LEDGER_COLUMNS`; no rows when
    there were none.

    Lines that cannot be read stay in the file and are reported in a warning, and in
    ``attrs["damaged"]`` (their numbers): they may have been evaluations, too. ``attrs["other"]``
    counts evaluations on other samples, from before a new split.

    Raises:
        InputError: no split in the folder, no such part, or a log that cannot be opened.
    """
    import pandas as pd

    test_set = part_hash(folder, part, split=split)
    lines, damaged = _read(os.path.join(folder, LEDGER))
    mine = [line for line in lines if line["part"] == part and line["test_set"] == test_set]
    table = pd.DataFrame(mine, columns=list(LEDGER_COLUMNS))
    table.attrs["damaged"] = damaged
    table.attrs["other"] = sum(line["part"] == part for line in lines) - len(mine)
    if damaged:
        count = f"{len(damaged)} line{'s' * (len(damaged) != 1)}"
        text = (
            f"{os.path.join(folder, LEDGER)}: {count} cannot be read "
            f"({', '.join(map(str, damaged[:5]))}), and may be evaluations"
        )
        warnings.warn(text, TestSetReused, stacklevel=2)
    return table


def describe(evaluations: pd.DataFrame, part: str = "test") -> str:
    """What earlier evaluations mean for the next figure, in words, those of an earlier part too;
    empty when there are none.
    """
    other = int(evaluations.attrs.get("other", 0))
    if not len(evaluations):
        return (
            f"{part} is new, but an earlier {part} of this split, of other samples, was used "
            f"{_times(other)}: "
            "as far as both share samples, its figure is not that of unseen data"
            if other
            else ""
        )
    last = evaluations.iloc[-1]
    more = f"; an earlier {part}, of other samples, {_times(other)}" if other else ""
    return (
        f"{part} was used {_times(len(evaluations))} before (last {last['when']}, model "
        f"{last['model']}, by "
        f"{last['who']}{more}): its figure is no longer that of unseen data"
    )


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def part_hash(folder: str | os.PathLike[str], part: str, *, split: Split | None = None) -> str:
    """Hash of the names of the samples of a part, whatever their order: what an evaluation was made
    on.

    Raises:
        InputError: no split in the folder, or no such part.
    """
    import numpy as np
    import pandas as pd
    import xxhash

    if split is not None:
        table = pd.DataFrame(
            {
                "path": split.dataset.samples.index.astype("str"),
                PART: split.dataset.samples[PART].astype("str"),
            }
        )
    else:
        table = _splits(os.path.join(folder, SPLITS))
    names = np.sort(table.loc[(table[PART] == part).to_numpy(), "path"].to_numpy(dtype=object))
    if not len(names):
        known = ", ".join(sorted(set(table[PART].dropna())))
        raise InputError(
            f"{os.fspath(folder)}: no sample is in the part {part!r}, the parts are {known}"
        )
    return xxhash.xxh3_128("\0".join(names).encode()).hexdigest()


def _splits(path: str) -> pd.DataFrame:
    import pandas as pd

    if not os.path.isfile(path):
        raise InputError(f"{path}: expected the table of a split: make one with dataprep split")
    check_input(path, "the table of a split", limit=STAGE_LIMIT)
    with reading(path, "Expected the table of a split: make one with dataprep split"):
        return pd.read_csv(path, usecols=["path", PART], dtype=str, keep_default_na=False)


def _account() -> str:
    try:
        return getpass.getuser()
    except (
        OSError,
        KeyError,
        ImportError,
    ):  # no account has this process's number, as in some containers
        return "unknown"


def _append(path: str, line: str) -> None:
    """One write at the end of the file, flushed to disk."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            end = os.lseek(handle, 0, os.SEEK_END)
            torn = end > 0 and _last_byte(handle, end) != b"\n"
            data = ("\n" * torn + line).encode()
            if os.write(handle, data) != len(data):
                raise OutputError(f"cannot write to {path}: the disk is full: free some space")
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        raise OutputError(f"cannot write to {path}: {error.strerror or error}") from error


def _last_byte(handle: int, end: int) -> bytes:
    os.lseek(handle, end - 1, os.SEEK_SET)
    return os.read(handle, 1)


def _read(path: str) -> tuple[list[dict[str, Any]], list[int]]:
    """The lines, and the numbers of those that cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape", newline="\n") as file:
            texts = file.read().split("\n")
    except FileNotFoundError:
        return [], []
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error
    lines, damaged = [], []
    for number, text in enumerate(texts, 1):
        if not text.strip():
            continue
        try:
            line = json.loads(text)
            lines.append({name: line[name] for name in LEDGER_COLUMNS})
        except (ValueError, KeyError, TypeError, RecursionError):
            damaged.append(number)
    return lines, damaged
