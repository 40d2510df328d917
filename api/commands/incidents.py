"""``lianban incidents``: what went wrong, told once a cause."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from services.clock import CHINA
from services.house import open_house
from services.operations.watching import (
    MAX_PAGE,
    IncidentFile,
    IncidentView,
    list_incidents,
    past_incidents,
    show_incident,
)


def incidents(
    incident: Annotated[int | None, typer.Argument(help="异常编号；不给则列出全部 Its number; all if left out")] = None,
    *,
    closed: Annotated[bool, typer.Option("--closed", help="已消除的 Those that are over")] = False,
    after: Annotated[str | None, typer.Option(help="事项列表的起点 Steps after this id")] = None,
    limit: Annotated[int, typer.Option(min=1, max=MAX_PAGE, help="最多几项 How many at most")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON  Print JSON")] = False,
    english: Annotated[bool, typer.Option("--en", help="英文 In English")] = False,
) -> None:
    """异常：何部门、何原因、影响几件、由谁处理。 Incidents: who, why, how many cases, and with whom they lie."""
    if incident is not None:
        found = asyncio.run(_one(incident, after, limit))
        _print_json(asdict(found)) if as_json else _show(found, Console(), english=english)
        return
    listed = asyncio.run(_all(limit, closed=closed))
    if as_json:
        _print_json([asdict(one) for one in listed])
        return
    for one in listed:
        typer.echo(_line(one, english=english))
    if not listed:
        typer.echo("没有异常。 Nothing is wrong." if not closed else "没有已消除的异常。 None is over.")


async def _all(limit: int, *, closed: bool) -> tuple[IncidentView, ...]:
    async with open_house() as house:
        return await past_incidents(house, limit=limit) if closed else await list_incidents(house)


async def _one(incident: int, after: str | None, limit: int) -> IncidentFile:
    async with open_house() as house:
        return await show_incident(house, incident, after=after, limit=limit)


def _print_json(value: object) -> None:
    typer.echo(json.dumps(value, default=str, ensure_ascii=False))


def _line(one: IncidentView, *, english: bool) -> str:
    told = one.told.en if english else one.told.zh
    if one.closed_at is not None:
        cause = f"{one.department.en} {one.reason.en}" if english else f"{one.department.zh} {one.reason.zh}"
        told = f"{cause}，{told}" if not english else f"{cause}, {told}"
    return f"{one.id:>5}  {told}"


def _show(found: IncidentFile, console: Console, *, english: bool) -> None:
    console.print(_line(found.incident, english=english), highlight=False)
    shown = Table("事项 Step", "状态 State", "期限 Due", "次数 Tries", "最近一次 Last try", "应答 Answer")
    for step in found.steps:
        tried = f"{step.tried_at.astimezone(CHINA):%Y-%m-%d %H:%M}" if step.tried_at else ""
        state = step.state.en if english else step.state.zh
        due = step.answer_by.isoformat() if step.answer_by else ""
        shown.add_row(step.id, state, due, str(step.attempts), tried, str(step.status or ""))
    console.print(shown)
    if found.next is not None:
        console.print(f"更多 More: --after {found.next}", highlight=False)
