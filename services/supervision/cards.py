"""Cards (黄牌 / 红牌): dealt once a cause, to who has custody, and contested or lifted on record.

``look`` takes the clocks that want a look today, by an indexed day, so that its cost follows what is due and not what
is stored. Each clock is reckoned anew before a card is dealt: a deadline that a stop moved deals none.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite

from models import (
    Card,
    CardCause,
    CardColour,
    CardState,
    Case,
    Entitlement,
    EntitlementState,
    Holder,
    Step,
    StepState,
)
from services.clock import china_day
from services.database import Transaction, among, is_postgresql, table
from services.house import House
from services.ledger.steps import UNEXPLAINED
from services.supervision.charging import US, Charged, Charges, charge, custody
from services.supervision.deadlines import yellow_on
from services.supervision.histories import load_histories, step_times
from services.supervision.running import (
    CaseClocks,
    case_clocks,
    moved,
    note_moved,
    step_clocks,
    write_clocks,
)
from services.supervision.terms import Terms, case_limits, load_terms

_CARDS, _STEPS, _CASES, _ENTITLEMENTS = table(Card), table(Step), table(Case), table(Entitlement)
_ACTOR = "supervise"
_PAGE = 500
_DAY = timedelta(days=1)
_REFUSED = (EntitlementState.DECLINED, EntitlementState.WITHDRAWING)


@dataclass(slots=True)
class Dealt:
    """What a pass came to: cards by colour."""

    yellow: int = 0
    red: int = 0


@dataclass(frozen=True, slots=True)
class _Due:
    """A card that is due. ``step`` is None for one on the case as a whole."""

    colour: CardColour
    cause: CardCause
    to: Charged
    case_number: str
    district: str
    step: str | None
    due_on: date | None

    def row(self, transaction: Transaction) -> dict[str, Any]:
        subject = self.step or self.case_number
        key = f"{subject}|{self.cause.value}|{self.colour.value}|{self.to.holder.value}"
        return {
            "cause_key": key,
            "colour": self.colour,
            "cause": self.cause,
            "state": CardState.STANDING,
            "holder": self.to.holder,
            "department": self.to.department,
            "district": self.district,
            "case_number": self.case_number,
            "step_id": self.step,
            "due_on": self.due_on,
            "dealt_at": transaction.at,
        }


@dataclass(slots=True)
class _Looked:
    """What one page of looks found: the steps and cases looked at, and the cards that are due."""

    ids: list[str] = field(default_factory=list)
    cards: list[_Due] = field(default_factory=list)


async def look(house: House) -> Dealt:
    """Look at every clock that is due for it, and deal what cards are due. Safe to repeat, and side by side."""
    dealt = Dealt()
    for page in (_look_at_steps, _look_at_cases):
        while await _any(house, _STEPS if page is _look_at_steps else _CASES):
            async with house.database.write(_ACTOR) as transaction:
                terms = await load_terms(transaction.connection, house.database.clock)
                looked = await page(house, transaction, terms)
                for card in await _deal(transaction, looked.cards):
                    dealt.yellow += card.colour is CardColour.YELLOW
                    dealt.red += card.colour is CardColour.RED
            if len(looked.ids) < _PAGE:
                break
    return dealt


async def _any(house: House, source: Any) -> bool:
    # Nothing is written, and nobody is held up, where nothing is due.
    today = house.database.clock.today()
    query = select(source.c.look_on).where(source.c.look_on <= today).limit(1)
    async with house.database.read() as connection:
        return (await connection.execute(query)).first() is not None


async def _look_at_steps(house: House, transaction: Transaction, terms: Terms) -> _Looked:
    connection = transaction.connection
    query = select(_STEPS.c.id).where(_STEPS.c.look_on <= terms.today).order_by(_STEPS.c.look_on, _STEPS.c.id)
    if is_postgresql(connection):
        query = query.with_for_update(skip_locked=True)
    ids = list((await connection.execute(query.limit(_PAGE))).scalars())
    # Seen once; a clock that still runs is given its next day below.
    await connection.execute(update(_STEPS).where(among(connection, _STEPS.c.id, ids)).values(look_on=None))
    cards = await _unexplained(transaction, ids)
    clocks = await step_clocks(connection, house, terms, among(connection, _STEPS.c.id, ids))
    await write_clocks(transaction, clocks, ())
    note_moved(transaction, list(moved(clocks, ())), "looked-at")
    times = await step_times(connection, [one.row for one in clocks])
    for one in clocks:
        if one.due is None or (colour := _colour(terms, one.start, one.days, "working", one.due)) is None:
            continue
        outages = terms.outages.get(one.row.department, ())
        held = custody(times[one.row.id], transaction.at, outages)
        to = held[-1][1] if held else US
        cards.append(_Due(colour, CardCause.OWN, to, one.row.case_number, one.row.district, one.row.id, one.due))
    return _Looked(ids, cards)


async def _unexplained(transaction: Transaction, ids: Collection[str]) -> list[_Due]:
    """Red cards for refusals, of a step or of one of its services, that give no reason."""
    connection = transaction.connection
    answered = _STEPS.c.state.in_((StepState.DECLINED, StepState.DONE))
    mine = select(_STEPS).where(among(connection, _STEPS.c.id, ids), answered)
    rows = {row.id: row for row in await connection.execute(mine)}
    of_services = select(_ENTITLEMENTS.c.step_id).where(
        among(connection, _ENTITLEMENTS.c.case_number, {row.case_number for row in rows.values()}),
        _ENTITLEMENTS.c.state.in_(_REFUSED),
        _ENTITLEMENTS.c.reason == UNEXPLAINED,
    )
    refused = {step for (step,) in await connection.execute(of_services)}
    refused |= {row.id for row in rows.values() if row.reason == UNEXPLAINED}
    return [
        _Due(
            CardColour.RED, CardCause.UNEXPLAINED, Charged(Holder.DEPARTMENT, row.department), row.case_number,
            row.district, row.id, None,
        )
        for row in rows.values()
        if row.id in refused
    ]  # fmt: skip


async def _look_at_cases(house: House, transaction: Transaction, terms: Terms) -> _Looked:
    connection = transaction.connection
    query = select(_CASES.c.number).where(_CASES.c.look_on <= terms.today).order_by(_CASES.c.look_on, _CASES.c.number)
    if is_postgresql(connection):
        query = query.with_for_update(skip_locked=True)
    numbers = list((await connection.execute(query.limit(_PAGE))).scalars())
    await connection.execute(update(_CASES).where(among(connection, _CASES.c.number, numbers)).values(look_on=None))
    clocks = await case_clocks(connection, house, terms, transaction.at, among(connection, _CASES.c.number, numbers))
    await write_clocks(transaction, (), clocks)
    note_moved(transaction, list(moved((), clocks)), "looked-at")
    due = {one.row.number: found for one in clocks if (found := _case_colours(house, terms, one))}
    histories = await load_histories(connection, due)
    carded = await _carded(transaction, due)
    cards: list[_Due] = []
    for one in clocks:
        for cause, colour, day in due.get(one.row.number, ()):
            charges = charge(histories[one.row.number], transaction.at, terms.calendar, terms.outages)
            to = _answerable(charges)
            # A department that has its card for a step is dealt no second one for the same time.
            if to.department is None or (one.row.number, to.department, colour) not in carded:
                cards.append(_Due(colour, cause, to, one.row.number, one.row.district, None, day))
    return _Looked(numbers, cards)


def _case_colours(house: House, terms: Terms, one: CaseClocks) -> list[tuple[CardCause, CardColour, date]]:
    if one.stopped:
        return []
    start, found = china_day(one.row.accepted_at), []
    for code, limit in case_limits(house.caseworker.pack(one.row.pack), one.row.received_on).items():
        day = one.columns[f"{code}_by"]
        colour = _colour(terms, start, limit.days, limit.unit, day)
        if colour is not None:
            found.append((CardCause(code), colour, day))
    return found


def _colour(terms: Terms, start: date, days: int, unit: Any, due: date) -> CardColour | None:
    if terms.today > due:
        return CardColour.RED
    return CardColour.YELLOW if terms.today >= yellow_on(start, days, unit, due, terms.calendar) else None


def _answerable(charges: Charges) -> Charged:
    """Who answers for a case as a whole: the one charged most of its time, if it has the case now; else we."""
    most = max(charges.shares, key=lambda who: (charges.shares[who].wall, who[0], who[1] or ""), default=US)
    return most if most in charges.custody and most.holder is Holder.DEPARTMENT else US


async def _carded(transaction: Transaction, numbers: Collection[str]) -> set[tuple[str, str, CardColour]]:
    mine = among(transaction.connection, _CARDS.c.case_number, numbers)
    rows = await transaction.connection.execute(
        select(_CARDS.c.case_number, _CARDS.c.department, _CARDS.c.colour).where(mine, _CARDS.c.department.is_not(None))
    )
    return {(row.case_number, row.department, row.colour) for row in rows}


async def _deal(transaction: Transaction, due: Sequence[_Due]) -> list[_Due]:
    """Deal the cards that were not dealt before; those that were."""
    keys: Mapping[str, _Due] = {str(card.row(transaction)["cause_key"]): card for card in due}
    if not keys:
        return []
    dialect = postgresql if is_postgresql(transaction.connection) else sqlite
    # Another pass may have been quicker: a cause is carded once, and told by who dealt it.
    rows = [card.row(transaction) for card in keys.values()]
    statement = dialect.insert(_CARDS).values(rows).on_conflict_do_nothing(index_elements=["cause_key"])
    made = await transaction.connection.execute(statement.returning(_CARDS.c.id, _CARDS.c.cause_key))
    fresh = []
    for row in sorted(made, key=lambda one: int(one.id)):
        card = keys[row.cause_key]
        fresh.append(card)
        transaction.note(
            "card.dealt", card.case_number, card=row.id, colour=card.colour.value, cause=card.cause.value,
            holder=card.to.holder.value, department=card.to.department, step=card.step,
            due_on=card.due_on.isoformat() if card.due_on else None,
        )  # fmt: skip
    return fresh
