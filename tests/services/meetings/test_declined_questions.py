"""A question that a department declined: it hangs by what is still open of it, and the meeting decides that."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from models import (
    Matter,
    MatterKind,
    MatterState,
)
from services.access import Caller
from services.database import table
from services.house import House
from services.meetings.acting import approve_action, ask_action
from services.meetings.causes import live_causes
from services.meetings.preparing import prepare
from services.meetings.rules import rule_on
from services.meetings.sitting import close_sitting
from services.operations.watching import list_incidents
from tests.services.meetings.conftest import Resolve, Sit
from tests.testing.clock import SetClock
from tests.testing.departments import Departments, work
from tests.testing.looking import permit_row
from tests.testing.people import application, registered


async def test_a_fact_that_was_decided_is_no_trouble_any_more(
    house: House, departments: Departments, sit: Sit, resolve: Resolve, office: Caller, second: Caller
) -> None:
    departments.silent.add("hrss")
    (number,) = await registered(house, application())
    await work(house, number)
    event = next(one for one in departments.sent if one["id"].startswith(f"{number}-v-hrss"))
    await departments.report(house, "hrss", {"step": event["id"], "declined": {"reason": "no-record"}})
    meeting = await sit()
    waiting = await _unconfirmed(house)
    assert set(waiting) == {"labour_contract", "social_insurance"}
    for fact, matter in sorted(waiting.items()):
        action = {"kind": "decide-fact", "fact": fact, "value": True, "department": "hrss"}
        resolution = await resolve(meeting, matter, action=action)
        await ask_action(house, office, resolution)
        await approve_action(house, second, resolution)
        await work(house, number)
        await prepare(house)
        # As long as the other fact of the same question is open, it stays, and the incident with it.
        open_ = {"social_insurance"} if fact == "labour_contract" else set()
        assert await _hanging(house) == open_
        incidents = [one for one in await list_incidents(house) if one.kind.code == "declined"]
        assert len(incidents) == len(open_)
    assert (await permit_row(house, number)).term_years == 3
    await close_sitting(house, office, meeting)
    await prepare(house)
    assert await _unconfirmed(house) == {}


@pytest.mark.parametrize("with_it", [False, True], ids=["before", "with it"])
async def test_a_part_told_before_a_question_was_declined_is_no_trouble(  # noqa: PLR0917
    house: House, departments: Departments, sit: Sit, resolve: Resolve, office: Caller, second: Caller,
    clock: SetClock, *, with_it: bool,
) -> None:  # fmt: skip
    departments.silent.add("hrss")
    (number,) = await registered(house, application())
    await work(house, number)
    event = next(one for one in departments.sent if one["id"].startswith(f"{number}-v-hrss"))
    told = {"step": event["id"], "facts": {"labour_contract": True}}
    declined = {"step": event["id"], "declined": {"reason": "no-record"}}
    if with_it:
        await departments.report(house, "hrss", declined | told)
    else:
        await departments.report(house, "hrss", told)
        clock.pass_(hours=1)
        await departments.report(house, "hrss", declined)
    assert await _hanging(house) == {"social_insurance"}
    meeting = await sit()
    waiting = await _unconfirmed(house)
    assert set(waiting) == {"social_insurance"}
    action = {"kind": "decide-fact", "fact": "social_insurance", "value": True, "department": "hrss"}
    resolution = await resolve(meeting, waiting["social_insurance"], action=action)
    await ask_action(house, office, resolution)
    await approve_action(house, second, resolution)
    await work(house, number)
    await prepare(house)
    assert await _hanging(house) == set()
    assert [one for one in await list_incidents(house) if one.kind.code == "declined"] == []


async def _hanging(house: House) -> set[str | None]:
    """The facts that cases hang on now."""
    async with house.database.read() as connection:
        causes = await live_causes(house, connection, await rule_on(connection, house.database.clock.today()))
    return {one.subject for one in causes if one.kind is MatterKind.UNCONFIRMED}


async def _unconfirmed(house: House) -> dict[str, int]:
    """Matters about facts that nobody can confirm and that are not done, by fact."""
    rows = table(Matter)
    query = select(rows).where(
        rows.c.kind == MatterKind.UNCONFIRMED, rows.c.state.in_((MatterState.OPEN, MatterState.RULED))
    )
    async with house.database.read() as connection:
        return {row.subject: row.id for row in await connection.execute(query)}
