"""Asking for a remedy, having a second person decide where many cases hang on it, and carrying it out.

What is asked and what is carried out are each one transaction with their audit entries. A remedy that is not allowed
for one of its cases is refused whole, with the case named. One that waited for approval is carried out on the cases
that still allow it; the others are recorded with what stood in the way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, assert_never

from sqlalchemy import Row, and_, select, update

from models import Case, Remedy, RemedyCase, RemedyKind, RemedyState, Step
from services.access import Caller
from services.access.second_person import approve, person_behind
from services.casework.sight import cases_in
from services.casework.standing import load_standing
from services.database import Transaction, among, is_postgresql, table
from services.errors import ConflictError, NotFoundError
from services.house import House
from services.remedies import cases, permits, waivers
from services.remedies.hands import Hands
from services.remedies.orders import (
    Cancel,
    Correct,
    DecideFact,
    Order,
    Reinstate,
    Reopen,
    Waive,
    Withdraw,
    order_content,
    read_order,
)

_CASES, _STEPS, _REMEDIES, _OF_CASES = table(Case), table(Step), table(Remedy), table(RemedyCase)


@dataclass(frozen=True, slots=True)
class Asked:
    """What became of a remedy: its number, where it stands, on how many cases it was carried out or could not be."""

    id: int
    state: RemedyState
    done: int = 0
    refused: int = 0


async def ask_remedy(house: House, caller: Caller, order: Order) -> Asked:
    """Record the remedy, and carry it out at once, unless it is about more cases than ``settings.approval_above`` or
    asks an applicant for a correction once more.

    NotFoundError for a case or step out of the caller's sight, ConflictError where it is not allowed: then nothing was
    done.
    """
    async with house.database.write(caller.actor) as transaction:
        hands, steps = await _take_up(house, transaction, caller, order)
        problems = await _problems(hands, order, steps)
        if problems:
            number, problem = min(problems.items())
            more = f" ({len(problems)} of {len(hands.standing)} cases do not allow it)" if len(problems) > 1 else ""
            raise ConflictError(f"{problem}{more}; nothing was done", place=number)
        waits = len(hands.standing) > house.settings.approval_above or (
            isinstance(order, Correct) and await cases.was_corrected(hands)
        )
        state = RemedyState.PROPOSED if waits else RemedyState.DONE
        remedy = await _record(transaction, hands, order, state, await person_behind(transaction.connection, caller))
        if waits:
            return Asked(remedy, RemedyState.PROPOSED)
        await _carry_out(_numbered(hands, remedy), order, steps, {})
        return Asked(remedy, RemedyState.DONE, done=len(hands.standing))


async def approve_remedy(house: House, caller: Caller, remedy: int, because: str | None = None) -> Asked:
    """Carry out what another person asked for; where who asked is not known, once two persons approved.

    AccessError to who asked and to who is no known person, ConflictError where it is decided already.
    """
    async with house.database.write(caller.actor) as transaction:
        row = await _waiting(transaction, caller, remedy)
        if not await approve(transaction, caller, _subject(remedy), row.asked_person):
            return Asked(remedy, RemedyState.PROPOSED)
        order = read_order({"kind": row.kind.value, "reason": row.reason} | row.content)
        await _decide(transaction, remedy, RemedyState.DONE, because)
        transaction.note("remedy.approved", _subject(remedy), kind=row.kind.value, asked_by=row.asked_by, why=because)
        hands, steps = await _take_up(house, transaction, caller, order)
        problems = await _problems(hands, order, steps)
        await _carry_out(_numbered(hands, remedy), order, steps, problems)
        return Asked(remedy, RemedyState.DONE, len(hands.standing) - len(problems), len(problems))


async def settle_remedy(
    house: House, transaction: Transaction, caller: Caller, order: Order, asked_by: str, asked_person: int | None
) -> tuple[int, dict[str, str]]:
    """Carry out, in the caller's ``transaction``, what the joint meeting settled: ``asked_by`` asked for it and
    ``caller`` approved it as the second person, whatever the number of cases. The remedy's number, and of which cases
    it is not allowed and why; it is carried out on the others.
    """
    hands, steps = await _take_up(house, transaction, caller, order)
    problems = await _problems(hands, order, steps)
    remedy = await _record(transaction, hands, order, RemedyState.DONE, asked_person)
    await _decide(transaction, remedy, RemedyState.DONE, None)
    first = update(_REMEDIES).where(_REMEDIES.c.id == remedy).values(asked_by=asked_by)
    await transaction.connection.execute(first)
    await _carry_out(_numbered(hands, remedy), order, steps, problems)
    return remedy, problems


async def reject_remedy(house: House, caller: Caller, remedy: int, because: str) -> Asked:
    """Turn down what another person asked for; nothing is done. Who asked may take it back this way, too."""
    async with house.database.write(caller.actor) as transaction:
        row = await _waiting(transaction, caller, remedy)
        await _decide(transaction, remedy, RemedyState.REJECTED, because)
        transaction.note("remedy.rejected", _subject(remedy), kind=row.kind.value, asked_by=row.asked_by, why=because)
    return Asked(remedy, RemedyState.REJECTED)


async def _take_up(
    house: House, transaction: Transaction, caller: Caller, order: Order
) -> tuple[Hands, Sequence[Row[Any]]]:
    """The cases of the order with their rows locked, and the steps that it names."""
    steps: Sequence[Row[Any]] = ()
    connection = transaction.connection
    if isinstance(order, Waive):
        owners = select(_STEPS.c.id, _STEPS.c.case_number).where(among(connection, _STEPS.c.id, order.steps))
        owner = {row.id: row.case_number for row in await connection.execute(owners)}
        if missing := [step for step in order.steps if step not in owner]:
            raise NotFoundError("there is no such step, or it is not yours to see", place=missing[0])
        numbers = set(owner.values())
    else:
        numbers = set(order.cases)
    seen = select(_CASES.c.number).where(among(connection, _CASES.c.number, numbers), cases_in(caller.sight))
    if out_of_sight := numbers - set((await connection.execute(seen)).scalars()):
        raise NotFoundError("there is no such case, or it is not yours to see", place=min(out_of_sight))
    standing = await load_standing(connection, numbers, house.caseworker.applications)
    hands = Hands(house, transaction, standing, order.reason)
    if isinstance(order, Waive):
        # Locked after their cases, in the order in which advancing does it.
        steps = await hands.steps(order.steps)
        if busy := {*order.steps}.difference(step.id for step in steps):
            raise ConflictError("is being answered this moment; look at it again", place=min(busy))
    return hands, steps


async def _problems(  # noqa: PLR0911 - one return a kind
    hands: Hands, order: Order, steps: Sequence[Row[Any]]
) -> dict[str, str]:
    """Of which cases the remedy is not allowed, and why."""
    match order:
        case Waive():
            return waivers.waive_problems(hands, order, steps)
        case DecideFact():
            return cases.fact_problems(hands, order)
        case Withdraw():
            return cases.withdraw_problems(hands)
        case Correct():
            return await cases.correct_problems(hands)
        case Cancel():
            return permits.cancel_problems(hands)
        case Reinstate():
            return await permits.reinstate_problems(hands)
        case Reopen():
            return await cases.reopen_problems(hands, order)
        case _:
            assert_never(order)


async def _carry_out(hands: Hands, order: Order, steps: Sequence[Row[Any]], problems: dict[str, str]) -> None:
    """Carry the remedy out on the cases that have no problem, and keep what came of each."""
    numbers = [number for number in hands.standing if number not in problems]
    if numbers:
        match order:
            case Waive():
                await waivers.waive(hands, order, steps, numbers)
            case DecideFact():
                await cases.decide_fact(hands, order, numbers)
            case Withdraw():
                await cases.withdraw(hands, numbers)
            case Correct():
                await cases.correct(hands, order, numbers)
            case Cancel():
                await permits.cancel(hands, order, numbers)
            case Reinstate():
                await permits.reinstate(hands, numbers)
            case Reopen():
                await cases.reopen(hands, order, numbers)
            case _:
                assert_never(order)
    connection = hands.transaction.connection
    mine = _OF_CASES.c.remedy_id == hands.remedy
    done = and_(mine, among(connection, _OF_CASES.c.case_number, numbers))
    await connection.execute(update(_OF_CASES).where(done).values(done=True))
    for number, problem in problems.items():
        one = and_(mine, _OF_CASES.c.case_number == number)
        await connection.execute(update(_OF_CASES).where(one).values(done=False, problem=problem[:300]))


async def _record(transaction: Transaction, hands: Hands, order: Order, state: RemedyState, person: int | None) -> int:
    """Write the remedy's own rows and its entry in the log; its number."""
    districts = {one.case.district for one in hands.standing.values()}
    row = {
        "kind": RemedyKind(order.kind),
        "state": state,
        "reason": order.reason,
        "content": order_content(order),
        "cases": len(hands.standing),
        "district": min(districts) if len(districts) == 1 else None,
        "asked_by": transaction.actor,
        "asked_person": person,
        "asked_at": transaction.at,
    }
    written = await transaction.connection.execute(_REMEDIES.insert().values(row).returning(_REMEDIES.c.id))
    remedy = int(written.scalar_one())
    await transaction.insert(RemedyCase, [{"remedy_id": remedy, "case_number": number} for number in hands.standing])
    transaction.note(
        "remedy.asked", _subject(remedy), kind=order.kind.value, cases=len(hands.standing), why=order.reason
    )
    return remedy


