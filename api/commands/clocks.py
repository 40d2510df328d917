"""``lianban clocks``: what runs until when in a case, whose time it was, and how many days departments have."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from datetime import datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from api.commands.operator import administrator
from services.clock import CHINA
from services.house import House, open_house
from services.supervision.clocks import CaseTimes, read_clocks
from services.supervision.limits import MAX_DAYS, Limit, list_limits, set_limit

app = typer.Typer(help="时限 Clocks", no_args_is_help=True)
_Json = Annotated[bool, typer.Option("--json", help="输出 JSON  Print JSON")]


@app.command()
def show(
    case: Annotated[str, typer.Argument(help="办件编号 Case number")],
    *,
    as_json: _Json = False,
    english: Annotated[bool, typer.Option("--en", help="英文 In English")] = False,
) -> None:
    """一件的时限、停止计时和计时归责。 A case's clocks, what stopped them, and to whom its time is charged."""
    found = asyncio.run(_read(case))
    if as_json:
        typer.echo(json.dumps(asdict(found), default=str, ensure_ascii=False))
        return
    _tables(found, Console(), "en" if english else "zh")


@app.command()
def limits(*, as_json: _Json = False) -> None:
    """各部门的办理时限（工作日）。 How many working days each department has."""
    found = asyncio.run(_limits())
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in found], default=str, ensure_ascii=False))
        return
    for one in found:
        since = f"（自 {one.from_on} 起）" if one.from_on else "（承诺时限 promised）"
        typer.echo(f"{one.department.code:24} {one.days:>3}  {one.department.zh}{since}")


@app.command()
def limit(
    department: Annotated[str, typer.Argument(help="部门代码 Department")],
    days: Annotated[int, typer.Argument(min=1, max=MAX_DAYS, help="工作日 Working days")],
    *,
    from_: Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="起始日 First day")] = None,
) -> None:
    """设定部门的办理时限；已发出的事项不变。 Set it for what is asked from that day on."""

    async def act() -> Limit:
        async with open_house() as house:
            caller = await administrator(house)
            return await set_limit(house, caller.actor, department, days, from_.date() if from_ else None)

    made = asyncio.run(act())
    typer.echo(f"{made.department.zh}：自 {made.from_on} 起 {made.days} 个工作日")


async def _read(case: str) -> CaseTimes:
    async with open_house() as house:
        return await read_clocks(house, case)


async def _limits() -> tuple[Limit, ...]:
    async with open_house() as house:
        return await _of(house)


async def _of(house: House) -> tuple[Limit, ...]:
    return await list_limits(house)


def _tables(found: CaseTimes, console: Console, side: str) -> None:
    clocks = Table("时限 Clock", "对象 Of", "部门 Department", "截止 Due", "剩余 Left", "状态 State")
    for one in found.clocks:
        department = getattr(one.department, side) if one.department else ""
        left = "" if one.days_left is None else str(one.days_left)
        due = one.due_on.isoformat() if one.due_on else ""
        clocks.add_row(getattr(one.clock, side), one.subject, department, due, left, getattr(one.state, side))
    console.print(clocks)
    for stop in found.stops:
        until = f"{stop.until_at.astimezone(CHINA):%Y-%m-%d %H:%M}" if stop.until_at else "…"
        console.print(f"{stop.from_at.astimezone(CHINA):%Y-%m-%d %H:%M} – {until}  {getattr(stop.why, side)}")
    shares = Table("归责 Charged to", "小时 Hours", "其中工作日 On working days")
    for share in found.shares:
        holder = getattr(share.holder, side)
        who = f"{getattr(share.department, side)}（{holder}）" if share.department else holder
        shares.add_row(who, f"{share.hours:.2f}", f"{share.working_hours:.2f}")
    shares.add_row("合计 Total", f"{found.elapsed_hours:.2f}", "")
    console.print(shares)
