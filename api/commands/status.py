"""``lianban status``: where the installation stands, and whether all that it runs on is there."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from api.demo.report import show_figures
from api.readiness import check_all
from api.system.prefect_api import prefect_client
from api.views.city import Check
from services.clock import CHINA
from services.dossiers.figures import figures
from services.house import open_house
from services.operations.dispatchers import Seen, dispatchers_seen

_PARTS = {
    "database": "数据库 Database",
    "migration": "数据库版本 Version",
    "prefect": "Prefect 服务 server",
    "worker": "Prefect 工作进程 worker",
    "redis": "Redis",
}
_SHOWN = 8


def status(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON  Print JSON")] = False,
) -> None:
    """运行情况、办件、居住证、各部门事项和未办成的事项。 What runs, cases, permits, and what did not go through."""
    asyncio.run(_status(as_json=as_json))


async def _status(*, as_json: bool) -> None:
    async with open_house() as house, prefect_client(house.settings.prefect_auth) as prefect:
        async with house.database.read() as connection:
            now = await figures(connection)
            seen = await dispatchers_seen(connection, house.database.clock.now(), _SHOWN)
        checks = await check_all(house, prefect)
        if as_json:
            told = asdict(now) | {"running": _as_values(checks, seen)}
            typer.echo(json.dumps(told, default=str, ensure_ascii=False))
        else:
            console = Console()
            _show(checks, seen, console)
            show_figures(now, house, console)


def _as_values(checks: Mapping[str, Check], seen: Sequence[Seen]) -> dict[str, Any]:
    return {
        "checks": {name: check.model_dump(exclude_none=True) for name, check in checks.items()},
        "dispatchers": [asdict(one) for one in seen],
    }


def _show(checks: Mapping[str, Check], seen: Sequence[Seen], console: Console) -> None:
    parts = Table("运行 Running", "情况 State")
    for name, check in checks.items():
        parts.add_row(_PARTS[name], "正常 ok" if check.ok else f"[red]缺席 away[/]: {check.trouble}")
    console.print(parts)
    hands = Table("调度 Dispatcher", "自 Since", "最近 Last seen", "办件 Cases", "情况 State")
    for one in seen:
        since, last = (f"{at.astimezone(CHINA):%m-%d %H:%M:%S}" for at in (one.started_at, one.seen_at))
        hands.add_row(one.machine, since, last, str(one.cases), "在岗 at work" if one.at_work else "已离岗 gone")
    if hands.row_count:
        console.print(hands)
