"""``lianban keep``: sees to it that Prefect knows the flows, also after it lost its database. One is enough, several do
no harm.
"""

from __future__ import annotations

import asyncio

import typer

from api.system.deploying import Keeper
from api.system.programs import programs
from services.settings import Settings


def keep() -> None:
    """看护 Prefect：登记工作池和部署，丢失后自动补登。 Registers work pool and deployments, and again when lost."""
    asyncio.run(_keep(Settings()))


async def _keep(settings: Settings) -> None:
    told = {"PREFECT_API_URL": settings.prefect_api_url, "PREFECT_API_AUTH_STRING": settings.prefect_auth}
    async with programs({name: value for name, value in told.items() if value}, settings.data_dir / "logs") as running:
        keeper = Keeper(settings, running.run, typer.echo)
        try:
            await keeper.keep(at_start=True)
        finally:
            await keeper.close()
