"""``lianban migrate``: the database in the shape this version expects."""

from __future__ import annotations

import typer

from services.migration import upgrade
from services.settings import Settings


def migrate() -> None:
    """建立或升级数据库。 Create or upgrade the database."""
    upgrade(Settings().dsn)
    typer.echo("数据库已是最新。 The database is up to date.")
