"""``lianban backup`` and ``lianban restore``: the whole installation in one file, and back."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Annotated

import typer

from services.clock import CHINA
from services.settings import Settings
from services.upkeep.backup import Backup, back_up, new_passphrase
from services.upkeep.backup import restore as put_back

VARIABLE = "LIANBAN_BACKUP_PASSPHRASE"
_JSON = Annotated[bool, typer.Option("--json", help="输出 JSON  Print JSON")]


def backup(
    file: Annotated[Path, typer.Argument(help="要写入的文件 File to write")],
    *,
    keys: Annotated[
        bool,
        typer.Option("--keys", help=f"连同密钥，用口令加封（{VARIABLE}） With the keys, sealed by a passphrase"),
    ] = False,
    as_json: _JSON = False,
) -> None:
    """不停机备份整套系统到一个文件。 Back the installation up into one file, without a stop."""
    passphrase = os.environ.get(VARIABLE) if keys else None
    made = None
    if keys and not passphrase:
        passphrase = made = new_passphrase()
    taken = asyncio.run(back_up(Settings(), file, passphrase))
    if as_json:
        typer.echo(json.dumps(_members(taken) | ({"passphrase": made} if made else {}), ensure_ascii=False))
        return
    typer.echo(f"已备份到 {file}（{taken.size:,} 字节），审计链 {taken.entries} 条。 Backed up, chain included.")
    if made:
        typer.echo(f"口令（只显示一次，另行保管） Passphrase, shown once, to be kept elsewhere: {made}")
    elif not taken.keys:
        typer.echo(
            "密钥不在备份中，须另行保管；没有密钥，个人信息无法打开。 The keys are not in it: keep a copy of the key "
            "ring elsewhere, for without it nothing personal opens."
        )


def restore(
    file: Annotated[Path, typer.Argument(help="备份文件 The back-up")],
    *,
    as_json: _JSON = False,
) -> None:
    """把备份恢复到空的数据目录，先核对审计链。 Restore into an empty data folder; the audit chain is checked first."""
    settings = Settings()
    taken = asyncio.run(put_back(settings, file, os.environ.get(VARIABLE)))
    missing = not settings.keys_path.exists()
    if as_json:
        typer.echo(json.dumps(_members(taken) | {"keys_missing": missing}, ensure_ascii=False))
        return
    typer.echo(
        f"已恢复 {taken.taken_at.astimezone(CHINA):%Y-%m-%d %H:%M} 的备份，审计链完整，共 {taken.entries} 条。 "
        f"Restored; the chain holds: {taken.entries} entries."
    )
    if missing:
        typer.echo(
            f"密钥不在备份中：启动之前先放回 {settings.keys_path}。 The keys were not in it: put the key ring back "
            f"before you start."
        )


def _members(taken: Backup) -> dict[str, object]:
    return {
        "taken_at": taken.taken_at.isoformat(),
        "source": taken.source,
        "entries": taken.entries,
        "keys": taken.keys,
        "size": taken.size,
    }
