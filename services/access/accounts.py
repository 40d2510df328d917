"""Accounts of people: made, listed, changed, disabled. Each change that takes something away ends their sessions, and
revokes the keys that they own.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, exists, select, true, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models import AccessKey, Account, Role
from services.access.callers import NAME_PATTERN, Caller
from services.access.keys import revoke_owned
from services.access.management import Management, in_district
from services.access.passwords import hash_password, new_password
from services.access.posts import Post
from services.access.sessions import end_sessions
from services.database import Database, Transaction, is_postgresql, table
from services.errors import ConflictError, InputError, NotFoundError
from services.policy.registry import PackRegistry

_ACCOUNTS, _KEYS = table(Account), table(AccessKey)
_NAME = re.compile(NAME_PATTERN)


@dataclass(frozen=True, slots=True)
class AccountRow:
    """One account as a list shows it."""

    id: int
    name: str
    role: Role
    scope: str | None
    station: str | None
    created_at: datetime
    disabled_at: datetime | None
    password_is_initial: bool

    @property
    def caller(self) -> Caller:
        """The person as a caller who signed in."""
        return Caller(self.name, self.role, self.scope, self.station, self.id, in_person=True)


@dataclass(frozen=True, slots=True)
class NewAccount:
    """An account just made; ``password`` is shown once, for one sign-in, and stands nowhere."""

    account: AccountRow
    password: str


async def create_account(
    database: Database, packs: PackRegistry, by: Management, name: str, post: Post, *, initial: bool = True
) -> NewAccount:
    """Make an account with a password of our own; ``initial``: for the first sign-in only, as it should be.

    InputError for a name or a post that cannot be, ConflictError for a name that somebody has or had.
    """
    name = plain_name(name)
    if not is_name(name):
        raise InputError("must be 1 to 60 letters, digits or . _ @ -", place="name")
    post.check(packs)
    by.allow(post.role, post.scope)
    password = new_password()
    kept = await hash_password(password)
    async with database.write(by.caller.actor) as transaction:
        if await _is_taken(transaction.connection, name):
            raise ConflictError("somebody has that name, or had it; choose another", place="name")
        row = {
            "name": name,
            "role": post.role,
            "scope": post.scope,
            "station": post.station,
            "in_hands_of": by.person,
            "password": kept,
            "password_is_initial": initial,
            "created_at": database.clock.now(),
            "disabled_at": None,
        }
        made = (await transaction.connection.execute(_ACCOUNTS.insert().values(row).returning(_ACCOUNTS))).one()
        transaction.note("account.created", subject_of(made.id), name=name, **post.told())
    return NewAccount(_shown(made), password)


async def list_accounts(connection: AsyncConnection, by: Caller | None = None) -> list[AccountRow]:
    """Every account there ever was, by name; of a district's reader (``by``) the district's only."""
    seen = true() if by is None else in_district(_ACCOUNTS, by)
    query = select(_ACCOUNTS).where(seen).order_by(_ACCOUNTS.c.name)
    return [_shown(row) for row in await connection.execute(query)]


async def read_account(connection: AsyncConnection, name: str, by: Caller | None = None) -> AccountRow:
    """The account ``name``; NotFoundError if there is none, or not for a reader of the scope of ``by``."""
    return _shown(await _find(connection, name, by))


async def has_administrator(connection: AsyncConnection) -> bool:
    """Whether anybody can sign in as an administrator of the whole city."""
    one = select(_ACCOUNTS.c.id).where(
        _ACCOUNTS.c.role == Role.ADMINISTRATOR, _ACCOUNTS.c.scope.is_(None), _ACCOUNTS.c.disabled_at.is_(None)
    )
    return bool((await connection.execute(select(exists(one)))).scalar_one())


async def disable_account(transaction: Transaction, now: datetime, by: Management, name: str) -> int:
    """Shut the account and end its sessions; how many there were. Its keys open nothing while it is shut.

    ConflictError if it is shut already, or if nobody could administer the city any more.
    """
    row = await _take(transaction, by, name)
    if row.disabled_at is not None:
        raise ConflictError("is disabled already", place="name")
    await _set(transaction, row.id, disabled_at=now)
    await _keep_an_administrator(transaction.connection, row)
    transaction.note("account.disabled", subject_of(row.id))
    return await end_sessions(transaction, now, row.id, "disabled")


async def enable_account(transaction: Transaction, by: Management, name: str) -> None:
    """Open a shut account again; ConflictError if it is open."""
    row = await _take(transaction, by, name)
    if row.disabled_at is None:
        raise ConflictError("is not disabled", place="name")
    await _set(transaction, row.id, disabled_at=None)
    transaction.note("account.enabled", subject_of(row.id))


async def change_post(
    transaction: Transaction, packs: PackRegistry, now: datetime, by: Management, name: str, post: Post
) -> int:
    """Give the person another post; sessions end, how many there were, and the keys they own are revoked."""
    post.check(packs)
    by.allow(post.role, post.scope)
    row = await _take(transaction, by, name)
    _refuse_known_elsewhere(row)
    await _set(transaction, row.id, role=post.role, scope=post.scope, station=post.station)
    await _keep_an_administrator(transaction.connection, row)
    before = Post(row.role, row.scope, row.station).told()
    transaction.note("account.post_changed", subject_of(row.id), **post.told(), before=before)
    await revoke_owned(transaction, now, row.id)
    return await end_sessions(transaction, now, row.id, "post_changed")


async def reset_password(database: Database, by: Management, name: str) -> str:
    """A new password for one sign-in, in the place of one that was forgotten; every session is ended."""
    password = new_password()
    kept = await hash_password(password)
    async with database.write(by.caller.actor) as transaction:
        row = await _take(transaction, by, name)
        _refuse_known_elsewhere(row)
        await _set(transaction, row.id, password=kept, password_is_initial=True, in_hands_of=by.person)
        transaction.note("account.password_reset", subject_of(row.id))
        await end_sessions(transaction, database.clock.now(), row.id, "password_reset")
    return password


def plain_name(name: str) -> str:
    """A name as it is kept and compared: what people type alike is the same name."""
    return unicodedata.normalize("NFKC", name).strip().casefold()


def is_name(name: str) -> bool:
    """Whether a name may be an account's."""
    return _NAME.fullmatch(name) is not None


