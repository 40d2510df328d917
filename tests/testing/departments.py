"""Departments in the process itself: they answer messages as a test tells them to, and remember what they were sent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from services.casework.advance import advance
from services.casework.deliveries import deliver_steps
from services.endpoints import register_endpoint
from services.exchange.client import Answer
from services.exchange.delivery import Target
from services.exchange.signatures import new_secret
from services.house import House

SECRET = new_secret()


class Departments:
    """A client that plays every department.

    ``facts``: what is true (by default everything asked is); None: no answer yet. ``declines``: service to reason.
    ``silent``: departments that only acknowledge (202); ``failing``: department to status.
    """

    def __init__(self) -> None:
        self.facts: dict[str, bool | None] = {}
        self.declines: dict[str, str] = {}
        self.silent: set[str] = set()
        self.failing: dict[str, int] = {}
        self.sent: list[dict[str, Any]] = []
        self.closed = False

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

    def _outcome(self, event: Mapping[str, Any]) -> dict[str, Any] | None:
        data = event["data"]
        if "facts" in data:
            told = {fact: self.facts.get(fact, True) for fact in _names(data["facts"])}
            known = {fact: value for fact, value in told.items() if value is not None}
            return {"step": event["id"], "facts": known, "authority": "经办窗口"} if known else None
        services = {service: self._opened(service) for service in _names(data.get("open", []))}
        services |= {service: {"state": "ended"} for service in _names(data.get("withdraw", []))}
        return {"step": event["id"], "services": services} if services else {"step": event["id"], "received": True}

    def _opened(self, service: str) -> dict[str, Any]:
        reason = self.declines.get(service)
        return {"state": "declined", "reason": reason} if reason else {"state": "in_force"}


def _names(listed: Any) -> list[str]:
    return [
        one if isinstance(one, str) else str(one.get("service") or one.get("fact") or one["name"]) for one in listed
    ]


async def work(house: House, *numbers: str) -> None:
    """Take cases as far as they go: advance and deliver, as the flows do."""
    for _ in range(3):
        await advance(house.database, house.caseworker, numbers, "dispatch")
        await deliver_steps(house, "dispatch", cases=numbers)
    await advance(house.database, house.caseworker, numbers, "dispatch")
