"""Accounts of people: who may come in, in which post; made, shut, let go, and given a new first password."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import Field

from api.access import GuardedPage
from api.console.frame import page
from api.console.queries import Entered, Form, ListQuery, Query, sorted_rows
from api.routes.accounts import Name, management_of
from api.state import TheCaller, TheHouse
from models import Role
from services.access import Caller, list_keys
from services.access.accounts import (
    AccountRow,
    change_post,
    create_account,
    disable_account,
    enable_account,
    list_accounts,
    read_account,
    reset_password,
)
from services.access.posts import Post
from services.access.sessions import list_sessions
from services.access.sign_in import end_all, unlock
from services.house import House
from services.lexicon import Lexicon, Named
from services.words import ROLE_WORDS

router = APIRouter(prefix="/console/accounts", route_class=GuardedPage, include_in_schema=False)

_SORTS = {
    "name": lambda row: row.name,
    "role": lambda row: row.role.value,
    "scope": lambda row: row.scope or "",
    "created": lambda row: row.created_at,
}


class PostEntered(Entered):
    """Where a person works, or for whom a machine speaks."""

    role: Role
    scope: str | None = Field(default=None, pattern="^[0-9a-z-]{1,40}$")
    station: str | None = Field(default=None, max_length=80)

    @property
    def post(self) -> Post:
        """As the services take it."""
        return Post(self.role, self.scope, self.station)


class AccountEntered(PostEntered):
    """A new account."""

    name: str = Field(max_length=60)


def posts_offered(house: House) -> dict[str, Any]:
    """What the forms of accounts and keys offer: roles, and the districts and departments as places."""
    words, today = Lexicon(house.packs, None), house.database.clock.today()
    districts = [words.district(code) for code in words.book.districts]
    departments = [words.department(code, today) for code in words.book.departments]
    return {
        "roles": [Named.of(role.value, ROLE_WORDS[role]) for role in Role],
        "places": [*districts, *departments],
        "place_names": {one.code: one for one in (*districts, *departments)},
    }


@router.get("", name="page_accounts")
async def page_accounts(request: Request, query: Query[ListQuery], house: TheHouse, caller: TheCaller) -> HTMLResponse:
    """List accounts, the disabled ones, too."""
    return await _list(request, house, caller, query.sort or "")


@router.post("", name="page_create_account")
async def page_create_account(
    request: Request, form: Form[AccountEntered], house: TheHouse, caller: TheCaller
) -> HTMLResponse:
    """Make an account; the password for the first sign-in is shown this once."""
    by = await management_of(house, caller)
    made = await create_account(house.database, house.packs, by, form.name, form.post)
    return await _list(request, house, caller, "", shown=(made.account.name, made.password))


@router.get("/{name}", name="page_account")
async def page_account(request: Request, name: Name, house: TheHouse, caller: TheCaller) -> HTMLResponse:
    """Show one account: its post, where the person is signed in, the keys that act for it."""
    return await _one(request, house, caller, name)


@router.post("/{name}/post", name="page_change_post")
async def page_change_post(name: Name, form: Form[PostEntered], house: TheHouse, caller: TheCaller) -> RedirectResponse:
    """Give the person another post; their sessions end, and their keys are revoked."""
    by = await management_of(house, caller)
    async with house.database.write(caller.actor) as transaction:
        await change_post(transaction, house.packs, house.database.clock.now(), by, name, form.post)
    return RedirectResponse(f"/console/accounts/{name}", 303)


@router.post("/{name}/{move}", name="page_move_account", response_model=None)
async def page_move_account(
    request: Request,
    name: Name,
    move: Literal["disable", "enable", "unlock", "sessions", "password"],
    house: TheHouse,
    caller: TheCaller,
) -> HTMLResponse | RedirectResponse:
    """Shut an account or open it again, let its brake go, end its sessions, or give it a new first password."""
    by, database = await management_of(house, caller), house.database
    match move:
        case "password":
            return await _one(request, house, caller, name, password=await reset_password(database, by, name))
        case "unlock":
            await unlock(house, by, name)
        case "sessions":
            await end_all(house, by, name)
        case "disable":
            async with database.write(caller.actor) as transaction:
                await disable_account(transaction, database.clock.now(), by, name)
        case "enable":
            async with database.write(caller.actor) as transaction:
                await enable_account(transaction, by, name)
    return RedirectResponse(f"/console/accounts/{name}", 303)


async def _list(
    request: Request, house: House, caller: Caller, sort: str, shown: tuple[str, str] | None = None
) -> HTMLResponse:
    async with house.database.read() as connection:
        rows: list[AccountRow] = sorted_rows(await list_accounts(connection, caller), sort, _SORTS)
    return page(request, "accounts.html", rows=rows, sort=sort, shown=shown, **posts_offered(house))


async def _one(request: Request, house: House, caller: Caller, name: str, password: str | None = None) -> HTMLResponse:
    async with house.database.read() as connection:
        one = await read_account(connection, name, caller)
        now, terms = house.database.clock.now(), house.settings.session_terms
        sessions = await list_sessions(connection, one.id, now, terms)
        keys = [key for key in await list_keys(connection, caller) if key.owner == one.name]
    return page(
        request, "account.html", one=one, sessions=sessions, keys=keys, password=password, instant=now,
        **posts_offered(house),
    )  # fmt: skip
