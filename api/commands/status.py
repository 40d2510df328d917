"""``lianban status``: where the installation stands."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console

from api.demo.report import show_figures
from services.casework.figures import figures
from services.house import open_house


def status(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON  Print JSON")] = False,
) -> None:
    """办件、居住证、各部门事项和未办成的事项。 Cases, permits, departments, and what did not go through."""
    asyncio.run(_status(as_json=as_json))


async def _status(*, as_json: bool) -> None:
    async with open_house() as house:
        async with house.database.read() as connection:
            now = await figures(connection)
        if as_json:
            typer.echo(json.dumps(asdict(now), default=str, ensure_ascii=False))
        else:
            show_figures(now, house, Console())
