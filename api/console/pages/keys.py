"""Keys of machines: made and shown once, bounded in role, place, operations and time, and revoked."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import Field, field_validator

from api.access import MATRIX, GuardedPage, Open
from api.console.frame import page
from api.console.pages.accounts import PostEntered, posts_offered
from api.console.queries import Entered, Form, ListQuery, Query, sorted_rows
from api.routes.accounts import KeyName, KeyOrder, issue_key
from api.state import TheCaller, TheHouse
from services.access import Caller, list_keys, revoke_keys
from services.access.keys import MAX_DAYS, KeyRow
from services.house import House

router = APIRouter(prefix="/console/keys", route_class=GuardedPage, include_in_schema=False)

_SORTS = {
    "name": lambda row: row.name,
    "role": lambda row: row.role.value,
    "expires": lambda row: row.expires_at,
    "used": lambda row: str(row.used_at or ""),
}
# What programs can be let do; pages are for people.
_OPERATIONS = sorted(
    name for name, rule in MATRIX.items() if not isinstance(rule, Open) and not name.startswith("page_")
)


class KeyEntered(PostEntered):
    """A new key."""

    name: str = Field(pattern=r"^[\w.@-]{1,60}$")
    operations: list[str] | None = Field(default=None, max_length=100)
    days: int = Field(default=90, ge=1, le=MAX_DAYS)

    @field_validator("operations", mode="before")
    @classmethod
    def _as_list(cls, given: object) -> object:
        """One line that was chosen comes as itself."""
        return [given] if isinstance(given, str) else given


class Revoking(Entered):
    """Which key of the name."""

    id: str = Field(pattern="^[0-9a-f]{12}$")


@router.get("", name="page_keys")
async def page_keys(request: Request, query: Query[ListQuery], house: TheHouse, caller: TheCaller) -> HTMLResponse:
    """List keys, those revoked or expired, too."""
    return await _list(request, house, caller, query.sort or "")


@router.post("", name="page_create_key")
async def page_create_key(request: Request, form: Form[KeyEntered], house: TheHouse, caller: TheCaller) -> HTMLResponse:
    """Make a key; it is shown this once."""
    order = KeyOrder(
        role=form.role, scope=form.scope, station=form.station, name=form.name, operations=form.operations,
        days=form.days,
    )  # fmt: skip
    secret = await issue_key(house, caller, order)
    return await _list(request, house, caller, "", shown=(form.name, secret))


@router.post("/{key}/revoke", name="page_revoke_key")
async def page_revoke_key(key: KeyName, form: Form[Revoking], house: TheHouse, caller: TheCaller) -> RedirectResponse:
    """Revoke one key; it opens nothing from now on."""
    async with house.database.write(caller.actor) as transaction:
        await revoke_keys(transaction, house.database.clock.now(), key, form.id, caller)
    return RedirectResponse("/console/keys", 303)


async def _list(
    request: Request, house: House, caller: Caller, sort: str, shown: tuple[str, str] | None = None
) -> HTMLResponse:
    async with house.database.read() as connection:
        rows: list[KeyRow] = sorted_rows(await list_keys(connection, caller), sort, _SORTS)
    return page(
        request, "keys.html", rows=rows, sort=sort, shown=shown, instant=house.database.clock.now(),
        operations=_OPERATIONS, most_days=MAX_DAYS, **posts_offered(house),
    )  # fmt: skip
