"""``lianban endpoint messages``, ``message``, ``resend`` and ``replay``: what was sent, and sending it again."""

from __future__ import annotations

import asyncio
from datetime import datetime, time, timedelta
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from models import StepState
from services.clock import CHINA
from services.doors import messages as sent
from services.doors import replay as again
from services.house import open_house

_ACTOR = "administrator:operator"
_Department = Annotated[str, typer.Argument(help="部门代码 Department code")]
_Step = Annotated[str, typer.Argument(help="消息编号 The message's id")]
_Day = Annotated[datetime, typer.Argument(formats=["%Y-%m-%d"], help="日期 Day, as 2014-11-03")]


def messages(
    department: _Department,
    *,
    state: Annotated[StepState | None, typer.Option(help="状态 State")] = None,
    case: Annotated[str | None, typer.Option(help="办件编号 Only about this case")] = None,
    answer: Annotated[
        str | None, typer.Option(help="推送结果，如 503、timeout Only where a try came to this status or error")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=sent.MAX_PAGE, help="条数 How many")] = 50,
) -> None:
    """列出发往部门的消息，最新在前。 List the messages to a department, the newest first."""
    page = asyncio.run(_messages(department, state, case, answer, limit))
    shown = Table("消息 Message", "类别 Kind", "状态 State", "次数 Tries", "上次 Last")
    for one in page.items:
        last = one.tries[-1] if one.tries else None
        told = "" if last is None else f"{last.door.value} {last.status or last.error}"
        shown.add_row(one.id, one.kind.zh, one.state.zh, str(one.attempts), told)
    Console().print(shown)
    if page.next is not None:
        typer.echo("还有更多。 There are more.", err=True)


def message(department: _Department, step: _Step) -> None:
    """一条消息的每次推送和应答。 Every try at one message, and what came back."""
    one = asyncio.run(_message(department, step))
    typer.echo(f"{one.id}  {one.type}  {one.state.zh} {one.state.en}")
    for attempt in one.tries:
        at = attempt.started_at.astimezone(CHINA)
        typer.echo(
            f"{attempt.number}  {at:%Y-%m-%d %H:%M:%S}  {attempt.door.value}  HTTP {attempt.status or attempt.error}  "
            f"{attempt.duration_ms} ms  {attempt.problem or attempt.excerpt or ''}"
        )


def resend(department: _Department, step: _Step) -> None:
    """补发一条消息。 Send one message again."""
    _show(asyncio.run(_resend(department, step)))


def replay(
    department: _Department,
    first: _Day,
    last: _Day,
    *,
    state: Annotated[list[StepState] | None, typer.Option(help="状态（可多个） States")] = None,
    expected: Annotated[int | None, typer.Option(help="预览所得条数；给出才补发 Count of the preview: sends")] = None,
) -> None:
    """补发一段日期（首末日均含）的消息；不给条数只预览。 Send days again; without a count, a preview."""
    _show(asyncio.run(_replay(department, _range(first, last, state), expected)))


def _range(first: datetime, last: datetime, states: list[StepState] | None) -> again.Range:
    begin = datetime.combine(first.date(), time(), CHINA)
    end = datetime.combine(last.date() + timedelta(days=1), time(), CHINA)
    return again.Range(begin, end, frozenset(states or (StepState.FAILED, StepState.RECEIVED)))


def _show(done: again.Replay) -> None:
    states = "，".join(f"{state} {count}" for state, count in sorted(done.by_state.items()))
    typer.echo(f"{done.count} 条 messages（{states}）；已失效 outdated {done.outdated}")
    if done.queued or done.copied:
        typer.echo(f"已排队 queued {done.queued}；已补发 copies {done.copied}，送达 delivered {done.delivered}")


async def _messages(
    department: str, state: StepState | None, case: str | None, answer: str | None, limit: int
) -> sent.MessagePage:
    wanted = sent.MessageFilter(None if state is None else (state,), case_number=case, answer=answer)
    async with open_house() as house:
        return await sent.list_messages(house, department, wanted, limit=limit)


async def _message(department: str, step: str) -> sent.SentMessage:
    async with open_house() as house:
        return await sent.show_message(house, department, step)


async def _resend(department: str, step: str) -> again.Replay:
    async with open_house() as house:
        return await again.resend(house, department, step, _ACTOR)


async def _replay(department: str, wanted: again.Range, expected: int | None) -> again.Replay:
    async with open_house() as house:
        if expected is None:
            return await again.preview(house, department, wanted)
        return await again.replay(house, department, wanted, expected, _ACTOR)
