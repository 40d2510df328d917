"""``lianban access-log``: who was sent what about a person, and why."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from services.clock import CHINA
from services.dossiers.access_log import AccessLog, read_access_log
from services.house import open_house


def access_log(
    number: Annotated[str, typer.Argument(help="办件编号 Case number")],
    *,
    english: Annotated[bool, typer.Option("--en", help="英文 In English")] = False,
) -> None:
    """个人信息使用记录：发给了谁、哪些信息、为何。 Who was sent what about the person of a case, and why."""
    show_access_log(asyncio.run(_read(number)), Console(), english=english)


async def _read(number: str) -> AccessLog:
    async with open_house() as house:
        return await read_access_log(house, number)


def show_access_log(log: AccessLog, console: Console, *, english: bool) -> None:
    """Print the log as a table, in one language, and who opened the case's personal data."""
    heads = ("At", "Department", "Fields", "What for", "Clauses", "Tries")
    shown = Table(
        *(heads if english else ("时间", "部门", "个人信息项", "使用目的", "依据", "推送次数")), title=log.number
    )
    for one in log.sent:
        names = [field.en if english else field.zh for field in one.fields]
        shown.add_row(
            f"{one.at.astimezone(CHINA):%Y-%m-%d %H:%M}",
            one.department.en if english else one.department.zh,
            (", " if english else "、").join(names) or "—",
            one.purpose.en if english else one.purpose.zh,
            " ".join(clause.code for clause in one.clauses),
            f"{one.tries}{'' if one.received else ' ?'}",
        )
    console.print(shown)
    for opened in log.opened:
        what = opened.what.en if english else opened.what.zh
        console.print(f"{opened.at.astimezone(CHINA):%Y-%m-%d %H:%M}  {opened.actor}  {what}")
