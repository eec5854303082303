"""Times as people's tables have them, and what cannot be read."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

from dataprep.errors import OptionError
from dataprep.schemas.dataset import Dataset
from dataprep.splits import split
from dataprep.splits.times import Times, times_of
from tests.splits.made import made_audit

NOON = datetime.datetime(2023, 1, 25, 12, tzinfo=datetime.UTC).timestamp()


def read(*values: Any, day_first: bool | None = None) -> Times:
    samples = pd.DataFrame(
        {"taken": list(values)}, index=pd.Index([f"{number}.jpg" for number in range(len(values))])
    )
    return times_of(Dataset("", samples), "taken", np.arange(len(values)), day_first)


@pytest.mark.parametrize(
    "text",
    [
        "2023-01-25T12:00:00",
        "2023-01-25 12:00",
        "2023-01-25T12:00:00Z",
        "2023-01-25T14:00:00+02:00",
        "2023-01-25T12:00:00.000",
        "2023:01:25 12:00:00",
        "2023:01:25 12:00:00.00",
        "2023:01:25 14:00:00+02:00",
        "2023:01:25 07:00:00-05:00",
        "2023/01/25 12:00:00",
        "2023.01.25 12:00",
        "25/01/2023 12:00",
        "25.01.2023 12:00:00",
        "25-01-2023 12:00 PM",
        "01/25/2023 12:00:00",
        "1/25/2023, 12:00:00 PM",
        "25 Jan 2023 12:00:00",
        "25 January 2023, 12:00",
        "Jan 25, 2023 12:00 pm",
        "January 25th 2023 12:00",
        "25-Jan-2023 12:00",
        "Wed, 25 Jan 2023 12:00:00 GMT",
        "Wed Jan 25 12:00:00 2023",
        "Wed Jan 25 12:00:00 UTC 2023",
        "1674648000",
        "1674648000000 ",
        "1674648000000000",
        "1674648000000000000",
    ],
)
def test_forms_of_one_moment(text: str) -> None:
    times = read(text, "2023-02-28", "2023-01-24")
    assert times.figures.tolist() == [NOON, NOON + 33.5 * 86400, NOON - 1.5 * 86400]
    assert not times.unread.any()


def test_midnight_is_no_noon() -> None:
    assert read("2023-01-25", "25 Jan 2023 12:00 AM", "25 Jan 2023 1:30 pm").figures.tolist() == [
        NOON - 43200,
        NOON - 43200,
        NOON + 5400,
    ]


def test_the_reading_that_fits_all_rows_is_taken_and_said() -> None:
    times = read("03/02/2023", "25/01/2023", "2023-01-01")
    assert np.argsort(times.figures).tolist() == [2, 1, 0]
    assert times.notes == ("Dates in 'taken' such as 03/02/2023 were read with the day first.",)
    times = read("03/02/2023", "01/25/2023")
    assert times.notes == ("Dates in 'taken' such as 03/02/2023 were read with the month first.",)
    assert np.argsort(times.figures).tolist() == [1, 0]


def test_points_between_the_numbers_mean_day_first() -> None:
    times = read("03.02.2023", "04.01.2023")
    assert np.argsort(times.figures).tolist() == [1, 0]
    assert "day first" in times.notes[0]


def test_two_readings_are_refused_until_one_is_asked_for() -> None:
    with pytest.raises(
        OptionError,
        match=r"such as 01/02/2023 may have the day or the month first.* --day-first or "
        r"--month-first",
    ):
        read("01/01/2023", "01/02/2023", "02/01/2023")
    assert np.argsort(read("01/02/2023", "02/01/2023", day_first=True).figures).tolist() == [1, 0]
    assert np.argsort(read("01/02/2023", "02/01/2023", day_first=False).figures).tolist() == [0, 1]


def test_no_reading_that_fits_all_is_refused_and_one_asked_for_names_the_others() -> None:
    with pytest.raises(
        OptionError, match=r"the day first \(25/01/2023\) and the month first \(01/26/2023\)"
    ):
        read("25/01/2023", "01/26/2023")
    times = read("25/01/2023", "01/26/2023", day_first=True)
    assert times.unread.tolist() == [False, True]


@pytest.mark.parametrize(
    "text",
    [
        "soon",
        "45/13/2023",
        "2023-02-30",
        "0000:00:00 00:00:00",
        "    :  :     :  :  ",
        "25 Foo 2023",
        "2023:01:25 25:61:00",
        "12345-01-01",
        "inf",
        "1e400",
        "9" * 5000,
        "2023:01:25 13:00 PM x",
        "0/0/0000",
        "²5/01/2023",
        "Infinity",
        "\x1b[31m",
    ],
)
def test_what_is_no_time_is_named(text: str) -> None:
    times = read("2023-01-25", text, None, "2023-01-26", "")
    assert np.isfinite(times.figures).tolist() == [True, False, False, True, False]
    assert times.unread.tolist() == [False, True, False, False, False]
    assert times.unread_words(
        np.array([f"{number}.jpg" for number in range(5)], dtype=object)
    ).endswith("(1.jpg)")
    assert len(times.unread_words(np.array(["x"] * 5, dtype=object))) < 60


@pytest.mark.parametrize(
    "values",
    [("0001-01-01", "9999-12-31"), ("1:1", "2023-01-25"), ("1677-01-01T00:00:00", "2262-12-31")],
)
def test_dates_beyond_what_nanoseconds_hold(values: tuple[str, str]) -> None:
    times = read(*values)
    assert np.isfinite(times.figures).any()


def test_numbers_stay_as_they_are() -> None:
    assert read("3", "1", "2.5").figures.tolist() == [3, 1, 2.5]
    assert read(3, 1, 2).figures.tolist() == [3, 1, 2]
    assert read("2019", "2020").figures.tolist() == [2019, 2020]
    assert read("1674648000", "7").figures.tolist() == [1674648000, 7], "7 is no Unix time"
    assert read(1e300, np.inf, np.nan).unread.tolist() == [False, True, False]


def test_unix_times_of_several_units_are_brought_to_one() -> None:
    for values in (
        ("1674648000", "1674734400000", "1674820800"),
        (1674648000, 1674734400000, 1674820800),
    ):
        times = read(*values)
        assert times.figures.tolist() == [NOON, NOON + 86400, NOON + 2 * 86400]
        assert times.notes == (
            "The numbers were read as Unix time, some in seconds and some in milliseconds.",
        )
    assert not read("1674648000000", "1674734400000").notes


def test_moments_of_pandas_are_read() -> None:
    moments = pd.to_datetime(["2023-01-25 12:00", None, "2023-01-26 12:00"])
    assert read(*moments).figures[[0, 2]].tolist() == [NOON, NOON + 86400]
    zoned = moments.tz_localize("Europe/Berlin")
    assert read(*zoned).figures[[0, 2]].tolist() == [NOON - 3600, NOON + 82800]


def test_nothing_to_read_is_an_error_that_shows_what_is_there() -> None:
    with pytest.raises(
        OptionError, match=r"nothing in 'taken' is a number or a date such as .*, such as soon"
    ):
        read("soon", "later")


def test_a_split_says_which_rows_it_could_not_read_and_how_it_read_the_others() -> None:
    days = [f"{number + 1:02d}/01/2023" for number in range(20)]
    days[3], days[4], days[5] = "yesterday", "", "2023:01:06 00:00:00"
    made = split(made_audit(["a", "b"] * 10, day=days), time_column="day", tests=False)
    left_out = {each.why: each.samples for each in made.proof.left_out}
    assert left_out == {
        "no day": 1,
        "day cannot be read as a number or a date: yesterday (img/00003.jpg)": 1,
    }
    assert "Dates in 'day' such as 01/01/2023 were read with the day first." in made.proof.notes
    test = made.dataset.samples["split"][made.dataset.samples["split"] == "test"]
    assert sorted(test.index) == [f"img/{number:05d}.jpg" for number in (17, 18, 19)]
    with pytest.raises(OptionError, match="day_first says how"):
        split(made_audit(["a", "b"] * 10), day_first=True)


def test_times_with_and_without_a_zone_are_told_of() -> None:
    (note,) = read("2023-01-25T12:00:00+02:00", "2023-01-25T12:00:00").notes
    assert "were read as UTC" in note
    assert not read("2023-01-25T12:00:00+02:00", "2023:01:25 12:00:00Z").notes
    assert not read("2023-01-25T12:00:00", "2023-01-25").notes


def test_nothing_is_said_of_a_reading_that_no_date_had() -> None:
    assert not read("2023-01-25", "45/13/2023").notes
