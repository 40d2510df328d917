"""``lianban endpoint``: how departments take their steps, and what they do for themselves."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from api.commands import endpoint_messages, endpoint_work, holding
from models import Door
from services.doors.registration import Registered, Registration, Rotated
from services.doors.registration import close as close_it
from services.doors.registration import register as register_it
from services.doors.registration import rotate as rotate_it
from services.doors.trial import Trial, try_endpoint
from services.doors.viewing import standing_registration, view_endpoints
from services.exchange.credentials import HMAC
from services.house import open_house

app = typer.Typer(help="部门接口 Departments' endpoints", no_args_is_help=True)
ACTOR = "administrator:operator"
Department = Annotated[str, typer.Argument(help="部门代码 Department code")]


@app.command()
def register(  # noqa: PLR0913 - each is an option of the command
    department: Department,
    url: Annotated[str | None, typer.Argument(help="接收地址（推送） Where it takes messages, for a push")] = None,
    *,
    door: Annotated[Door | None, typer.Option(help="接收方式 How it takes them")] = None,
    sign: Annotated[list[str] | None, typer.Option(help="签名方式 Schemes: v1 (HMAC), v1a (ed25519)")] = None,
    their_key: Annotated[list[str] | None, typer.Option(help="对方公钥 Public keys with which it signs")] = None,
    batch: Annotated[int | None, typer.Option(min=1, max=500, help="每次推送几项 Events in one call")] = None,
    concurrency: Annotated[int | None, typer.Option(min=1, max=64, help="同时推送几次 Calls at once")] = None,
    rate: Annotated[float | None, typer.Option(min=0.01, max=1000, help="每秒上限 Calls a second")] = None,
    drain: Annotated[float | None, typer.Option(min=0.1, max=1000, help="恢复后每秒 Steps a second")] = None,
    timeout: Annotated[float | None, typer.Option(min=1, max=15, help="超时秒数 Seconds for an answer")] = None,
    service: Annotated[list[str] | None, typer.Option(help="只收这些事项 Only these services")] = None,
    district: Annotated[list[str] | None, typer.Option(help="只收这些区县 Only these districts")] = None,
    fallback: Annotated[Door | None, typer.Option(help="期限临近时改用 Door shortly before a deadline")] = None,
    fallback_hours: Annotated[int | None, typer.Option(min=1, max=240, help="提前小时数 Hours before it")] = None,
) -> None:
    """登记部门接口，未写明的各项保持不变；新密钥只显示一次，推送接口测试通过后启用。
    Register an endpoint; what is not named stays as it stands. A push goes live by its trial.
    """
    lists = {"signing": sign, "their_keys": their_key, "services": service, "districts": district}
    given = {
        "door": door, "url": url, "batch_size": batch, "concurrency": concurrency, "rate_per_second": rate,
        "drain_per_second": drain, "timeout_seconds": timeout, "fallback": fallback, "fallback_hours": fallback_hours,
        **{name: tuple(told) if told else None for name, told in lists.items()},
    }  # fmt: skip
    wanted, done = asyncio.run(_register(department, {name: one for name, one in given.items() if one is not None}))
    for key in done.shown.values():
        typer.echo(key)
    if wanted.door is Door.PUSH and done.state.value == "draft":
        typer.echo(f"尚未启用：请运行 lianban endpoint trial {department}。 Not live before its trial.", err=True)


@app.command(name="list")
def list_() -> None:
    """列出部门接口。 List the endpoints."""
    shown = Table("部门 Department", "方式 Door", "状态 State", "地址 URL", "签名 Signing", "原因 Because")
    for one in asyncio.run(_list()):
        signing = "+".join(one["signing"]) + ("（新旧并用）" if one["overlapping"] else "")
        named = one["department"]
        shown.add_row(
            named.code, one["door"].value, one["state"].value, one["url"] or "", signing, one["because"] or ""
        )
    Console().print(shown)


@app.command()
def trial(department: Department) -> None:
    """联调测试：应接收测试消息，并拒收签名错误的消息。 Try an endpoint; passed, it goes live. Fails with status 1."""
    done = asyncio.run(_try(department))
    for check in done.checks:
        mark = "✓" if check.well else "✗"
        typer.echo(f"{mark} {check.name}  {check.words.zh} {check.words.en}  HTTP {check.status or check.error}")
    typer.echo(f"接口状态 State: {done.state.value}")
    raise typer.Exit(0 if done.well else 1)


@app.command()
def rotate(
    department: Department,
    *,
    scheme: Annotated[str, typer.Option(help="v1 | v1a")] = HMAC,
    overlap: Annotated[int, typer.Option(min=0, max=720, help="新旧并用小时数 Hours both keys sign")] = 24,
) -> None:
    """更换密钥，只显示一次；并用期内两种签名同时发送。 Renew a key; both sign until the overlap ends."""
    done = asyncio.run(_rotate(department, scheme, timedelta(hours=overlap)))
    typer.echo(done.shown)
    typer.echo(f"旧密钥并用至 The old one signs until {done.overlaps_until.isoformat(timespec='minutes')}", err=True)


@app.command()
def close(department: Department, because: Annotated[str, typer.Argument(help="原因 Why")]) -> None:
    """停用接口，事项留待。 Close an endpoint; its steps wait."""
    asyncio.run(_close(department, because))


app.command()(endpoint_messages.messages)
app.command()(endpoint_messages.message)
app.command()(endpoint_messages.resend)
app.command()(endpoint_messages.replay)
app.command()(endpoint_work.work)
app.command()(holding.held)
app.command()(holding.maintenance)
app.command()(endpoint_work.answers)


async def _register(department: str, given: dict[str, Any]) -> tuple[Registration, Registered]:
    async with open_house() as house:
        wanted = replace(await standing_registration(house, department), **given)
        if wanted.door is not Door.PUSH and "url" not in given:
            wanted = replace(wanted, url=None)
        return wanted, await register_it(house, wanted, ACTOR)


async def _list() -> list[Mapping[str, Any]]:
    async with open_house() as house:
        return await view_endpoints(house)


async def _try(department: str) -> Trial:
    async with open_house() as house:
        return await try_endpoint(house, department, ACTOR)


async def _rotate(department: str, scheme: str, overlap: timedelta) -> Rotated:
    async with open_house() as house:
        return await rotate_it(house, department, ACTOR, scheme=scheme, overlap=overlap)


async def _close(department: str, because: str) -> None:
    async with open_house() as house:
        await close_it(house, department, ACTOR, because)
