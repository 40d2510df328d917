"""Before each try: is the step still right? Asked in the transaction that claims it, of what stands at that moment.

What is no longer right is superseded with a reason and never sent. The planner is woken and deals with what the
department may hold from an earlier try. Order is kept here too: news of a permit's end waits for a try at the news of
its issue that is still out, and what a later permit brings waits for what is still to be sent about the same person and
service by an earlier one (``renewals``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models import Case, CaseState, Entitlement, EntitlementState, Permit, PermitState, Step, StepKind, StepState
from services.casework.renewals import Checked, check_renewals
from services.database import among, table

_CASES, _PERMITS, _STEPS, _ENTITLEMENTS = table(Case), table(Permit), table(Step), table(Entitlement)
_OVER = (CaseState.REFUSED, CaseState.WITHDRAWN)

NO_LONGER_DUE = "no-longer-due"
PERMIT_ENDED = "permit-ended"
CASE_OVER = "case-over"
REPLACED = "replaced"


@dataclass(slots=True)
class Recheck:
    """``wrong``: steps that are no longer right, with the reason; ``early``: steps that wait for another's try."""

    wrong: dict[str, str] = field(default_factory=dict)
    early: set[str] = field(default_factory=set)


async def recheck(connection: AsyncConnection, steps: Sequence[Checked], today: date) -> Recheck:
    """Check ``steps``, whose rows the caller holds, on the business day ``today``."""
    found = Recheck()
    if not steps:
        return found
    numbers = {step.case_number for step in steps}
    states = await _case_states(connection, numbers)
    permits = await _permits(connection, numbers, today)
    counts = await _standing_services(connection, numbers, today)
    for step in steps:
        reason = _wrong(step, states[step.case_number], permits.get(step.case_number), counts.get(step.id, 0))
        if reason is not None:
            found.wrong[step.id] = reason
    endings = {step.case_number: step.id for step in steps if step.kind is StepKind.PERMIT_ENDED}
    if endings:
        issuing = select(_STEPS.c.case_number).where(
            among(connection, _STEPS.c.case_number, endings),
            _STEPS.c.kind == StepKind.PERMIT_ISSUED,
            _STEPS.c.state == StepState.SENDING,
        )
        found.early = {endings[number] for number in (await connection.execute(issuing)).scalars()}
    renewals = await check_renewals(connection, steps)
    found.wrong |= dict.fromkeys(renewals.overtaken - found.wrong.keys(), REPLACED)
    found.early |= renewals.early - found.wrong.keys()
    return found


def _wrong(step: Checked, state: CaseState, permit_good: bool | None, standing: int) -> str | None:
    """Why the step is no longer right; None if it is."""
    if step.kind is StepKind.VERIFICATION:
        if state in _OVER:
            return CASE_OVER
        return PERMIT_ENDED if permit_good is False else None
    if step.kind is StepKind.PERMIT_ISSUED:
        return PERMIT_ENDED if permit_good is False else None
    if step.kind is StepKind.PERMIT_ENDED:
        # A cancellation that was lifted meanwhile is no news any more.
        return NO_LONGER_DUE if permit_good else None
    opens = step.content.get("open", ())
    if opens and permit_good is False:
        return PERMIT_ENDED
    # A step bears one set of services under one key for ever: it goes out as it was made, or not at all.
    return NO_LONGER_DUE if standing < len(opens) + len(step.content.get("withdraw", ())) else None


async def _case_states(connection: AsyncConnection, numbers: set[str]) -> dict[str, CaseState]:
    query = select(_CASES.c.number, _CASES.c.state).where(among(connection, _CASES.c.number, numbers))
    return {number: CaseState(state) for number, state in await connection.execute(query)}


async def _permits(connection: AsyncConnection, numbers: set[str], today: date) -> dict[str, bool]:
    """Whether the permit of each case that has one is good on the day ``today``."""
    query = select(_PERMITS.c.case_number, _PERMITS.c.state, _PERMITS.c.valid_until)
    rows = await connection.execute(query.where(among(connection, _PERMITS.c.case_number, numbers)))
    return {number: state is not PermitState.ENDED and until >= today for number, state, until in rows}


async def _standing_services(connection: AsyncConnection, numbers: set[str], today: date) -> dict[str, int]:
    """For each step, how many services still stand as it asks: bound to it, and not past their last day.

    Counted by the database: a case has some forty services.
    """
    leaving: ColumnElement[bool] = _ENTITLEMENTS.c.state.in_((EntitlementState.WITHDRAWING, EntitlementState.ENDED))
    right = or_(leaving, _ENTITLEMENTS.c.until_on >= today)
    query = (
        select(_ENTITLEMENTS.c.step_id, func.sum(case((right, 1), else_=0)))
        .where(and_(among(connection, _ENTITLEMENTS.c.case_number, numbers)))
        .group_by(_ENTITLEMENTS.c.step_id)
    )
    return {step: int(count) for step, count in await connection.execute(query)}
