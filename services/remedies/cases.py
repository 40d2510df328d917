"""Remedies on applications: withdrawn, asked to be corrected, reopened, a fact decided by hand.

Each has two halves: ``…_problems`` says of which cases it is not allowed and why; the other carries it out on the rest.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import and_, func, select, update

from models import Case, CaseState, ClockStop, Entitlement, EntitlementState, Fact, StepKind
from services.casework.comparison import WAIVED
from services.casework.rechecks import CASE_OVER
from services.casework.standing import Standing
from services.database import among, table
from services.remedies.hands import Hands, may_move
from services.remedies.orders import Correct, DecideFact, Reopen

_CASES, _FACTS, _ENTITLEMENTS, _STOPS = table(Case), table(Fact), table(Entitlement), table(ClockStop)
DECIDED_BY_HAND = "decided-by-hand"
_OVER = (CaseState.REFUSED, CaseState.WITHDRAWN)
ASKED_ANEW = "asked-anew"
_NO_POLICY = "no policy covers its day of receipt (A16)"


def withdraw_problems(hands: Hands) -> dict[str, str]:
    """A permit that was issued is cancelled, not withdrawn."""
    return {
        number: f"is {one.state.value}; only an application without a decision can be withdrawn"
        for number, one in hands.standing.items()
        if not may_move(one, CaseState.WITHDRAWN)
    }


async def withdraw(hands: Hands, numbers: Collection[str]) -> None:
    """The application is taken back: what was not answered is asked no more."""
    await hands.take_back(numbers, CASE_OVER)
    await hands.change(
        numbers, state=CaseState.WITHDRAWN, is_open=False, closed_at=hands.transaction.at, review_on=None
    )
    for number in numbers:
        hands.note("case.withdrawn", number)


async def correct_problems(hands: Hands) -> dict[str, str]:
    """The applicant is told once: not again while the answer is awaited, and afterwards by two persons only."""
    found = {
        number: f"is {one.state.value}; a correction can be asked for before the decision, or after a refusal"
        for number, one in hands.standing.items()
        if not may_move(one, CaseState.AWAITING_APPLICANT)
    }
    return await _no_second(hands, CaseState.REFUSED) | found


async def correct(hands: Hands, order: Correct, numbers: Collection[str]) -> None:
    """What is missing is told, and from now on no deadline runs (补正)."""
    at = hands.transaction.at
    await _end_rest(hands, [number for number in numbers if hands.standing[number].state in _OVER])
    await hands.change(numbers, state=CaseState.AWAITING_APPLICANT, is_open=True, closed_at=None, review_on=None)
    stops = [
        {"case_number": number, "from_at": at, "remedy_id": hands.remedy, "missing": list(order.missing)}
        for number in numbers
    ]
    await hands.transaction.insert(ClockStop, stops)
    for number in numbers:
        hands.note("correction.asked", number, missing=list(order.missing))
    await hands.reckon(numbers, "correction-asked")


async def was_corrected(hands: Hands) -> bool:
    """Whether one of the applicants was told before what is missing. They are told all of it at once (一次性告知), so
    that to ask again is for two persons to decide.
    """
    query = select(_STOPS.c.missing).where(among(hands.transaction.connection, _STOPS.c.case_number, hands.standing))
    return any((await hands.transaction.connection.execute(query)).scalars())


async def reopen_problems(hands: Hands, order: Reopen) -> dict[str, str]:
    """Closed, refused, withdrawn or set aside; a person has one open case."""
    found = {
        number: f"is {one.state.value} and under way; there is nothing to reopen"
        for number, one in hands.standing.items()
        if one.state is CaseState.AWAITING_APPLICANT
        or (one.permit is None and one.case.set_aside is None and one.state not in _OVER)
    }
    found |= {
        number: "has a permit that has ended; a new application is needed"
        for number, one in hands.standing.items()
        if one.ended
    }
    if order.anew:
        found |= {number: _NO_POLICY for number, one in hands.standing.items() if one.case.pack is None}
    return await _no_second(hands, *_OVER) | found


async def reopen(hands: Hands, order: Reopen, numbers: Collection[str]) -> None:
    """Refused and withdrawn cases are decided again; a closed one asks again for the services that were declined."""
    over = [number for number in numbers if hands.standing[number].state in _OVER]
    # What a department could not tell is asked again; what it told stands.
    await hands.change(numbers, set_aside=None, tries=0, asked_after=_CASES.c.round)
    await _end_rest(hands, over)
    await hands.change(over, state=CaseState.ACCEPTED, is_open=True, closed_at=None)
    await hands.reckon(over, "reopened")
    if order.anew:
        await ask_anew(hands, numbers)
    # Of what was waived after a try, the department may hold it: that is not asked for a second time.
    await hands.transaction.connection.execute(
        update(_ENTITLEMENTS)
        .where(
            and_(
                among(hands.transaction.connection, _ENTITLEMENTS.c.case_number, numbers),
                _ENTITLEMENTS.c.state == EntitlementState.DECLINED,
                func.coalesce(_ENTITLEMENTS.c.reason, "") != WAIVED,
            )
        )
        .values(state=EntitlementState.ENDED, changed_at=hands.transaction.at)
    )
    for number in numbers:
        hands.note("case.reopened", number, was=hands.standing[number].state.value, anew=order.anew)


async def _end_rest(hands: Hands, numbers: Collection[str]) -> None:
    """The time in which the cases were over is nobody's, and their clocks begin anew."""
    at = hands.transaction.at
    cases = {number: hands.standing[number].case for number in numbers}
    rests = [
        {"case_number": number, "from_at": case.closed_at, "remedy_id": hands.remedy, "missing": [], "until_at": at}
        for number, case in cases.items()
        if case.closed_at is not None and case.closed_at < at
    ]
    await hands.transaction.insert(ClockStop, rests)
    await hands.change(numbers, accepted_at=at, decided_at=None)


