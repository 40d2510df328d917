"""Departments in the process itself: they answer messages as a test tells them to, and remember what they were sent."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from typing import Any

from services.casework.advance import Progress, advance
from services.casework.answers import Taken, take_callback
from services.casework.deliveries import deliver_steps
from services.endpoints import close_endpoint, register_endpoint
from services.exchange.client import Answer
from services.exchange.delivery import Target
from services.exchange.signatures import new_secret, signature_headers
from services.house import House
from services.ledger.cases import Claim, claim_ready, claim_review, release

# More rounds than any case needs: one that goes on longer goes on for ever.
_ROUNDS = 8

SECRET = new_secret()


class Departments:
    """A client that plays every department.

    ``facts``: what is true (by default everything asked is); None: no answer yet. ``declines``: service to reason.
    ``says``: service to whatever its department answers about it, be it asked to open or to withdraw.
    ``silent``: departments that only acknowledge (202); ``failing``: department to status.
    """

    def __init__(self) -> None:
        self.facts: dict[str, bool | None] = {}
        self.declines: dict[str, str] = {}
        self.says: dict[str, dict[str, Any]] = {}
        self.silent: set[str] = set()
        self.failing: dict[str, int] = {}
        self.sent: list[dict[str, Any]] = []
        self.closed = False
        self._numbers = itertools.count(1)

    async def connect(self, house: House) -> None:
        """Connect every department of the packs."""
        async with house.database.write("administrator:test") as transaction:
            for department in {code for pack in house.packs.packs for code in pack.departments}:
                target = Target(department, f"https://{department}.test/webhook", (SECRET,))
                await register_endpoint(transaction, house.keys, target)

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Take one message and answer it."""
        del headers
        department = url.removeprefix("https://").partition(".")[0]
        event = json.loads(body)
        self.sent.append(event)
        if department in self.failing:
            return Answer(self.failing[department], b"", None, None, too_large=False)
        outcome = None if department in self.silent else self._outcome(event)
        told = b"" if outcome is None else json.dumps({"outcomes": [outcome]}).encode()
        return Answer(200 if told else 202, told, None, None, too_large=False)

    async def aclose(self) -> None:
        """There is nothing to close."""

    async def disconnect(self, house: House, department: str) -> None:
        """Close one department's endpoint, as a 410 or an administrator does."""
        async with house.database.write("administrator:test") as transaction:
            await close_endpoint(transaction, department, "closed by a test")

    async def call_back(self, house: House, number: str, department: str) -> list[Taken]:
        """Have a department report, signed and one by one, on all it was ever sent about a case."""
        return [
            await self.report(house, department, outcome)
            for event in self.sent
            if _concerns(event, number, department) and (outcome := self._outcome(event)) is not None
        ]

    async def report(self, house: House, department: str, *outcomes: Mapping[str, Any]) -> Taken:
        """Have a department call back with ``outcomes``."""
        body = json.dumps({"outcomes": outcomes}).encode()
        message = f"back-{next(self._numbers)}"
        headers = signature_headers(message, body, (SECRET,), house.database.clock.now())
        return await take_callback(house, department, headers, body)

    def _outcome(self, event: Mapping[str, Any]) -> dict[str, Any] | None:
        data = event["data"]
        if "facts" in data:
            told = {fact: self.facts.get(fact, True) for fact in _names(data["facts"])}
            known = {fact: value for fact, value in told.items() if value is not None}
            return {"step": event["id"], "facts": known, "authority": "经办窗口"} if known else None
        services = {service: self._opened(service) for service in _names(data.get("open", []))}
        services |= {service: {"state": "ended"} for service in _names(data.get("withdraw", []))}
        services |= {service: said for service, said in self.says.items() if service in services}
        return {"step": event["id"], "services": services} if services else {"step": event["id"], "received": True}

    def _opened(self, service: str) -> dict[str, Any]:
        reason = self.declines.get(service)
        return {"state": "declined", "reason": reason} if reason else {"state": "in_force"}


def _concerns(event: Mapping[str, Any], number: str, department: str) -> bool:
    step = str(event["id"])
    return step.startswith(f"{number}-") and step.rpartition("-")[0].endswith(f"-{department}")


def _names(listed: Any) -> list[str]:
    return [
        one if isinstance(one, str) else str(one.get("service") or one.get("fact") or one["name"]) for one in listed
    ]


async def work(house: House, *numbers: str) -> Progress:
    """Take cases as far as they go, as a batch of the flows does; what the last look found."""
    for _ in range(_ROUNDS):
        progress = await advance(house.database, house.caseworker, numbers, "dispatch")
        if not progress.steps:
            return progress
        await deliver_steps(house, "dispatch", cases=numbers, wake_cases=False)
    raise AssertionError(f"cases still want steps after {_ROUNDS} rounds: {dict(progress.steps)}")


async def dispatch(house: House) -> list[str]:
    """Take up every case that is ready, and send what is due, until nothing is left; the cases taken up."""
    taken: list[str] = []
    for _ in range(_ROUNDS):
        async with house.database.write("dispatch") as transaction:
            claim = await claim_ready(transaction, house.database.clock.now(), 400, 90.0)
        await _work_on(house, claim)
        taken += claim.numbers
        if not claim.numbers and not (await deliver_steps(house, "dispatch")).sent:
            return taken
    raise AssertionError(f"still not quiet after {_ROUNDS} rounds")


async def reconcile(house: House) -> list[str]:
    """What time alone changed by today, dealt with as the daily flow does; the cases it took up."""
    taken: list[str] = []
    for _ in range(_ROUNDS):
        clock = house.database.clock
        async with house.database.write("reconcile") as transaction:
            claim = await claim_review(transaction, clock.today(), clock.now(), 400, 90.0)
        if not claim.numbers:
            return taken
        await _work_on(house, claim)
        taken += claim.numbers
    raise AssertionError(f"reconcile finds the same cases again: {taken[-5:]}")


async def _work_on(house: House, claim: Claim) -> None:
    if claim.numbers:
        await work(house, *claim.numbers)
        async with house.database.write("dispatch") as transaction:
            await release(transaction, claim)
