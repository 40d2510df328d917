"""``lianban account``: the accounts with which people sign in."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from api.commands.operator import administrator
from models import Role
from services.access.accounts import (
    AccountRow,
    NewAccount,
    change_post,
    create_account,
    disable_account,
    enable_account,
    list_accounts,
    read_account,
    reset_password,
)
from services.access.management import Management
from services.access.posts import Post
from services.access.sessions import SessionRow, list_sessions
from services.access.sign_in import end_all
from services.access.sign_in import unlock as release
from services.clock import CHINA
from services.house import House, open_house

app = typer.Typer(help="个人账号 Accounts of people", no_args_is_help=True)
_Name = Annotated[str, typer.Argument(help="用户名 Name to sign in under")]
_TheRole = Annotated[Role, typer.Argument(help="角色 Role")]
_Station = Annotated[str | None, typer.Option(help="受理人员所在派出所 A clerk's station, as applications name it")]
_Scope = Annotated[str | None, typer.Option(help="区县或部门代码 A district's or department's code")]


@app.command()
def create(name: _Name, role: _TheRole, *, scope: _Scope = None, station: _Station = None) -> None:
    """新建账号，初始密码只显示一次，首次登录须修改。 Make an account; its first password is shown once."""
    made = asyncio.run(_create(name, Post(role, scope, station)))
    typer.echo(made.password)


@app.command(name="list")
def list_() -> None:
    """列出账号。 List the accounts."""
    shown = Table("用户名 Name", "角色 Role", "范围 Scope", "状态 State")
    for row in asyncio.run(_list()):
        state = "已停用 disabled" if row.disabled_at else "待改初始密码 new" if row.password_is_initial else "正常 open"
        place = " ".join(filter(None, (row.scope, row.station)))
        shown.add_row(row.name, row.role.value, place, state)
    Console().print(shown)


@app.command()
def disable(name: _Name) -> None:
    """停用账号并结束其全部登录。 Shut an account and end its sessions."""
    ended = asyncio.run(_disable(name))
    typer.echo(f"已停用，结束登录 {ended} 处。 Disabled; {ended} sessions ended.")


@app.command()
def enable(name: _Name) -> None:
    """恢复账号。 Open a shut account again."""
    asyncio.run(_enable(name))
    typer.echo("已恢复。 Enabled.")


@app.command()
def post(name: _Name, role: _TheRole, *, scope: _Scope = None, station: _Station = None) -> None:
    """改变角色或者范围，结束其全部登录，吊销其密钥。 Give another post; sessions end, keys are revoked."""
    ended = asyncio.run(_post(name, Post(role, scope, station)))
    typer.echo(f"已修改，结束登录 {ended} 处。 Changed; {ended} sessions ended.")


@app.command()
def password(name: _Name) -> None:
    """重置密码，新的初始密码只显示一次。 Give a new first password; it is shown once."""
    typer.echo(asyncio.run(_password(name)))


@app.command()
def unlock(name: _Name) -> None:
    """解除登录失败后的锁定。 Let go the brake after failed sign-ins."""
    released = asyncio.run(_unlock(name))
    typer.echo("已解除。 Unlocked." if released else "未被锁定。 It was not locked.")


@app.command()
def sessions(name: _Name) -> None:
    """列出当前登录。 List where an account is signed in."""
    shown = Table("编号 Id", "地址 Address", "浏览器 Browser", "登录时间 Since", "最近使用 Last used")
    for row in asyncio.run(_sessions(name)):
        since, used = (f"{at.astimezone(CHINA):%Y-%m-%d %H:%M}" for at in (row.created_at, row.seen_at))
        shown.add_row(row.id, row.source, row.agent, since, used)
    Console().print(shown)


@app.command(name="end-sessions")
def end_sessions_(name: _Name) -> None:
    """结束其全部登录。 End every session of an account."""
    ended = asyncio.run(_end(name))
    typer.echo(f"已结束登录 {ended} 处。 {ended} sessions ended.")


async def _create(name: str, post: Post) -> NewAccount:
    async with open_house() as house:
        return await create_account(house.database, house.packs, await _management(house), name, post)


async def _list() -> list[AccountRow]:
    async with open_house() as house, house.database.read() as connection:
        return await list_accounts(connection)


async def _disable(name: str) -> int:
    async with open_house() as house:
        by = await _management(house)
        async with house.database.write(by.caller.actor) as transaction:
            return await disable_account(transaction, house.database.clock.now(), by, name)


async def _enable(name: str) -> None:
    async with open_house() as house:
        by = await _management(house)
        async with house.database.write(by.caller.actor) as transaction:
            await enable_account(transaction, by, name)


async def _post(name: str, post: Post) -> int:
    async with open_house() as house:
        by = await _management(house)
        async with house.database.write(by.caller.actor) as transaction:
            return await change_post(transaction, house.packs, house.database.clock.now(), by, name, post)


async def _password(name: str) -> str:
    async with open_house() as house:
        return await reset_password(house.database, await _management(house), name)


async def _unlock(name: str) -> bool:
    async with open_house() as house:
        return await release(house, await _management(house), name)


async def _sessions(name: str) -> list[SessionRow]:
    async with open_house() as house, house.database.read() as connection:
        row = await read_account(connection, name)
        return await list_sessions(connection, row.id, house.database.clock.now(), house.settings.session_terms)


async def _end(name: str) -> int:
    async with open_house() as house:
        return await end_all(house, await _management(house), name)


async def _management(house: House) -> Management:
    """Who works at the command line; with a key, as far as its owner may."""
    caller = await administrator(house)
    if caller.account is None:
        return Management(caller)
    async with house.database.read() as connection:
        return await Management.of(connection, caller)
