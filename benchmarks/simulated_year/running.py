"""The year, day by day: what comes in, what is sent, what time changes, what the meeting settles."""

from __future__ import annotations

import time as wall
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any
from unittest.mock import patch

from sqlalchemy import event

from api.demo.people import Population
from benchmarks.simulated_year import recount, scorecards
from benchmarks.simulated_year.office import Office
from benchmarks.simulated_year.town import FIRST_DAY, LAST_DAY, SEEDED, SLOW, UNCONNECTED, Seeded, Town
from models import Matter, MatterState, MeetingState
from services.casework import deliveries
from services.casework.advance import advance
from services.casework.deliveries import deliver_steps
from services.clock import Clock
from services.house import House
from services.intake.application import Application
from services.intake.register import Registry
from services.ledger.cases import Claim, claim_ready, claim_review, release
from services.meetings.preparing import prepare
from services.revisions.looking import look_through
from services.settings import Settings
from services.supervision.supervise import supervise
from services.workdays import is_workday

_DAY = timedelta(days=1)
_BATCH = 400
# What was piled up goes out at its endpoint's rate: time goes on between two looks, and each look is worth that long.
_ROUND = timedelta(seconds=5)
_ROUNDS = 240


@dataclass(slots=True)
class Year:
    """What the year came to: figures, each held against a recount as it was made."""

    cases: int = 0
    meetings: int = 0
    days_compared: int = 0
    agendas_compared: int = 0
    resolutions: dict[str, int] = field(default_factory=dict)
    matters: dict[str, int] = field(default_factory=dict)
    met: dict[str, int] = field(default_factory=dict)
    effects: dict[str, int] = field(default_factory=dict)
    unfinished: int = 0
    charged_hours: float = 0.0
    scorecards_compared: int = 0
    contested: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0


