"""``lianban import``: applications from a file."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import httpx
import typer
from rich.console import Console
from rich.table import Table

from api.wake import Bell
from services.house import House, open_house
from services.intake.divisions import Districts
from services.intake.importing import ImportReport, import_file
from services.intake.register import Registry

_SHOWN = 20


def bring_in(
    file: Annotated[Path, typer.Argument(help="申请文件 .xlsx、.csv 或 .jsonl  A file of applications")],
) -> None:
    """导入申请文件；不合格的行另存为退回清单。 Bring in applications; bad rows come back in a file beside it."""
    report = asyncio.run(_import(file))
    show_report(report, Console())


async def _import(file: Path) -> ImportReport:
    async with open_house() as house:
        report = await import_applications(house, file)
        if report.new:
            await _ring(house)
        return report


async def _ring(house: House) -> None:
    """Have the dispatcher start at once; without Prefect the cases wait for its schedule."""
    async with httpx.AsyncClient(trust_env=False) as client:
        bell = Bell(client, house.settings.prefect_api_url)
        bell.ring()
        await bell.rung()


async def import_applications(house: House, file: Path) -> ImportReport:
    """Bring ``file`` into the installation of ``house``."""
    districts = Districts({code: name.zh for pack in house.packs.packs for code, name in pack.districts.items()})
    return await import_file(Registry(house.database, house.keys, house.packs), file, districts, "clerk:import")


def show_report(report: ImportReport, console: Console) -> None:
    """What became of the file, and the first of the rows that came back."""
    console.print(
        f"读取 {report.rows} 行：新收 {len(report.new)} 件，已有 {report.known} 件，退回 {report.rejected_rows} 行。"
        f"  {report.rows} rows: {len(report.new)} new, {report.known} known, {report.rejected_rows} sent back."
    )
    if not report.rejects:
        return
    table = Table("行 Row", "字段 Field", "原因 Reason", title="退回清单 Sent back", title_justify="left")
    for reject in report.rejects[:_SHOWN]:
        table.add_row(str(reject.row), reject.problem.field, f"{reject.problem.zh}\n{reject.problem.en}")
    console.print(table)
    console.print(f"全部原因见 All reasons: {report.rejects_file}")
