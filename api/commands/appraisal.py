"""``lianban appraisal``: departments in figures, the steps behind each, a workbook, and what the public is told."""

from __future__ import annotations

import asyncio
import csv
import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from api.commands.operator import administrator
from services.errors import InputError
from services.house import House, open_house
from services.supervision.appraisal import Appraisal, appraise, set_weight
from services.supervision.figures import MAX_PAGE, Behind, steps_behind
from services.supervision.periods import read_period
from services.supervision.publicity import public_figures
from services.supervision.uptake import Given, Use, report_uses, service_figures, set_costs, take_satisfaction
from services.supervision.workbook import appraisal_workbook

app = typer.Typer(help="部门考核 Appraisal of departments", no_args_is_help=True)
T = TypeVar("T")
_Period = Annotated[str, typer.Argument(help="月份 2014-11 或季度 2014Q4  A month or a quarter")]
_File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True)]
_Json = Annotated[bool, typer.Option("--json", help="输出 JSON  Print JSON")]


@app.command()
def show(period: _Period, *, as_json: _Json = False) -> None:
    """各部门：收件、办结、按期、一次办结、红黄牌、用时、得分。 Each department's figures and score."""
    found = _run(lambda house: appraise(house, read_period(period)))
    if as_json:
        typer.echo(json.dumps(asdict(found), default=str, ensure_ascii=False))
    else:
        _table(found)


@app.command()
def steps(
    period: _Period,
    department: Annotated[str, typer.Argument(help="部门代码 Department")],
    figure: Annotated[str, typer.Argument(help="指标，如 late、declined  The figure")],
    *,
    district: Annotated[str | None, typer.Option(help="区县代码 District")] = None,
    after: Annotated[str | None, typer.Option(help="列表起点 Steps after this id")] = None,
    limit: Annotated[int, typer.Option(min=1, max=MAX_PAGE, help="最多几项 How many at most")] = 50,
    as_json: _Json = False,
) -> None:
    """某项指标背后的事项。 The steps behind a figure."""
    wanted = Behind(figure, department, district)
    page = _run(lambda house: steps_behind(house, read_period(period), wanted, after=after, limit=limit))
    if as_json:
        typer.echo(json.dumps(asdict(page), default=str, ensure_ascii=False))
        return
    typer.echo(f"{page.figure.zh}：共 {page.total} 项")
    for one in page.items:
        typer.echo(f"  {one.step}  {one.at:%Y-%m-%d}  {'' if one.hours is None else f'{one.hours:.1f} h'}")


@app.command()
def services(period: _Period, *, as_json: _Json = False) -> None:
    """权益事项：应享、开通、使用、成本。 Services: entitled, opened, taken up, cost."""
    found = _run(lambda house: service_figures(house, read_period(period)))
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in found], default=str, ensure_ascii=False))
        return
    for one in found:
        if one.district is None:
            cost = "" if one.cost_fen is None else f"  {one.cost_fen / 100:.2f} 元"
            used = "—" if one.taken_up is None else str(one.taken_up)
            typer.echo(f"{one.service.code:14} {one.entitled:>7} {one.opened:>7} {used:>7}{cost}  {one.service.zh}")


@app.command()
def workbook(period: _Period, to: Annotated[Path, typer.Argument(dir_okay=False, help="写到 Where to")]) -> None:
    """导出为 .xlsx。 Write it as a workbook."""

    async def act(house: House) -> bytes:
        span = read_period(period)
        return appraisal_workbook(await appraise(house, span), await service_figures(house, span))

    to.write_bytes(_run(act))
    typer.echo(str(to))


@app.command()
def public(period: _Period, *, as_json: _Json = False) -> None:
    """公示数据（小数已隐去）。 What the public is told; small numbers are hidden."""
    found = _run(lambda house: public_figures(house, read_period(period)))
    if as_json:
        typer.echo(json.dumps(asdict(found), default=str, ensure_ascii=False))
        return
    for one in found.departments:
        share = "—" if one.on_time_share is None else f"{one.on_time_share:.1%}"
        typer.echo(f"{one.department.zh}  办结 {'—' if one.closed_in_all is None else one.closed_in_all}  按期 {share}")


