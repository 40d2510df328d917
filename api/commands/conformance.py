"""``lianban conformance``: the acceptance kit against one receiver."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import httpx
import typer
from rich.console import Console

from services.conformance.checks import Check, run_checks
from services.conformance.judging import Found
from services.conformance.kit import Kit
from services.conformance.report import Report, shown_url
from services.errors import InputError
from services.exchange.messages import MessageWriter
from services.exchange.signatures import check_secret
from services.policy.registry import default_registry

SECRET = "LIANBAN_CONFORMANCE_SECRET"  # noqa: S105 - the name of a variable, no secret
_MARKS = {"pass": "[green]✓[/]", "fail": "[red]✗[/]", "not-run": "[dim]–[/]"}


def conformance(
    url: Annotated[str, typer.Argument(help="接收地址（请用测试环境） URL of the receiver; use one that is not live")],
    *,
    secret_file: Annotated[
        Path | None, typer.Option(help=f"签名密钥文件，或者用环境变量 {SECRET}  File with the signing secret")
    ] = None,
    department: Annotated[str, typer.Option(help="以哪个部门的身份接收 Department to play it as")] = "hrss",
    batch: Annotated[int, typer.Option(min=1, max=500, help="每次接收几项 Events it takes in one call")] = 1,
    output: Annotated[Path, typer.Option("--output", "-o", help="报告文件名，不含后缀 Name of the report")] = Path(
        "conformance-report"
    ),
) -> None:
    """逐项验收一个接收接口，写出报告。 Play a receiver through every kind of message and write a report."""
    if not url.startswith(("http://", "https://")):
        raise InputError("must begin with https:// or http://", place="url")
    report = asyncio.run(_run(url, _secrets(secret_file), department, batch))
    for suffix, content in ((".md", report.to_markdown().encode()), (".json", report.to_json())):
        output.with_name(output.name + suffix).write_bytes(content)
    verdict = "符合要求 conforms" if report.conforms else "不符合要求 does not conform"
    typer.echo(f"结论 Verdict: {verdict}；报告 Report: {output}.md, {output}.json")
    if not report.conforms:
        raise typer.Exit(1)


def _secrets(file: Path | None) -> list[str]:
    """The receiver's secrets: never an argument, which every user of the machine could read."""
    try:
        text = file.read_text(encoding="utf-8") if file is not None else os.environ.get(SECRET, "")
    except OSError as problem:
        raise InputError(f"cannot be read: {problem.strerror}", place=str(file)) from None
    secrets = text.split()
    if not secrets:
        raise InputError(f"give the receiver's signing secret by --secret-file or {SECRET}", place="secret")
    for secret in secrets:
        check_secret(secret)
    return secrets


async def _run(url: str, secrets: list[str], department: str, batch: int) -> Report:
    pack = default_registry().packs[-1]
    console = Console()

    def told(check: Check, found: Found) -> None:
        console.print(f"{_MARKS[found.verdict]} {check.title.zh} {check.title.en}: {found.zh} {found.en}")

    async with httpx.AsyncClient(timeout=None, trust_env=False) as http:  # noqa: S113 - the kit bounds every call
        # The address for call-backs leads nowhere: what the receiver reports later is not part of this.
        writer = MessageWriter(pack, public_url="https://conformance.invalid")
        kit = Kit(http, url, department, secrets, pack, writer, batch)
        at = datetime.now(UTC)
        made = await run_checks(kit, told)
    name = pack.departments[department].name_on(pack.first_day).zh
    return Report(shown_url(url), department, name, at, version("lianban"), pack.code, made)
