"""Who is looked at again on a revision's day: the cases whose answer it changes, and no other.

A revision is adopted before its day. Until then every case that stands is looked through once, page by page, and those
that the revision changes are given its day as the day on which they change by time (``Case.review_on``); from there on
they are as any other (``reconcile``). Cases planned after the adoption know of the revision by themselves
(``casework.plan``). It may break off anywhere and goes on where it was.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any

from sqlalchemy import Row, or_, select, update

from models import Case, CaseState, Revision, RevisionState
from services.casework.differing import answers_differ
from services.casework.pack_trial import live_permits
from services.casework.standing import load_standing
from services.database import Transaction, among, table
from services.house import House
from services.policy.decide import decide
from services.policy.registry import Version
from services.revisions.proposing import subject_of

_CASES, _REVISIONS = table(Case), table(Revision)
_PAGE = 400


async def look_through(house: House, actor: str) -> int:
    """Look through what stands for every adopted revision for which that was not done; how many cases it changes."""
    await house.refresh_rules()
    query = select(_REVISIONS).where(_REVISIONS.c.state == RevisionState.ADOPTED, _REVISIONS.c.looked_at.is_(None))
    async with house.database.read() as connection:
        rows = (await connection.execute(query.order_by(_REVISIONS.c.adoption))).all()
    return sum([await _look_through(house, row, actor) for row in rows])


async def _look_through(house: House, row: Row[Any], actor: str) -> int:
    history = house.packs.history(row.pack)
    place = row.version - 1
    found = 0
    # The first version of a pack finds nobody under it.
    if place > 0:
        before, after = history[place - 1], history[place]
        found += await _permits(house, row, before, after, actor)
        found += await _applications(house, row, before, after, actor)
    async with house.database.write(actor) as transaction:
        mine = _REVISIONS.c.id == row.id
        await transaction.connection.execute(update(_REVISIONS).where(mine).values(looked_at=transaction.at))
        transaction.note("policy.looked_through", subject_of(row.id), pack=row.pack, cases=found)
    return found


async def _permits(house: House, row: Row[Any], before: Version, after: Version, actor: str) -> int:
    found, page, last = 0, [], row.looked_to or ""
    seen = 0
    async for standing in live_permits(house, row.from_on, pack=row.pack, after=last):
        question = standing.question(row.from_on)
        if answers_differ(decide(before.pack, question), decide(after.pack, question)):
            page.append(standing.case.number)
        seen, last = seen + 1, standing.case.number
        if seen % _PAGE == 0:
            found += await _mark(house, row, page, last, actor)
            page = []
    return found + await _mark(house, row, page, last, actor)


async def _mark(house: House, row: Row[Any], numbers: list[str], last: str, actor: str) -> int:
    async with house.database.write(actor) as transaction:
        await _review(transaction, numbers, row.from_on)
        mine = _REVISIONS.c.id == row.id
        await transaction.connection.execute(update(_REVISIONS).where(mine).values(looked_to=last))
    return len(numbers)


async def _applications(house: House, row: Row[Any], before: Version, after: Version, actor: str) -> int:
    """Applications that wait for departments: few at any time, and looked at in one go. All others are planned anew
    before anything else happens to them.
    """
    query = select(_CASES.c.number).where(_CASES.c.pack == row.pack, _CASES.c.state == CaseState.VERIFYING)
    async with house.database.write(actor) as transaction:
        numbers = list((await transaction.connection.execute(query)).scalars())
        standing = await load_standing(transaction.connection, numbers, house.caseworker.applications)
        changed = []
        for number, one in standing.items():
            question = one.question(row.from_on)
            if answers_differ(decide(before.pack, question), decide(after.pack, question)):
                changed.append(number)
        await _review(transaction, changed, row.from_on)
    return len(changed)


async def _review(transaction: Transaction, numbers: Collection[str], day: date) -> None:
    """Have the cases looked at on ``day``, unless they are on an earlier one already."""
    later = or_(_CASES.c.review_on.is_(None), _CASES.c.review_on > day)
    mine = among(transaction.connection, _CASES.c.number, numbers)
    await transaction.connection.execute(update(_CASES).where(mine, later).values(review_on=day))
