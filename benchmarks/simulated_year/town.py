"""The town of the simulated year: departments in the process, and the seeded pattern in which they fail.

What goes wrong is data: who, from when until when, how. Every draw hangs on the message's own key, so that the same
seed gives the same year however the days are cut into batches.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from models import MatterKind
from services.casework.answers import take_callback
from services.endpoints import register_endpoint
from services.exchange.client import Answer
from services.exchange.delivery import Target
from services.exchange.signatures import new_secret, signature_headers
from services.house import House
from services.workdays import add_workdays

FIRST_DAY, LAST_DAY = date(2014, 10, 8), date(2015, 10, 7)
MEETING = "joint-meeting"


@dataclass(frozen=True, slots=True)
class Seeded:
    """One thing that goes wrong, and the matter that must come of it."""

    department: str | None
    kind: MatterKind
    subject: str | None
    first: date
    last: date


OUTAGE = Seeded("housing-fund", MatterKind.TROUBLE, "http-503", date(2014, 12, 1), date(2014, 12, 19))
SLOW = Seeded("civil-affairs", MatterKind.LATE, None, date(2015, 2, 2), date(2015, 3, 20))
DISPUTE = Seeded("sports", MatterKind.DISPUTE, "ZB87-3.1.7e", FIRST_DAY, LAST_DAY)
UNCONNECTED = Seeded("trade-union", MatterKind.UNCONNECTED, None, FIRST_DAY, date(2014, 12, 31))
NO_RECORD = Seeded("commerce", MatterKind.UNCONFIRMED, "business_licence", date(2015, 4, 1), LAST_DAY)
TWO_WORDS = Seeded("police", MatterKind.CONTRADICTION, "residence_registered", date(2015, 5, 4), date(2015, 6, 30))
GROUND = Seeded(None, MatterKind.OTHER_GROUND, "other_ground_accepted", FIRST_DAY, LAST_DAY)
LEFT_OPEN = Seeded("health", MatterKind.CATCH_ALL, "ZB87-3.1.4e", FIRST_DAY, LAST_DAY)
SEEDED = (OUTAGE, SLOW, DISPUTE, UNCONNECTED, NO_RECORD, TWO_WORDS, GROUND, LEFT_OPEN)


@dataclass(slots=True)
class Town:
    """A client that plays every department on the day ``today``, and calls back later where it was slow. ``hit``: the
    cases that each seeded trouble met.
    """

    seed: int
    today: date = FIRST_DAY
    secret: str = field(default_factory=new_secret)
    closed: bool = False
    sent: int = 0
    later: dict[date, list[tuple[str, dict[str, Any]]]] = field(default_factory=lambda: defaultdict(list))
    hit: dict[MatterKind, set[str]] = field(default_factory=lambda: defaultdict(set))
    _numbers: Any = field(default_factory=lambda: itertools.count(1))

    async def connect(self, house: House, *departments: str) -> None:
        """Connect these departments."""
        async with house.database.write("administrator:year") as transaction:
            for department in departments:
                target = Target(department, f"https://{department}.test/webhook", (self.secret,))
                await register_endpoint(transaction, house.keys, target)

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Take one message and answer it as the day has it."""
        del headers
        department = url.removeprefix("https://").partition(".")[0]
        event = json.loads(body)
        self.sent += 1
        if department == OUTAGE.department and _on(OUTAGE, self.today):
            self.hit[OUTAGE.kind].add(_case(event))
            return Answer(503, b"", None, None, too_large=False)
        outcome = self._outcome(department, event)
        if outcome is not None and department == SLOW.department and _on(SLOW, self.today) and self._drawn(event, 0.3):
            # Past the promised ten working days, holidays or not.
            self.later[add_workdays(self.today, 12 + self._dice(event, 8))].append((department, outcome))
            self.hit[SLOW.kind].add(_case(event))
            outcome = None
        told = b"" if outcome is None else json.dumps({"outcomes": [outcome]}).encode()
        return Answer(200 if told else 202, told, None, None, too_large=False)

    async def aclose(self) -> None:
        """There is nothing to close."""

    async def call_back(self, house: House) -> None:
        """Report, signed, what is due for today."""
        for day in sorted(day for day in self.later if day <= self.today):
            for department, outcome in self.later.pop(day):
                body = json.dumps({"outcomes": [outcome]}).encode()
                message = f"back-{next(self._numbers)}"
                headers = signature_headers(message, body, (self.secret,), house.database.clock.now())
                await take_callback(house, department, headers, body)

    def _outcome(self, department: str, event: Mapping[str, Any]) -> dict[str, Any] | None:
        data = event["data"]
        if department == MEETING:
            self.hit[GROUND.kind].add(_case(event))
            return None
        if "facts" in data:
            return self._facts(department, event, [_named(one) for one in data["facts"]])
        services = {service: self._opened(department, event, service) for service in map(_named, data.get("open", []))}
        services |= {service: {"state": "ended"} for service in map(_named, data.get("withdraw", []))}
        return {"step": event["id"], "services": services} if services else {"step": event["id"], "received": True}

    def _facts(self, department: str, event: Mapping[str, Any], names: list[str]) -> dict[str, Any]:
        step = event["id"]
        unknown = department == NO_RECORD.department and names == [NO_RECORD.subject]
        if unknown and _on(NO_RECORD, self.today) and self._drawn(event, 0.3):
            self.hit[NO_RECORD.kind].add(_case(event))
            return {"step": step, "declined": {"reason": "no-record"}}
        twice = department == TWO_WORDS.department and TWO_WORDS.subject in names
        if twice and _on(TWO_WORDS, self.today) and self._drawn(event, 0.05):
            told = dict.fromkeys(names, True) | {str(TWO_WORDS.subject): False}
            self.later[add_workdays(self.today, 1)].append((department, {"step": step, "facts": told}))
            self.hit[TWO_WORDS.kind].add(_case(event))
        return {"step": step, "facts": dict.fromkeys(names, True), "authority": "经办窗口"}

    def _opened(self, department: str, event: Mapping[str, Any], service: str) -> dict[str, Any]:
        if (department, service) == (DISPUTE.department, DISPUTE.subject):
            self.hit[DISPUTE.kind].add(_case(event))
            return {"state": "declined", "reason": "not-our-duty"}
        return {"state": "in_force"}

    def _drawn(self, event: Mapping[str, Any], share: float) -> bool:
        return self._dice(event, 1_000) < share * 1_000

    def _dice(self, event: Mapping[str, Any], sides: int) -> int:
        digest = hashlib.sha256(f"{self.seed}:{event['id']}".encode()).digest()
        return int.from_bytes(digest[:4]) % sides


def _on(seeded: Seeded, day: date) -> bool:
    return seeded.first <= day <= seeded.last


def _case(event: Mapping[str, Any]) -> str:
    return str(event["subject"])


def _named(one: Any) -> str:
    return one if isinstance(one, str) else str(one.get("service") or one.get("fact") or one["name"])
