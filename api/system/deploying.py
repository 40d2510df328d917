"""What must stand at Prefect: the work pool and the deployments of ``prefect.yaml``. Made, and made again when lost.

A Prefect server that comes back with an empty database knows nothing of us; a keeper looks every few seconds and
deploys again. Several may look at once, since deploying twice changes nothing.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import yaml

from api.system.prefect_api import PrefectApi
from services.errors import LianbanError, UnavailableError
from services.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
POOL = "lianban"
PREFECT = (sys.executable, "-m", "prefect", "--no-prompt")
LOOK_SECONDS = 5.0

Run = Callable[[str, Sequence[str]], Awaitable[None]]


def declared() -> frozenset[str]:
    """The names of the deployments that ``prefect.yaml`` declares. UnavailableError outside of a checkout."""
    file = ROOT / "prefect.yaml"
    if not file.exists():
        raise UnavailableError("prefect.yaml is missing; run from a checkout of the project", place=str(ROOT))
    return frozenset(one["name"] for one in yaml.safe_load(file.read_text(encoding="utf-8"))["deployments"])


async def deploy(run: Run) -> None:
    """Make the work pool and the deployments, or bring them up to date; ``run`` runs a program to its end."""
    declared()
    await run("work-pool", [*PREFECT, "work-pool", "create", POOL, "--type", "process", "--overwrite"])
    await run("deploy", [*PREFECT, "deploy", "--all", "--prefect-file", str(ROOT / "prefect.yaml")])


class Keeper:
    """Sees to it that Prefect knows our deployments, and that a dispatcher starts after they had to be made."""

    def __init__(self, settings: Settings, run: Run, tell: Callable[[str], None]) -> None:
        self._prefect = PrefectApi(settings.prefect_api_url, settings.prefect_auth)
        self._run, self._tell = run, tell
        self._wanted = declared()
        self._away = False

    async def close(self) -> None:
        """Give back connections."""
        await self._prefect.close()

    async def look(self) -> bool:
        """One look: deploy if anything is missing; whether that was so. UnavailableError while Prefect is away."""
        if await self._prefect.knows(POOL, self._wanted):
            return False
        await self.deploy()
        return True

    async def deploy(self) -> None:
        """Deploy, and start a dispatcher for what came in meanwhile: nobody could be woken."""
        await deploy(self._run)
        await self._prefect.start_run("dispatch/dispatch")

    async def keep(self, *, at_start: bool = False) -> None:
        """Look for ever. ``at_start``: deploy once whatever stands, so that a new version takes effect."""
        if at_start:
            await self._patiently(self._deploy_once)
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self._patiently(self._look_once, once=True)

    async def _deploy_once(self) -> None:
        await self._prefect.knows(POOL, self._wanted)
        await self.deploy()
        self._tell("部署已登记 deployments registered")

    async def _look_once(self) -> None:
        if await self.look():
            self._tell("Prefect 缺少部署，已重新登记 deployments were missing and are registered again")

    async def _patiently(self, act: Callable[[], Awaitable[None]], *, once: bool = False) -> None:
        """Do ``act``; while Prefect is away, say so one time and try again (``once``: leave it at one try)."""
        while True:
            try:
                await act()
            except LianbanError as problem:
                if not self._away:
                    self._tell(f"Prefect 无法登记，等待恢复 Prefect cannot be looked after, waiting ({problem})")
                self._away = True
            else:
                if self._away:
                    self._tell("Prefect 已恢复 Prefect answers again")
                self._away = False
                return
            if once:
                return
            await asyncio.sleep(LOOK_SECONDS)
