"""``lianban audit``: the chain of audit entries."""

from __future__ import annotations

import asyncio

import typer

from services.audit import ChainReport, verify_chain
from services.errors import ConflictError
from services.house import open_house

app = typer.Typer(help="审计日志 The audit log", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """审计日志 The audit log."""


@app.command()
def verify() -> None:
    """核对审计链，指出第一处不符。 Check the chain and name the first broken entry."""
    report = asyncio.run(_verify())
    if report.broken_at is not None:
        raise ConflictError(
            f"{report.problem}; {report.entries} entries before it hold", place=f"entry {report.broken_at}"
        )
    typer.echo(f"审计链完整，共 {report.entries} 条。 The chain holds: {report.entries} entries.")


async def _verify() -> ChainReport:
    async with open_house() as house, house.database.read() as connection:
        return await verify_chain(connection)
