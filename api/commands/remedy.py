"""``lianban remedy``: put right what went wrong, with a reason, and a second person where many cases hang on it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from api.commands.operator import administrator
from models import RemedyState
from services.access import Caller
from services.casework.receiving import judge
from services.clock import CHINA
from services.errors import InputError
from services.house import House, open_house
from services.intake.application import Application
from services.intake.problems import problems
from services.remedies.asking import Asked, approve_remedy, ask_remedy, reject_remedy
from services.remedies.corrections import take_correction
from services.remedies.orders import read_order
from services.remedies.reading import RemedyFile, RemedyPage, list_remedies, read_remedy
from services.remedies.words import STATE_WORDS

_T = TypeVar("_T")
app = typer.Typer(help="处置：免办、认定、撤回、补正、注销、恢复、重办 Remedies", no_args_is_help=True)

Cases = Annotated[list[str], typer.Argument(help="办件编号 Case numbers")]
Reason = Annotated[str, typer.Option("--reason", help="理由，不得含个人信息 Why; nothing personal")]
AsJson = Annotated[bool, typer.Option("--json", help="输出 JSON  Print JSON")]
Number = Annotated[int, typer.Argument(min=1, help="处置编号 Number of the remedy")]


@app.command()
def waive(
    steps: Annotated[list[str], typer.Argument(help="事项编号 Ids of steps")],
    *,
    clause: Annotated[str, typer.Option(help="依据条款 The clause that allows it")],
    reason: Reason,
    as_json: AsJson = False,
) -> None:
    """免办事项，不再推送。 Waive steps: nobody is asked any more."""
    _ask(as_json, kind="waive", steps=steps, clause=clause, reason=reason)


@app.command()
def fact(
    cases: Cases,
    *,
    name: Annotated[str, typer.Option("--fact", help="核验事实 The fact")],
    value: Annotated[bool, typer.Option("--true/--false", help="是否属实 Whether it holds")],
    department: Annotated[str, typer.Option(help="认定部门 The department that decided")],
    document: Annotated[str, typer.Option(help="依据文件 The document it rests on")],
    reason: Reason,
    as_json: AsJson = False,
) -> None:
    """人工认定核验事实。 Decide a fact by hand, on a document."""
    content: dict[str, Any] = {"fact": name, "value": value, "department": department, "document": document}
    _ask(as_json, kind="fact", cases=cases, reason=reason, **content)


@app.command()
def withdraw(cases: Cases, *, reason: Reason, as_json: AsJson = False) -> None:
    """撤回申请。 Withdraw applications."""
    _ask(as_json, kind="withdraw", cases=cases, reason=reason)


@app.command()
def correct(
    cases: Cases,
    *,
    missing: Annotated[list[str], typer.Option(help="需补正的内容，可多次 What is missing; may be repeated")],
    reason: Reason,
    as_json: AsJson = False,
) -> None:
    """要求补正，一次性告知，时限中止。 Ask for a correction; the clock stops."""
    _ask(as_json, kind="correct", cases=cases, missing=missing, reason=reason)


@app.command()
def corrected(
    case: Annotated[str, typer.Argument(help="办件编号 Case number")],
    file: Annotated[Path, typer.Argument(help="补正后的申请（JSON） The corrected application", exists=True)],
    *,
    as_json: AsJson = False,
) -> None:
    """收下补正后的申请。 Take in the corrected application that a case waits for."""

    async def take(house: House, caller: Caller) -> Any:
        application = _application(file)
        if found := judge(house, application):
            raise InputError(found[0].en, place=found[0].field)
        return await take_correction(house, caller, case, application)

    done = asyncio.run(_as_administrator(take))
    if as_json:
        typer.echo(json.dumps(asdict(done), ensure_ascii=False))
    else:
        typer.echo(f"{case}：第 {done.version} 版 version {done.version}（{', '.join(done.changed) or '—'}）")


@app.command()
def cancel(
    cases: Cases,
    *,
    end: Annotated[str, typer.Option(help="cancelled 申请注销，left-city 离开本市，settled 已落户，revoked 依法收回")],
    reason: Reason,
    as_json: AsJson = False,
) -> None:
    """注销居住证，停止全部服务。 Cancel permits; everything they opened is withdrawn."""
    _ask(as_json, kind="cancel", cases=cases, end=end, reason=reason)


@app.command()
def reinstate(cases: Cases, *, reason: Reason, as_json: AsJson = False) -> None:
    """撤销错误注销，居住证恢复有效。 Undo mistaken cancellations."""
    _ask(as_json, kind="reinstate", cases=cases, reason=reason)


@app.command()
def reopen(
    cases: Cases,
    *,
    anew: Annotated[bool, typer.Option("--anew", help="各部门重新核验 Ask departments everything again")] = False,
    reason: Reason,
    as_json: AsJson = False,
) -> None:
    """重新办理。 Reopen cases."""
    _ask(as_json, kind="reopen", cases=cases, anew=anew, reason=reason)


@app.command()
def approve(
    remedy: Number,
    *,
    because: Annotated[str | None, typer.Option(help="意见 A word on it")] = None,
    as_json: AsJson = False,
) -> None:
    """复核同意；申请人本人不能复核。 Approve what another administrator asked for."""
    _show_asked(asyncio.run(_as_administrator(lambda house, me: approve_remedy(house, me, remedy, because))), as_json)


@app.command()
def reject(remedy: Number, *, because: Annotated[str, typer.Option(help="理由 Why")], as_json: AsJson = False) -> None:
    """复核不同意。 Turn down what was asked for."""
    _show_asked(asyncio.run(_as_administrator(lambda house, me: reject_remedy(house, me, remedy, because))), as_json)


@app.command(name="list")
def list_(
    *,
    state: Annotated[RemedyState | None, typer.Option(help="状态 State")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 50,
    as_json: AsJson = False,
) -> None:
    """列出处置，新的在前。 List remedies, the newest first."""

    async def read(house: House, caller: Caller) -> RemedyPage:
        return await list_remedies(house, caller.sight, state=state, limit=limit)

    page = asyncio.run(_as_administrator(read))
    if as_json:
        typer.echo(json.dumps([asdict(item) for item in page.items], default=str, ensure_ascii=False))
        return
    shown = Table("编号 No", "处置 Remedy", "状态 State", "件数 Cases", "由 By", "时间 At", "理由 Reason")
    for one in page.items:
        at = f"{one.asked_at.astimezone(CHINA):%Y-%m-%d %H:%M}"
        shown.add_row(str(one.id), one.kind.zh, one.state.zh, str(one.cases), one.asked_by, at, one.reason)
    Console().print(shown)


@app.command()
def show(remedy: Number, *, as_json: AsJson = False) -> None:
    """显示一项处置和每件的结果。 Show a remedy with what came of each case."""

    async def read(house: House, caller: Caller) -> RemedyFile:
        return await read_remedy(house, remedy, caller.sight)

    found = asyncio.run(_as_administrator(read))
    if as_json:
        typer.echo(json.dumps(asdict(found), default=str, ensure_ascii=False))
        return
    one = found.remedy
    typer.echo(f"{one.id}  {one.kind.zh} {one.kind.en}  {one.state.zh} {one.state.en}")
    typer.echo(f"{one.reason}  {one.asked_by}{f' → {one.decided_by}' if one.decided_by else ''}")
    for actor in found.approvals:
        typer.echo(f"  复核同意 approved: {actor}")
    for outcome in found.outcomes:
        words = {True: "已办理 done", False: f"未办理 not done: {outcome.problem}", None: "待复核 waits"}
        typer.echo(f"  {outcome.case_number}  {words[outcome.done]}")


def _ask(as_json: bool, /, **content: Any) -> None:
    order = read_order(content)
    _show_asked(asyncio.run(_as_administrator(lambda house, caller: ask_remedy(house, caller, order))), as_json)


async def _as_administrator(work: Callable[[House, Caller], Awaitable[_T]]) -> _T:
    async with open_house() as house:
        return await work(house, await administrator(house))


def _show_asked(asked: Asked, as_json: bool, /) -> None:
    if as_json:
        typer.echo(json.dumps(asdict(asked)))
        return
    words = STATE_WORDS[asked.state]
    typer.echo(f"处置 {asked.id}：{words.zh} {words.en}")
    if asked.state is RemedyState.PROPOSED:
        typer.echo("待他人复核；申请人身份不明的，须两人复核。")
        typer.echo("It waits for a second person; for two where it is not known who asked.")
    if asked.state is RemedyState.DONE:
        typer.echo(f"已办理 {asked.done} 件 done；未能办理 {asked.refused} 件 not done")


def _application(file: Path) -> Application:
    try:
        return Application.model_validate_json(file.read_bytes())
    except ValidationError as wrong:
        first = next(iter(problems(wrong)), None)
        raise InputError(first.en if first else "cannot be read", place=first.field if first else file.name) from None
