"""How two answers differ for one person: which service comes, goes, waits, changes hands or days, and why. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from services.policy.answer import Decision, Entitlement

_HELD = ("granted", "upcoming")

GAINS, LOSES, WAITS, DATES, OWNER = "gains", "loses", "waits", "dates", "owner"
"""A service comes; goes; hangs on a fact that nobody confirmed; has other days; belongs to another department."""

NOT_IN_PACK = "not-in-pack"


class Shift(NamedTuple):
    """One kind of change: of ``service``, at ``department`` (who has to act), from ``month`` (``2015-03``), because of
    ``why`` (codes of conditions, clauses or facts).
    """

    change: str
    service: str
    department: str
    month: str
    why: tuple[str, ...]


def answers_differ(now: Decision, then: Decision) -> bool:
    """Whether anything follows from the difference: for the permit, for a service, or for what is to be asked."""
    if (now.permit.outcome, now.permit.term_years, now.permit.needs) != (
        then.permit.outcome, then.permit.term_years, then.permit.needs,
    ):  # fmt: skip
        return True
    return _needs(now) != _needs(then) or any(
        _held_as(now.entitlements.get(service)) != _held_as(then.entitlements.get(service))
        for service in {**now.entitlements, **then.entitlements}
    )


def _needs(answer: Decision) -> set[object]:
    return {need for one in answer.entitlements.values() for need in one.needs}


def _held_as(answer: Entitlement | None) -> tuple[object, ...] | None:
    held = _held(answer)
    return None if held is None else (held.state, held.department, held.first_day, held.last_day)


def differences(now: Decision, then: Decision, on: date) -> Iterator[Shift]:
    """What changes for one person on the day ``on``, service by service."""
    for service in {**now.entitlements, **then.entitlements}:
        before, after = now.entitlements.get(service), then.entitlements.get(service)
        shift = _difference(service, before, after, on)
        if shift is not None:
            yield shift


def _difference(service: str, before: Entitlement | None, after: Entitlement | None, on: date) -> Shift | None:
    had, has = _held(before), _held(after)
    if had is not None and has is not None:
        if had.department != has.department:
            return Shift(OWNER, service, has.department, _month(has.first_day, on), (had.department,))
        if (had.first_day, had.last_day) != (has.first_day, has.last_day):
            return Shift(DATES, service, has.department, _month(has.first_day, on), has.because[1:])
    elif has is not None:
        why = (NOT_IN_PACK,) if before is None else _why_not(before)
        return Shift(GAINS, service, has.department, _month(has.first_day, on), why)
    elif had is not None:
        if after is not None and after.state == "unknown":
            return Shift(WAITS, service, after.department, _month(after.opens, on), _why_not(after))
        why = (NOT_IN_PACK,) if after is None else _why_not(after)
        return Shift(LOSES, service, had.department, _month(had.first_day, on), why)
    return None


def _held(answer: Entitlement | None) -> Entitlement | None:
    """The answer if the service is due now or by time alone; what is public is never opened for anybody."""
    return answer if answer is not None and answer.state in _HELD and answer.kind != "public" else None


def _why_not(answer: Entitlement) -> tuple[str, ...]:
    """What stands in the way: facts not confirmed, conditions that are false, or what decided it."""
    return tuple(need.fact for need in answer.needs) or answer.fails or answer.because[1:] or (answer.state,)


def _month(first_day: date | None, on: date) -> str:
    return f"{max(first_day or on, on):%Y-%m}"
