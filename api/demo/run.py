"""The demonstration: everything real, on this machine, from a file of applications to services opened, a year on.

Interrupted, it goes on where it stopped: the journal says which part is done, the ledger what is left of it.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn

from api.commands.bring_in import import_applications, show_report
from api.demo.meeting import hold_meeting, show_outcome
from api.demo.report import show_figures, show_where_next
from api.system.installation import asked_departments, connect_sandbox, sandbox_secrets
from api.system.prefect_api import PrefectApi
from api.system.programs import Programs, programs
from api.system.whole import Ports, Sandbox, environment, start_api, start_prefect, start_sandbox
from services.dossiers.figures import Figures, figures
from services.house import House, open_house
from services.ledger.cases import cases_wanted
from services.ledger.steps import steps_due
from services.settings import Settings
from services.simulation import move_clock

APPLICATIONS = Path(__file__).with_name("applications.csv")
FIRST_DAY, MEETING_DAY, A_YEAR_ON = date(2014, 11, 4), date(2014, 11, 25), date(2015, 11, 4)
# One department drops a fifth of its calls and one is slow, as some always are.
FAULTS = ("sports:error=503@0.1", "housing-fund:slow=300")
_WAITING = frozenset({"due", "sending"})
_QUIET_SECONDS = 4.0
# Longer than claims last, and than it takes until the next dispatcher comes by schedule.
_STILL_SECONDS = 120.0
_SOON = timedelta(seconds=15)


class Journal:
    """Which parts of a demonstration are done, kept in its folder."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._done: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}

    @property
    def finished(self) -> bool:
        """Whether the demonstration came to its end."""
        return "finished" in self._done

    @property
    def begun(self) -> bool:
        """Whether an earlier one was interrupted."""
        return bool(self._done) and not self.finished

    def has(self, part: str) -> bool:
        """Whether ``part`` is done."""
        return part in self._done

    def done(self, part: str) -> None:
        """Remember that ``part`` is done."""
        self._done[part] = True
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text(json.dumps(self._done), encoding="utf-8")


