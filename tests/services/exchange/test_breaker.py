"""A door falls shut when its department fails, is tried with growing pauses, and opens by itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import EndpointState
from services.exchange.breaker import (
    FIRST_HOLD,
    IN_ROW,
    JITTER,
    LONGEST_HOLD,
    MIN_TRIES,
    WINDOW,
    Health,
    Tries,
    after_probe,
    after_tries,
    hold_time,
    may_probe,
    probing,
    speaks_of_endpoint,
)
from services.exchange.schedule import LONGEST_WAIT, Verdict

NOW = datetime(2014, 11, 3, 2, 0, tzinfo=UTC)
OPEN, HELD, PROBING = EndpointState.OPEN, EndpointState.HELD, EndpointState.PROBING


def tries(failed: int = 0, well: int = 0, **parts: object) -> Tries:
    return Tries((False,) * well + (True,) * failed, "timeout" if failed else None, **parts)


def shut(**parts: object) -> Health:
    return after_tries(Health(), tries(MIN_TRIES, **parts), NOW, 0.5)


def test_a_few_failures_leave_the_door_open():
    health = after_tries(Health(), tries(MIN_TRIES - 1), NOW, 0.5)
    assert (health.state, health.window_tries, health.window_failures) == (OPEN, MIN_TRIES - 1, MIN_TRIES - 1)


def test_half_of_the_tries_failing_shuts_it():
    assert after_tries(Health(), tries(failed=9, well=11), NOW, 0.5).state is OPEN
    health = after_tries(Health(), tries(failed=10, well=10), NOW, 0.5)
    assert (health.state, health.because, health.held_at) == (HELD, "timeout", NOW)


def test_a_window_that_began_well_does_not_keep_a_dead_departments_door_open():
    health = after_tries(Health(), tries(well=10_000), NOW, 0.5)
    assert after_tries(health, tries(failed=IN_ROW - 1), NOW, 0.5).state is OPEN
    assert after_tries(health, tries(failed=IN_ROW), NOW, 0.5).state is HELD


def test_failures_of_an_earlier_window_are_forgotten_but_those_in_a_row_are_not():
    health = after_tries(Health(), tries(failed=6), NOW, 0.5)
    later = after_tries(health, tries(failed=1, well=3), NOW + WINDOW, 0.5)
    assert (later.state, later.window_tries, later.window_failures) == (OPEN, 4, 1)
    assert after_tries(health, tries(failed=4), NOW + WINDOW, 0.5).state is HELD


def test_what_comes_back_late_does_not_move_a_door_that_is_shut():
    health = shut()
    assert after_tries(health, tries(well=50), NOW, 0.5) == health
    assert after_tries(health, tries(failed=50), NOW, 0.5) == health


def test_one_try_that_gets_through_opens_it_again():
    health = shut()
    assert not may_probe(health, NOW)
    out = probing(health, NOW + timedelta(minutes=2))
    assert not may_probe(out, NOW + timedelta(minutes=1))
    opened = after_probe(out, tries(well=1), NOW + timedelta(minutes=1), 0.5)
    assert (opened.state, opened.held_at, opened.probe_at, opened.because) == (OPEN, None, None, None)
    assert (opened.window_tries, opened.failures_in_row) == (0, 0)


def test_a_try_whose_process_died_is_made_again():
    out = probing(shut(), NOW + timedelta(minutes=2))
    assert may_probe(out, NOW + timedelta(minutes=2))


def test_a_try_that_fails_shuts_it_for_longer_and_it_stays_held_since_the_beginning():
    health, pauses = shut(), []
    for _ in range(8):
        at = health.probe_at
        assert at is not None
        health = after_probe(probing(health, at), tries(1), at, 0.5)
        assert health.state is HELD
        assert health.held_at == NOW
        assert health.probe_at is not None
        pauses.append(health.probe_at - at)
    assert pauses[0] == 2 * FIRST_HOLD
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST_HOLD


def test_a_door_that_falls_shut_again_and_again_stays_shut_longer_until_a_window_ends_well():
    once = after_probe(probing(shut(), NOW), tries(well=1), NOW, 0.5)
    again = after_tries(once, tries(MIN_TRIES), NOW, 0.5)
    assert again.probe_at == NOW + 2 * FIRST_HOLD
    well = after_tries(once, tries(well=1), NOW + WINDOW, 0.5)
    assert well.holds == 0


def test_the_department_may_ask_for_a_longer_pause_within_bounds():
    assert shut(retry_after=600.0).probe_at == NOW + timedelta(minutes=10)
    assert shut(retry_after=0.0).probe_at == NOW + FIRST_HOLD
    assert shut(retry_after=float("1e12")).probe_at == NOW + LONGEST_WAIT


@pytest.mark.parametrize(
    ("verdict", "status", "speaks"),
    [
        (Verdict.RECEIVED, 200, False),
        (Verdict.RETRY, None, True),
        (Verdict.RETRY, 503, True),
        (Verdict.RETRY, 429, True),
        (Verdict.REDIRECTED, 301, True),
        (Verdict.REFUSED, 401, True),
        (Verdict.REFUSED, 404, True),
        (Verdict.REFUSED, None, True),
        (Verdict.REFUSED, 400, False),
        (Verdict.REFUSED, 422, False),
        (Verdict.GONE, 410, False),
    ],
)
def test_a_message_that_is_refused_says_nothing_of_the_next(verdict, status, speaks):
    assert speaks_of_endpoint(verdict, status) is speaks


@given(st.integers(0, 10_000), st.floats(0, 1, exclude_max=True))
def test_a_door_is_never_shut_for_ever(holds, chance):
    assert FIRST_HOLD * (1 - JITTER) <= hold_time(holds, chance) <= LONGEST_HOLD * (1 + JITTER)


@given(st.lists(st.tuples(st.lists(st.booleans(), min_size=1, max_size=12), st.integers(0, 400)), max_size=60))
def test_however_it_goes_a_held_door_can_be_tried_and_opened(rounds):
    health, now = Health(), NOW
    for failed, seconds in rounds:
        now += timedelta(seconds=seconds)
        health = after_tries(health, Tries(tuple(failed), "reset"), now, 0.5)
        if health.state is HELD:
            assert health.probe_at is not None
            assert may_probe(health, now + LONGEST_HOLD)
            assert after_probe(probing(health, now), tries(well=1), now, 0.5).state is OPEN
            now, health = now + LONGEST_HOLD, replace(health, state=PROBING)
            health = after_probe(health, Tries((failed[0],), "reset"), now, 0.5)
