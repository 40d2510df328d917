"""``lianban key``: access keys of operators and machine clients."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from api.commands.operator import administrator
from models import Role
from services.access import KeyBounds, KeyRow, create_key, list_keys, revoke_keys
from services.access.accounts import read_account
from services.access.keys import check_operations
from services.house import open_house

app = typer.Typer(help="访问密钥 Access keys", no_args_is_help=True)


@dataclass(frozen=True, slots=True)
class NewKey:
    """What a key is to be."""

    name: str
    role: Role
    scope: str | None
    station: str | None
    owner: str | None
    operations: frozenset[str] | None
    days: int


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="谁的密钥 Whose key")],
    role: Annotated[Role, typer.Argument(help="角色 Role")],
    *,
    scope: Annotated[str | None, typer.Option(help="区县或部门代码 A district's or department's code")] = None,
    station: Annotated[str | None, typer.Option(help="派出所 A clerk's station, as applications name it")] = None,
    owner: Annotated[str | None, typer.Option(help="所属账号 The account it acts for")] = None,
    only: Annotated[list[str] | None, typer.Option(help="仅限操作，可多次 An operationId; may be repeated")] = None,
    days: Annotated[int, typer.Option(min=1, max=730, help="有效天数 Days it is good for")] = 90,
) -> None:
    """新建密钥，只显示一次。 Make a key; it is shown once."""
    operations = _operations(only) if only else None
    typer.echo(asyncio.run(_create(NewKey(name, role, scope, station, owner, operations, days))))


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
    shown = Table("编号 Id", "名称 Name", "角色 Role", "范围 Scope", "所属 Owner", "有效期至 Until", "已吊销 Revoked")
    for row in rows:
        revoked = row.revoked_at.date().isoformat() if row.revoked_at else ""
        place = " ".join(filter(None, (row.scope, row.station)))
        until = row.expires_at.date().isoformat()
        shown.add_row(row.id, row.name, row.role.value, place, row.owner or "", until, revoked)
    Console().print(shown)


def _operations(only: list[str]) -> frozenset[str]:
    # The doors and all that they need are a second's work, which only this needs.
    from api.access import MATRIX  # noqa: PLC0415

    return check_operations(only, MATRIX)


async def _create(new: NewKey) -> str:
    async with open_house() as house:
        caller = await administrator(house)
        async with house.database.write(caller.actor) as transaction:
            owner = None
            if new.owner is not None:
                owner = (await read_account(transaction.connection, new.owner)).id
            return await create_key(
                transaction,
                house.packs,
                house.database.clock.now(),
                name=new.name,
                role=new.role,
                scope=new.scope,
                days=new.days,
                bounds=KeyBounds(new.station, new.operations, owner, caller.account if caller.in_person else None),
            )


async def _revoke(name: str, key: str | None) -> int:
    async with open_house() as house:
        caller = await administrator(house)
        async with house.database.write(caller.actor) as transaction:
            return await revoke_keys(transaction, house.database.clock.now(), name, key, caller)


async def _list() -> list[KeyRow]:
    async with open_house() as house, house.database.read() as connection:
        return await list_keys(connection)
