"""``lianban up``: the whole system on this machine, to stay."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from api.system.deploying import Keeper
from api.system.installation import (
    asked_departments,
    connect_sandbox,
    operator_key,
    prepare_database,
    rehearsal_accounts,
    sandbox_secrets,
)
from api.system.prefect_api import PrefectApi
from api.system.programs import Programs, programs
from api.system.whole import Ports, Sandbox, environment, start_api, start_prefect, start_sandbox
from services.access.accounts import has_administrator
from services.house import House, open_house
from services.settings import Settings


def up(
    *,
    port: Annotated[int, typer.Option(help="接口端口 Port of the HTTP door")] = 8700,
    prefect_port: Annotated[int, typer.Option(help="Prefect 端口 Port of the Prefect server")] = 4200,
    sandbox: Annotated[bool, typer.Option(help="同时启动沙盒部门 Also play the departments")] = False,
    sandbox_port: Annotated[int, typer.Option(help="沙盒端口 Port of the sandbox")] = 8790,
    people: Annotated[Path | None, typer.Option(help="沙盒人员文件 Whom the sandbox knows")] = None,
) -> None:
    """启动整套系统，数据保存在一个目录中；Ctrl-C 停止。 Start everything, its data in one folder; Ctrl-C stops it."""
    ports = Ports(port, prefect_port, sandbox_port)
    settings = Settings(prefect_api_url=ports.prefect_url, public_url=ports.api_url)
    prepare_database(settings)
    asyncio.run(_stay(settings, ports, people, sandbox=sandbox))


async def _stay(settings: Settings, ports: Ports, people: Path | None, *, sandbox: bool) -> None:
    console = Console()
    environs = environment(settings, ports, sandbox=sandbox) | {"LIANBAN_DISPATCHERS": str(_dispatchers(settings))}
    async with programs(environs, settings.data_dir / "logs") as running:
        async with open_house(settings) as house:
            key = await operator_key(house)
            accounts = await rehearsal_accounts(house) if sandbox else []
            async with house.database.read() as connection:
                administered = await has_administrator(connection)
            if sandbox:
                await _play_departments(house, running, ports, people)
        with console.status("正在启动（约 30 秒）…… Starting (about 30 s)"):
            await start_api(running, ports)
            await start_prefect(running, ports)
            await _dispatch_now(settings)
        console.print(f"接口 HTTP          {ports.api_url}   （{ports.api_url}/openapi.json）")
        console.print(f"登录 Sign in        {ports.api_url}/sign-in")
        console.print(f"Prefect            {ports.prefect_url.removesuffix('/api')}")
        console.print(f"数据目录 Data       {settings.data_dir.resolve()}")
        console.print(f"管理员密钥 Admin key  {key}")
        for one in accounts:
            told = f"{one.account.name:<13}  {one.password}"
            console.print(f"演练账号 Account     {told}   （只显示这一次 shown this once）")
        if not administered:
            console.print("尚无管理员账号，请另开终端新建一个。 Nobody can sign in yet; in another terminal:")
            console.print(f"  lianban --data {settings.data_dir} account create NAME administrator", soft_wrap=True)
        console.print("按 Ctrl-C 停止。 Ctrl-C stops it.")
        await _keep_up(settings, running, console)


async def _keep_up(settings: Settings, running: Programs, console: Console) -> None:
    """Until Ctrl-C: start again what ends by itself, and register again what Prefect has lost."""

    def ended(name: str) -> None:
        log = running.logs / f"{name}.log"
        console.print(f"[yellow]{name} 意外退出，正在重新启动，见 {log}。[/] Ended by itself; starting it again.")

    keeper = Keeper(settings, running.run, console.print)
    parts = {asyncio.create_task(running.keep(ended)), asyncio.create_task(keeper.keep())}
    try:
        done, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
        done.pop().result()
    finally:
        for part in parts:
            part.cancel()
        await asyncio.gather(*parts, return_exceptions=True)
        await keeper.close()


def _dispatchers(settings: Settings) -> int:
    """How many dispatchers at most: as set, or one to two processors. SQLite takes one writer, and one dispatcher."""
    if not settings.database_url.startswith("postgresql"):
        return 1
    return settings.dispatchers or max(1, (os.cpu_count() or 1) // 2)


async def _dispatch_now(settings: Settings) -> None:
    """Start a dispatcher for what waits already; the schedule's first one comes only after a minute."""
    prefect = PrefectApi(settings.prefect_api_url, settings.prefect_auth)
    try:
        await prefect.start_run("dispatch/dispatch")
    finally:
        await prefect.close()


async def _play_departments(house: House, running: Programs, ports: Ports, people: Path | None) -> None:
    folder = house.settings.data_dir
    today = house.database.clock.today()
    departments = sorted({code for pack in house.packs.packs for code in asked_departments(pack, today)})
    secrets = sandbox_secrets(folder / "sandbox.json", departments)
    await start_sandbox(running, ports, Sandbox(people, folder / "sandbox.json", folder / "sandbox.db"))
    await connect_sandbox(house, ports.sandbox_url, secrets)
