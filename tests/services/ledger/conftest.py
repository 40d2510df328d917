"""Cases and steps as bare rows: the ledger knows nothing of what they are about."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from models import Step, StepKind, StepState
from services.database import Database, table
from services.endpoints import register_endpoint
from services.exchange.delivery import Target
from services.house import House
from tests.testing.clock import SetClock
from tests.testing.departments import SECRET
from tests.testing.people import application, registered


class Ledger:
    """A house with cases and steps written straight into the tables."""

    def __init__(self, house: House, clock: SetClock) -> None:
        self.house, self.database, self.clock = house, house.database, clock
        self.twin = Database(house.settings.dsn, clock.clock)

    async def cases(self, count: int) -> list[str]:
        """Register that many."""
        return await registered(self.house, *(application() for _ in range(count)))

    async def steps(self, case: str, count: int, department: str = "hrss", **changes: Any) -> list[str]:
        """That many steps of one case, due now."""
        now = self.clock.clock.now()
        rows = [
            {
                "id": f"{case}-x-{department}-{number}",
                "case_number": case,
                "department": department,
                "district": "370303",
                "kind": StepKind.ENTITLEMENTS,
                "state": StepState.DUE,
                "content": {"open": []},
                "pack": "zibo-2014-87",
                "created_at": now,
                "next_attempt_at": now - timedelta(seconds=1),
                "attempts": 0,
            }
            | changes
            for number in range(count)
        ]
        async with self.database.write("test") as transaction:
            await transaction.insert(Step, rows)
        return [row["id"] for row in rows]

    async def step(self, identity: str) -> Any:
        """The row of one step."""
        steps = table(Step)
        async with self.database.read() as connection:
            return (await connection.execute(steps.select().where(steps.c.id == identity))).one()

    async def connect(self, *departments: str) -> None:
        """Give departments an endpoint."""
        async with self.database.write("test") as transaction:
            for one in departments:
                await register_endpoint(transaction, self.house.keys, Target(one, f"https://{one}.test", (SECRET,)))


@pytest.fixture
async def ledger(house: House, clock: SetClock) -> Any:
    ledger = Ledger(house, clock)
    yield ledger
    await ledger.twin.dispose()