class Demo:
    """One demonstration."""

    def __init__(self, settings: Settings, ports: Ports, journal: Journal, console: Console) -> None:
        self.settings, self.ports, self.journal, self.console = settings, ports, journal, console
        self.prefect = PrefectApi(ports.prefect_url)

    async def run(self) -> None:
        """Start the system, do the work, show what came of it, stop the system."""
        started = time.monotonic()
        if self.journal.begun:
            self.console.print("接着上次中断处继续。 Going on where the last demo stopped.")
        async with programs(environment(self.settings, self.ports), self.settings.data_dir / "logs") as running:
            async with open_house(self.settings) as house:
                await self._start(house, running)
                up = time.monotonic()
                await self._first_day(house)
                await self._meeting(house)
                await self._a_year_on(house)
                self.journal.done("finished")
                seconds = time.monotonic() - started
                self._head("结果 What came of it")
                async with house.database.read() as connection:
                    show_figures(await figures(connection), house, self.console)
                self.console.print(
                    f"用时 {seconds:.0f} 秒，其中启动 {up - started:.0f} 秒。"
                    f" {seconds:.0f} s in all, {up - started:.0f} s of them starting up."
                )
                await show_where_next(house, self.console)
            await self.prefect.close()

    async def _start(self, house: House, running: Programs) -> None:
        folder = self.settings.data_dir
        with self.console.status("启动数据库、沙盒部门、接口和 Prefect…… Starting everything"):
            if not self.journal.has("clock"):
                await move_clock(house.database, self.settings, FIRST_DAY)
                self.journal.done("clock")
            departments = asked_departments(house.packs.packs[0], FIRST_DAY)
            secrets = sandbox_secrets(folder / "sandbox.json", departments)
            sandbox = Sandbox(APPLICATIONS, folder / "sandbox.json", folder / "sandbox.db", FAULTS)
            await start_sandbox(running, self.ports, sandbox)
            await connect_sandbox(house, self.ports.sandbox_url, secrets)
            await start_api(running, self.ports)
            await start_prefect(running, self.ports)

    async def _first_day(self, house: House) -> None:
        self._head(f"{house.database.clock.today():%Y 年 %m 月 %d 日}：导入申请 Applications come in")
        # Its own copy: the list of rows sent back is written beside the file.
        file = self.settings.data_dir / APPLICATIONS.name
        file.write_bytes(APPLICATIONS.read_bytes())
        show_report(await import_applications(house, file), self.console)
        if not self.journal.has("first-day"):
            self._head("核验、决定、发证、开通 Verify, decide, issue, open services")
            await self._work(house, "dispatch/dispatch", {"linger_seconds": 10})
            self.journal.done("first-day")

    async def _meeting(self, house: House) -> None:
        """Three weeks on, what nobody could settle comes before the joint meeting, which settles it."""
        if self.journal.has("meeting"):
            return
        if not self.journal.has("meeting-day"):
            await move_clock(house.database, self.settings, MEETING_DAY)
            self.journal.done("meeting-day")
        self._head(f"{MEETING_DAY:%Y 年 %m 月 %d 日}：联席会议 The joint meeting")
        settled = await hold_meeting(house, self.console)
        if settled is not None:
            await self._work(house, "dispatch/dispatch", {"linger_seconds": 5})
            await show_outcome(house, settled, self.console)
        self.journal.done("meeting")

    async def _a_year_on(self, house: House) -> None:
        if not self.journal.has("year"):
            await move_clock(house.database, self.settings, A_YEAR_ON)
            self.journal.done("year")
        self._head(f"一年以后：{A_YEAR_ON:%Y 年 %m 月 %d 日}逐日核对 A year on: reconcile")
        await self._work(house, "reconcile/reconcile", {})

    async def _work(self, house: House, deployment: str, parameters: dict[str, Any]) -> None:
        """Have Prefect run a deployment, and show how the steps go until everything that can settle has settled."""
        run = await self.prefect.start_run(deployment, parameters)
        with Progress(
            SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn(),
            console=self.console,
        ) as progress:  # fmt: skip
            bar = progress.add_task("协办事项 Steps", total=None)

            def show(now: Figures) -> None:
                total = sum(sum(states.values()) for states in now.steps.values())
                left = sum(
                    count for states in now.steps.values() for state, count in states.items() if state in _WAITING
                )
                cases = "  ".join(f"{state} {count}" for state, count in now.cases.items())
                progress.update(bar, total=total or None, completed=total - left, description=cases or "……")

            ended = asyncio.create_task(self.prefect.wait_for(run))
            try:
                await self._settle(house, ended, show)
            except BaseException:
                # Interrupted: nobody is left to hear how that run ends.
                ended.cancel()
                raise
        state = await ended
        if state != "COMPLETED":
            self.console.print(f"[yellow]{deployment}: {state}[/]，其余由下一次调度接办 the next dispatcher goes on")

    async def _settle(self, house: House, ended: asyncio.Task[str], show: Callable[[Figures], None]) -> None:
        """Wait until the run has ended and nothing has moved for some seconds: late answers come by call-back."""
        last, since = None, time.monotonic()
        while True:
            async with house.database.read() as connection:
                now = await figures(connection)
                # A second retry comes after five minutes: that one is reported, not waited for.
                soon = await steps_due(connection, house.database.clock.now() + _SOON)
                # Also what an interrupted demo still held: it comes back when the claims on it run out.
                soon = soon or await cases_wanted(connection)
            show(now)
            if (now.cases, now.steps) != last:
                last, since = (now.cases, now.steps), time.monotonic()
            quiet = time.monotonic() - since
            if ended.done() and (quiet > _STILL_SECONDS or (not soon and quiet > _QUIET_SECONDS)):
                return
            await asyncio.sleep(0.5)

    def _head(self, words: str) -> None:
        self.console.print()
        self.console.rule(f"[bold]{words}", align="left")
