"""``lianban cards``: who is late or refused without a reason, and what was said about it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Annotated, TypeVar

import typer

from api.commands.operator import administrator
from models import CardColour, CardState
from services.house import House, open_house
from services.supervision.board import (
    MAX_PAGE,
    CardFilter,
    CardView,
    contest_card,
    lift_card,
    list_cards,
    show_card,
    uphold_card,
)

app = typer.Typer(help="黄牌红牌 Cards for what is late", no_args_is_help=True)
T = TypeVar("T")
_Card = Annotated[int, typer.Argument(help="牌号 Its number")]
_Because = Annotated[str, typer.Option("--because", help="理由（不写个人信息） Why; nothing personal")]
_Json = Annotated[bool, typer.Option("--json", help="输出 JSON  Print JSON")]
_English = Annotated[bool, typer.Option("--en", help="英文 In English")]


@app.command(name="list")
def list_(  # noqa: PLR0913 - one option for each filter
    *,
    colour: Annotated[CardColour | None, typer.Option(help="颜色 Colour")] = None,
    state: Annotated[CardState | None, typer.Option(help="状态 State")] = None,
    department: Annotated[str | None, typer.Option(help="部门代码 Department")] = None,
    district: Annotated[str | None, typer.Option(help="区县代码 District")] = None,
    case: Annotated[str | None, typer.Option(help="办件编号 Case")] = None,
    before: Annotated[int | None, typer.Option(help="此号之前的 Those before this number")] = None,
    limit: Annotated[int, typer.Option(min=1, max=MAX_PAGE, help="最多几张 How many at most")] = 50,
    as_json: _Json = False,
    english: _English = False,
) -> None:
    """列出，新的在前。 List them, the newest first."""
    wanted = CardFilter(colour, state, department, district, case)
    page = _run(lambda house: list_cards(house, wanted=wanted, before=before, limit=limit))
    if as_json:
        typer.echo(json.dumps(asdict(page), default=str, ensure_ascii=False))
        return
    for one in page.items:
        typer.echo(_line(one, english=english))
    if not page.items:
        typer.echo("没有。 There is none.")


@app.command()
def show(card: _Card, *, as_json: _Json = False, english: _English = False) -> None:
    """一张牌的全部。 All of one card."""
    _print(_run(lambda house: show_card(house, card)), as_json=as_json, english=english)


@app.command()
def contest(card: _Card, because: _Because, *, as_json: _Json = False) -> None:
    """代部门申诉。 Give a department's reason against it."""

    async def act(house: House) -> CardView:
        return await contest_card(house, await administrator(house), card, because)

    _print(_run(act), as_json=as_json)


@app.command()
def lift(card: _Card, because: _Because, *, as_json: _Json = False) -> None:
    """撤销，不再计入考核。 Lift it: it counts no more."""

    async def act(house: House) -> CardView:
        return await lift_card(house, await administrator(house), card, because)

    _print(_run(act), as_json=as_json)


@app.command()
def uphold(card: _Card, because: _Because, *, as_json: _Json = False) -> None:
    """维持。 Turn down what was said against it."""

    async def act(house: House) -> CardView:
        return await uphold_card(house, await administrator(house), card, because)

    _print(_run(act), as_json=as_json)


def _run(act: Callable[[House], Awaitable[T]]) -> T:
    async def within() -> T:
        async with open_house() as house:
            return await act(house)

    return asyncio.run(within())


def _print(one: CardView, *, as_json: bool, english: bool = False) -> None:
    if as_json:
        typer.echo(json.dumps(asdict(one), default=str, ensure_ascii=False))
        return
    typer.echo(_line(one, english=english))
    if one.contested_because is not None:
        typer.echo(f"  申诉 Contested: {one.contested_because}（{one.contested_by}）")
    if one.decided_because is not None:
        typer.echo(f"  处理 Decided: {one.decided_because}（{one.decided_by}）")


def _line(one: CardView, *, english: bool) -> str:
    told, state = (one.told.en, one.state.en) if english else (one.told.zh, one.state.zh)
    return f"{one.id:>6}  {told}  {one.step or one.case_number}  [{state}]"
