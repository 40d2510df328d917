"""A running system to look at: real departments over HTTP, a real database, the HTTP door, and people who sign in."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx

from api.commands.bring_in import import_applications
from api.demo.run import APPLICATIONS
from api.system.installation import rehearsal_accounts
from api.system.whole import start_api
from services.simulation import move_clock
from tests.testing.servers import Installation, PrefectServer, installation

DAY = date(2014, 11, 4)
FRIDAY = 4
# One department turns down some of what it is sent, and one forgets some of it.
FAULTS = ("sports:error=400@0.4", "justice:forget@0.2")


@dataclass(slots=True)
class Town:
    """The system and the passwords of its people, by role."""

    system: Installation
    passwords: Mapping[str, str]

    @property
    def url(self) -> str:
        """Where the console is."""
        return self.system.ports.api_url

    async def mend(self, department: str, **behaviour: Any) -> None:
        """Have a sandbox department behave otherwise, by default well."""
        async with httpx.AsyncClient(trust_env=False) as client:
            url = f"{self.system.ports.sandbox_url}/departments/{department}/behaviour"
            (await client.put(url, json=behaviour)).raise_for_status()

    async def dispatch(self, seconds: int = 1) -> None:
        """Do what waits, as a worker would."""
        await self.system.run_flows(f"dispatch(linger_seconds={seconds})")


@asynccontextmanager
async def running_town(folder: Path, prefect: PrefectServer, rows: int) -> AsyncIterator[Town]:
    """A town in which the first ``rows`` applications of the demonstration were worked on."""
    async with installation(folder, prefect, DAY) as system:
        await system.start_sandbox(APPLICATIONS, FAULTS)
        accounts = await rehearsal_accounts(system.house)
        town = Town(system, {one.account.caller.role.value: one.password for one in accounts})
        (folder / "passwords.json").write_text(json.dumps(dict(town.passwords)), encoding="utf-8")
        await start_api(system.running, system.ports)
        await bring_in(town, 0, rows)
        await town.dispatch(4)
        yield town


async def bring_in(town: Town, first: int, count: int) -> None:
    """Hand in ``count`` applications of the demonstration, from the ``first`` on (0: the very first)."""
    head, *rows = APPLICATIONS.read_text(encoding="utf-8").splitlines(keepends=True)
    sheet = town.system.folder / f"applications-{first}.csv"
    sheet.write_text("".join([head, *rows[first : first + count]]), encoding="utf-8")
    await import_applications(town.system.house, sheet)


async def live_on(town: Town, first: int, last: int, days: int) -> None:
    """Let ``days`` pass, on each of which some of the applications ``first`` to ``last`` come in."""
    day, step = town.system.house.database.clock.today(), -(-(last - first) // days)
    for place in range(first, last, step):
        # Offices are shut at weekends, and so there is something to be late with.
        day += timedelta(days=3 if day.weekday() == FRIDAY else 1)
        await move_clock(town.system.house.database, town.system.house.settings, day)
        await bring_in(town, place, min(step, last - place))
        await town.system.run_flows("reconcile()", "dispatch(linger_seconds=2)")


async def go_to(town: Town, day: date) -> None:
    """Let time pass until ``day``, and reconcile."""
    await move_clock(town.system.house.database, town.system.house.settings, day)
    await town.system.run_flows("reconcile()", "dispatch(linger_seconds=4)")
