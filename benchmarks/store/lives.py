"""Some lives of permits, lived by the system itself: from 2014-10-08 to a last day in 2018, day after day.

Everything goes through the rooms that do it in service: intake, advancing, claims, messages, recording. Only the
departments are played, and nothing leaves the process. What these cases leave in the database is then copied
(``copies``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from random import Random

import orjson

from api.demo.knowledge import what_is_known
from api.demo.people import Population
from services.casework.advance import advance
from services.casework.claims import Wanted, claim_consignments
from services.casework.recordings import Recording
from services.casework.watch import Watch
from services.clock import Clock
from services.exchange.client import Answer
from services.exchange.delivery import attempt
from services.house import House
from services.intake.fixture import Fixture, read_fixture
from services.intake.register import Registry
from services.ledger.cases import claim_ready, claim_review, release

FIRST_DAY, LAST_DAY = date(2014, 10, 8), date(2018, 11, 28)
_ACTOR = "dispatch"
# Receipts of the last days are partly still under way; earlier ones were answered long ago.
_UNDER_WAY = timedelta(days=30)
_DAYS_APART = 5
_PHASES = 6


class Departments:
    """Departments as a client of the exchange reaches them: they answer at once what they were told to know."""

    def __init__(self, seed: int) -> None:
        self.known: dict[str, Fixture] = {}
        self.late = False
        self._draw = Random(seed)  # noqa: S311 - made-up answers

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """The answer of any department to one event."""
        del url, headers
        if self.late and self._draw.random() < 0.004:
            return Answer(503, b'{"error":"busy"}', "600", None, too_large=False)
        event = orjson.loads(body)["data"]
        outcome = self._outcome(event, self.known[event["case"]])
        if not outcome or (self.late and self._draw.random() < 0.012):
            return Answer(202, b"", None, None, too_large=False)
        answer = {"outcomes": [{"step": event["step"], **outcome}]}
        return Answer(200, orjson.dumps(answer), None, None, too_large=False)

    async def aclose(self) -> None:
        """Nothing is open."""

    def _outcome(self, event: Mapping[str, object], known: Fixture) -> dict[str, object]:
        if "facts" in event:
            told = {name: known.fact(name) for name in event["facts"]}  # type: ignore[attr-defined]
            if not self.late:
                told = {name: "yes" if answer == "later" else answer for name, answer in told.items()}
                told = {name: "no" if answer == "never" else answer for name, answer in told.items()}
            facts = {name: answer == "yes" for name, answer in told.items() if answer in ("yes", "no")}
            return {"facts": facts, "authority": "业务系统"} if facts else {}
        services: dict[str, object] = {}
        for item in event.get("open", ()):  # type: ignore[attr-defined]
            answer = known.service(item["service"])
            declined = answer.removeprefix("decline:") if answer.startswith("decline:") else None
            services[item["service"]] = (
                {"state": "declined", "reason": declined} if declined else {"state": "in_force", "from": item["from"]}
            )
        for item in event.get("withdraw", ()):  # type: ignore[attr-defined]
            services[item["service"]] = {"state": "ended"}
        return {"services": services} if services else {"received": True}


def receipts(lives: int) -> Iterator[tuple[date, int]]:
    """Working days on which ``lives`` applications come in, and how many on each: even over the years, and a tenth of
    them in the last month, of which some are under way at the end.
    """
    recent = [LAST_DAY - timedelta(days=back) for back in range(25) if (LAST_DAY - timedelta(days=back)).weekday() < 5]
    long_ago = max(1, lives * 9 // 10)
    days = min(long_ago, (recent[-1] - FIRST_DAY).days // _DAYS_APART)
    past = Counter(FIRST_DAY + timedelta(days=place * days // long_ago * _DAYS_APART) for place in range(long_ago))
    late = Counter(recent[place % len(recent)] for place in range(lives - long_ago))
    yield from sorted((past + late).items())


def _ten_o_clock(day: date) -> Clock:
    at = datetime.combine(day, time(2, 0), UTC)
    return Clock(source=lambda: at)


async def live_through(house: House, lives: int, seed: int) -> None:
    """Let ``lives`` applications come in over the years, each worked on the day it comes and on every day on which
    its answer changes. The house's clock is left on ``LAST_DAY``.
    """
    people, departments = Population(seed), Departments(seed)
    registry = Registry(house.database, house.keys, house.packs)
    for day, count in receipts(lives):
        house.database.clock = _ten_o_clock(day)
        departments.late = day > LAST_DAY - _UNDER_WAY
        await work_reviews(house, departments)
        applications = [people.application(f"L{seed}-{day:%Y%m%d}-{place:04d}", day) for place in range(count)]
        texts = [what_is_known(application, people.draw) for application in applications]
        for one, text in zip(await registry.register(applications, "import"), texts, strict=True):
            departments.known[one.number or ""] = read_fixture(text)
        await _work(house, departments)
    house.database.clock = _ten_o_clock(LAST_DAY)
    departments.late = False
    await work_reviews(house, departments)


async def _work(house: House, departments: Departments) -> None:
    now, seconds = house.database.clock.now(), house.settings.lease_seconds
    async with house.database.write(_ACTOR) as transaction:
        claim = await claim_ready(transaction, now, 2_000, seconds)
    if claim.numbers:
        await _see_through(house, departments, claim.numbers)
        async with house.database.write(_ACTOR) as transaction:
            await release(transaction, claim)


async def work_reviews(house: House, departments: Departments) -> None:
    """What ``reconcile`` does, batch after batch, until nothing more changes on the day."""
    clock, seconds = house.database.clock, house.settings.lease_seconds
    while True:
        async with house.database.write("reconcile") as transaction:
            claim = await claim_review(transaction, clock.today(), clock.now(), 2_000, seconds)
        if not claim.numbers:
            return
        await _see_through(house, departments, claim.numbers)
        async with house.database.write("reconcile") as transaction:
            await release(transaction, claim)


async def _see_through(house: House, departments: Departments, numbers: Sequence[str]) -> None:
    for _ in range(_PHASES):
        progress = await advance(house.database, house.caseworker, numbers, _ACTOR, lease_seconds=60)
        if not progress.steps:
            return
        consignments = await claim_consignments(house, _ACTOR, Wanted(None, numbers, 10_000), ())
        recording = Recording(house, _ACTOR, consignments, Watch(wakes=False))
        results = [
            await attempt(departments, one.target, (message,), house.database.clock.now)
            for one in consignments
            for message in one.messages
        ]
        if results:
            await recording.flush(results)
