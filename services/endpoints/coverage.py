"""What the policy promises and who stands behind it: each service, the department that owes it today, and its door.

A gap is a service that the person was promised and that nobody can be asked to open: the department has no endpoint, or
one that is not open to messages. What is for the public needs nobody to be asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from sqlalchemy import select

from models import Door, Endpoint, EndpointState
from services.database import table
from services.house import House
from services.lexicon import Lexicon, Named
from services.policy.explain import KIND_WORDS
from services.policy.pack import Pack, Service
from services.words import ENDPOINT_WORDS

_ENDPOINTS = table(Endpoint)

Gap = Literal["none", "draft", "closed"]


@dataclass(frozen=True, slots=True)
class Promise:
    """One service. ``asks``: what its holder must fulfil beyond the tier. ``endpoint`` is None where there is none;
    ``elsewhere``: it does not go to the endpoint but waits in the department's inbox. ``gap``: nobody can be asked.
    """

    service: Named
    clause: str
    kind: Named
    tier: Named
    asks: tuple[Named, ...]
    department: Named
    endpoint: Named | None
    door: Door | None
    elsewhere: bool
    gap: Gap | None
    settlements: tuple[Named, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """One fact that the permit or a service hangs on, the department that confirms it, and its door."""

    fact: Named
    department: Named
    endpoint: Named | None
    gap: Gap | None


@dataclass(frozen=True, slots=True)
class Coverage:
    """A pack as it is served on one day."""

    promises: tuple[Promise, ...]
    questions: tuple[Question, ...]

    @property
    def gaps(self) -> int:
        """How many services and facts have nobody behind them."""
        open_ = [one.gap for one in self.promises] + [one.gap for one in self.questions]
        return sum(gap is not None for gap in open_)


@dataclass(frozen=True, slots=True)
class _Standing:
    door: Door
    state: EndpointState
    services: frozenset[str] | None


async def read_coverage(house: House, pack: Pack) -> Coverage:
    """Who stands behind each service and each fact of ``pack`` today."""
    query = select(_ENDPOINTS.c.department, _ENDPOINTS.c.door, _ENDPOINTS.c.state, _ENDPOINTS.c.services)
    async with house.database.read() as connection:
        doors = {
            row.department: _Standing(row.door, row.state, frozenset(row.services) if row.services else None)
            for row in await connection.execute(query)
        }
    today, words = house.database.clock.today(), Lexicon(house.packs, pack)
    return Coverage(
        tuple(_promise(pack, words, service, doors, today) for service in pack.services.values()),
        tuple(_question(words, name, fact.owner_on(today), doors, today) for name, fact in pack.facts.items()),
    )


def _promise(pack: Pack, words: Lexicon, service: Service, doors: Mapping[str, _Standing], today: date) -> Promise:
    owner, public = service.owner_on(today), service.kind == "public"
    door, tier = doors.get(owner), pack.tiers[service.tier]
    elsewhere = door is not None and door.services is not None and service.id not in door.services
    return Promise(
        service=words.service(service.id),
        clause=service.clause,
        kind=Named.of(service.kind, KIND_WORDS[service.kind]),
        tier=Named.of(tier.code, tier.title),
        asks=tuple(Named.of(code, pack.conditions[code].title) for code in service.conditions),
        department=words.department(owner, today),
        endpoint=_named(door),
        door=door.door if door is not None else None,
        elsewhere=elsewhere,
        gap=None if public or elsewhere else _gap(door),
        settlements=tuple(words.clause(code) for code in service.settlements),
    )


def _question(words: Lexicon, fact: str, owner: str, doors: Mapping[str, _Standing], today: date) -> Question:
    door = doors.get(owner)
    return Question(words.fact(fact), words.department(owner, today), _named(door), _gap(door))


def _named(door: _Standing | None) -> Named | None:
    return Named.of(door.state.value, ENDPOINT_WORDS[door.state.value]) if door is not None else None


def _gap(door: _Standing | None) -> Gap | None:
    if door is None:
        return "none"
    if door.state is EndpointState.DRAFT:
        return "draft"
    return "closed" if door.state is EndpointState.CLOSED else None
