"""``lianban retry``: what failed is sent again, looked at first and verified."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Annotated, TypeVar

import typer

from models import IncidentKind
from services.house import House, open_house
from services.operations.retries import (
    MAX_CANARY,
    RetryView,
    cancel_retry,
    list_retries,
    pause_retry,
    preview_retry,
    resume_retry,
    show_retry,
    start_retry,
)
from services.operations.selection import Selection
from services.operations.words import RETRY_COUNT_WORDS, RETRY_WORDS

app = typer.Typer(help="重新推送 Send again what failed", no_args_is_help=True)
_ACTOR = "operator"
T = TypeVar("T")
_Retry = Annotated[int, typer.Argument(help="批次编号 Its number")]
_Json = Annotated[bool, typer.Option("--json", help="输出 JSON  Print JSON")]


@app.command()
def preview(  # noqa: PLR0913 - one option for each filter
    *,
    step: Annotated[str | None, typer.Option(help="一个事项 One step")] = None,
    case: Annotated[str | None, typer.Option(help="一件的全部 All of one case")] = None,
    incident: Annotated[int | None, typer.Option(help="一个异常的全部 All of an incident")] = None,
    department: Annotated[str | None, typer.Option(help="部门代码 Department")] = None,
    kind: Annotated[IncidentKind | None, typer.Option(help="类别 Kind")] = None,
    reason: Annotated[str | None, typer.Option(help="原因代码 Reason code")] = None,
    district: Annotated[str | None, typer.Option(help="区县代码 District")] = None,
    canary: Annotated[int, typer.Option(min=1, max=MAX_CANARY, help="每部门先试几项 First steps of each")] = 1,
    as_json: _Json = False,
) -> None:
    """预览：几项、去往何处、几项已不再需要；不推送。 Preview: how many, where to, how many no longer needed."""
    wanted = Selection(step, case, incident, department, kind, reason, district)
    _print(_run(lambda house: preview_retry(house, wanted, _ACTOR, canary)), as_json=as_json)


@app.command()
def start(retry: _Retry, *, as_json: _Json = False) -> None:
    """开始：先试几项，部门确认后推送其余。 Start: a few first; the rest once departments confirmed them."""
    _print(_run(lambda house: start_retry(house, retry, _ACTOR)), as_json=as_json)


@app.command()
def pause(retry: _Retry, *, as_json: _Json = False) -> None:
    """暂停，5 秒内生效。 Send nothing more, from 5 seconds on: steps whose turn was fixed already still go."""
    _print(_run(lambda house: pause_retry(house, retry, _ACTOR)), as_json=as_json)


@app.command()
def resume(retry: _Retry, *, as_json: _Json = False) -> None:
    """继续。 Go on."""
    _print(_run(lambda house: resume_retry(house, retry, _ACTOR)), as_json=as_json)


@app.command()
def cancel(retry: _Retry, *, as_json: _Json = False) -> None:
    """取消：尚未推送的不再推送。 End it: what was not sent stays as it is."""
    _print(_run(lambda house: cancel_retry(house, retry, _ACTOR)), as_json=as_json)


@app.command()
def show(retry: _Retry, *, as_json: _Json = False) -> None:
    """进度。 How far it is."""
    _print(_run(lambda house: show_retry(house, retry)), as_json=as_json)


@app.command(name="list")
def list_(*, as_json: _Json = False) -> None:
    """列出各批次，新的在前。 List retries, the newest first."""
    found = _run(list_retries)
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in found], default=str, ensure_ascii=False))
        return
    for one in found:
        typer.echo(_line(one))


def _run(act: Callable[[House], Awaitable[T]]) -> T:
    async def within() -> T:
        async with open_house() as house:
            return await act(house)

    return asyncio.run(within())


def _print(one: RetryView, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(asdict(one), default=str, ensure_ascii=False))
        return
    typer.echo(_line(one))
    for share in one.shares:
        door = f"{share.door.value if share.door else '—'} {share.url or ''}".strip()
        shut = "" if share.open else "（接口未开放 shut）"
        what = f"{share.steps} 项，其中 {share.superseded} 项已不再需要"
        typer.echo(f"  {share.department.zh}：{what}；{door}{shut}；依 by {'、'.join(share.policies)}")


def _line(one: RetryView) -> str:
    counts = "，".join(f"{RETRY_COUNT_WORDS[state].zh} {count}" for state, count in one.counts.items())
    because = f"（{one.because}）" if one.because else ""
    return f"{one.id:>5}  {RETRY_WORDS[one.state.value].zh}{because}  共 {one.steps} 项：{counts}"
