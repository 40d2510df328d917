"""How long what is personal is kept (留存期限), and its removal when the time is over.

Two rules, each with a setting in days (0 keeps for ever):

* ``answers_kept_days``: what departments wrote back, word for word: the excerpt of every try and the sealed bodies of
  their call-backs. That they answered, what, when, and the digests stay.
* ``refused_kept_days``: who the person of a case is that was refused or withdrawn: the sealed application and its
  earlier versions, the sealed decisions, the keyed hashes by which the person is found, and all that departments wrote
  about it. The case stays as a number with its days, its outcome, its clauses and its audit entries.

Cases under way and cases with a permit are never touched by the second rule. Running twice removes nothing twice.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, delete, exists, func, not_, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models import Attempt, Case, CaseState, Decision, InboundMessage, InboundStep, Permit, Step
from models.cases import ERASED
from models.remedies import CaseVersion
from services.clock import Clock
from services.database import Transaction, among, is_postgresql, table
from services.house import House
from services.intake.application import Application, Person
from services.intake.fields import STORED
from services.settings import Settings

BATCH = 500
_CASES, _PERMITS, _DECISIONS, _VERSIONS = table(Case), table(Permit), table(Decision), table(CaseVersion)
_STEPS, _ATTEMPTS = table(Step), table(Attempt)
_INBOUND, _LINKS = table(InboundMessage), table(InboundStep)
_OVER = (CaseState.REFUSED, CaseState.WITHDRAWN)
# Nobody: no such region, and no such day of birth among the living.
_NOBODY = {"name": "已清除", "id_number": "000000190001010000"}


@dataclass(frozen=True, slots=True)
class Removed:
    """What was removed, or would be: excerpts of tries, bodies of call-backs, people of cases."""

    excerpts: int
    bodies: int
    cases: int


async def preview(house: House) -> Removed:
    """What :func:`retain` would remove now; nothing is touched."""
    rules = _Rules.of(house.settings, house.database.clock)
    async with house.database.read() as connection:
        return Removed(
            await _count(connection, _ATTEMPTS, rules.excerpts),
            await _count(connection, _INBOUND, rules.bodies),
            await _count(connection, _CASES, rules.cases),
        )


async def retain(house: House, actor: str) -> Removed:
    """Remove what is over its time, in batches, each noted in the audit log."""
    rules = _Rules.of(house.settings, house.database.clock)
    cases = await _erase_cases(house, actor, rules.cases)
    excerpts = await _blank(house, actor, _ATTEMPTS, "excerpt", rules.excerpts)
    bodies = await _blank(house, actor, _INBOUND, "sealed", rules.bodies)
    return Removed(excerpts, bodies, cases)


@dataclass(frozen=True, slots=True)
class _Rules:
    """Which rows are over their time; None: that rule removes nothing."""

    excerpts: ColumnElement[bool] | None
    bodies: ColumnElement[bool] | None
    cases: ColumnElement[bool] | None

    @classmethod
    def of(cls, settings: Settings, clock: Clock) -> _Rules:
        answers, refused = settings.answers_kept_days, settings.refused_kept_days
        # Tries stand in wire time, call-backs and the ends of cases in business time.
        return cls(
            and_(_ATTEMPTS.c.excerpt.is_not(None), _ATTEMPTS.c.started_at < _ago(clock.now(), answers))
            if answers
            else None,
            and_(_INBOUND.c.sealed.is_not(None), _INBOUND.c.received_at < _ago(clock.moment(), answers))
            if answers
            else None,
            and_(
                _CASES.c.state.in_(_OVER),
                _CASES.c.closed_at < _ago(clock.moment(), refused),
                _CASES.c.person_key != ERASED,
                not_(exists(select(_PERMITS.c.case_number).where(_PERMITS.c.case_number == _CASES.c.number))),
            )
            if refused
            else None,
        )


def _ago(instant: datetime, days: int) -> datetime:
    return instant - timedelta(days=days)


async def _count(connection: AsyncConnection, of: Table, rule: ColumnElement[bool] | None) -> int:
    if rule is None:
        return 0
    return int((await connection.execute(select(func.count()).select_from(of).where(rule))).scalar_one())


async def _blank(house: House, actor: str, of: Table, column: str, rule: ColumnElement[bool] | None) -> int:
    """Empty ``column`` where ``rule`` says so, walking the table once by its primary key; how many rows."""
    if rule is None:
        return 0
    keys, done = list(of.primary_key.columns), 0
    after: tuple[Any, ...] | None = None
    while True:
        where = rule if after is None else and_(rule, tuple_(*keys) > after)
        async with house.database.write(actor) as transaction:
            query = select(*keys).where(where).order_by(*keys).limit(BATCH)
            rows = [tuple(row) for row in await transaction.connection.execute(query)]
            if rows:
                within = and_(
                    rule, or_(*(and_(*(key == part for key, part in zip(keys, row, strict=True))) for row in rows))
                )
                await transaction.connection.execute(update(of).where(within).values({column: None}))
                transaction.note("retention.applied", "system", table=of.name, count=len(rows))
        done += len(rows)
        if len(rows) < BATCH:
            return done
        after = rows[-1]


async def _erase_cases(house: House, actor: str, rule: ColumnElement[bool] | None) -> int:
    done = 0
    while rule is not None:
        async with house.database.write(actor) as transaction:
            query = select(_CASES.c.number, _CASES.c.sealed).where(rule).order_by(_CASES.c.number).limit(BATCH)
            if is_postgresql(transaction.connection):
                # Whoever reopens a case at this moment is first or finds it erased, never both.
                query = query.with_for_update()
            rows = (await transaction.connection.execute(query)).all()
            for row in rows:
                context = f"case:{row.number}"
                nobody = _nobody(Application.load(house.keys.open(row.sealed, context)))
                await transaction.connection.execute(
                    update(_CASES)
                    .where(_CASES.c.number == row.number)
                    .values(sealed=house.keys.seal(nobody.dump(), context), person_key=ERASED, name_key=ERASED)
                )
                transaction.note("case.erased", row.number)
            await _erase_rest(transaction, [row.number for row in rows])
        done += len(rows)
        if len(rows) < BATCH:
            break
    return done


def _nobody(application: Application) -> Application:
    """The application without anybody in it: what was asked for, where and when, stays."""
    person = Person.model_validate(_NOBODY, context=STORED)
    bare = application.residence.model_copy(update={"registered_on": application.received_on})
    return application.model_copy(update={"person": person, "residence": bare, "children": ()})


async def _erase_rest(transaction: Transaction, numbers: Collection[str]) -> None:
    """What else tells of the people of the cases ``numbers``."""
    if not numbers:
        return
    connection = transaction.connection
    mine = select(_STEPS.c.id).where(among(connection, _STEPS.c.case_number, numbers))
    await connection.execute(
        update(_DECISIONS).where(among(connection, _DECISIONS.c.case_number, numbers)).values(sealed=b"")
    )
    await connection.execute(delete(_VERSIONS).where(among(connection, _VERSIONS.c.case_number, numbers)))
    await connection.execute(update(_ATTEMPTS).where(_ATTEMPTS.c.step_id.in_(mine)).values(excerpt=None))
    # A call-back about other people's cases as well stays until its own time is over: it is their evidence.
    same = and_(_LINKS.c.department == _INBOUND.c.department, _LINKS.c.message_id == _INBOUND.c.message_id)
    about = exists(select(_LINKS.c.step_id).where(same, _LINKS.c.step_id.in_(mine)))
    others = exists(select(_LINKS.c.step_id).where(same, _LINKS.c.step_id.not_in(mine)))
    await connection.execute(update(_INBOUND).where(about, not_(others)).values(sealed=None))