async def _waiting(transaction: Transaction, caller: Caller, remedy: int) -> Row[Any]:
    """The remedy that waits for a decision, locked."""
    query = select(_REMEDIES).where(_REMEDIES.c.id == remedy)
    if caller.sight.district is not None:
        query = query.where(_REMEDIES.c.district == caller.sight.district)
    if is_postgresql(transaction.connection):
        query = query.with_for_update()
    row = (await transaction.connection.execute(query)).one_or_none()
    if row is None:
        raise NotFoundError("there is no such remedy, or it is not yours to see", place="remedy")
    if row.state is not RemedyState.PROPOSED:
        raise ConflictError(f"is {row.state.value}; it waits for nobody", place=_subject(remedy))
    return row


async def _decide(transaction: Transaction, remedy: int, state: RemedyState, because: str | None) -> None:
    decided = {
        "state": state,
        "decided_by": transaction.actor,
        "decided_at": transaction.at,
        "decided_because": because,
    }
    await transaction.connection.execute(update(_REMEDIES).where(_REMEDIES.c.id == remedy).values(decided))


def _numbered(hands: Hands, remedy: int) -> Hands:
    return Hands(hands.house, hands.transaction, hands.standing, hands.reason, remedy)


def _subject(remedy: int) -> str:
    return f"remedy:{remedy}"
