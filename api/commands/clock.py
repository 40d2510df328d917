"""``lianban clock``: the business day, and moving it on a simulated system."""

from __future__ import annotations

import asyncio
from datetime import date, datetime
from typing import Annotated

import typer

from services.house import open_house
from services.simulation import move_clock

app = typer.Typer(help="业务日期 The business day", no_args_is_help=True)


@app.command()
def show() -> None:
    """显示业务日期。 Show the business day."""
    typer.echo(asyncio.run(_today()).isoformat())


@app.command()
def move(
    to: Annotated[datetime, typer.Argument(formats=["%Y-%m-%d"], help="日期 Day")],
) -> None:
    """在模拟系统中把业务日期移到某日。 Move the business day of a simulated system."""
    typer.echo(asyncio.run(_move(to.date())).isoformat())


async def _today() -> date:
    async with open_house() as house:
        return house.database.clock.today()


async def _move(day: date) -> date:
    async with open_house() as house:
        return (await move_clock(house.database, house.settings, day)).today()