def subject_of(account: int) -> str:
    """How the audit log names an account."""
    return f"account:{account}"


async def _is_taken(connection: AsyncConnection, name: str) -> bool:
    account = select(_ACCOUNTS.c.id).where(_ACCOUNTS.c.name == name)
    key = select(_KEYS.c.hash).where(_KEYS.c.name == name)
    return bool((await connection.execute(select(exists(account) | exists(key)))).scalar_one())


async def _take(transaction: Transaction, by: Management, name: str) -> Row[Any]:
    return await _find(transaction.connection, name, by.caller, lock=is_postgresql(transaction.connection))


async def _find(connection: AsyncConnection, name: str, by: Caller | None, *, lock: bool = False) -> Row[Any]:
    seen = true() if by is None else in_district(_ACCOUNTS, by)
    query = select(_ACCOUNTS).where(_ACCOUNTS.c.name == plain_name(name), seen)
    row = None
    if is_name(plain_name(name)):
        row = (await connection.execute(query.with_for_update() if lock else query)).one_or_none()
    if row is None:
        raise NotFoundError("there is no account of that name, or it is not yours to see; list them", place="name")
    return row


async def _set(transaction: Transaction, account: int, **values: Any) -> None:
    await transaction.connection.execute(update(_ACCOUNTS).where(_ACCOUNTS.c.id == account).values(values))


def _refuse_known_elsewhere(row: Row[Any]) -> None:
    if row.identity is not None:
        raise ConflictError(
            "signs in by the identity provider, which says password and post; change it there", place="name"
        )


async def _keep_an_administrator(connection: AsyncConnection, before: Row[Any]) -> None:
    """Refuse what took the last administrator of the whole city away."""
    was_one = before.role is Role.ADMINISTRATOR and before.scope is None and before.disabled_at is None
    if was_one and not await has_administrator(connection):
        raise ConflictError("is the last administrator of the whole city; make another one first", place="name")


def _shown(row: Row[Any]) -> AccountRow:
    return AccountRow(
        row.id,
        row.name,
        row.role,
        row.scope,
        row.station,
        row.created_at,
        row.disabled_at,
        bool(row.password_is_initial),
    )
