"""``lianban endpoint held`` and ``maintenance``: what waits at shut doors, and doors shut on purpose."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from services.clock import CHINA
from services.endpoints.preview import HeldSteps, held_steps
from services.house import open_house
from services.supervision.outages import declare_outage, end_outage
from services.words import ENDPOINT_WORDS

_FORMATS = ["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"]


def held(
    department: Annotated[str | None, typer.Argument(help="部门代码 Department code")] = None,
) -> None:
    """列出暂缓推送的事项：件数、最早时间、放行所需时间。 What is held at shut doors, how old, how long to drain."""
    rows, moment = asyncio.run(_held(department))
    shown = Table("部门 Department", "状态 State", "原因 Because", "件数 Held", "最早 Oldest", "放行 Drains in")
    for one in rows:
        state = ENDPOINT_WORDS["maintenance" if one.maintenance_until else one.state]
        age = "—" if one.oldest_at is None else _span((moment - one.oldest_at).total_seconds())
        shown.add_row(
            one.department,
            f"{state.zh} {state.en}",
            one.because or "—",
            str(one.count),
            age,
            _span(one.drain_seconds),
        )
    Console().print(shown)


def maintenance(
    department: Annotated[str, typer.Argument(help="部门代码 Department code")],
    from_: Annotated[
        datetime | None, typer.Option("--from", formats=_FORMATS, help="开始（北京时间） Begins, Beijing time")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(formats=_FORMATS, help="结束（北京时间） Ends, Beijing time")
    ] = None,
    note: Annotated[str | None, typer.Option(help="说明 What for")] = None,
    *,
    end: Annotated[bool, typer.Option("--end", help="提前结束 End it now, call off what is to come")] = False,
) -> None:
    """登记部门停机维护，期间事项暂缓推送。 Announce a window in which a department takes nothing."""
    if not end and until is None:
        raise typer.BadParameter("--until or --end is needed")
    asyncio.run(_maintenance(department, from_, until, note, end))


async def _held(department: str | None) -> tuple[tuple[HeldSteps, ...], datetime]:
    async with open_house() as house, house.database.read() as connection:
        clock = house.database.clock
        return await held_steps(connection, clock.now(), department), clock.moment()


async def _maintenance(
    department: str, from_: datetime | None, until: datetime | None, note: str | None, end: bool
) -> None:
    async with open_house() as house:
        if end:
            await end_outage(house, "operator", department)
        elif until is not None:
            begins = from_.replace(tzinfo=CHINA) if from_ is not None else house.database.clock.now()
            await declare_outage(house, "operator", department, begins, until.replace(tzinfo=CHINA), note)


def _span(seconds: float) -> str:
    """``45 s``, ``12 min``, ``3.5 h``, ``2.0 d``."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 172_800 else f"{seconds / 86_400:.1f} d"
