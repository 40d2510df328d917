"""``lianban audit``: the chain of audit entries: check it, read it, carry it away."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from models import Role
from services.access import Caller
from services.audit import ChainReport, verify_chain
from services.clock import CHINA
from services.errors import ConflictError
from services.evidence.seal import fingerprint
from services.house import open_house
from services.upkeep.audit_file import Written, check_audit_file, export_audit
from services.upkeep.audit_log import MAX_PAGE, AuditFilter, AuditPage, read_audit

app = typer.Typer(help="审计日志 The audit log", no_args_is_help=True)
_OPERATOR = Caller("operator", Role.ADMINISTRATOR)


@app.callback()
def _group() -> None:
    """审计日志 The audit log."""


@app.command()
def verify(
    *,
    file: Annotated[
        Path | None, typer.Option(help="离线核对导出的文件 Check an exported file, without a database")
    ] = None,
    key: Annotated[
        str | None, typer.Option(help="应有的封签公钥（十六进制） Public key that must have sealed the file")
    ] = None,
) -> None:
    """核对审计链，指出第一处不符。 Check the chain and name the first broken entry."""
    if file is not None:
        _verify_file(file, key)
        return
    report = asyncio.run(_verify())
    if report.broken_at is not None:
        raise ConflictError(
            f"{report.problem}; {report.entries} entries before it hold", place=f"entry {report.broken_at}"
        )
    typer.echo(f"审计链完整，共 {report.entries} 条。 The chain holds: {report.entries} entries.")


@app.command()
def export(file: Annotated[Path, typer.Argument(help="要写入的文件 File to write (JSON Lines)")]) -> None:
    """导出整个审计链并加封签，可离线核对。 Write the whole chain to a file, sealed; anybody can check it offline."""
    written = asyncio.run(_export(file))
    typer.echo(
        f"已导出 {written.entries} 条到 {file}，封签公钥指纹 {written.fingerprint}。 "
        f"{written.entries} entries written; fingerprint of the seal's key: {written.fingerprint}"
    )


@app.command(name="list")
def list_(
    *,
    subject: Annotated[str | None, typer.Option(help="办件编号或者 system  A case's number, or `system`")] = None,
    actor: Annotated[str | None, typer.Option(help="操作人，或者“角色:”  Who, or `role:`")] = None,
    action: Annotated[str | None, typer.Option(help="操作，或者“类别.”  What, or `kind.`")] = None,
    before: Annotated[int | None, typer.Option(min=1, help="上页末尾序号 Number at which the last page ended")] = None,
    limit: Annotated[int, typer.Option(min=1, max=MAX_PAGE, help="条数 How many")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON  Print JSON")] = False,
) -> None:
    """查看审计日志，最新的在前；查看本身也记入日志。 Read the log, the newest first; that you did is noted, too."""
    page = asyncio.run(_list(AuditFilter(subject, actor, action), before, limit))
    if as_json:
        items = [
            {name: getattr(one, name) for name in one.__slots__} | {"at": one.at.isoformat()} for one in page.items
        ]
        typer.echo(json.dumps({"items": items, "next": page.next}, ensure_ascii=False))
        return
    shown = Table("序号 No.", "时间 At", "操作人 Who", "操作 What", "对象 Subject", "内容 Detail")
    for one in page.items:
        at = f"{one.at.astimezone(CHINA):%Y-%m-%d %H:%M:%S}"
        detail = json.dumps(dict(one.detail), ensure_ascii=False)
        shown.add_row(str(one.sequence), at, one.actor, one.action, one.subject, detail)
    Console().print(shown)
    if page.next is not None:
        typer.echo(f"下一页 Next page: --before {page.next}")


async def _verify() -> ChainReport:
    async with open_house() as house, house.database.read() as connection:
        return await verify_chain(connection)


async def _export(file: Path) -> Written:
    async with open_house() as house:
        return await export_audit(house, file, "operator")


async def _list(wanted: AuditFilter, before: int | None, limit: int) -> AuditPage:
    async with open_house() as house:
        return await read_audit(house, _OPERATOR, wanted, before=before, limit=limit)


def _verify_file(file: Path, key: str | None) -> None:
    finding = check_audit_file(file, key)
    if finding.problem is not None:
        raise ConflictError(
            f"{finding.problem}; {finding.entries} entries before it hold", place=f"{file.name} line {finding.line}"
        )
    mark = fingerprint(finding.public_key or "")
    typer.echo(
        f"审计链完整，共 {finding.entries} 条，来自 {finding.source}，封签公钥指纹 {mark}。 "
        f"The chain holds: {finding.entries} entries."
    )
    if key is None:
        typer.echo(
            "未核对封签公钥；用 --key 指定事先记下的公钥。 Give --key to know that it is this installation's seal."
        )