@app.command()
def weigh(
    figure: Annotated[str, typer.Argument(help="指标 The figure")],
    weight: Annotated[int, typer.Argument(min=0, help="权重 What it weighs")],
) -> None:
    """设定权重。 Set what a figure weighs."""

    async def act(house: House) -> dict[str, int]:
        return await set_weight(house, (await administrator(house)).actor, figure, weight)

    for code, value in _run(act).items():
        typer.echo(f"{code:14} {value}")


@app.command()
def satisfaction(file: _File) -> None:
    """导入满意度：case,department,score,given_on。 Take in holders' marks from a .csv."""

    async def act(house: House) -> int:
        marks = [
            Given(row["case"], row["department"], _number(row["score"], place), _day(row["given_on"], place))
            for place, row in _rows(file, "case", "department", "score", "given_on")
        ]
        return await take_satisfaction(house, await administrator(house), marks)

    typer.echo(f"新增 {_run(act)} 条。")


@app.command()
def uses(file: _File) -> None:
    """导入使用人数：service,district,month,holders。 Take in how many took services up from a .csv."""

    async def act(house: House) -> int:
        told = [
            Use(row["service"], row["district"], read_period(row["month"]).first_day, _number(row["holders"], place))
            for place, row in _rows(file, "service", "district", "month", "holders")
        ]
        return await report_uses(house, await administrator(house), told)

    typer.echo(f"登记 {_run(act)} 条。")


@app.command()
def costs(
    file: _File, from_: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="起始日 First day")]
) -> None:
    """导入单位成本（分）：service,fen。 Take in unit costs from a .csv."""

    async def act(house: House) -> int:
        fen = {row["service"]: _number(row["fen"], place) for place, row in _rows(file, "service", "fen")}
        return await set_costs(house, (await administrator(house)).actor, fen, from_.date())

    typer.echo(f"登记 {_run(act)} 条。")


def _run(act: Callable[[House], Awaitable[T]]) -> T:
    async def within() -> T:
        async with open_house() as house:
            return await act(house)

    return asyncio.run(within())


def _rows(file: Path, *columns: str) -> list[tuple[int, dict[str, str]]]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as opened:
            reader = csv.DictReader(opened)
            missing = [name for name in columns if name not in (reader.fieldnames or ())]
            if missing:
                raise InputError(f"has no column {missing[0]}; it needs {','.join(columns)}", place=file.name)
            return [(place, {name: (row[name] or "").strip() for name in columns})
                    for place, row in enumerate(reader, start=2)]  # fmt: skip
    except UnicodeDecodeError:
        raise InputError("is not UTF-8; save it as CSV UTF-8", place=file.name) from None


def _number(text: str, place: int) -> int:
    try:
        return int(text)
    except ValueError:
        raise InputError("must be a whole number", place=f"row {place}") from None


def _day(text: str, place: int) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError("must be a day as 2014-11-03", place=f"row {place}") from None


def _table(found: Appraisal) -> None:
    heads = ("部门", "区县", "收件", "办结", "按期", "一次办结", "退回", "黄", "红", "督办", "中位", "九成", "得分")
    table = Table(*heads)
    for one in found.cards:
        if one.district is None:
            table.add_row(
                one.department.zh, "全市", str(one.received), str(one.closed), _share(one.on_time, one.judged),
                _share(one.first_right, one.first_judged), str(one.declined), str(one.yellow), str(one.red),
                f"{one.warned}/{one.chased}", _hours(one.median_hours), _hours(one.p90_hours),
                "—" if one.score is None else f"{one.score:.1f}",
            )  # fmt: skip
    Console().print(table)


def _share(count: int, whole: int) -> str:
    return f"{count / whole:.0%}" if whole else "—"


def _hours(value: float | None) -> str:
    return "—" if value is None else f"{value:.1f}"
