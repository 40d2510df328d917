"""When a step is tried again, and what a status means."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.exchange.schedule import DELAYS, MAX_TRIES, Verdict, next_attempt, retries, verdict_of

NOW = datetime(2014, 11, 3, 2, 0, tzinfo=UTC)
CHANCES = st.floats(0, 1, exclude_max=True)


def test_the_schedule_as_agreed():
    waits = [next_attempt(tries, NOW, 0.5) - NOW for tries in range(1, MAX_TRIES)]
    hours = [timedelta(hours=hours) for hours in (2, 5, 10, 14, 20, 24)]
    assert waits == [timedelta(seconds=5), timedelta(minutes=5), timedelta(minutes=30), *hours]
    assert next_attempt(MAX_TRIES, NOW, 0.5) is None


@given(st.integers(1, MAX_TRIES - 1), CHANCES)
def test_the_delay_stays_within_a_fifth(tries, chance):
    wait = next_attempt(tries, NOW, chance) - NOW
    assert DELAYS[tries - 1] * 0.8 <= wait <= DELAYS[tries - 1] * 1.2


@given(st.integers(1, MAX_TRIES - 1), CHANCES, st.floats(allow_nan=False))
def test_a_department_that_names_its_time_is_obeyed_within_a_day(tries, chance, seconds):
    wait = next_attempt(tries, NOW, chance, retry_after=seconds) - NOW
    assert timedelta(0) <= wait <= timedelta(hours=24)
    if 5 * 2 ** (tries - 1) <= seconds <= 86_400:
        assert abs(wait.total_seconds() - seconds) < 0.001


def test_a_department_that_always_says_at_once_does_not_use_up_the_tries_in_a_moment():
    waits = [next_attempt(tries, NOW, 0.5, retry_after=0.0) - NOW for tries in range(1, MAX_TRIES)]
    assert waits == [timedelta(seconds=5 * 2**tries) for tries in range(MAX_TRIES - 1)]
    assert sum(waits, timedelta()) > timedelta(minutes=40)


def test_naming_a_time_gives_no_further_tries():
    assert next_attempt(MAX_TRIES, NOW, 0.5, retry_after=5) is None


@pytest.mark.parametrize(
    ("statuses", "verdict"),
    [
        ((200, 201, 202, 204, 299), Verdict.RECEIVED),
        ((300, 301, 302, 304, 307, 308), Verdict.REDIRECTED),
        ((400, 401, 403, 404, 409, 411, 413, 422, 451), Verdict.REFUSED),
        ((410,), Verdict.GONE),
        ((408, 425, 429, 500, 502, 503, 504, 599), Verdict.RETRY),
    ],
)
def test_what_a_status_means(statuses, verdict):
    assert {verdict_of(status) for status in statuses} == {verdict}


def test_only_a_retry_is_tried_again():
    assert [verdict for verdict in Verdict if retries(verdict)] == [Verdict.RETRY]
