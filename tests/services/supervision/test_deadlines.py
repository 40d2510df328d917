"""Deadlines: counted by the calendar, moved by stops, never by more or less than what was stopped."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.clock import CHINA, day_bounds
from services.supervision.deadlines import Span, due_on, joined, next_look, working_time, yellow_on
from services.workdays import Workdays

PLAIN = Workdays()
MONDAY = date(2014, 11, 3)


def _at(day: int, hour: int) -> datetime:
    return datetime(2014, 11, day, hour, tzinfo=CHINA)


@pytest.mark.parametrize(
    ("start", "days", "unit", "due"),
    [
        (MONDAY, 10, "working", date(2014, 11, 17)),
        (date(2014, 9, 26), 3, "working", date(2014, 9, 30)),     # Sunday the 28th was worked
        (date(2016, 1, 4), 15, "calendar", date(2016, 1, 19)),    # Decree 663, art. 9
        (date(2016, 1, 1), 15, "calendar", date(2016, 1, 18)),    # the 16th is a Saturday: it rolls
        (date(2016, 1, 23), 15, "calendar", date(2016, 2, 14)),   # the Spring Festival; Sunday the 14th was worked
    ],
)  # fmt: skip
def test_the_last_day_is_counted_by_the_calendar(start: date, days: int, unit: str, due: date) -> None:
    assert due_on(start, days, unit, (), PLAIN) == due  # type: ignore[arg-type]


def test_a_stop_moves_the_deadline_by_the_days_it_took_and_a_begun_day_counts_whole() -> None:
    whole = [Span(_at(5, 0), _at(7, 0))]
    assert due_on(MONDAY, 10, "working", whole, PLAIN) == date(2014, 11, 19)
    two_hours = [Span(_at(5, 9), _at(5, 11))]
    assert due_on(MONDAY, 10, "working", two_hours, PLAIN) == date(2014, 11, 18)
    # Many short stops are worth no more than one long one.
    daily = [Span(_at(day, 9), _at(day, 11)) for day in (5, 6, 7, 10, 11, 12)]
    assert due_on(MONDAY, 10, "working", daily, PLAIN) == date(2014, 11, 18)
    # What lies on days off stops nothing.
    assert due_on(MONDAY, 10, "working", [Span(_at(8, 0), _at(10, 0))], PLAIN) == date(2014, 11, 17)


def test_yellow_comes_before_red_and_the_look_follows() -> None:
    due = date(2014, 11, 17)
    assert yellow_on(MONDAY, 10, "working", due, PLAIN) == date(2014, 11, 14)
    assert yellow_on(MONDAY, 20, "working", date(2014, 12, 1), PLAIN) == date(2014, 11, 26)
    assert next_look(MONDAY, MONDAY, 10, "working", due, PLAIN) == date(2014, 11, 14)
    assert next_look(date(2014, 11, 14), MONDAY, 10, "working", due, PLAIN) == date(2014, 11, 18)
    assert next_look(date(2014, 11, 18), MONDAY, 10, "working", due, PLAIN) is None
    # One day's limit: no card on the day on which it began.
    assert yellow_on(MONDAY, 1, "working", date(2014, 11, 4), PLAIN) == date(2014, 11, 4)


def test_a_changed_holiday_counts() -> None:
    shut = Workdays({date(2014, 11, 5): False, date(2014, 11, 8): True})
    assert due_on(MONDAY, 4, "working", (), shut) == date(2014, 11, 8)
    assert working_time([Span(_at(5, 0), _at(6, 12))], shut) == timedelta(hours=12)


instants = st.integers(0, 40 * 24).map(lambda hours: day_bounds(MONDAY)[0] + timedelta(hours=hours))
spans = st.lists(
    st.tuples(instants, st.integers(1, 90)).map(lambda one: Span(one[0], one[0] + timedelta(hours=one[1]))),
    max_size=4,
)


@given(spans=spans, days=st.integers(1, 15), unit=st.sampled_from(["working", "calendar"]))
def test_who_is_on_the_clock_has_all_the_days_and_less_than_one_more(spans: list[Span], days: int, unit: str) -> None:
    due = due_on(MONDAY, days, unit, spans, PLAIN)  # type: ignore[arg-type]
    counts = PLAIN.is_workday if unit == "working" else lambda _: True

    def given_until(last: date) -> timedelta:
        total = timedelta(0)
        day = MONDAY + timedelta(days=1)
        while day <= last:
            if counts(day):
                whole = Span(*day_bounds(day))
                parts = (one.within(whole) for one in joined(spans))
                total += timedelta(days=1) - sum((one.length for one in parts if one), timedelta(0))
            day += timedelta(days=1)
        return total

    assert given_until(due) >= timedelta(days=days)
    if unit == "working":
        assert given_until(due - timedelta(days=1)) < timedelta(days=days)


@given(spans=spans)
def test_joined_is_the_same_time_in_order(spans: list[Span]) -> None:
    found = joined(spans)
    assert all(one.until_at < other.from_at for one, other in pairwise(found))
    hours = {one.from_at + timedelta(hours=h) for one in spans for h in range(int(one.length.total_seconds()) // 3600)}
    assert sum((one.length for one in found), timedelta(0)) == timedelta(hours=len(hours))
