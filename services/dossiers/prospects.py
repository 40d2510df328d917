"""Every service of the policy for one person: whether it is due, why or why not, from when, and how it stands.

What the engine says today beside what was opened. Where the two differ, a step is on its way between them.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

from sqlalchemy import Row

from models import EntitlementState
from services.access import WHOLE_CITY, Sight
from services.dossiers.dossier import Dossier, load_dossier
from services.house import House
from services.lexicon import Named
from services.policy.answer import Entitlement
from services.policy.explain import KIND_WORDS, STATE_WORDS, explain_needs, failing_words
from services.policy.text import Text
from services.words import ENTITLEMENT_WORDS


@dataclass(frozen=True, slots=True)
class Prospect:
    """One service. ``answer`` is what the engine says today, ``stands`` how it was opened, None if it never was.

    ``from_on`` and ``until_on`` are None unless it is granted, upcoming or for all. ``why``: the clauses that decided
    it; ``lacks``: the conditions that are false, or who has still to confirm what. Both are kept from who sees one
    department's share only, since they may tell what others confirmed.
    """

    service: Named
    clause: str
    department: Named
    kind: Named
    answer: Named
    from_on: date | None
    until_on: date | None
    stands: Named | None
    declined: Named | None
    why: tuple[Named, ...]
    lacks: Text | None


async def read_prospects(house: House, number: str, sight: Sight = WHOLE_CITY) -> tuple[Prospect, ...]:
    """The services of the case's policy, in the order of the text, as far as they are in ``sight``.

    Nothing where no policy covers the day of receipt (A16). NotFoundError if the case is not in ``sight``.
    """
    async with house.database.read() as connection:
        dossier = await load_dossier(connection, house, number, sight)
    return prospects(dossier)


def prospects(dossier: Dossier) -> tuple[Prospect, ...]:
    """The same, of a case that was read already."""
    if dossier.pack is None:
        return ()
    standing: dict[str, list[Row[Any]]] = defaultdict(list)
    for row in dossier.entitlements:
        standing[row.service].append(row)
    found = []
    for answer in dossier.decide().entitlements.values():
        # While a service changes hands it stands at two departments: told is where the holder has it.
        where = [row for row in standing[answer.service] if dossier.shows(row.department)]
        here = max(where, key=partial(_weight, answer.department)) if where else None
        department = here.department if here is not None else answer.department
        if dossier.shows(department):
            found.append(_prospect(dossier, answer, department, here))
    return tuple(found)


def _weight(owner: str, row: Row[Any]) -> tuple[bool, bool, bool]:
    ended = row.state is EntitlementState.ENDED
    return row.state is EntitlementState.IN_FORCE, not ended, row.department == owner


def _prospect(dossier: Dossier, answer: Entitlement, department: str, row: Row[Any] | None) -> Prospect:
    words, service = dossier.lexicon, dossier.lexicon.book.services[answer.service]
    state, reason = (row.state.value, row.reason) if row is not None else (None, None)
    return Prospect(
        service=words.service(answer.service),
        clause=service.clause,
        department=words.department(department, dossier.today),
        kind=Named.of(answer.kind, KIND_WORDS[answer.kind]),
        answer=Named.of(answer.state, STATE_WORDS[answer.state]),
        from_on=answer.first_day,
        until_on=answer.last_day,
        stands=Named.of(state, ENTITLEMENT_WORDS[state]) if state is not None else None,
        declined=words.reason(reason) if reason and state == "declined" else None,
        why=tuple(words.clause(code) for code in answer.because) if dossier.whole else (),
        lacks=_lacks(dossier, answer) if dossier.whole else None,
    )


def _lacks(dossier: Dossier, answer: Entitlement) -> Text | None:
    pack = dossier.lexicon.book
    if answer.needs:
        needs = explain_needs(pack, answer.needs, dossier.today)
        return Text(f"待确认：{needs.zh}", f"to be confirmed: {needs.en}")
    if answer.fails:
        failing = [failing_words(pack, code) for code in answer.fails]
        return Text("须" + "、".join(one.zh for one in failing), "asks: " + ", ".join(one.en for one in failing))
    return None
