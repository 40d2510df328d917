"""``lianban notice``: what applicants and holders are handed on paper."""

from __future__ import annotations

import asyncio
import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from api.commands.operator import administrator
from services.house import open_house
from services.notices.documents import chinese_fonts, to_pdf
from services.notices.handing import hand_over_receipt, hand_over_rights


class Kind(StrEnum):
    """Which notice."""

    RIGHTS = "rights"
    RECEIPT = "receipt"


def notice(
    number: Annotated[str, typer.Argument(help="办件编号 Case number")],
    *,
    kind: Annotated[Kind, typer.Option(help="权益告知书或者受理回执 Which notice")] = Kind.RIGHTS,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="写入的文件 File to write")] = None,
) -> None:
    """打印权益告知书或者受理回执（PDF，一页）。 Print the rights notice or the receipt; opening the name is logged."""
    path = output or Path(f"{number}.{kind.value}.pdf")
    pdf = asyncio.run(_make(number, kind))
    # Only its owner may read it, from the first byte on.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        out.write(pdf)
    typer.echo(str(path))


async def _make(number: str, kind: Kind) -> bytes:
    hand_over = hand_over_rights if kind is Kind.RIGHTS else hand_over_receipt
    chinese_fonts()
    async with open_house() as house:
        return to_pdf(await hand_over(house, await administrator(house), number))
