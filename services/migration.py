"""Bringing a database to the shape that this version of the software expects."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, make_url, text

import models
from services.database import Database


def _config(dsn: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(models.__file__).parent / "migrations"))
    config.set_main_option("sqlalchemy.url", dsn.replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def upgrade(dsn: str) -> None:
    """Create or upgrade the database at ``dsn``. Runs its own event loop: call it outside of one."""
    url = make_url(dsn)
    if url.get_backend_name() == "sqlite" and url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    command.upgrade(_config(dsn), "head")


async def is_current(database: Database) -> bool:
    """Whether the database has the newest shape."""
    newest = ScriptDirectory.from_config(_config(database.dsn)).get_current_head()
    async with database.read() as connection:
        if not await connection.run_sync(lambda plain: inspect(plain).has_table("alembic_version")):
            return False
        found = (await connection.execute(text("SELECT version_num FROM alembic_version"))).scalar_one_or_none()
    return bool(found == newest)
