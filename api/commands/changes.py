"""``lianban changes``: what happened since, and what happens, one line each."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from typing import Annotated

import typer

from models import Role
from services.access import Caller
from services.changes.feed import ChangeFeed
from services.changes.reading import Change, head_of, read_changes
from services.clock import CHINA
from services.house import open_house

_OPERATOR = Caller("operator", Role.ADMINISTRATOR)


def changes(
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="持续显示 Go on until interrupted")] = False,
    after: Annotated[
        int | None, typer.Option(min=0, help="从该序号之后开始 Start after the entry of this number")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="未持续时最多几条 How many, if not followed")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="每行一个 JSON  One JSON object a line")] = False,
) -> None:
    """变化动态：何时、何事、涉及哪一办件或部门，不含个人信息。 What changes, as it does; nothing personal."""
    asyncio.run(_follow(after, as_json=as_json) if follow else _list(after, limit, as_json=as_json))


async def _list(after: int | None, limit: int, *, as_json: bool) -> None:
    async with open_house() as house, house.database.read() as connection:
        start = max(0, await head_of(connection) - limit) if after is None else after
        found, _ = await read_changes(connection, start, limit)
    for one in found:
        _print(one, as_json=as_json)


async def _follow(after: int | None, *, as_json: bool) -> None:
    async with open_house() as house:
        feed = ChangeFeed(house.database, poll_seconds=house.settings.poll_seconds)
        with feed.seat():
            async for news in feed.follow(_OPERATOR, after):
                if news.missed:
                    typer.echo("变化过多，未逐条显示。 More happened than is told one by one.", err=True)
                for one in news.changes:
                    _print(one, as_json=as_json)


def _print(one: Change, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(asdict(one), default=str, ensure_ascii=False))
        return
    figures = " ".join(f"{name}={_brief(value)}" for name, value in one.figures.items())
    words = (f"{one.at.astimezone(CHINA):%Y-%m-%d %H:%M:%S}", one.kind, one.subject, " ".join(one.departments), figures)
    typer.echo(f"{one.sequence:>9}  " + "  ".join(word for word in words if word))


def _brief(value: object) -> str:
    return ",".join(f"{name}:{count}" for name, count in value.items()) if isinstance(value, dict) else str(value)
