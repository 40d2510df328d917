"""The breaker of one endpoint (熔断): when its door is shut, when one try is let through, and when it opens again.

Pure: the state stands in the database (``models.Endpoint``), so that every process sees the same door. A door shuts
when half of at least ten tries of the window failed, or ten in a row: a window that began well must not keep a dead
department's door open. It is then tried with a single step, at growing intervals, until one gets through.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from models import EndpointState
from services.exchange.schedule import LONGEST_WAIT, Verdict

MIN_TRIES = 10
FAILURE_RATE = 0.5
IN_ROW = 10
WINDOW = timedelta(minutes=5)
FIRST_HOLD = timedelta(seconds=30)
LONGEST_HOLD = timedelta(minutes=15)
JITTER = 0.2

# Statuses that speak of the endpoint and not of the message: every further message would meet the same.
_WHOLE_ENDPOINT = frozenset({401, 403, 404, 405})


@dataclass(frozen=True, slots=True)
class Health:
    """What is known of an endpoint's door. ``holds`` counts how often in a row it was shut; ``probe_at``: when it is
    tried again, or, while a try is out, when that try counts as lost.
    """

    state: EndpointState = EndpointState.OPEN
    window_started_at: datetime | None = None
    window_tries: int = 0
    window_failures: int = 0
    failures_in_row: int = 0
    held_at: datetime | None = None
    probe_at: datetime | None = None
    holds: int = 0
    because: str | None = None


@dataclass(frozen=True, slots=True)
class Tries:
    """Requests to one endpoint that came to an end together, oldest first: whether each failed.

    ``because`` is why the last failed, ``retry_after`` the longest pause (seconds) that the department asked for.
    """

    failed: tuple[bool, ...]
    because: str | None = None
    retry_after: float | None = None


def speaks_of_endpoint(verdict: Verdict, status: int | None) -> bool:
    """Whether a try failed for a reason that the next message would meet as well."""
    if verdict in (Verdict.RETRY, Verdict.REDIRECTED):
        return True
    return verdict is Verdict.REFUSED and (status is None or status in _WHOLE_ENDPOINT)


def after_tries(health: Health, tries: Tries, now: datetime, chance: float) -> Health:
    """The door after ``tries`` of messages sent while it was open; one that is shut already stays as it is."""
    if health.state is not EndpointState.OPEN or not tries.failed:
        return health
    health = _in_window(health, now)
    in_row = health.failures_in_row
    for failed in tries.failed:
        in_row = in_row + 1 if failed else 0
    health = replace(
        health,
        window_tries=health.window_tries + len(tries.failed),
        window_failures=health.window_failures + sum(tries.failed),
        failures_in_row=in_row,
    )
    often = health.window_tries >= MIN_TRIES and health.window_failures >= FAILURE_RATE * health.window_tries
    # What ended well a moment ago is no door to shut, whatever came before it.
    if tries.failed[-1] and (often or in_row >= IN_ROW):
        return _held(health, tries, now, chance)
    return health


def after_probe(health: Health, tries: Tries, now: datetime, chance: float) -> Health:
    """The door after the one try that was let through: open again, or shut for longer."""
    if health.state is not EndpointState.PROBING or not tries.failed:
        return health
    if all(tries.failed):
        return _held(health, tries, now, chance)
    return reopened(health, now)


def reopened(health: Health, now: datetime) -> Health:
    """The door open, with a fresh window. ``holds`` is kept until that window ends well, so that a door which falls
    shut again and again stays shut longer each time.
    """
    return Health(EndpointState.OPEN, window_started_at=now, holds=health.holds)


def probing(health: Health, until: datetime) -> Health:
    """The door while one try is out, which counts as lost after ``until``."""
    return replace(health, state=EndpointState.PROBING, probe_at=until)


def may_probe(health: Health, now: datetime) -> bool:
    """Whether one step is let through now."""
    shut = health.state in (EndpointState.HELD, EndpointState.PROBING)
    return shut and (health.probe_at is None or health.probe_at <= now)


def hold_time(holds: int, chance: float) -> timedelta:
    """How long a door stays shut that was shut ``holds`` times before in a row; ``chance`` in [0, 1) spreads it."""
    longest = LONGEST_HOLD / FIRST_HOLD
    return FIRST_HOLD * min(2.0 ** min(holds, 30), longest) * (1 + JITTER * (2 * chance - 1))


def _in_window(health: Health, now: datetime) -> Health:
    started = health.window_started_at
    if started is not None and now < started + WINDOW:
        return health
    # A window that ended without the door falling shut has ended well.
    holds = 0 if started is not None else health.holds
    return replace(health, window_started_at=now, window_tries=0, window_failures=0, holds=holds)


def _held(health: Health, tries: Tries, now: datetime, chance: float) -> Health:
    pause = hold_time(health.holds, chance)
    if tries.retry_after is not None:
        pause = max(pause, min(timedelta(seconds=min(tries.retry_after, 1e6)), LONGEST_WAIT))
    return replace(
        health,
        state=EndpointState.HELD,
        held_at=health.held_at or now,
        probe_at=now + pause,
        holds=health.holds + 1,
        because=tries.because,
    )
