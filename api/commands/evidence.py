"""``lianban evidence``: the bundle that proves a step, and its check offline."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from services.errors import ConflictError, InputError
from services.evidence.bundle import write_bundle
from services.evidence.checking import check_bundle
from services.evidence.seal import Seal, fingerprint
from services.house import open_house
from services.settings import Settings


class _StepOrCommand(TyperGroup):
    """``lianban evidence STEP`` writes; the other commands are called by name."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the name of the command before a step."""
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            args = ["write", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_StepOrCommand,
    help="证据包：lianban evidence 协办事项编号 -o 文件  The bundle of evidence of a step",
    no_args_is_help=True,
)


@app.command()
def write(
    step: Annotated[str, typer.Argument(help="协办事项编号 Id of the step")],
    *,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="写入的文件 File to write")] = None,
) -> None:
    """写出一项的全部证据（含个人信息，妥善保管）。 Write the bundle of one step; it bears personal data."""
    bundle, key = asyncio.run(_write(step))
    path = output or Path(f"{step}.evidence.json")
    # Only its owner may read it, from the first byte on.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        os.fchmod(out.fileno(), 0o600)
        out.write(bundle)
    typer.echo(f"证据包已写入 {path}，封签公钥指纹 {key}。 Written; fingerprint of the seal's key: {key}")


async def _write(step: str) -> tuple[bytes, str]:
    async with open_house() as house:
        return await write_bundle(house, step, "operator"), fingerprint(Seal.of(house.keys).public_key)


@app.command()
def verify(
    file: Annotated[Path, typer.Argument(help="证据包 The bundle")],
    *,
    key: Annotated[
        str | None, typer.Option(help="应有的封签公钥（十六进制） Public key that must have sealed it")
    ] = None,
    secrets: Annotated[
        Path | None, typer.Option(help="部门密钥文件，每行一个，用于核对签名 File of the department's keys, one a line")
    ] = None,
) -> None:
    """离线核对证据包，任何改动都以非零状态结束。 Check a bundle offline; any altered byte ends it with an error."""
    given = _read(secrets).decode(errors="replace").split() if secrets is not None else ()
    finding = check_bundle(_read(file), public_key=key, secrets=given)
    if finding.problems:
        raise ConflictError("; ".join(finding.problems), place=file.name)
    typer.echo(f"证据包完好：{finding.step}（{finding.state}），封签公钥指纹 {finding.fingerprint}。 The bundle holds.")
    for note in finding.notes:
        typer.echo(f"  · {note}")


@app.command()
def key() -> None:
    """显示本系统封签公钥，供他人事先记录。 Show this installation's public key, for others to note beforehand."""
    public = Seal.of(Settings().keys).public_key
    typer.echo(f"{public}\n指纹 Fingerprint: {fingerprint(public)}")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as problem:
        raise InputError(f"cannot be read: {problem.strerror}", place=path.name) from None
