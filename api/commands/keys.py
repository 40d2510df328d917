"""``lianban keys``: the keys that seal personal data, changed without a stop."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from services.clock import CHINA
from services.house import open_house
from services.upkeep.keys import KeyState, add_key, list_sealing_keys, reseal, retire_keys

app = typer.Typer(help="个人信息密钥 Keys that seal personal data", no_args_is_help=True)
_ACTOR = "operator"
_JSON = Annotated[bool, typer.Option("--json", help="输出 JSON  Print JSON")]


@app.command()
def rotate(
    *,
    resume: Annotated[
        bool, typer.Option("--resume", help="不新建密钥，继续上次的转换 Only go on with what is left under old keys")
    ] = False,
    as_json: _JSON = False,
) -> None:
    """启用新密钥，并把已有数据分批转到新密钥下；不停机。 A new key seals from now on; what stands is sealed anew."""
    name, count = asyncio.run(_rotate(new=not resume))
    if as_json:
        typer.echo(json.dumps({"key": name, "resealed": count}))
        return
    typer.echo(f"现用密钥 {name}，已转换 {count} 项。 {name} seals now; {count} values were sealed anew.")
    typer.echo("请备份密钥文件；一小时后可用 lianban keys retire 停用旧密钥。 Back the key ring up; retire in an hour.")


@app.command()
def retire(*, as_json: _JSON = False) -> None:
    """停用已无数据的旧密钥。 Take the keys off the ring under which nothing stands any more."""
    gone = asyncio.run(_retire())
    if as_json:
        typer.echo(json.dumps({"retired": gone}))
    else:
        typer.echo(f"已停用：{'、'.join(gone) or '无'}。 Retired: {', '.join(gone) or 'none'}.")


@app.command(name="list")
def list_(*, as_json: _JSON = False) -> None:
    """列出密钥编号和各自的数据项数，不含密钥本身。 Ids of the keys and how much stands under each."""
    states = asyncio.run(_list())
    if as_json:
        ceased = {one.name: one.ceased_at.isoformat() if one.ceased_at else None for one in states}
        told = [
            {"key": one.name, "current": one.current, "ceased_at": ceased[one.name], "sealed": one.sealed}
            for one in states
        ]
        typer.echo(json.dumps(told))
        return
    shown = Table("编号 Key", "现用 Current", "停止加封 Ceased", "数据项 Values")
    for one in states:
        at = f"{one.ceased_at.astimezone(CHINA):%Y-%m-%d %H:%M}" if one.ceased_at else ""
        shown.add_row(one.name, "是 yes" if one.current else "", at, str(one.sealed))
    Console().print(shown)


async def _rotate(*, new: bool) -> tuple[str, int]:
    async with open_house() as house:
        if new:
            await add_key(house, _ACTOR)
        return house.keys.current, await reseal(house, _ACTOR)


async def _retire() -> tuple[str, ...]:
    async with open_house() as house:
        return await retire_keys(house, _ACTOR)


async def _list() -> tuple[KeyState, ...]:
    async with open_house() as house:
        return await list_sealing_keys(house)
