"""A person who comes from the identity provider: the account it means, its post as the claims have it today, a session.

The account is found by the provider's own number of the person, never by a name, and no local account is ever taken
over. What the claims say of the post holds from sign-in to sign-in: another post ends sessions and revokes keys.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row, select, update

from models import AccessKey, Account
from services.access.accounts import is_name, plain_name, subject_of
from services.access.callers import Caller
from services.access.keys import revoke_owned
from services.access.openid.provider import TokenRefusedError
from services.access.openid.rules import post_of
from services.access.posts import Post
from services.access.sessions import end_sessions, open_session
from services.access.sign_in import SignedIn
from services.database import Transaction, is_postgresql, table
from services.errors import AccessError, InputError
from services.house import House

_ACCOUNTS, _KEYS = table(Account), table(AccessKey)
_ACTOR = "openid"


class NotWelcomeError(AccessError):
    """The provider knows the person, but the rules give them no post, or their account here is disabled."""

    code = "openid-no-post"


async def arrive(house: House, claims: Mapping[str, Any], *, source: str, agent: str) -> SignedIn:
    """Let in the person of these verified ``claims``; NotWelcomeError if there is no place for them here."""
    settings, database = house.settings, house.database
    post = post_of(settings.oidc_posts, claims)
    if post is None:
        raise NotWelcomeError("no rule gives you a post here; ask the administrator", place="sign-in")
    try:
        post.check(house.packs)
    except InputError as problem:
        raise NotWelcomeError(f"the post that your claims give is none: {problem}", place="sign-in") from None
    identity = hashlib.sha256(f"{claims['iss']}\0{claims['sub']}".encode()).hexdigest()
    now = database.clock.now()
    async with database.write(_ACTOR) as transaction:
        query = select(_ACCOUNTS).where(_ACCOUNTS.c.identity == identity)
        if is_postgresql(transaction.connection):
            query = query.with_for_update()
        row = (await transaction.connection.execute(query)).one_or_none()
        if row is None:
            row = await _welcome(transaction, house, claims, identity, post)
        elif row.disabled_at is not None:
            raise NotWelcomeError("your account here is disabled; ask the administrator", place="sign-in")
        elif Post(row.role, row.scope, row.station) != post:
            await _move(transaction, house, row, post)
        caller = Caller(row.name, post.role, post.scope, post.station, row.id, in_person=True)
        token = await open_session(transaction, now, row.id, settings.session_terms, source=source, agent=agent)
        transaction.note("sign_in.done", subject_of(row.id), source=source, by="openid")
    return SignedIn(token, caller, must_change=False)


async def note_refusal(house: House, why: str, source: str) -> None:
    """Write down that somebody came back from the provider and was not let in."""
    async with house.database.write(_ACTOR) as transaction:
        transaction.note("sign_in.failed", "system", source=source, by="openid", why=why)


async def _welcome(
    transaction: Transaction, house: House, claims: Mapping[str, Any], identity: str, post: Post
) -> Row[Any]:
    said = claims.get(house.settings.oidc_name_claim)
    name = plain_name(said) if isinstance(said, str) else ""
    if not is_name(name):
        raise TokenRefusedError("bears no name that an account could have")
    connection = transaction.connection
    for taken in (
        select(_ACCOUNTS.c.id).where(_ACCOUNTS.c.name == name),
        select(_KEYS.c.hash).where(_KEYS.c.name == name),
    ):
        if (await connection.execute(taken.limit(1))).first() is not None:
            raise NotWelcomeError("somebody else here has your name; ask the administrator", place="sign-in")
    row = {
        "name": name,
        "identity": identity,
        "role": post.role,
        "scope": post.scope,
        "station": post.station,
        "password": None,
        "password_is_initial": False,
        "created_at": house.database.clock.now(),
    }
    made = (await connection.execute(_ACCOUNTS.insert().values(row).returning(_ACCOUNTS))).one()
    transaction.note("account.created", subject_of(made.id), name=name, by="openid", **post.told())
    return made


async def _move(transaction: Transaction, house: House, row: Row[Any], post: Post) -> None:
    now = house.database.clock.now()
    changed = {"role": post.role, "scope": post.scope, "station": post.station}
    await transaction.connection.execute(update(_ACCOUNTS).where(_ACCOUNTS.c.id == row.id).values(changed))
    before = Post(row.role, row.scope, row.station).told()
    transaction.note("account.post_changed", subject_of(row.id), **post.told(), before=before, by="openid")
    await revoke_owned(transaction, now, row.id)
    await end_sessions(transaction, now, row.id, "post_changed")
