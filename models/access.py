"""Who may come in: access keys of machines, accounts of people and their sessions, and the brake on guessing.

Of keys, sessions and passwords only hashes are kept. All instants are wire time.
"""

from datetime import datetime

from sqlalchemy import Column, ForeignKey, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from models.base import JsonType, UtcDateTime, state_type
from models.states import Role


class AccessKey(SQLModel, table=True):
    """A machine client's or an operator's key. Only its hash is kept; ``scope`` is a department or a district.

    ``operations``: the routes that it is for; None for all of its role. It acts for ``owner_id``; ``made_by`` is the
    account that saw its secret. ``used_at`` is right to some minutes.
    """

    __tablename__ = "access_keys"
    __table_args__ = (Index("ix_access_keys_owner_id", "owner_id"),)

    hash: str = Field(primary_key=True, max_length=64)
    name: str = Field(max_length=80)
    role: Role = Field(sa_column=Column(state_type(Role), nullable=False))
    scope: str | None = Field(default=None, max_length=40)
    station: str | None = Field(default=None, max_length=80)
    operations: list[str] | None = Field(default=None, sa_column=Column(JsonType, nullable=True))
    owner_id: int | None = Field(default=None, sa_column=Column(ForeignKey("accounts.id"), nullable=True))
    made_by: int | None = None
    created_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    revoked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    used_from: str | None = Field(default=None, max_length=64)


class Account(SQLModel, table=True):
    """One person's account. It is never deleted and its ``name`` (what the person signs in under) never given again, so
    that an entry of the audit log means one person for ever.

    ``station``: a clerk's police station, as it stands in applications. ``password``: its argon2 hash; None where the
    person signs in elsewhere. ``password_is_initial``: it was given by somebody else and must be changed before
    anything else is done. ``in_hands_of``: the person who gave the account its last password, and so could have used
    it; None for those whom the command line or an identity provider vouches for (``services.access.second_person``).
    ``identity``: a hash of the identity provider's own number of the person.
    """

    __tablename__ = "accounts"
    __table_args__ = (UniqueConstraint("name"), UniqueConstraint("identity"))

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=60)
    role: Role = Field(sa_column=Column(state_type(Role), nullable=False))
    scope: str | None = Field(default=None, max_length=40)
    station: str | None = Field(default=None, max_length=80)
    in_hands_of: int | None = None
    identity: str | None = Field(default=None, max_length=64)
    password: str | None = Field(default=None, max_length=200)
    password_is_initial: bool = True
    created_at: datetime = Field(sa_type=UtcDateTime)
    disabled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Session(SQLModel, table=True):
    """One time that a person is signed in, from one browser. ``hash`` is the SHA-256 of the token in its cookie.

    ``source`` (the network address) and ``agent`` (what the browser calls itself) tell the person which session it is.
    """

    __tablename__ = "sessions"
    __table_args__ = (Index("ix_sessions_account_id_ended_at", "account_id", "ended_at"),)

    hash: str = Field(primary_key=True, max_length=64)
    account_id: int = Field(sa_column=Column(ForeignKey("accounts.id"), nullable=False))
    source: str = Field(max_length=64)
    agent: str = Field(max_length=120)
    created_at: datetime = Field(sa_type=UtcDateTime)
    seen_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_because: str | None = Field(default=None, max_length=24)


class SignInBrake(SQLModel, table=True):
    """Failed sign-ins under one name, or from one source. ``key``: ``name:`` or ``source:`` and a keyed hash, since
    what is typed as a name may be a password. Nobody gets in under it before ``until``.
    """

    __tablename__ = "sign_in_brakes"
    __table_args__ = (Index("ix_sign_in_brakes_last_at", "last_at"),)

    key: str = Field(primary_key=True, max_length=80)
    failures: int = 0
    last_at: datetime = Field(sa_type=UtcDateTime)
    until: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Approval(SQLModel, table=True):
    """One person's yes to what needs a second one. ``subject``: what it is about, as the audit log names it
    (``remedy:12``); ``person``: in whose hands the account was at that moment.
    """

    __tablename__ = "approvals"

    subject: str = Field(primary_key=True, max_length=80)
    person: int = Field(sa_column=Column(ForeignKey("accounts.id"), primary_key=True))
    actor: str = Field(max_length=80)
    at: datetime = Field(sa_type=UtcDateTime)
