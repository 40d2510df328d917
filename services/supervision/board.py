"""The board of cards (红黄牌): which stand, for whom, and what is said against them.

A department sees its own, and contests one with a reason; a coordinator sees all of the city or of a district, and
lifts a card or upholds it. Both stand in the audit log for ever.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, func, select, true, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models import Card, CardCause, CardColour, CardState, Holder
from services.access import WHOLE_CITY, Caller, Sight
from services.database import is_postgresql, table
from services.errors import ConflictError, InputError, NotFoundError
from services.house import House
from services.lexicon import Lexicon, Named, day_words
from services.policy.text import Text
from services.supervision.words import CARD_STATE_WORDS, CAUSE_WORDS, COLOUR_WORDS, HOLDER_WORDS

_CARDS = table(Card)
MAX_PAGE = 200
LONGEST_REASON = 400


@dataclass(frozen=True, slots=True)
class CardFilter:
    """Which cards; None does not filter. ``counting``: those that were not lifted; ``dealt_from`` is included,
    ``dealt_to`` is not.
    """

    colour: CardColour | None = None
    state: CardState | None = None
    department: str | None = None
    district: str | None = None
    case: str | None = None
    holder: Holder | None = None
    counting: bool = False
    dealt_from: datetime | None = None
    dealt_to: datetime | None = None


@dataclass(frozen=True, slots=True)
class CardView:
    """One card. ``holder`` is who answers for it, ``department`` which one; ``step`` is None where it is for the case
    as a whole. ``told``: the whole in one sentence.
    """

    id: int
    colour: Named
    cause: Named
    state: Named
    holder: Named
    department: Named | None
    district: Named
    case_number: str
    step: str | None
    due_on: date | None
    dealt_at: datetime
    contested_by: str | None
    contested_at: datetime | None
    contested_because: str | None
    decided_by: str | None
    decided_at: datetime | None
    decided_because: str | None
    told: Text


@dataclass(frozen=True, slots=True)
class CardPage:
    """Cards, the newest first, and the id before which the next page begins; None at the end."""

    items: tuple[CardView, ...]
    next: int | None


async def list_cards(
    house: House, sight: Sight = WHOLE_CITY, wanted: CardFilter | None = None, *, before: int | None = None,
    limit: int = 50,
) -> CardPage:  # fmt: skip
    """One page of the cards in ``sight`` that fit ``wanted``."""
    query = select(_CARDS).where(cards_in(sight), *_conditions(wanted or CardFilter()))
    if before is not None:
        query = query.where(_CARDS.c.id < before)
    async with house.database.read() as connection:
        rows = (await connection.execute(query.order_by(_CARDS.c.id.desc()).limit(limit + 1))).all()
    shown = tuple(_view(house, row) for row in rows[:limit])
    return CardPage(shown, shown[-1].id if len(rows) > limit else None)


async def show_card(house: House, number: int, sight: Sight = WHOLE_CITY) -> CardView:
    """One card; NotFoundError out of sight."""
    async with house.database.read() as connection:
        return _view(house, await _row(connection, number, sight))


async def contest_card(house: House, caller: Caller, number: int, because: str) -> CardView:
    """A department gives a reason against its card. ConflictError unless it stands and was not decided on yet."""
    _reason(because)
    async with house.database.write(caller.actor) as transaction:
        row = await _row(transaction.connection, number, caller.sight, lock=True)
        if row.state is not CardState.STANDING:
            raise ConflictError(f"is {row.state.value}; only a standing card can be contested, once", place="card")
        await _change(
            transaction.connection, number, state=CardState.CONTESTED, contested_by=transaction.actor,
            contested_at=transaction.at, contested_because=because,
        )  # fmt: skip
        transaction.note("card.contested", row.case_number, **_about(row), because=because)
    return await show_card(house, number, caller.sight)


async def lift_card(house: House, caller: Caller, number: int, because: str) -> CardView:
    """A coordinator lifts a card: it counts no more. ConflictError if it is lifted already."""
    return await _decide(house, caller, number, CardState.LIFTED, because)


async def uphold_card(house: House, caller: Caller, number: int, because: str) -> CardView:
    """A coordinator turns down what was said against a card. ConflictError unless it is contested."""
    return await _decide(house, caller, number, CardState.UPHELD, because)


async def department_counts(house: House) -> list[tuple[str, int, int]]:
    """Departments' names with their yellow and red cards that count, those with most red first."""
    query = (
        select(_CARDS.c.department, _CARDS.c.colour, func.count())
        .where(_CARDS.c.department.is_not(None), counts())
        .where(_CARDS.c.holder == Holder.DEPARTMENT)
        .group_by(_CARDS.c.department, _CARDS.c.colour)
    )
    async with house.database.read() as connection:
        found = {(department, colour): count for department, colour, count in await connection.execute(query)}
    today = house.database.clock.today()
    rows = [
        (house.department_name(code, today), found.get((code, CardColour.YELLOW), 0),
         found.get((code, CardColour.RED), 0))
        for code in {department for department, _ in found}
    ]  # fmt: skip
    return sorted(rows, key=lambda row: (-row[2], -row[1], row[0]))


