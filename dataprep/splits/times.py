"""Times in a column, whatever form they have there: numbers, Unix time, ISO and EXIF dates, days
before or after months.

What is not read is never guessed at: a date that may be 1 February or 2 January is refused until
somebody says which, and rows that cannot be read are named.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from dataprep.errors import OptionError
from dataprep.schemas.text.words import first_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dataprep.schemas.dataset import Dataset

    Rows = NDArray[np.int64]
    Floats = NDArray[np.float64]

#: Unix time of the years 1979 to 2128 in seconds, milliseconds, microseconds and nanoseconds: name,
#: from, to, and seconds in one.
_UNIX = (
    ("seconds", 3e8, 5e9, 1.0),
    ("milliseconds", 3e11, 5e12, 1e-3),
    ("microseconds", 3e14, 5e15, 1e-6),
    ("nanoseconds", 3e17, 5e18, 1e-9),
)
_EPOCH = datetime.date(1970, 1, 1).toordinal()
#: What follows a day: hours and minutes, with or without seconds, fractions, half of the day and
#: time zone.
_CLOCK = (
    r"(?:[T,\s]\s*(?P<hour>[0-9]{1,2})[:.](?P<minute>[0-9]{2})(?:[:.](?P<second>[0-9]{2})(?:[.,](?P<part>[0-9]{1,9}))?)?"
    r"\s*(?P<half>[AaPp])?(?:\.?[Mm]\.?)?\s*(?P<zone>Z|UTC|GMT|[+-][0-9]{2}:?[0-9]{2})?)?"
)
_WEEKDAY = r"(?:[A-Za-z]{3,9}\.?,?\s+)?"
_DATES = tuple(
    re.compile(form + _CLOCK)
    for form in (
        r"(?P<year>[0-9]{4})[:/.-](?P<month>[0-9]{1,2})[:/.-](?P<day>[0-9]{1,2})",
        _WEEKDAY
        + r"(?P<day>[0-9]{1,2})(?:st|nd|rd|th)?[\s.-]+(?P<name>[A-Za-z]{3,9})\.?,?[\s-]+(?P<year>[0-9]{4})",  # noqa: E501
        _WEEKDAY
        + r"(?P<name>[A-Za-z]{3,9})\.?\s+(?P<day>[0-9]{1,2})(?:st|nd|rd|th)?,?\s+(?P<year>[0-9]{4})",  # noqa: E501
    )
)
_UNIX_DATE = re.compile(
    r"[A-Za-z]{3}\s+(?P<name>[A-Za-z]{3})\s+(?P<day>[0-9]{1,2})\s+(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})"
    r"(?P<half>)(?P<part>)\s+(?P<zone>UTC|GMT)?\s*(?P<year>[0-9]{4})"
)
_ZONE = re.compile(r":[0-9.]+\s*(Z|UTC|GMT|[+-][0-9]{2}:?[0-9]{2})(\s+[0-9]{4})?$")
_EXIF = re.compile(r"^([0-9]{4}):([0-9]{2}):([0-9]{2})(?=$|[ T])")
#: Two numbers of which either may be the day.
_EITHER = re.compile(
    r"(?P<first>[0-9]{1,2})(?P<sign>[/.-])(?P<other>[0-9]{1,2})(?P=sign)(?P<year>[0-9]{4})" + _CLOCK
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NAMED, _LETTERS, _LONGEST = 3, 40, 80


class Times(NamedTuple):
    """What a column says of time.

    Attributes:
        figures: (n,) numbers as they are, dates in seconds since 1970 (UTC where no zone is named);
            NaN where unknown.
        unread: (n,) whether there is something that is neither.
        notes: how it was read, where that was a choice.
        texts: (n,) what is there.
    """

    figures: Floats
    unread: NDArray[np.bool_]
    notes: tuple[str, ...]
    texts: NDArray[np.object_]

    def unread_words(self, names: NDArray[np.object_]) -> str:
        """The first values that could not be read, with the samples (n,) that they belong to."""
        return first_of(
            (
                f"{_short(self.texts[row])} ({names[row]})"
                for row in np.flatnonzero(self.unread).tolist()
            ),
            _NAMED,
        )


def times_of(dataset: Dataset, column: str, order: Rows, day_first: bool | None = None) -> Times:
    """The times of the rows `order` (n,).

    Texts are read as numbers or as dates, whichever explains more of them; numbers where both
    explain as many. Whole numbers that are Unix times of several units (seconds, milliseconds) are
    brought to one.

    Args:
        dataset: with the column.
        column: its name.
        order: rows of the samples.
        day_first: whether 01/02/2023 is the first of February; None takes the reading that fits all
            rows.

    Raises:
        OptionError: nothing in the column is a number or a date; or day and month cannot be told
            apart.
    """
    values = dataset.samples[column]
    missing = values.isna().to_numpy()[order]
    if pd.api.types.is_numeric_dtype(values):
        known = values.to_numpy(np.float64, na_value=np.nan)[order]
        texts = np.asarray([f"{value:g}" for value in known.tolist()], dtype=object)
        found, notes = _one_unit(np.where(np.isfinite(known), known, np.nan))
    else:
        texts = values.astype("str").to_numpy(dtype=object)[order]
        texts[missing] = ""
        missing |= np.asarray([not text.strip() for text in texts], bool)
        texts[missing] = None
        codes, distinct = pd.factorize(texts)
        figures, notes = _read(
            [str(text).strip() for text in distinct],
            np.bincount(codes[codes >= 0]),
            column,
            day_first,
        )
        found = np.append(figures, np.nan)[codes]
    if not np.isfinite(found).any():
        example = f", such as {_short(texts[~missing][0])}" if (~missing).any() else ""
        raise OptionError(
            f"time_column: nothing in {column!r} is a number or a date such as 2024-05-01, "
            "2024:05:01 12:30:00 or "
            f"2024-05-01T12:30:00+02:00{example}"
        )
    return Times(found, ~np.isfinite(found) & ~missing, tuple(notes), texts)


def _short(text: Any) -> str:
    text = str(text)
    return text if len(text) <= _LETTERS else f"{text[:_LETTERS]}..."


def _read(
    texts: Sequence[str], counts: Rows, column: str, day_first: bool | None
) -> tuple[Floats, list[str]]:
    """(d,) figures of distinct texts that so many rows have, and how they were read."""
    figures = np.array([_number(text) for text in texts], np.float64)
    is_number = np.isfinite(figures)
    if is_number.all():
        return _one_unit(figures)
    series = pd.Series([_EXIF.sub(r"\1-\2-\3", text, count=1) for text in texts], dtype="str")
    iso = pd.to_datetime(series, errors="coerce", format="ISO8601", utc=True)
    dates = np.where(
        iso.isna(), np.nan, iso.astype("datetime64[us, UTC]").astype("int64").to_numpy() / 1e6
    )
    unix = is_number & (_units(figures) >= 0)
    dates[unix] = _in_seconds(figures[unix])
    rest = np.flatnonzero(np.isnan(dates) & ~is_number).tolist()
    either = {row: match for row in rest if (match := _matched(_EITHER, texts[row]))}
    for row in rest:
        dates[row] = _written(texts[row]) if row not in either else np.nan
    may_be_date = np.isfinite(dates)
    may_be_date[list(either)] = True
    if counts[may_be_date].sum() <= counts[is_number].sum():
        return _one_unit(figures)
    notes = []
    if either:
        first = _is_day_first(list(either.values()), column) if day_first is None else day_first
        for row, match in either.items():
            dates[row] = _moment(match, *_days(match, first))
        example = next((match[0] for row, match in either.items() if np.isfinite(dates[row])), "")
        if example:
            notes.append(
                f"Dates in {column!r} such as {example} were read with the "
                f"{'day' if first else 'month'} first."
            )
    return dates, [
        *notes,
        *_zones([text for text, date in zip(texts, dates.tolist()) if date == date]),
    ]


def _zones(texts: Sequence[str]) -> list[str]:
    """A note where some times name their zone and others do not."""
    named = sum(_ZONE.search(text) is not None for text in texts)
    return (
        ["Some times name their time zone; those that do not were read as UTC."]
        if 0 < named < len(texts)
        else []
    )


def _number(text: str) -> float:
    if len(text) > _LONGEST or "_" in text:
        return np.nan
    try:
        value = float(text)
    except ValueError:
        return np.nan
    return value if np.isfinite(value) else np.nan


def _units(figures: Floats) -> Rows:
    """(n,) place in `_UNIX` of each figure, -1 where it is no Unix time."""
    found = np.full(len(figures), -1)
    for place, (_, low, high, _) in enumerate(_UNIX):
        found[(figures >= low) & (figures < high)] = place
    return found


def _in_seconds(figures: Floats) -> Floats:
    return np.asarray(
        figures * np.array([scale for *_, scale in _UNIX])[_units(figures)], np.float64
    )


def _one_unit(figures: Floats) -> tuple[Floats, list[str]]:
    """Numbers as they are; in seconds where all of them are Unix times, and not all of one unit."""
    known = np.isfinite(figures)
    units = _units(figures)[known]
    kinds = np.unique(units)
    if len(kinds) < 2 or (kinds < 0).any():
        return figures, []
    figures = figures.copy()
    figures[known] = _in_seconds(figures[known])
    return figures, [
        "The numbers were read as Unix time, some in "
        f"{' and some in '.join(_UNIX[kind][0] for kind in kinds)}."
    ]


def _matched(form: re.Pattern[str], text: str) -> re.Match[str] | None:
    return form.fullmatch(text) if len(text) <= _LONGEST else None


def _written(text: str) -> float:
    """Seconds of a date whose form leaves no choice; NaN of anything else."""
    for form in (*_DATES, _UNIX_DATE):
        match = _matched(form, text)
        if match is not None:
            groups = match.groupdict()
            name = (groups.get("name") or "")[:3].lower()
            month = _MONTHS.index(name) + 1 if name in _MONTHS else int(groups.get("month") or 0)
            return _moment(match, month, int(groups["day"]))
    return np.nan


def _moment(match: re.Match[str], month: int, day: int) -> float:
    """Seconds since 1970 of a match's year and time of day; NaN where there is no such day or
    time.
    """
    hour, minute, second = (int(match[name] or 0) for name in ("hour", "minute", "second"))
    half = (match["half"] or "").lower()
    if half:
        hour = hour % 12 + 12 * (half == "p") if 1 <= hour <= 12 else 99
    try:
        days = datetime.date(int(match["year"]), month, day).toordinal() - _EPOCH
    except ValueError:
        return np.nan
    if hour > 24 or minute > 59 or second > 60:
        return np.nan
    sign, digits = (match["zone"] or "")[:1], re.sub("[^0-9]", "", match["zone"] or "") or "0000"
    away = (int(digits[:2]) * 3600 + int(digits[2:]) * 60) * (-1 if sign == "-" else 1)
    return (
        days * 86400.0
        + hour * 3600
        + minute * 60
        + second
        + float(f"0.{match['part'] or 0}")
        - away
    )


def _days(match: re.Match[str], day_first: bool) -> tuple[int, int]:
    """(month, day) of a match in one reading."""
    first, other = int(match["first"]), int(match["other"])
    return (other, first) if day_first else (first, other)


def _is_day_first(matches: Sequence[re.Match[str]], column: str) -> bool:
    """The reading that fits all dates; with points between the numbers, the day is first where
    both fit.
    """
    fits = np.array(
        [
            [np.isfinite(_moment(match, *_days(match, first))) for first in (True, False)]
            for match in matches
        ]
    )
    readable = [match for match, reading in zip(matches, fits) if reading.any()]
    by_day, by_month = (bool(fits[fits.any(axis=1), place].all()) for place in range(2))
    if by_day != by_month:
        return by_day
    differing = [match for match in readable if match["first"] != match["other"]]
    if by_day and all(match["sign"] == "." for match in differing):
        return True
    raise OptionError(f"time_column: {_doubt(differing, fits, matches, by_day, column)}")


def _doubt(
    differing: Sequence[re.Match[str]],
    fits: NDArray[Any],
    matches: Sequence[re.Match[str]],
    both: bool,
    column: str,
) -> str:
    advice = (
        "Say --day-first or --month-first (day_first=True or False), or write them as 2023-01-25"
    )
    if both:
        return (
            f"dates in {column!r} such as {differing[0][0]} may have the day or the month "
            f"first, and all fit either way. {advice}"
        )
    days, months = (next(_only(matches, fits, place)) for place in range(2))
    return (
        f"dates in {column!r} have the day first ({days}) and the month first ({months}), and "
        f"no reading fits all. {advice}"
    )


def _only(matches: Sequence[re.Match[str]], fits: NDArray[Any], place: int) -> Iterator[str]:
    """Dates that fit one reading alone."""
    return (
        match[0] for match, fit in zip(matches, fits.tolist()) if fit[place] and not fit[1 - place]
    )
