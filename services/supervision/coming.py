"""What is coming for one holder, day by day, by the very ``decide`` that will answer then. Pure.

The engine says on which day its answer changes next; it is asked again on that day, and on the next, up to the horizon.
What a department would be told is the difference of two answers, as when it is due in earnest; what it would be asked
are the facts that then begin to matter. What it will answer nobody knows: what hangs on such a fact is not foreseen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

from services.policy.answer import Decision
from services.policy.decide import decide
from services.policy.needs import facts_to_ask
from services.policy.pack import Pack
from services.policy.question import Question

_DAY = timedelta(days=1)
# The tier that takes years of residence.
SECOND_TIER = 2
# The condition of the pack that stands for a child of compulsory-school age.
SCHOOL_CONDITION = "child-in-school"
PackOn = Callable[[date], Pack | None]


@dataclass(frozen=True, slots=True)
class Coming:
    """One thing that comes on a day. ``kind``: tier2, expiry, load; ``key``: a department for load, else nothing."""

    kind: str
    on: date
    key: str = ""


def what_comes(question: Question, pack_on: PackOn, until: date) -> Iterator[Coming]:
    """What comes for the holder of ``question`` after its day, up to ``until``."""
    pack = pack_on(question.on)
    decision = decide(pack, question)
    before, second, asked = _granted(decision), _in_second_tier(pack, decision), _asks(pack, question)
    while decision.next_change is not None and decision.next_change <= until:
        day = decision.next_change
        pack = pack_on(day)
        ends = decision.permit.outcome == "in-force"
        then = replace(question, on=day)
        decision = decide(pack, then)
        now = _granted(decision)
        if _in_second_tier(pack, decision) and not second:
            second = True
            yield Coming("tier2", day)
        departments = {department for _, department in before ^ now}
        if ends and decision.permit.outcome == "ended":
            yield Coming("expiry", day - _DAY)
            if pack is not None:
                departments.add(pack.permit.issuer_on(day))
        questions = {department for fact, department in _asks(pack, then) - asked} if ends else set()
        asked |= _asks(pack, then)
        for department in (*sorted(departments), *sorted(questions)):
            yield Coming("load", day, department)
        before = now


def school_places(question: Question, pack_on: PackOn, first_of_term: date) -> tuple[int, int]:
    """How many of the holder's children are due schooling on the first day of a school year, and how many of them were
    not on the day before. Each child is asked about alone.
    """
    due = new = 0
    for child in question.children:
        alone = replace(question, children=(child,))
        if _schooled(alone, pack_on, first_of_term):
            due += 1
            new += not _schooled(alone, pack_on, first_of_term - _DAY)
    return due, new


def _schooled(question: Question, pack_on: PackOn, day: date) -> bool:
    if question.on > day:
        return False
    pack = pack_on(day)
    decision = decide(pack, replace(question, on=day))
    return any(
        one.state == "granted" and pack is not None and SCHOOL_CONDITION in pack.services[one.service].conditions
        for one in decision.entitlements.values()
    )


def _asks(pack: Pack | None, question: Question) -> set[tuple[str, str]]:
    return {(fact, department) for department, facts in facts_to_ask(pack, question).items() for fact in facts}


def _granted(decision: Decision) -> set[tuple[str, str]]:
    return {(one.service, one.department) for one in decision.entitlements.values() if one.state == "granted"}


def _in_second_tier(pack: Pack | None, decision: Decision) -> bool:
    return pack is not None and any(
        one.state == "granted" and pack.services[one.service].tier == SECOND_TIER
        for one in decision.entitlements.values()
    )
