"""``lianban endpoint work`` and ``answers``: the sheets of the file door."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Annotated

import typer

from models import Role
from services.access import Caller
from services.doors.inbox import MAX_STEPS, SheetTaken, Work, download_work, upload_answers
from services.errors import InputError
from services.house import open_house

_REJECTED = 3
_LONGEST_NAME = 60
_Department = Annotated[str, typer.Argument(help="部门代码 Department code")]
_Officer = Annotated[str, typer.Option(help="经办人 Who handles it, for the log")]


def work(
    department: _Department,
    file: Annotated[Path, typer.Argument(help="写入的 .xlsx Sheet to write")],
    *,
    officer: _Officer,
    limit: Annotated[int, typer.Option(min=1, max=MAX_STEPS, help="最多几项 How many steps at most")] = 500,
) -> None:
    """导出部门待办事项表；导出即视为接收。 Write the sheet of due work; taking it is receipt."""
    # Refused beforehand: what was handed out and not kept would count as received.
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as problem:
        raise InputError(f"文件无法新建 / cannot be made: {problem.strerror}", place=file.name) from None
    with os.fdopen(descriptor, "wb") as out:
        done = asyncio.run(_work(_caller(department, officer), department, limit))
        out.write(done.content)
    typer.echo(f"{done.steps} 项，其中新增 {done.fresh} 项。 {done.steps} steps, {done.fresh} of them new.")


def answers(
    department: _Department,
    file: Annotated[Path, typer.Argument(help="填好的 .xlsx Filled sheet")],
    *,
    officer: _Officer,
) -> None:
    """导入填好的表；有问题的行逐行说明（状态码 3）。 Take a filled sheet; bad rows are told one by one (status 3)."""
    try:
        content = file.read_bytes()
    except OSError as problem:
        raise InputError(f"文件无法读取 / cannot be read: {problem.strerror}", place=file.name) from None
    done = asyncio.run(_answers(_caller(department, officer), department, content))
    taken = done.taken
    if taken.repeated:
        typer.echo("该文件此前已导入。 This file was taken before.")
    typer.echo(
        f"办结 settled {len(taken.settled)}；不变 unchanged {len(taken.unchanged)}；矛盾 contradicted "
        f"{len(taken.contradicted)}"
    )
    for one in done.rejected:
        typer.echo(f"第{one.row}行 {one.problem.field}：{one.problem.zh} / {one.problem.en}", err=True)
    raise typer.Exit(_REJECTED if done.rejected else 0)


def _caller(department: str, officer: str) -> Caller:
    if not 1 <= len(officer) <= _LONGEST_NAME:
        raise InputError(f"须为1至{_LONGEST_NAME}字 / must be 1 to {_LONGEST_NAME} characters", place="officer")
    return Caller(officer, Role.OFFICER, department)


async def _work(caller: Caller, department: str, limit: int) -> Work:
    async with open_house() as house:
        return await download_work(house, caller, department, limit)


async def _answers(caller: Caller, department: str, content: bytes) -> SheetTaken:
    async with open_house() as house:
        return await upload_answers(house, caller, department, content)
