"""Lists that a reader gave a title, to find them again with one click. Each reader has their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import and_, delete, func, select

from models import SavedView
from services.access import Caller
from services.database import table
from services.errors import ConflictError, InputError, NotFoundError
from services.house import House

_VIEWS = table(SavedView)
MOST = 30
LONGEST_TITLE, LONGEST_QUERY = 40, 500


@dataclass(frozen=True, slots=True)
class View:
    """One of them; ``query`` as it stands in an address."""

    id: int
    title: str
    query: str


async def list_views(house: House, caller: Caller, page: str) -> Sequence[View]:
    """The caller's views of ``page``, by title."""
    query = select(_VIEWS).where(_VIEWS.c.owner == caller.actor, _VIEWS.c.page == page).order_by(_VIEWS.c.title)
    async with house.database.read() as connection:
        return [View(row.id, row.title, row.query) for row in await connection.execute(query)]


async def save_view(house: House, caller: Caller, page: str, title: str, query: str) -> None:
    """Keep ``query`` under ``title``, in the place of what had that title. ConflictError beyond 30 of a page."""
    title = " ".join(title.split())
    if not title or len(title) > LONGEST_TITLE or not title.isprintable():
        raise InputError(f"must be 1 to {LONGEST_TITLE} characters", place="title")
    if len(query) > LONGEST_QUERY:
        raise InputError(f"must be at most {LONGEST_QUERY} characters", place="query")
    mine = and_(_VIEWS.c.owner == caller.actor, _VIEWS.c.page == page)
    async with house.database.write(caller.actor) as transaction:
        await transaction.connection.execute(delete(_VIEWS).where(mine, _VIEWS.c.title == title))
        count = (await transaction.connection.execute(select(func.count()).where(mine))).scalar_one()
        if count >= MOST:
            raise ConflictError(f"holds {MOST} views already; remove one first", place="title")
        row = {"owner": caller.actor, "page": page, "title": title, "query": query, "created_at": transaction.at}
        await transaction.insert(SavedView, [row])
        transaction.note("view.saved", "system", page=page)


async def remove_view(house: House, caller: Caller, view: int) -> None:
    """Forget one of the caller's own views; NotFoundError if it is not theirs."""
    async with house.database.write(caller.actor) as transaction:
        removed = await transaction.connection.execute(
            delete(_VIEWS).where(_VIEWS.c.id == view, _VIEWS.c.owner == caller.actor).returning(_VIEWS.c.page)
        )
        page = removed.scalar_one_or_none()
        if page is None:
            raise NotFoundError("you have no such view", place="view")
        transaction.note("view.removed", "system", page=page)
