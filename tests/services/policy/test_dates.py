"""Days, anniversaries and windows."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.policy.dates import (
    LAST_DAY,
    anniversary,
    intersection,
    last_day_of_term,
    ordinal,
    school_year_starts,
    union,
)

SEPTEMBER = (9, 1)
WINDOWS = st.lists(st.tuples(st.integers(1, 60), st.integers(1, 60)))


def days(windows):
    return {day for first, last in windows for day in range(first, last + 1)}


@pytest.mark.parametrize(
    ("day", "years", "expected"),
    [
        (date(2014, 10, 20), 1, date(2015, 10, 20)),
        (date(2016, 2, 29), 1, date(2017, 2, 28)),
        (date(2016, 2, 29), 4, date(2020, 2, 29)),
        (date(1896, 2, 29), 4, date(1900, 2, 28)),
        (date(2000, 2, 29), 0, date(2000, 2, 29)),
        (date(9998, 12, 31), 1, date.max),
    ],
)
def test_anniversary(day, years, expected):
    assert anniversary(day, years) == expected.toordinal()


def test_days_past_the_last_year_go_on_counting():
    assert ordinal(10_000, 1, 1) == LAST_DAY + 1
    assert ordinal(10_001, 1, 1) == LAST_DAY + 1 + 366  # 10000 is a leap year
    assert anniversary(date(9996, 2, 29), 4) == ordinal(10_000, 2, 29) == ordinal(10_000, 2, 28) + 1


def test_a_term_ends_on_the_eve_of_its_anniversary():
    assert last_day_of_term(date(2014, 10, 20), 1) == date(2015, 10, 19).toordinal()
    assert last_day_of_term(date(2016, 2, 29), 3) == date(2019, 2, 27).toordinal()


@pytest.mark.parametrize(
    ("born", "year"),
    [(date(2009, 8, 31), 2015), (date(2009, 9, 1), 2016), (date(2009, 1, 1), 2015), (date(2008, 2, 29), 2014)],
)
def test_school_begins_in_the_september_after_the_sixth_birthday(born, year):
    assert school_year_starts(born, 6, SEPTEMBER) == year


@given(WINDOWS)
def test_union_holds_the_same_days_in_runs_apart(windows):
    merged = union(windows)
    assert days(merged) == days(windows)
    assert all(earlier[1] + 1 < later[0] for earlier, later in pairwise(merged))


@given(WINDOWS, WINDOWS)
def test_intersection_holds_the_days_of_both(one, other):
    assert days(intersection(union(one), union(other))) == days(one) & days(other)
