"""Sessions: a person signed in from one browser, until they sign out, are idle for too long, or are ended by others.

The browser holds a token of 256 random bits in a cookie; only its SHA-256 is kept. The token that forms bear against
forgery (CSRF) is derived from it, so that it belongs to this one session and is stored nowhere.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models import Account, Session
from services.access.callers import Caller
from services.database import Transaction, table
from services.errors import AccessError, NotFoundError

_SESSIONS, _ACCOUNTS = table(Session), table(Account)
_TOKEN = re.compile(r"lbs_[A-Za-z0-9_-]{43}")
_ID_LENGTH = 12
# How exactly it is known when a session was last used: each look at a page would be a write otherwise.
SEEN_EVERY = timedelta(minutes=1)
# What is over stands for a while, so that a person asked about it can be answered; the log has it for ever.
_KEPT = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class SessionTerms:
    """How long a session lasts: unused, and altogether."""

    idle: timedelta = timedelta(minutes=60)
    whole: timedelta = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session that stands: whose it is, and whether the password must be changed before anything else."""

    hash: str
    caller: Caller
    must_change: bool
    seen_at: datetime

    @property
    def id(self) -> str:
        """What tells it from others, and opens nothing."""
        return self.hash[:_ID_LENGTH]


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One open session as its person sees it in a list."""

    id: str
    source: str
    agent: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime


class SessionRefusedError(AccessError):
    """No session, or one that is over. ``code``: session-missing, session-ended."""

    status = 401

    def __init__(self, code: str = "session-ended") -> None:
        super().__init__("you are not signed in, or no longer; sign in", place="session")
        self.code = code


def csrf_token(token: str) -> str:
    """What every form of the session ``token`` bears; it tells nothing of the token itself."""
    return hmac.new(token.encode(), b"csrf", hashlib.sha256).hexdigest()


def is_csrf_token(given: str, token: str) -> bool:
    """Whether ``given`` belongs to the session ``token``; compared in constant time."""
    return hmac.compare_digest(given.encode(), csrf_token(token).encode())


async def open_session(
    transaction: Transaction, now: datetime, account: int, terms: SessionTerms, *, source: str, agent: str
) -> str:
    """A new session of ``account``; its token, which is not kept."""
    token = f"lbs_{secrets.token_urlsafe(32)}"
    row = {
        "hash": hash_of(token),
        "account_id": account,
        "source": source[:64],
        "agent": "".join(filter(str.isprintable, agent))[:120],
        "created_at": now,
        "seen_at": now,
        "expires_at": now + terms.whole,
        "ended_at": None,
        "ended_because": None,
    }
    await transaction.insert(Session, [row])
    long_over = and_(_SESSIONS.c.account_id == account, _SESSIONS.c.expires_at < now - _KEPT)
    await transaction.connection.execute(delete(_SESSIONS).where(long_over))
    return token


async def find_session(connection: AsyncConnection, token: str, now: datetime, terms: SessionTerms) -> OpenSession:
    """The session ``token`` with its person as they stand now; SessionRefusedError if it is over or never was."""
    if not _TOKEN.fullmatch(token):
        raise SessionRefusedError
    query = (
        select(_SESSIONS.c.hash, _SESSIONS.c.seen_at, _ACCOUNTS)
        .join_from(_SESSIONS, _ACCOUNTS, _SESSIONS.c.account_id == _ACCOUNTS.c.id)
        .where(_SESSIONS.c.hash == hash_of(token), _standing(now, terms), _ACCOUNTS.c.disabled_at.is_(None))
    )
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise SessionRefusedError
    caller = Caller(row.name, row.role, row.scope, row.station, row.id, in_person=True)
    return OpenSession(row.hash, caller, bool(row.password_is_initial), row.seen_at)


async def touch_session(transaction: Transaction, now: datetime, session: OpenSession) -> None:
    """Remember that the session was used just now."""
    mine = _SESSIONS.c.hash == session.hash
    await transaction.connection.execute(update(_SESSIONS).where(mine).values(seen_at=now))


async def list_sessions(
    connection: AsyncConnection, account: int, now: datetime, terms: SessionTerms
) -> list[SessionRow]:
    """The sessions of ``account`` that stand, the one used last first."""
    mine = and_(_SESSIONS.c.account_id == account, _standing(now, terms))
    rows = await connection.execute(select(_SESSIONS).where(mine).order_by(_SESSIONS.c.seen_at.desc()))
    return [
        SessionRow(row.hash[:_ID_LENGTH], row.source, row.agent, row.created_at, row.seen_at, row.expires_at)
        for row in rows
    ]


async def end_session(transaction: Transaction, now: datetime, account: int, session: str, because: str) -> None:
    """End one session of ``account`` by its id; NotFoundError if none of that id is open."""
    mine = and_(
        _SESSIONS.c.account_id == account,
        _SESSIONS.c.hash.startswith(session, autoescape=True),
        _SESSIONS.c.ended_at.is_(None),
    )
    ended = await transaction.connection.execute(update(_SESSIONS).where(mine).values(_over(now, because)))
    if not session or not ended.rowcount:
        raise NotFoundError("there is no such session, or it is over", place="session")
    transaction.note("session.ended", f"account:{account}", session=session[:_ID_LENGTH], why=because)


async def end_sessions(
    transaction: Transaction, now: datetime, account: int, because: str, *, keep: str | None = None
) -> int:
    """End every session of ``account`` but ``keep`` (a hash); how many were open."""
    mine = [_SESSIONS.c.account_id == account, _SESSIONS.c.ended_at.is_(None)]
    if keep is not None:
        mine.append(_SESSIONS.c.hash != keep)
    ended = await transaction.connection.execute(update(_SESSIONS).where(and_(*mine)).values(_over(now, because)))
    if ended.rowcount:
        transaction.note("sessions.ended", f"account:{account}", sessions=ended.rowcount, why=because)
    return ended.rowcount


def hash_of(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def _standing(now: datetime, terms: SessionTerms) -> ColumnElement[bool]:
    return and_(_SESSIONS.c.ended_at.is_(None), _SESSIONS.c.expires_at > now, _SESSIONS.c.seen_at > now - terms.idle)


def _over(now: datetime, because: str) -> dict[str, object]:
    return {"ended_at": now, "ended_because": because}
