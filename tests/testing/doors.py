"""Endpoints as tests see and set them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select, update

from models import Endpoint, Step, StepState
from services.database import table
from services.house import House

STEPS, ENDPOINTS = table(Step), table(Endpoint)


async def endpoint(house: House, department: str = "hrss") -> Any:
    """The row of a department's endpoint."""
    async with house.database.read() as connection:
        return (await connection.execute(select(ENDPOINTS).where(ENDPOINTS.c.department == department))).one()


async def change(house: House, department: str = "hrss", **values: Any) -> None:
    """Write to the row of a department's endpoint."""
    async with house.database.write("test") as transaction:
        await transaction.connection.execute(
            update(ENDPOINTS).where(ENDPOINTS.c.department == department).values(values)
        )


async def states(house: House, department: str = "hrss") -> dict[StepState, int]:
    """How many steps of a department are in each state."""
    query = select(STEPS.c.state, func.count()).where(STEPS.c.department == department).group_by(STEPS.c.state)
    async with house.database.read() as connection:
        return {row.state: row[1] for row in (await connection.execute(query)).all()}
