"""``lianban key``: access keys of operators and machine clients."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from models import Role
from services.access import KeyRow, create_key, list_keys, revoke_keys
from services.house import open_house

app = typer.Typer(help="访问密钥 Access keys", no_args_is_help=True)


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="谁的密钥 Whose key")],
    role: Annotated[Role, typer.Argument(help="角色 Role")],
    *,
    scope: Annotated[str | None, typer.Option(help="区县或部门代码 A district's or department's code")] = None,
    days: Annotated[int, typer.Option(min=1, max=730, help="有效天数 Days it is good for")] = 90,
) -> None:
    """新建密钥，只显示一次。 Make a key; it is shown once."""
    typer.echo(asyncio.run(_create(name, role, scope, days)))


@app.command()
def revoke(
    name: Annotated[str, typer.Argument(help="谁的密钥 Whose key")],
    key: Annotated[str | None, typer.Argument(help="密钥编号；不给则全部 Its id; all of them if left out")] = None,
) -> None:
    """吊销密钥。 Revoke keys."""
    count = asyncio.run(_revoke(name, key))
    typer.echo(f"已吊销 {count} 个。 {count} revoked.")


@app.command(name="list")
def list_() -> None:
    """列出密钥，不含密钥本身。 List keys, without the keys themselves."""
    rows = asyncio.run(_list())
    shown = Table("编号 Id", "名称 Name", "角色 Role", "范围 Scope", "有效期至 Until", "已吊销 Revoked")
    for row in rows:
        revoked = row.revoked_at.date().isoformat() if row.revoked_at else ""
        shown.add_row(row.id, row.name, row.role.value, row.scope or "", row.expires_at.date().isoformat(), revoked)
    Console().print(shown)


async def _create(name: str, role: Role, scope: str | None, days: int) -> str:
    async with open_house() as house, house.database.write("operator") as transaction:
        now = house.database.clock.now()
        return await create_key(transaction, house.packs, now, name=name, role=role, scope=scope, days=days)


async def _revoke(name: str, key: str | None) -> int:
    async with open_house() as house, house.database.write("operator") as transaction:
        return await revoke_keys(transaction, house.database.clock.now(), name, key)


async def _list() -> list[KeyRow]:
    async with open_house() as house, house.database.read() as connection:
        return await list_keys(connection)