class Simulation:
    """One year of ``count`` cases with a ``seed``; ``first`` and ``last`` cut it short for a test. ``tell`` is told of
    each meeting how far the year is.
    """

    def __init__(
        self, settings: Settings, count: int, seed: int = 87, first: date = FIRST_DAY, last: date = LAST_DAY,
        tell: Callable[[str], object] = str,
    ) -> None:  # fmt: skip
        self.count, self.first, self.last = count, first, last
        self.instant = _at(first, 2)
        self.town = Town(seed, first)
        self.house = House(settings, Clock(source=lambda: self.instant))
        _throw_away(self.house)
        self.coming = _spread(count, seed, first, last)
        self.year = Year()
        self.connected = False
        self.tell = tell
        self._started = wall.perf_counter()

    @property
    def seconds(self) -> float:
        """How long it has taken so far."""
        return wall.perf_counter() - self._started

    async def run(self) -> Year:
        """Live through it. AssertionError where the meeting and the recount differ."""
        try:
            with patch.object(deliveries, "shared_client", lambda: self.town):
                everybody = {code for pack in self.house.packs.packs for code in pack.departments}
                await self.town.connect(self.house, *sorted(everybody - {UNCONNECTED.department}))
                office = await Office.open(self.house, self.town)
                day = self.first
                while day <= self.last:
                    await self._live(day, office)
                    day += _DAY
                await self._sum_up(office)
        finally:
            await self.house.close()
        self.year.seconds = round(self.seconds, 1)
        return self.year

    async def _live(self, day: date, office: Office) -> None:
        self.town.today = day
        self.instant = _at(day, 2)
        if day > UNCONNECTED.last and not self.connected:
            await self.town.connect(self.house, UNCONNECTED.department or "")
            self.connected = True
        if applications := self.coming.get(day):
            await self._register(applications)
        if not is_workday(day):
            return
        await look_through(self.house, "reconcile")
        await self.town.call_back(self.house)
        await self._work()
        await prepare(self.house)
        await self._compare()
        held = await office.hold_todays()
        self.year.meetings += held
        if held:
            self.tell(f"{day}: {self.year.meetings} meetings, {self.year.cases} cases, {self.seconds:.0f} s")
        if held or await office.ask_again():
            self.instant = _at(day, 8)
            await self._work()
            await prepare(self.house)

    async def _register(self, applications: list[Application]) -> None:
        registry = Registry(self.house.database, self.house.keys, self.house.packs)
        answers = await registry.register(applications, "clerk:year")
        self.year.cases += sum(answer.number is not None for answer in answers)

    async def _work(self) -> None:
        """Take up what is ready and what time changed, and send what is due, until nothing is left."""
        for _ in range(_ROUNDS):
            await supervise(self.house)
            async with self.house.database.write("dispatch") as transaction:
                claim = await claim_ready(transaction, self.instant, _BATCH, 90.0)
            await self._advance(claim)
            async with self.house.database.write("reconcile") as transaction:
                today = self.house.database.clock.today()
                review = await claim_review(transaction, today, self.instant, _BATCH, 90.0)
            await self._advance(review)
            sent = (await deliver_steps(self.house, "dispatch")).sent
            if not claim.numbers and not review.numbers and not sent:
                return
            self.instant += _ROUND

    async def _advance(self, claim: Claim) -> None:
        if claim.numbers:
            await advance(self.house.database, self.house.caseworker, claim.numbers, "dispatch")
            async with self.house.database.write("dispatch") as transaction:
                await release(transaction, claim)

    async def _compare(self) -> None:
        """The matters that stand are those that the ledger's rows, recounted, say must stand; and those that no meeting
        has settled are on the agenda of the one that is called today.
        """
        expected = await recount.expected_matters(self.house, connected=self.connected)
        standing = await recount.standing_matters(self.house)
        assert standing == expected, (self.town.today, standing ^ expected)
        self.year.days_compared += 1
        open_ = await recount.standing_matters(self.house, MatterState.OPEN)
        for listed, elsewhere in await recount.agendas_of_today(self.house):
            assert listed == (expected & open_) - elsewhere, (self.town.today, listed ^ (expected & open_))
            self.year.agendas_compared += 1

    async def _sum_up(self, office: Office) -> None:
        year = self.year
        on_agendas = {point.matter.id for meeting in office.held for point in meeting.agenda}
        assert all(meeting.meeting.state.code == MeetingState.CLOSED for meeting in office.held)
        matters = await recount.rows_of(self.house, Matter)
        for row in matters:
            name = f"{row.kind.value}:{row.state.value}"
            year.matters[name] = year.matters.get(name, 0) + 1
            if row.state is MatterState.DONE:
                assert row.id in on_agendas, row.id
        for seeded in SEEDED:
            met = self.town.hit.get(seeded.kind, set())
            year.met[seeded.kind.value] = len(met)
            if met and self._had_time(seeded):
                mine = [row for row in matters if row.kind is seeded.kind and row.department == seeded.department]
                assert any(row.id in on_agendas for row in mine), seeded
        for resolution in await recount.rows_of(self.house, recount.Resolution):
            action = resolution.action["kind"] if resolution.action else "by a department"
            name = f"{action}:{resolution.state.value}"
            year.resolutions[name] = year.resolutions.get(name, 0) + 1
        year.effects = await recount.effects(self.house)
        year.unfinished = len(await recount.unfinished(self.house))
        counted, whole = await recount.charged(self.house)
        assert counted == year.cases
        year.contested = asdict(office.contested)
        year.charged_hours = round(whole / timedelta(hours=1), 1)
        year.scorecards_compared = await scorecards.compare(self.house, self.first, self.last)
        if self.town.hit.get(SLOW.kind):
            on_time, settled = await recount.closed_on_time(self.house, SLOW.department or "")
            assert on_time < settled
            assert (await recount.cards(self.house))[SLOW.department or ""]["red"] > 0

    def _had_time(self, seeded: Seeded) -> bool:
        """Whether the year went on long enough after the trouble began for it to reach a meeting."""
        return seeded.first + timedelta(days=45) <= self.last


def _throw_away(house: House) -> None:
    """The year is thrown away at its end: SQLite need not wait for the disk."""
    engine = house.database.engine.sync_engine
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _hurry)


def _hurry(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous=OFF")
    cursor.close()


def _spread(count: int, seed: int, first: date, last: date) -> dict[date, list[Application]]:
    """``count`` applications over the working days, each handed in on its own day."""
    draw = Random(seed)  # noqa: S311 - the same year again, not unguessable
    days = [day for day in _days(first, last) if is_workday(day)]
    population = Population(seed)
    found: dict[date, list[Application]] = {}
    for number in range(count):
        day = draw.choice(days)
        told: dict[str, Any] = {"term_years": 3, "grounds": ("other",)} if draw.random() < 0.03 else {}
        found.setdefault(day, []).append(population.application(f"Y{seed}-{number:06d}", day, **told))
    return found


def _days(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first += _DAY


def _at(day: date, hour: int) -> datetime:
    """An hour of that day (UTC; eight more in Zibo)."""
    return datetime.combine(day, time(hour), UTC)
