"""Instants are UTC, days are Zibo's, and a shift moves business time only."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from services.clock import Clock, china_day


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        (datetime(2014, 11, 3, 15, 59, 59, tzinfo=UTC), date(2014, 11, 3)),
        (datetime(2014, 11, 3, 16, 0, tzinfo=UTC), date(2014, 11, 4)),
        (datetime(2016, 2, 28, 16, 0, tzinfo=UTC), date(2016, 2, 29)),
        (datetime(2014, 12, 31, 16, 0, tzinfo=UTC), date(2015, 1, 1)),
    ],
)
def test_the_day_turns_at_midnight_in_china(instant: datetime, day: date) -> None:
    assert china_day(instant) == day
    assert Clock(source=lambda: instant).today() == day


def test_moving_leaves_the_time_of_day_and_wire_time() -> None:
    instant = datetime(2026, 11, 24, 17, 30, tzinfo=UTC)
    moved = Clock(source=lambda: instant).moved_to(date(2014, 11, 3))
    assert moved.today() == date(2014, 11, 3)
    assert moved.now() == instant
    assert moved.moment().time() == instant.time()
    assert moved.shift % timedelta(days=1) == timedelta(0)
    assert moved.moved_to(date(2015, 11, 3)).today() == date(2015, 11, 3)


def test_real_time_is_aware() -> None:
    assert Clock().now().utcoffset() == timedelta(0)
