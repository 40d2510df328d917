"""The rights notice (权益告知书): what this holder has, what comes when, and that it is free (ZB87-4.3).

It is made from the same decision that opens the services, so it can never promise anything else. Services are listed by
the department to turn to, because that is where the holder goes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from models import EntitlementState
from services.access import WHOLE_CITY, Sight
from services.dossiers.dossier import Dossier, load_dossier
from services.dossiers.persons import mask_name
from services.errors import ConflictError
from services.house import House
from services.lexicon import Lexicon, Named
from services.policy.answer import Entitlement
from services.policy.pack import Pack
from services.policy.text import Text

FREE_CLAUSE = "A14"
_STANDS = frozenset({EntitlementState.IN_FORCE, EntitlementState.WITHDRAWING})


@dataclass(frozen=True, slots=True)
class Right:
    """One service: its title and where the text has it. ``opened``: the department confirmed that it is open;
    ``awarded``: the holder may apply and the department decides (A7)."""

    service: Named
    clause: str
    opened: bool
    awarded: bool


@dataclass(frozen=True, slots=True)
class Desk:
    """The services for which the holder turns to one department."""

    department: Named
    rights: tuple[Right, ...]


@dataclass(frozen=True, slots=True)
class Coming:
    """Services that come by themselves on the day ``on``, without another application."""

    on: date
    desks: tuple[Desk, ...]


@dataclass(frozen=True, slots=True)
class RightsNotice:
    """What one holder is told. ``holder`` is masked unless the notice was opened for handing over.

    ``has`` holds today, ``coming`` in the order of days, ``waiting`` until a department has confirmed what it alone
    knows, ``for_all`` with or without a permit. ``not_met`` counts services whose conditions the holder does not meet
    now. ``guarantees`` are those of 三, opening.
    """

    number: str
    holder: str
    on: date
    document: str
    title: Text
    station: str
    district: Named
    term_years: int
    valid_from: date
    valid_until: date
    has: tuple[Desk, ...]
    coming: tuple[Coming, ...]
    waiting: tuple[Desk, ...]
    for_all: tuple[Right, ...]
    not_met: int
    guarantees: tuple[Named, ...]
    free: Named

    @property
    def count(self) -> int:
        """How many services the holder has today, those for all not counted."""
        return sum(len(desk.rights) for desk in self.has)


async def read_rights_notice(house: House, number: str, sight: Sight = WHOLE_CITY) -> RightsNotice:
    """The notice for the holder of case ``number``, as of today, the holder's name masked.

    NotFoundError if the case is not in ``sight``; ConflictError while no permit was issued, or when it has ended.
    """
    async with house.database.read() as connection:
        return notice_of(await load_dossier(connection, house, number, sight))


def notice_of(dossier: Dossier, *, named: bool = False) -> RightsNotice:
    """The notice that ``dossier`` gives. ``named``: with the holder's whole name, which the caller must have logged."""
    permit, pack = dossier.permit, dossier.pack
    if permit is None or pack is None:
        raise ConflictError("no permit was issued on this case yet; the notice comes with it", place=dossier.number)
    answer = dossier.decide()
    if answer.permit.outcome != "in-force":
        raise ConflictError("the permit is not in force; there are no rights to tell of", place=dossier.number)
    name = dossier.standing.application.person.name
    sorted_out = _Sorting(dossier, pack, dossier.lexicon, tuple(answer.entitlements.values()))
    return RightsNotice(
        number=dossier.number,
        holder=name if named else mask_name(name),
        on=dossier.today,
        document=pack.document,
        title=pack.title,
        station=dossier.case.station,
        district=dossier.lexicon.district(dossier.case.district),
        term_years=permit.term_years,
        valid_from=permit.valid_from,
        valid_until=permit.valid_until,
        has=sorted_out.desks("granted"),
        coming=sorted_out.coming(),
        waiting=sorted_out.desks("unknown"),
        for_all=tuple(sorted_out.right(one) for one in sorted_out.of("public")),
        not_met=len(sorted_out.of("unmet")),
        guarantees=tuple(clause_words(pack, code) for code in pack.guarantees),
        free=clause_words(pack, FREE_CLAUSE),
    )


@dataclass(frozen=True, slots=True)
class _Sorting:
    """The entitlements of one answer, sorted by what the holder does with them."""

    dossier: Dossier
    pack: Pack
    words: Lexicon
    entitlements: tuple[Entitlement, ...]

    def of(self, state: str) -> list[Entitlement]:
        return [one for one in self.entitlements if one.state == state]

    def desk(self, one: Entitlement) -> str:
        """Where the holder goes: while the service changes hands, to the department that has it open."""
        open_at = {
            row.department
            for row in self.dossier.entitlements
            if row.service == one.service and row.state is EntitlementState.IN_FORCE
        }
        return one.department if one.department in open_at else min(open_at, default=one.department)

    def right(self, one: Entitlement) -> Right:
        stands = {row.service for row in self.dossier.entitlements if row.state in _STANDS}
        return Right(
            self.words.service(one.service),
            self.pack.services[one.service].clause,
            one.service in stands,
            one.kind == "assess",
        )

    def desks(self, state: str) -> tuple[Desk, ...]:
        return self._by_department(self.of(state))

    def coming(self) -> tuple[Coming, ...]:
        days: dict[date, list[Entitlement]] = defaultdict(list)
        for one in self.of("upcoming"):
            if one.first_day is not None:
                days[one.first_day].append(one)
        return tuple(Coming(day, self._by_department(days[day])) for day in sorted(days))

    def _by_department(self, several: Iterable[Entitlement]) -> tuple[Desk, ...]:
        shares: dict[str, list[Right]] = defaultdict(list)
        for one in several:
            shares[self.desk(one)].append(self.right(one))
        return tuple(
            Desk(self.words.department(code, self.dossier.today), tuple(rights))
            # Where most is to be had stands first.
            for code, rights in sorted(shares.items(), key=lambda share: -len(share[1]))
        )


def clause_words(pack: Pack, code: str) -> Named:
    """A clause or settlement in its own words, without its place in the text."""
    clause = pack.clauses.get(code)
    return Named.of(code, clause.text if clause is not None else pack.settlements.get(code, Text(code, code)))
