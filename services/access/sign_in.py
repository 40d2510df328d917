"""Signing in with name and password, and signing out.

Claim, act, record: the try is counted in one transaction, the password is looked at with none open, and what came of
it is recorded in another. A name that nobody has, a wrong password and a disabled account are told alike and take
alike long.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select, update

from models import Account
from services.access.accounts import is_name, plain_name, read_account, subject_of
from services.access.brakes import Try, count_try, forgive, release_name
from services.access.callers import Caller
from services.access.management import Management
from services.access.passwords import MAX_LENGTH, is_password
from services.access.sessions import OpenSession, end_session, end_sessions, open_session
from services.database import table
from services.errors import AccessError
from services.house import House

_ACCOUNTS = table(Account)
_NOBODY = "anonymous"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A person who came in: the token for the cookie, and whether the password must be changed first."""

    token: str
    caller: Caller
    must_change: bool


class SignInError(AccessError):
    """Name and password do not belong together; which of them is wrong is not told."""

    status = 401
    code = "sign-in-refused"

    def __init__(self) -> None:
        super().__init__("name and password do not belong together, or the account is disabled", place="sign-in")


async def sign_in(house: House, name: str, password: str, *, source: str, agent: str) -> SignedIn:
    """Let the person in. SignInError if name and password are not one account's, TooManyTriesError while the brake on
    the name or on the ``source`` (the network address) is closed.
    """
    database = house.database
    name = plain_name(name)
    tried = Try.of(house.keys, name, source)
    async with database.write(_NOBODY) as transaction:
        closes = await count_try(transaction, database.clock.now(), tried)
    row = await _look_up(house, name)
    right = await is_password(password[: MAX_LENGTH + 1], row.password if row is not None else None)
    if row is None or not right or row.disabled_at is not None:
        await _record_failure(house, row, source, closes=closes)
        raise SignInError
    caller = Caller(row.name, row.role, row.scope, row.station, row.id, in_person=True)
    now = database.clock.now()
    async with database.write(caller.actor) as transaction:
        # Taking the row's lock, and only while it is what was checked: disabled or changed meanwhile, it is refused.
        same = (_ACCOUNTS.c.id == row.id) & (_ACCOUNTS.c.password == row.password) & _ACCOUNTS.c.disabled_at.is_(None)
        held = await transaction.connection.execute(update(_ACCOUNTS).where(same).values(password=row.password))
        if not held.rowcount:
            raise SignInError
        await forgive(transaction, tried)
        terms = house.settings.session_terms
        token = await open_session(transaction, now, row.id, terms, source=source, agent=agent)
        transaction.note("sign_in.done", subject_of(row.id), source=source, by="password")
    return SignedIn(token, caller, bool(row.password_is_initial))


async def sign_out(house: House, session: OpenSession) -> None:
    """End the session that is being used."""
    caller = session.caller
    if caller.account is None:
        return
    async with house.database.write(caller.actor) as transaction:
        await end_session(transaction, house.database.clock.now(), caller.account, session.id, "signed_out")


async def unlock(house: House, by: Management, name: str) -> bool:
    """Let an account's brake go; whether it was closed or closing."""
    async with house.database.write(by.caller.actor) as transaction:
        row = await read_account(transaction.connection, name, by.caller)
        released = await release_name(transaction, house.keys, row.name)
        if released:
            transaction.note("account.unlocked", subject_of(row.id))
    return released


async def end_all(house: House, by: Management, name: str) -> int:
    """End every session of an account; how many there were."""
    async with house.database.write(by.caller.actor) as transaction:
        row = await read_account(transaction.connection, name, by.caller)
        return await end_sessions(transaction, house.database.clock.now(), row.id, "by_an_administrator")


async def _look_up(house: House, name: str) -> Row[Any] | None:
    if not is_name(name):
        return None
    async with house.database.read() as connection:
        return (await connection.execute(select(_ACCOUNTS).where(_ACCOUNTS.c.name == name))).one_or_none()


async def _record_failure(house: House, row: Row[Any] | None, source: str, *, closes: bool) -> None:
    # What was typed as a name may be a password, and is therefore not written down.
    subject = subject_of(row.id) if row is not None else "system"
    async with house.database.write(_NOBODY) as transaction:
        transaction.note("sign_in.failed", subject, source=source, disabled=bool(row and row.disabled_at))
        if closes:
            transaction.note("sign_in.braked", subject, source=source)
