"""``lianban retention``: what is over its time, removed."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from typing import Annotated

import typer

from services.house import open_house
from services.upkeep.retention import Removed, preview, retain


def retention(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只统计，不清除 Only count")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON  Print JSON")] = False,
) -> None:
    """按留存期限清除部门答复原文和已结案件的个人信息。 Remove what is over its time; every day a flow does so, too."""
    removed = asyncio.run(_run(dry_run=dry_run))
    if as_json:
        typer.echo(json.dumps(asdict(removed) | {"dry_run": dry_run}))
        return
    word, en = ("将清除", "would be removed") if dry_run else ("已清除", "removed")
    typer.echo(
        f"{word}：答复摘录 {removed.excerpts} 条，回执原文 {removed.bodies} 条，个人信息 {removed.cases} 件。 "
        f"{removed.excerpts} excerpts, {removed.bodies} call-backs and the people of {removed.cases} cases {en}."
    )


async def _run(*, dry_run: bool) -> Removed:
    async with open_house() as house:
        return await preview(house) if dry_run else await retain(house, "operator")