def fact_problems(hands: Hands, order: DecideFact) -> dict[str, str]:
    """The fact and the department must stand in the policy of the case."""
    found = {}
    for number, one in hands.standing.items():
        pack = hands.house.caseworker.pack(one.case.pack, hands.house.database.clock.today())
        if pack is None:
            found[number] = _NO_POLICY
        elif order.fact not in pack.facts:
            found[number] = f"its policy knows no fact {order.fact}"
        elif order.department not in pack.departments:
            found[number] = f"its policy knows no department {order.department}"
        elif one.state is CaseState.WITHDRAWN or one.ended:
            found[number] = "is over; nothing hangs on the fact any more"
    return found


async def decide_fact(hands: Hands, order: DecideFact, numbers: Collection[str]) -> None:
    """A fact is added; a question of which nothing else is left open is asked no more."""
    rows = [
        {
            "case_number": number,
            "name": order.fact,
            "value": order.value,
            "department": order.department,
            "step_id": None,
            "authority": order.document,
            "confirmed_at": hands.transaction.at,
        }
        for number in numbers
    ]
    await hands.transaction.insert(Fact, rows)
    for number in numbers:
        hands.note(
            "fact.decided",
            number,
            fact=order.fact,
            value=order.value,
            department=order.department,
            document=order.document,
        )
    answered = [step for number in numbers for step in _only_known(hands.standing[number], order.fact)]
    await hands.take_back(numbers, DECIDED_BY_HAND, (StepKind.VERIFICATION,), answered)
    await hands.change(numbers)


def _only_known(standing: Standing, fact: str) -> list[str]:
    """The open questions of the case of which nothing is left to answer once ``fact`` is known."""
    known = {*standing.facts, fact}
    return [
        step.id
        for step in standing.steps
        if step.kind is StepKind.VERIFICATION and step.unfinished and known.issuperset(step.content["facts"])
    ]


async def ask_anew(hands: Hands, numbers: Collection[str]) -> set[str]:
    """Ask the departments everything again: what they answered counts no more. The steps that were taken back."""
    taken_back = await hands.take_back(numbers, ASKED_ANEW, (StepKind.VERIFICATION,))
    last = select(func.coalesce(func.max(_FACTS.c.id), 0)).where(_FACTS.c.case_number == _CASES.c.number)
    await hands.change(numbers, facts_after=last.scalar_subquery(), asked_after=_CASES.c.round)
    return taken_back


async def _no_second(hands: Hands, *states: CaseState) -> dict[str, str]:
    """A person has one open case or one good permit: a case that was over cannot come back beside it."""
    return {
        number: f"this person has the case {other} meanwhile"
        for number, other in (await hands.engaged()).items()
        if hands.standing[number].state in states
    }
