"""A case that brings down whoever takes it up, every time: set aside and told, while the others go on."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import select, update

from models import AuditEntry, Case, CaseState
from services.database import table
from tests.testing.looking import case_row, chain_length
from tests.testing.people import application
from tests.testing.servers import PrefectServer, installation

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("system"), pytest.mark.timeout(200)]
CASES, ENTRIES = table(Case), table(AuditEntry)


async def test_one_poisoned_case_is_set_aside_and_the_rest_go_on(tmp_path: Path, prefect_server: PrefectServer) -> None:
    async with installation(tmp_path, prefect_server) as town:
        await town.start_sandbox()
        numbers = await town.receive(*(application() for _ in range(6)))
        spoilt = numbers[2]
        async with town.house.database.write("test") as transaction:
            await transaction.connection.execute(
                update(CASES).where(CASES.c.number == spoilt).values(sealed=b"spoilt on disk")
            )
        # One dispatcher, which lives through all of it: eight claims, each until its lease is over.
        process = await town.start_flows("dispatch(linger_seconds=60)", LIANBAN_LEASE_SECONDS="1")
        async with asyncio.timeout(120):
            while (await case_row(town.house, spoilt)).set_aside is None:  # noqa: ASYNC110 - another process does it
                await asyncio.sleep(0.3)
        process.terminate()
        await process.communicate()
        for number in numbers:
            case = await case_row(town.house, number)
            assert (case.state, case.set_aside is None) == (
                (CaseState.RECEIVED, False) if number == spoilt else (CaseState.CLOSED, True)
            )
        assert (await town.audit())["doubled"] == 0
        async with town.house.database.read() as connection:
            told = select(ENTRIES.c.subject).where(ENTRIES.c.action == "case.set_aside")
            assert (await connection.execute(told)).scalars().all() == [spoilt]
        await chain_length(town.house)
