"""When a step is tried again, and whether trying again can mend anything."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum


class Verdict(StrEnum):
    """What one try came to.

    ``received``: the department has it. ``retry``: try again by the schedule. ``refused``: no retry can mend it.
    ``gone``: 410, the department has closed its endpoint. ``redirected``: 3xx, the address is wrong; never followed,
    because the signature and the person's fields are meant for the address that was registered.
    """

    RECEIVED = "received"
    RETRY = "retry"
    REFUSED = "refused"
    GONE = "gone"
    REDIRECTED = "redirected"


DELAYS = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
MAX_TRIES = len(DELAYS) + 1
JITTER = 0.2
LONGEST_WAIT = timedelta(hours=24)

_TRANSIENT = frozenset({408, 425, 429})


def verdict_of(status: int) -> Verdict:
    """What an HTTP status means for the step."""
    if 200 <= status < 300:
        return Verdict.RECEIVED
    if 300 <= status < 400:
        return Verdict.REDIRECTED
    if status == 410:
        return Verdict.GONE
    if status in _TRANSIENT or status >= 500:
        return Verdict.RETRY
    return Verdict.REFUSED


def retries(verdict: Verdict) -> bool:
    """Whether the schedule tries again by itself. What it does not is an incident at once."""
    return verdict is Verdict.RETRY


def next_attempt(tries: int, now: datetime, chance: float, *, retry_after: float | None = None) -> datetime | None:
    """When to try again after ``tries`` tries (1 or more); None when they are used up.

    ``chance`` in [0, 1) spreads the delay evenly over ±20 %, so that what failed together does not come back
    together. ``retry_after`` (seconds, from the department) goes before the schedule, up to 24 h; but each further try
    waits at least twice as long as the one before it, from five seconds on and up to what the schedule says: a
    department that always says "at once" would have used up all tries within that moment.
    """
    if tries >= MAX_TRIES:
        return None
    if retry_after is not None:
        least = min(DELAYS[tries - 1], DELAYS[0] * 2.0 ** (tries - 1))
        return now + min(max(timedelta(seconds=max(0.0, min(retry_after, 1e6))), least), LONGEST_WAIT)
    return now + DELAYS[tries - 1] * (1 + JITTER * (2 * chance - 1))
