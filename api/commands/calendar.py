"""``lianban calendar``: days that are worked or off otherwise than published, and the deadlines that follow."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from datetime import date, datetime
from typing import Annotated

import typer

from api.commands.operator import administrator
from services.house import open_house
from services.supervision.calendar import CalendarChange, SetDay, list_calendar, preview_calendar, set_calendar

app = typer.Typer(help="工作日历 Working days", no_args_is_help=True)
_FORMATS = ["%Y-%m-%d"]
_Work = Annotated[list[datetime], typer.Option("--work", formats=_FORMATS, help="改为上班 Offices open")]
_Off = Annotated[list[datetime], typer.Option("--off", formats=_FORMATS, help="改为休息 Offices shut")]
_Json = Annotated[bool, typer.Option("--json", help="输出 JSON  Print JSON")]


@app.command(name="list")
def list_(*, as_json: _Json = False) -> None:
    """与公布安排不同的日子。 The days set otherwise than published."""

    async def act() -> tuple[SetDay, ...]:
        async with open_house() as house:
            return await list_calendar(house)

    found = asyncio.run(act())
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in found], default=str, ensure_ascii=False))
        return
    for one in found:
        typer.echo(f"{one.on}  {'上班 open' if one.working else '休息 shut'}  {one.note or ''}")
    if not found:
        typer.echo("与公布的放假安排一致。 As published.")


@app.command()
def preview(*, work: _Work = [], off: _Off = [], as_json: _Json = False) -> None:  # noqa: B006 - typer's way of a list
    """预览：哪些时限会变；不作改动。 Which deadlines would move; nothing is changed."""

    async def act() -> CalendarChange:
        async with open_house() as house:
            return await preview_calendar(house, _days(work, off))

    _print(asyncio.run(act()), as_json=as_json)


@app.command(name="set")
def set_(
    *,
    work: _Work = [],  # noqa: B006 - typer's way of a list
    off: _Off = [],  # noqa: B006 - typer's way of a list
    note: Annotated[str | None, typer.Option(help="依据，如通知文号 On what ground")] = None,
    as_json: _Json = False,
) -> None:
    """改定，并相应移动在办时限。 Set the days, and move the deadlines in flight."""

    async def act() -> CalendarChange:
        async with open_house() as house:
            caller = await administrator(house)
            return await set_calendar(house, caller.actor, _days(work, off), note)

    _print(asyncio.run(act()), as_json=as_json)


def _days(work: list[datetime], off: list[datetime]) -> dict[date, bool]:
    both = {one.date() for one in work} & {one.date() for one in off}
    if both:
        raise typer.BadParameter(f"{min(both)} is given as both; choose one")
    return {one.date(): True for one in work} | {one.date(): False for one in off}


def _print(change: CalendarChange, *, as_json: bool) -> None:
    if as_json:
        told = {"cases": change.cases, "by_clock": change.by_clock, "moved": [asdict(one) for one in change.moved]}
        typer.echo(json.dumps(told, default=str, ensure_ascii=False))
        return
    typer.echo(f"涉及办件 {change.cases} 件，时限 {len(change.moved)} 个。")
    for one in change.moved[:20]:
        typer.echo(f"  {one.subject}  {one.clock}  {one.before or '—'} → {one.after or '—'}")
