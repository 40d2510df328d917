"""``lianban demo``: the main job once, start to finish, on this machine, with nothing left running."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from api.demo.run import Demo, Journal
from api.system.installation import prepare_database
from api.system.programs import free_port
from api.system.whole import Ports
from services.settings import Settings

_FOLDER = Path(".lianban/demo")


def demo(
    *,
    again: Annotated[bool, typer.Option(help="从头再来 Start over even if a demo was interrupted")] = False,
) -> None:
    """演示：导入 200 份申请，核验、发证、开通，再过一年。 200 applications to services opened, then a year on."""
    journal = Journal(_FOLDER / "demo.json")
    if again or journal.finished:
        shutil.rmtree(_FOLDER, ignore_errors=True)
        journal = Journal(_FOLDER / "demo.json")
    ports = Ports(free_port(), free_port(), free_port())
    settings = Settings(
        data_dir=_FOLDER, database_url="", prefect_api_url=ports.prefect_url, public_url=ports.api_url, simulate=True
    )
    prepare_database(settings)
    asyncio.run(Demo(settings, ports, journal, Console()).run())