def counts() -> ColumnElement[bool]:
    """Cards that count: all but those lifted."""
    return _CARDS.c.state != CardState.LIFTED


def cards_in(sight: Sight) -> ColumnElement[bool]:
    """The cards in sight; a department sees those that it answers for."""
    if sight.department is not None:
        return and_(_CARDS.c.holder == Holder.DEPARTMENT, _CARDS.c.department == sight.department)
    return _CARDS.c.district == sight.district if sight.district is not None else true()


def _conditions(wanted: CardFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    for column, value in (
        (_CARDS.c.colour, wanted.colour), (_CARDS.c.state, wanted.state), (_CARDS.c.department, wanted.department),
        (_CARDS.c.district, wanted.district), (_CARDS.c.case_number, wanted.case),
        (_CARDS.c.holder, wanted.holder),
    ):  # fmt: skip
        if value is not None:
            found.append(column == value)
    if wanted.counting:
        found.append(counts())
    if wanted.dealt_from is not None:
        found.append(_CARDS.c.dealt_at >= wanted.dealt_from)
    if wanted.dealt_to is not None:
        found.append(_CARDS.c.dealt_at < wanted.dealt_to)
    return found


async def _decide(house: House, caller: Caller, number: int, to: CardState, because: str) -> CardView:
    _reason(because)
    async with house.database.write(caller.actor) as transaction:
        row = await _row(transaction.connection, number, caller.sight, lock=True)
        allowed = {CardState.CONTESTED} if to is CardState.UPHELD else set(CardState) - {CardState.LIFTED}
        if row.state not in allowed:
            raise ConflictError(f"is {row.state.value}; it cannot be {to.value}", place="card")
        await _change(
            transaction.connection, number, state=to, decided_by=transaction.actor, decided_at=transaction.at,
            decided_because=because,
        )  # fmt: skip
        transaction.note(f"card.{to.value}", row.case_number, **_about(row), because=because)
    return await show_card(house, number, caller.sight)


def _about(row: Row[Any]) -> dict[str, Any]:
    """What an entry says of a card: those who follow are told by it."""
    return {"card": row.id, "colour": row.colour.value, "holder": row.holder.value, "department": row.department}


def _reason(because: str) -> None:
    if not because.strip() or len(because) > LONGEST_REASON:
        raise InputError(f"give a reason of at most {LONGEST_REASON} characters", place="because")


async def _row(connection: AsyncConnection, number: int, sight: Sight, *, lock: bool = False) -> Row[Any]:
    query = select(_CARDS).where(_CARDS.c.id == number, cards_in(sight))
    if lock and is_postgresql(connection):
        query = query.with_for_update()
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise NotFoundError("there is no such card, or it is not yours to see", place="card")
    return row


async def _change(connection: AsyncConnection, number: int, **values: Any) -> None:
    await connection.execute(update(_CARDS).where(_CARDS.c.id == number).values(values))


def _view(house: House, row: Row[Any]) -> CardView:
    words, day = Lexicon(house.packs, None), house.database.clock.today()
    department = words.department(row.department, day) if row.department is not None else None
    return CardView(
        id=row.id,
        colour=Named.of(row.colour.value, COLOUR_WORDS[row.colour.value]),
        cause=Named.of(row.cause.value, CAUSE_WORDS[row.cause.value]),
        state=Named.of(row.state.value, CARD_STATE_WORDS[row.state.value]),
        holder=Named.of(row.holder.value, HOLDER_WORDS[row.holder.value]),
        department=department,
        district=words.district(row.district),
        case_number=row.case_number,
        step=row.step_id,
        due_on=row.due_on,
        dealt_at=row.dealt_at,
        contested_by=row.contested_by,
        contested_at=row.contested_at,
        contested_because=row.contested_because,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        decided_because=row.decided_because,
        told=_sentence(row, department),
    )


def _sentence(row: Row[Any], department: Named | None) -> Text:
    who = HOLDER_WORDS[row.holder.value]
    if department is not None:
        channel = row.holder is Holder.CHANNEL
        who = Text(f"{department.zh}{'接口' if channel else ''}", f"{department.en}{' (endpoint)' if channel else ''}")
    cause, colour = CAUSE_WORDS[row.cause.value], COLOUR_WORDS[row.colour.value]
    if row.cause is CardCause.UNEXPLAINED:
        return Text(f"{who.zh}：{cause.zh}，发{colour.zh}", f"{who.en}: {colour.en} for {cause.en}")
    by = day_words(row.due_on)
    if row.colour is CardColour.RED:
        return Text(
            f"{who.zh}：{cause.zh}已于{by.zh}届满，发{colour.zh}", f"{who.en}: {colour.en}, {cause.en} ended on {by.en}"
        )
    return Text(
        f"{who.zh}：{cause.zh}将于{by.zh}届满，发{colour.zh}", f"{who.en}: {colour.en}, {cause.en} ends on {by.en}"
    )
