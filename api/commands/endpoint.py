"""``lianban endpoint``: where departments take messages."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from services.endpoints import open_targets, register_endpoint
from services.errors import InputError
from services.exchange.delivery import Target
from services.exchange.signatures import new_secret
from services.house import House, open_house

app = typer.Typer(help="部门接口 Departments' endpoints", no_args_is_help=True)


@app.command()
def register(
    department: Annotated[str, typer.Argument(help="部门代码 Department code")],
    url: Annotated[str, typer.Argument(help="接收地址 Where it takes messages")],
    *,
    batch: Annotated[int, typer.Option(min=1, max=500, help="每次推送几项 Events in one call")] = 1,
    concurrency: Annotated[int, typer.Option(min=1, max=64, help="同时推送几次 Calls at once")] = 8,
) -> None:
    """接入部门并生成签名密钥，只显示一次。 Connect a department; its signing secret is shown once."""
    typer.echo(asyncio.run(_register(Target(department, url, (new_secret(),), batch, concurrency))))


@app.command(name="list")
def list_() -> None:
    """列出已接入的部门。 List the departments that are connected."""
    shown = Table("部门 Department", "地址 URL", "每次项数 Batch", "同时次数 At once")
    for target in asyncio.run(_list()):
        shown.add_row(target.department, target.url, str(target.batch_size), str(target.concurrency))
    Console().print(shown)


async def _register(target: Target) -> str:
    async with open_house() as house:
        _check_department(house, target.department)
        async with house.database.write("operator") as transaction:
            await register_endpoint(transaction, house.keys, target)
    return target.secrets[0]


def _check_department(house: House, code: str) -> None:
    if not any(code in pack.departments for pack in house.packs.packs):
        raise InputError("no pack knows this department; `lianban policy show` lists them", place="department")


async def _list() -> list[Target]:
    async with open_house() as house, house.database.read() as connection:
        targets = await open_targets(connection, house.keys)
    return [targets[code] for code in sorted(targets)]
