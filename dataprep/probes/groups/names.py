"""Names of files that may tell of groups: a part that several files share, before or after a
number that runs within it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dataprep.ingest.grouping import Grouping, name_key, stem_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.schemas.dataset import Dataset

    Rows = NDArray[np.int64]

#: What parts a name, and the least share of names that must hold it.
_SEPARATORS, _HOLD = ("_", "-", ".", " "), 0.7
#: Parts of a name that are looked at from its beginning.
_PARTS = 3
#: Share of samples whose rest of the name (number, view) other groups have too, from which numbers
#: run within groups.
_RECURS = 0.5
#: Share of steps by one between the numbers within a group, from which they run within groups.
_RUNS = 0.8
#: The same where the rest is more than a number: a view (``left``), or a view and a number.
_SHARED = 0.8
#: Share of names that something must be true of to be true of them all.
_MOST = 0.95
_DATE = re.compile(
    r"(?<!\d)(?:19|20)\d\d([-_.]?)(?:0[1-9]|1[0-2])\1(?:0[1-9]|[12]\d|3[01])(?!\d{3})"
)
_YEAR = re.compile(r"(?:^|\D)(?:19|20)\d\d(?:[-_.](?:0[1-9]|1[0-2]))?$")
_COUNTED = re.compile(
    r"(?:v|vid|video|t|track|clip|seq|sequence|scene|shot)?[_-]?\d+", re.IGNORECASE
)
_LETTER = re.compile(r"[^\W\d_]")
_LETTERED = re.compile(r".*\d[A-Za-z]", re.DOTALL)
_NAMED_NUMBER = re.compile(r"[A-Za-z]+\d+")
#: How the pattern of a part begins that stands first in the file's name.
_START = "(?:^|/)"
#: Share of names that come again in other folders, from which each folder counts for itself.
_AGAIN = 0.2
#: Keys of one word without a number, at least: fewer are cameras (``IMG_``, ``DSC_``) or kinds of
#: things.
_WORDS = 10
_WORDS_OF = re.compile(r"[^\W\d_][\W_]+[^\W\d_]")
_LAST_NUMBER = re.compile(r"\d+$")


def name_candidates(dataset: Dataset) -> Iterator[tuple[Grouping, bool]]:
    """Groupings by parts of names, and whether their form alone is telling."""
    samples = list(dataset.samples.index)
    stems = [stem_of(name) for name in samples]
    seen: set[tuple[str, ...]] = set()
    folders = [name.rpartition("/")[0] for name in samples]
    keys = [name_key(name) for name in samples]
    rests = [stem[len(key) :] for stem, key in zip(stems, keys, strict=True)]
    firm = is_telling(keys, rests)
    by_parts = _by_parts(stems, folders, seen)
    if firm is not None and not (by_parts and _begin_again(keys, rests, folders)):
        yield Grouping("name"), firm
    if (
        firm is not None
        and np.mean([bool(_LETTERED.fullmatch(key)) for key in keys if key]) >= _MOST
    ):
        yield Grouping("regex", r"(?:^|/)([^/]*\d)[A-Za-z][\s_.-]*\d+[.][^./]*$"), firm
    yield (
        Grouping("regex", "([^/]+)[.][^./]*$"),
        False,
    )  # one name in several folders: views of one thing, one font
    yield from by_parts


def _by_parts(
    stems: Sequence[str], folders: Sequence[str], seen: set[tuple[str, ...]]
) -> list[tuple[Grouping, bool]]:
    """Groupings by what stands between separators; within each folder, where the same names come
    again in others.
    """
    found = []
    for separator in _SEPARATORS:
        split = [stem.split(separator) for stem in stems]
        if np.mean([len(parts) > 1 for parts in split]) < _HOLD:
            continue
        for pattern, keys, rests in _parts(split, separator):
            firm = is_telling(keys, rests)
            if firm is not None and (known := tuple(keys)) not in seen:
                seen.add(known)
                within = pattern.startswith(f"{_START}(") and _begin_again(keys, rests, folders)
                found.append(
                    (
                        Grouping(
                            "regex", f"([^/]+/{pattern[len(_START) + 1 :]}" if within else pattern
                        ),
                        firm,
                    )
                )
    return found


def _begin_again(keys: Sequence[str], rests: Sequence[str], folders: Sequence[str]) -> bool:
    """Whether keys are mere numbers, and names come again in other folders: each folder then
    counts its groups for itself.
    """
    named = [key for key in keys if key]
    if np.mean([bool(_COUNTED.fullmatch(key)) for key in named] or [False]) < _MOST:
        return False
    table = pd.DataFrame(
        {"key": keys, "rest": rests, "folder": [folder.rpartition("/")[2] for folder in folders]},
        dtype=object,
    )
    table = table[(table["key"] != "").to_numpy()].drop_duplicates()
    return (
        bool(len(table)) and float(table.duplicated(["key", "rest"], keep=False).mean()) >= _AGAIN
    )


def _parts(
    split: Sequence[list[str]], separator: str
) -> Iterator[tuple[str, list[str], list[str]]]:
    """Pattern, (n,) keys and (n,) rests for the first parts, single parts and all but the last."""
    mark = f"[{separator}]" if separator == "." else separator
    part = f"[^/{separator}]+"
    usual = Counter(map(len, split)).most_common(1)[0][0]
    for count in range(1, min(_PARTS, usual - 1) + 1):
        head = mark.join([part] * count)
        keys = [separator.join(parts[:count]) if len(parts) > count else "" for parts in split]
        yield (
            f"{_START}({head}){mark}[^/]*$",
            keys,
            [separator.join(parts[count:]) for parts in split],
        )
    for place in range(1, min(_PARTS, usual - 1)):
        before = f"{part}{mark}" * place
        keys = [
            parts[place] if len(parts) > place + 1 and _LETTER.search(parts[place]) else ""
            for parts in split
        ]
        rests = [separator.join(parts[:place] + parts[place + 1 :]) for parts in split]
        yield f"(?:^|/){before}({part}){mark}[^/]*$", keys, rests
    keys = [parts[-1] if len(parts) > 1 else "" for parts in split]
    if np.mean([bool(_NAMED_NUMBER.fullmatch(key)) for key in keys]) >= _MOST:
        yield f"{mark}({part})[.][^./]*$", keys, [separator.join(parts[:-1]) for parts in split]


def is_telling(keys: Sequence[str], rests: Sequence[str]) -> bool | None:
    """Whether names of this form tell of groups: True alone, False only beside pictures that look
    alike, None not at all.

    Args:
        keys: (n,) the part that names of one group share; empty where there is none.
        rests: (n,) what is left of each name.
    """
    table = pd.DataFrame(
        {"key": np.asarray(keys, dtype=object), "rest": np.asarray(rests, dtype=object)}
    )
    table = table[(table["key"] != "").to_numpy()]
    table = table[table.duplicated("key", keep=False).to_numpy()]
    if not len(table) or table["key"].nunique() < 2:
        return None
    if table["key"].map(lambda key: bool(_DATE.search(key) or _YEAR.search(key))).mean() > 0.5:
        return False
    numbers = table["rest"].str.extract(r"^[\s_.\-()#]*(\d+)[\s)]*$")[0]
    others = table.drop_duplicates(["key", "rest"]).groupby("rest")["key"].size()
    recurs = float((table["rest"].map(others) > 1).mean())
    numbered = table["key"].str.contains(r"\d", regex=True).mean() >= _MOST
    of_words = table["key"].map(lambda key: bool(_WORDS_OF.search(key))).mean() >= _MOST
    if not (numbered or of_words) and table["key"].nunique() < _WORDS:
        return None
    if numbers.notna().mean() >= _MOST:
        return recurs >= _RECURS or _in_runs(table["key"], numbers)
    if not numbered:
        return None  # words that others share are kinds of things
    return bool(len(others) <= len(table) // 4 and recurs >= _SHARED)


def _in_runs(keys: pd.Series[str], numbers: pd.Series[str]) -> bool:
    """Whether numbers count on within each key, and start again or go on with the next."""
    known = numbers.notna().to_numpy()
    number = np.array([int(text[-15:]) for text in numbers[known]], np.int64)
    code = pd.factorize(keys[known])[0]
    order = np.lexsort((number, code))
    inside = np.diff(code[order]) == 0
    return bool(inside.any() and (np.diff(number[order])[inside] == 1).mean() >= _RUNS)


def run_candidates(dataset: Dataset) -> Iterator[Grouping]:
    """Groupings by ten and by a hundred numbers in a row, where names end in numbers: over all
    folders, or within each.
    """
    samples = list(dataset.samples.index)
    bare = [name.rpartition(".")[0] or name for name in samples]
    numbered = [bool(_LAST_NUMBER.search(name)) for name in bare]
    if np.mean(numbered) < _MOST:
        return
    stems = [name.rpartition("/")[2] for name in bare]
    everywhere = pd.Series(stems).duplicated().mean() < 1 - _MOST
    if everywhere:
        yield from (Grouping("regex", rf"([^/]*){digits}[.][^./]*$") for digits in (r"\d", r"\d\d"))
    else:
        yield from (Grouping("regex", rf"^(.*){digits}[.][^./]*$") for digits in (r"\d", r"\d\d"))
