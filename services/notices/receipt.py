"""The receipt (受理回执): that an application was taken in, who is asked what, by when it is answered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from models import CaseState
from services.access import WHOLE_CITY, Sight
from services.dossiers.dossier import Dossier, load_dossier
from services.dossiers.persons import mask_name
from services.errors import ConflictError
from services.house import House
from services.lexicon import Named
from services.notices.rights import FREE_CLAUSE, clause_words
from services.policy.answer import Need
from services.policy.pack import Clock
from services.policy.text import Text
from services.words import CASE_WORDS, CLOCK_WORDS
from services.workdays import add_workdays, roll_to_workday

_OVER = frozenset({CaseState.REFUSED, CaseState.WITHDRAWN})


@dataclass(frozen=True, slots=True)
class Term:
    """A time by which the case is to be answered: promised by us or set by law, with its source (A13)."""

    clock: Named
    by: date
    source: Text


@dataclass(frozen=True, slots=True)
class Asked:
    """What one department is asked to confirm; the applicant need bring nothing for it."""

    department: Named
    facts: tuple[Named, ...]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What one applicant is given. ``applicant`` is masked unless the receipt was opened for handing over."""

    number: str
    applicant: str
    received_on: date
    on: date
    document: str
    station: str
    district: Named
    term_asked: int
    grounds: tuple[Named, ...]
    asked: tuple[Asked, ...]
    terms: tuple[Term, ...]
    free: Named


async def read_receipt(house: House, number: str, sight: Sight = WHOLE_CITY) -> Receipt:
    """The receipt for case ``number``, the applicant's name masked.

    NotFoundError if the case is not in ``sight``; ConflictError where the application was refused or withdrawn.
    """
    async with house.database.read() as connection:
        return receipt_of(await load_dossier(connection, house, number, sight))


def receipt_of(dossier: Dossier, *, named: bool = False) -> Receipt:
    """The receipt that ``dossier`` gives. ``named``: with the whole name, which the caller must have logged."""
    case, pack, words = dossier.case, dossier.pack, dossier.lexicon
    if pack is None or case.state in _OVER:
        state = CASE_WORDS[case.state.value]
        raise ConflictError(f"the case is {state.en}; there is no receipt for it", place=dossier.number)
    name = dossier.standing.application.person.name
    return Receipt(
        number=dossier.number,
        applicant=name if named else mask_name(name),
        received_on=case.received_on,
        on=dossier.today,
        document=pack.document,
        station=case.station,
        district=words.district(case.district),
        term_asked=case.term_asked,
        grounds=tuple(words.ground(code) for code in case.grounds),
        asked=_asked(dossier),
        terms=tuple(_term(clock, case.received_on) for clock in pack.clocks_on(case.received_on)),
        free=clause_words(pack, FREE_CLAUSE),
    )


def _asked(dossier: Dossier) -> tuple[Asked, ...]:
    """Every fact that the application turns on, by the department that is asked for it, answered or not."""
    facts: dict[str, dict[str, None]] = {}
    for row in dossier.steps.values():
        for fact in row.content.get("facts", ()):
            facts.setdefault(row.department, {})[fact] = None
    for need in _open_needs(dossier):
        facts.setdefault(need.department, {})[need.fact] = None
    words = dossier.lexicon
    return tuple(
        Asked(words.department(code, dossier.today), tuple(map(words.fact, names))) for code, names in facts.items()
    )


def _open_needs(dossier: Dossier) -> tuple[Need, ...]:
    """What the permit still waits for: before the first plan was made, no step asks for it yet."""
    return () if dossier.permit is not None else dossier.decide().permit.needs


def _term(clock: Clock, received_on: date) -> Term:
    if clock.unit == "working":
        by = add_workdays(received_on, clock.days)
    else:
        by = roll_to_workday(received_on + timedelta(days=clock.days))
    return Term(Named.of(clock.code, CLOCK_WORDS[clock.code]), by, clock.source)
