"""``lianban forecast``: what is coming, from the same decisions that will be made then."""

from __future__ import annotations

import asyncio
import csv
import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from api.commands.operator import administrator
from services.errors import InputError
from services.house import open_house
from services.supervision.forecast import (
    ForecastView,
    Line,
    catchment_words,
    make_forecast,
    read_forecast,
    set_catchments,
)

app = typer.Typer(help="预测 What is coming", no_args_is_help=True)


@app.command()
def make() -> None:
    """重新测算（逐证测算，较慢）。 Make it anew, permit by permit."""

    async def act() -> int:
        async with open_house() as house:
            return await make_forecast(house, (await administrator(house)).actor)

    typer.echo(f"已按 {asyncio.run(act())} 张有效居住证测算。")


@app.command()
def show(*, as_json: Annotated[bool, typer.Option("--json", help="输出 JSON  Print JSON")] = False) -> None:
    """最近一次的结果。 As it was last made."""

    async def act() -> ForecastView:
        async with open_house() as house:
            return await read_forecast(house)

    found = asyncio.run(act())
    if as_json:
        typer.echo(json.dumps(asdict(found), default=str, ensure_ascii=False))
        return
    if found.made_at is None:
        typer.echo("尚未测算：lianban forecast make。 Not made yet.")
        return
    typer.echo(f"{found.made_at:%Y-%m-%d} 测算，有效居住证 {found.permits} 张。")
    for title, lines in (
        ("第二层次权益 Tier 2", found.tier2), ("到期 Expiries", found.expiries), ("各部门事项 Load", found.load),
    ):  # fmt: skip
        _table(title, found, lines)
    places = Table("区县", "学区", "应入学", "其中新入学", title=f"{found.september} 学位 School places")
    for one in found.places:
        places.add_row(one.district.zh, catchment_words(one.catchment).zh, str(one.children), str(one.beginning))
    Console().print(places)


@app.command()
def catchments(file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True)]) -> None:
    """导入学区：district,station,catchment。 Take in catchments from a .csv; what stood before is replaced."""

    async def act() -> int:
        async with open_house() as house:
            return await set_catchments(house, (await administrator(house)).actor, _rows(file))

    typer.echo(f"登记 {asyncio.run(act())} 条。")


def _rows(file: Path) -> list[tuple[str, str, str]]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as opened:
            rows = list(csv.DictReader(opened))
    except UnicodeDecodeError:
        raise InputError("is not UTF-8; save it as CSV UTF-8", place=file.name) from None
    try:
        return [(row["district"].strip(), row["station"].strip(), row["catchment"].strip()) for row in rows]
    except (KeyError, AttributeError):
        raise InputError("needs the columns district,station,catchment in every row", place=file.name) from None


def _table(title: str, found: ForecastView, lines: tuple[Line, ...]) -> None:
    table = Table("", *(f"{month:%y-%m}" for month in found.months), title=title)
    for line in lines:
        table.add_row(line.name.zh, *(str(number or "") for number in line.numbers))
    Console().print(table)
