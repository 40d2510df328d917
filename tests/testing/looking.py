"""Looking at what stands, as rows and short sets, so that a test reads like a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, select

from models import AuditEntry, Case, Entitlement, EntitlementState, Permit, Step
from services.audit import verify_chain
from services.casework.standing import Standing, load_standing
from services.database import table
from services.house import House
from services.policy.decide import decide

_ENTITLEMENTS, _STEPS = table(Entitlement), table(Step)


async def case_row(house: House, number: str) -> Row[Any]:
    """The row of one case."""
    cases = table(Case)
    async with house.database.read() as connection:
        return (await connection.execute(select(cases).where(cases.c.number == number))).one()


async def permit_row(house: House, number: str) -> Row[Any] | None:
    """The row of its permit, if it has one."""
    permits = table(Permit)
    async with house.database.read() as connection:
        return (await connection.execute(select(permits).where(permits.c.case_number == number))).one_or_none()


async def entitlements(house: House, number: str) -> dict[str, Row[Any]]:
    """Every service that ever stood for the case, by short id ("3.1.1a"); of two departments, where it is in force."""
    query = select(_ENTITLEMENTS).where(_ENTITLEMENTS.c.case_number == number)
    async with house.database.read() as connection:
        rows = (await connection.execute(query)).all()
    rows = sorted(rows, key=lambda row: row.state is EntitlementState.IN_FORCE)
    return {row.service.removeprefix("ZB87-"): row for row in rows}


async def in_force(house: House, number: str) -> set[str]:
    """Short ids of the services in force."""
    return {
        service for service, row in (await entitlements(house, number)).items()
        if row.state is EntitlementState.IN_FORCE
    }  # fmt: skip


async def steps(house: House, number: str) -> Sequence[Row[Any]]:
    """Every step of the case, the oldest first."""
    query = select(_STEPS).where(_STEPS.c.case_number == number).order_by(_STEPS.c.created_at, _STEPS.c.id)
    async with house.database.read() as connection:
        return (await connection.execute(query)).all()


async def granted(house: House, number: str) -> set[str]:
    """Short ids of the services that the policy engine grants today, on the facts as they stand; public ones aside."""
    standing = await standing_of(house, number)
    if standing.permit is None or standing.case.pack is None:
        return set()
    decision = decide(house.packs.named(standing.case.pack), standing.question(house.database.clock.today()))
    return {
        service.removeprefix("ZB87-") for service, one in decision.entitlements.items() if one.state == "granted"
    }  # fmt: skip


async def standing_of(house: House, number: str) -> Standing:
    """What stands for the case, as the planner reads it."""
    async with house.database.write("test") as transaction:
        return (await load_standing(transaction.connection, [number], house.caseworker.applications))[number]


async def actions(house: House, number: str) -> list[str]:
    """What the audit log says was done about the case, in order."""
    entries = table(AuditEntry)
    query = select(entries.c.action).where(entries.c.subject == number).order_by(entries.c.sequence)
    async with house.database.read() as connection:
        return list((await connection.execute(query)).scalars())


async def last_entry(house: House, action: str) -> Row[Any]:
    """The last audit entry of a kind."""
    entries = table(AuditEntry)
    query = select(entries).where(entries.c.action == action).order_by(entries.c.sequence.desc()).limit(1)
    async with house.database.read() as connection:
        return (await connection.execute(query)).one()


async def chain_length(house: House) -> int:
    """How many audit entries there are; the chain must hold."""
    async with house.database.read() as connection:
        report = await verify_chain(connection)
    assert report.broken_at is None, report
    return report.entries
