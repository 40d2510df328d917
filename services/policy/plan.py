"""A pack compiled for deciding: services that ask the same are judged once, and owners are looked up once.

The 78 services of the first pack ask only some twenty different things, so a decision judges twenty
*profiles* and writes 78 answers. Owners change on dated days; between two such days lies an *era*, in which
every department is a constant.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from services.policy.answer import Need
from services.policy.conditions import FactHolds, Standing, Timed
from services.policy.dates import FOREVER

if TYPE_CHECKING:
    from services.policy.pack import Pack, Service, Tier


@dataclass(frozen=True, slots=True)
class Profile:
    """What one or more services ask: tier, conditions and reasons. Numbers are places in the plan's tuples.

    ``replaced_in`` is the tier whose start takes the services' place (A9), None for most. ``reasons`` are the
    settlements that bear on a service granted, upcoming or unknown.
    """

    public: bool
    tier: int
    standing: tuple[int, ...]
    timed: tuple[int, ...]
    facts: frozenset[str]
    replaced_in: int | None
    reasons: tuple[str, ...]


class Member(NamedTuple):
    """One service in one era: who owes it then, and which profile answers for it."""

    service: str
    kind: str
    department: str
    profile: int


@dataclass(frozen=True, slots=True)
class Era:
    """The days from one handover to the next: every service with its owner, every fact with its department."""

    members: tuple[Member, ...]
    needs: dict[str, Need]

    def needs_for(self, facts: frozenset[str] | set[str]) -> tuple[Need, ...]:
        """Return these facts, in the order of the contract, each with the department that confirms it."""
        if not facts:
            return ()
        return tuple(need for fact, need in self.needs.items() if fact in facts)


@dataclass(frozen=True, slots=True)
class Plan:
    """A compiled pack. ``handovers`` are the ordinals on which an era begins, but for the first."""

    tiers: tuple[Tier, ...]
    standing: tuple[Standing, ...]
    timed: tuple[Timed, ...]
    profiles: tuple[Profile, ...]
    handovers: tuple[int, ...]
    eras: tuple[Era, ...]

    def era(self, day: int) -> Era:
        """Return the era in which the ordinal ``day`` lies."""
        return self.eras[bisect_right(self.handovers, day)]

    def next_handover(self, day: int) -> int:
        """Return the first ordinal after ``day`` on which some service or fact changes hands, else FOREVER."""
        place = bisect_right(self.handovers, day)
        return self.handovers[place] if place < len(self.handovers) else FOREVER


def compile_plan(pack: Pack) -> Plan:
    """Compile a pack that has passed its checks."""
    conditions = pack.conditions.values()
    standing = tuple(each for each in conditions if isinstance(each, Standing))
    timed = tuple(each for each in conditions if isinstance(each, Timed))
    tiers = tuple(pack.tiers.values())
    profiles: dict[Profile, int] = {}
    places = {
        service.id: profiles.setdefault(_profile(pack, service, tiers, standing, timed), len(profiles))
        for service in pack.services.values()
    }
    days = _handovers(pack)
    return Plan(
        tiers=tiers,
        standing=standing,
        timed=timed,
        profiles=tuple(profiles),
        handovers=tuple(day.toordinal() for day in days),
        eras=tuple(_era(pack, places, day) for day in (pack.first_day, *days)),
    )


def _profile(
    pack: Pack,
    service: Service,
    tiers: tuple[Tier, ...],
    standing: tuple[Standing, ...],
    timed: tuple[Timed, ...],
) -> Profile:
    asked = [pack.conditions[code] for code in service.conditions]
    tier = pack.tiers[service.tier]
    bearing = {*chain.from_iterable(each.settlements for each in asked), *tier.settlements, *service.settlements}
    replacing = {pack.services[each].tier for each in service.replaced_by}
    return Profile(
        public=service.kind == "public",
        tier=tiers.index(tier),
        standing=tuple(standing.index(each) for each in asked if isinstance(each, Standing)),
        timed=tuple(timed.index(each) for each in asked if isinstance(each, Timed)),
        facts=frozenset(each.fact for each in asked if isinstance(each, FactHolds)),
        replaced_in=tiers.index(pack.tiers[replacing.pop()]) if replacing else None,
        reasons=tuple(code for code in pack.settlements if code in bearing),
    )


def _handovers(pack: Pack) -> list[date]:
    """The days, after the pack's first, on which the owner of a service or a fact changes."""
    owners = chain((service.owner for service in pack.services.values()), (fact.owner for fact in pack.facts.values()))
    return sorted({first_day for owner in owners for first_day, _ in owner.lines[1:]})


def _era(pack: Pack, places: dict[str, int], day: date) -> Era:
    return Era(
        members=tuple(
            Member(service.id, service.kind, service.owner_on(day), places[service.id])
            for service in pack.services.values()
        ),
        needs={fact.name: Need(fact.name, fact.owner_on(day)) for fact in pack.facts.values()},
    )
