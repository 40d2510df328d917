"""Accounts of people and keys of machines: made, changed and taken away by administrators, seen by auditors."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from api.access import MATRIX, GuardedRoute
from api.openapi import problems
from api.state import TheCaller, TheHouse
from api.views.accounts import Account as AccountView
from api.views.accounts import (
    AccountList,
    Ended,
    Key,
    KeyList,
    NewKey,
    NewPassword,
    Revoked,
    SessionItem,
    SessionList,
    Unlocked,
)
from api.views.accounts import NewAccount as NewAccountView
from models import Role
from services.access import Caller, KeyBounds
from services.access import create_key as make_key
from services.access import list_keys as keys_of
from services.access import revoke_keys as revoke
from services.access.accounts import NewAccount, change_post, read_account
from services.access.accounts import create_account as make_account
from services.access.accounts import disable_account as shut
from services.access.accounts import enable_account as open_again
from services.access.accounts import list_accounts as accounts_of
from services.access.accounts import reset_password as new_password_of
from services.access.keys import MAX_DAYS, check_operations
from services.access.management import Management
from services.access.posts import Post
from services.access.sessions import list_sessions as sessions_of
from services.access.sign_in import end_all, unlock
from services.house import House

router = APIRouter(prefix="/api/v1", tags=["access"], route_class=GuardedRoute)

Name = Annotated[str, Path(pattern=r"^[\w.@-]{1,60}$", description="用户名 / the name of the account")]
KeyName = Annotated[str, Path(pattern=r"^[\w.@-]{1,60}$", description="密钥名称 / the name of the key")]
_NAME = Field(pattern=r"^[\w.@-]{1,60}$", description="字母、数字和 . _ @ - / letters, digits and . _ @ -")
_SCOPE = Field(
    default=None, pattern="^[0-9a-z-]{1,40}$", description="区县或部门代码 / code of a district or department"
)
_STATION = Field(default=None, max_length=80, description="派出所 / a clerk's station, as applications name it")


class PostOrder(BaseModel):
    """Where a person works."""

    model_config = ConfigDict(extra="forbid")

    role: Role
    scope: str | None = _SCOPE
    station: str | None = _STATION

    @property
    def post(self) -> Post:
        """As the services take it."""
        return Post(self.role, self.scope, self.station)


class AccountOrder(PostOrder):
    """A new account."""

    name: str = _NAME


class KeyOrder(PostOrder):
    """A new key, owned by who makes it."""

    name: str = _NAME
    operations: list[str] | None = Field(
        default=None, max_length=100, description="仅限这些操作（operationId 的末段，即路由名） / names of routes"
    )
    days: int = Field(default=90, ge=1, le=MAX_DAYS, description="有效天数 / days it is good for")


@router.get("/accounts", response_model=AccountList)
async def list_accounts(house: TheHouse, caller: TheCaller) -> AccountList:
    """List accounts, the disabled ones, too."""
    async with house.database.read() as connection:
        return AccountList(items=[AccountView.model_validate(row) for row in await accounts_of(connection, caller)])


@router.post("/accounts", status_code=201, response_model=NewAccountView, responses=problems(409))
async def create_account(order: AccountOrder, house: TheHouse, caller: TheCaller) -> NewAccount:
    """Make an account; the answer bears the password for the first sign-in, once."""
    return await make_account(house.database, house.packs, await management_of(house, caller), order.name, order.post)


@router.put("/accounts/{name}/post", response_model=Ended, responses=problems(404, 409))
async def change_account(name: Name, order: PostOrder, house: TheHouse, caller: TheCaller) -> Ended:
    """Give a person another post; their sessions end, and the keys they own are revoked."""
    by = await management_of(house, caller)
    async with house.database.write(caller.actor) as transaction:
        now = house.database.clock.now()
        return Ended(sessions=await change_post(transaction, house.packs, now, by, name, order.post))


@router.post("/accounts/{name}/disable", response_model=Ended, responses=problems(404, 409))
async def disable_account(name: Name, house: TheHouse, caller: TheCaller) -> Ended:
    """Shut an account; its sessions end and its keys open nothing."""
    by = await management_of(house, caller)
    async with house.database.write(caller.actor) as transaction:
        return Ended(sessions=await shut(transaction, house.database.clock.now(), by, name))


@router.post("/accounts/{name}/enable", response_model=AccountView, responses=problems(404, 409))
async def enable_account(name: Name, house: TheHouse, caller: TheCaller) -> AccountView:
    """Open a shut account again."""
    by = await management_of(house, caller)
    async with house.database.write(caller.actor) as transaction:
        await open_again(transaction, by, name)
        return AccountView.model_validate(await read_account(transaction.connection, name, caller))


@router.post("/accounts/{name}/password", response_model=NewPassword, responses=problems(404))
async def reset_password(name: Name, house: TheHouse, caller: TheCaller) -> NewPassword:
    """Give a new password for one sign-in; every session of the account ends."""
    return NewPassword(password=await new_password_of(house.database, await management_of(house, caller), name))


@router.post("/accounts/{name}/unlock", response_model=Unlocked, responses=problems(404))
async def unlock_account(name: Name, house: TheHouse, caller: TheCaller) -> Unlocked:
    """Let go the brake that closed after failed sign-ins."""
    return Unlocked(was_locked=await unlock(house, await management_of(house, caller), name))


@router.get("/accounts/{name}/sessions", response_model=SessionList, responses=problems(404, 422))
async def list_account_sessions(name: Name, house: TheHouse, caller: TheCaller) -> SessionList:
    """List where a person is signed in."""
    async with house.database.read() as connection:
        row = await read_account(connection, name, caller)
        found = await sessions_of(connection, row.id, house.database.clock.now(), house.settings.session_terms)
    return SessionList(items=[SessionItem.model_validate(one) for one in found])


@router.post("/accounts/{name}/sessions/end", response_model=Ended, responses=problems(404))
async def end_account_sessions(name: Name, house: TheHouse, caller: TheCaller) -> Ended:
    """End every session of a person."""
    return Ended(sessions=await end_all(house, await management_of(house, caller), name))


@router.get("/keys", response_model=KeyList)
async def list_keys(house: TheHouse, caller: TheCaller) -> KeyList:
    """List keys, those revoked or expired, too."""
    async with house.database.read() as connection:
        return KeyList(items=[Key.model_validate(row) for row in await keys_of(connection, caller)])


@router.post("/keys", status_code=201, response_model=NewKey, responses=problems(409))
async def create_key(order: KeyOrder, house: TheHouse, caller: TheCaller) -> NewKey:
    """Make a key for a machine. It is yours: it acts for you, and ends with your account."""
    return NewKey(secret=await issue_key(house, caller, order))


@router.post("/keys/{key}/revoke", response_model=Revoked, responses=problems(404))
async def revoke_key(
    key: KeyName,
    house: TheHouse,
    caller: TheCaller,
    id_: Annotated[
        str | None, Query(alias="id", pattern="^[0-9a-f]{12}$", description="仅此一个 / this one of the name only")
    ] = None,
) -> Revoked:
    """Revoke every key of a name, or one of them."""
    async with house.database.write(caller.actor) as transaction:
        return Revoked(keys=await revoke(transaction, house.database.clock.now(), key, id_, caller))


async def management_of(house: House, caller: Caller) -> Management:
    """The administrator at work; NobodyKnownError for a key behind which no person is known."""
    async with house.database.read() as connection:
        return await Management.of(connection, caller)


async def issue_key(house: House, caller: Caller, order: KeyOrder) -> str:
    """Make the key that ``order`` describes, owned by ``caller``; its secret, which is shown this once."""
    await management_of(house, caller)
    operations = check_operations(order.operations, MATRIX) if order.operations is not None else None
    bounds = KeyBounds(order.station, operations, caller.account, caller.account)
    async with house.database.write(caller.actor) as transaction:
        return await make_key(
            transaction,
            house.packs,
            house.database.clock.now(),
            name=order.name,
            role=order.role,
            scope=order.scope,
            days=order.days,
            bounds=bounds,
        )
