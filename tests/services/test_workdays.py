"""Working days by the official calendar, make-up days included (A13)."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.workdays import add_workdays, is_workday, official, roll_to_workday


@pytest.mark.parametrize(
    ("day", "open_"),
    [
        (date(2014, 10, 1), False),   # National Day
        (date(2014, 10, 11), True),   # a Saturday worked in exchange for the holiday
        (date(2014, 9, 28), True),    # a Sunday worked
        (date(2014, 11, 8), False),   # a plain Saturday
        (date(2015, 2, 19), False),   # Spring Festival
        (date(2015, 9, 3), False),    # the parade day of 2015
        (date(2030, 1, 5), False),    # beyond the calendar: weekends only
        (date(2030, 1, 7), True),
    ],
)  # fmt: skip
def test_offices_are_open_as_the_state_council_says(day: date, open_: bool) -> None:
    assert is_workday(day) is open_


def test_beyond_the_published_years_it_says_so() -> None:
    assert official(date(2014, 11, 3))
    assert not official(date(2003, 12, 31))
    assert not official(date(2027, 1, 1))


@pytest.mark.parametrize(
    ("start", "count", "day"),
    [
        (date(2014, 11, 3), 10, date(2014, 11, 17)),
        (date(2014, 9, 26), 3, date(2014, 9, 30)),   # 28 September was worked
        (date(2014, 9, 30), 1, date(2014, 10, 8)),
        (date(2014, 11, 3), 0, date(2014, 11, 3)),
    ],
)  # fmt: skip
def test_the_nth_working_day_after(start: date, count: int, day: date) -> None:
    assert add_workdays(start, count) == day


@given(start=st.dates(date(2005, 1, 1), date(2030, 12, 31)), count=st.integers(1, 30))
def test_counting_is_what_it_says(start: date, count: int) -> None:
    end = add_workdays(start, count)
    between = [start + timedelta(days=n) for n in range(1, (end - start).days + 1)]
    assert sum(map(is_workday, between)) == count
    assert is_workday(end)


@given(day=st.dates(date(2005, 1, 1), date(2030, 12, 31)))
def test_rolling_goes_to_the_next_day_that_is_open(day: date) -> None:
    rolled = roll_to_workday(day)
    assert rolled >= day
    assert is_workday(rolled)
    assert not any(is_workday(day + timedelta(days=n)) for n in range((rolled - day).days))
