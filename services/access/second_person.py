"""Second persons: what one asks for, another has to approve, and one person can never do both.

It is about persons and not about names. A person stands behind a session, and behind a key that the person made and
owns. Behind a key without an owner, or one that somebody else saw, and behind the command line, stands nobody who is
known: such a caller may ask, and then two different persons have to approve, of whom one at least did not ask. It may
not approve.

Whoever gives an account its password could have used it. So an account is *in the hands of* the administrator who made
it or last gave it a password: the two count as one person, and so do all accounts in the same hands. Accounts made at
the command line, or vouched for by an identity provider, are in their own. What counts is in whose hands an account was
at the moment of asking, and at that of approving.

Use it in three lines: keep ``person_behind`` when something is asked for; call ``approve`` with it, the row that waits
being locked; go on when the answer is true.
"""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models import Account, Approval
from services.access.callers import Caller
from services.database import Transaction, table
from services.errors import AccessError

_ACCOUNTS, _APPROVALS = table(Account), table(Approval)


class NobodyKnownError(AccessError):
    """The caller is a key or the command line, and which person stands behind it is not known."""

    code = "needs-a-person"

    def __init__(self) -> None:
        super().__init__("this needs a person: sign in, or use a key that you made for yourself", place="authorization")


class SamePersonError(AccessError):
    """The caller asked for it, or approved it already."""

    code = "needs-a-second-person"


async def person_behind(connection: AsyncConnection, caller: Caller) -> int | None:
    """The person whose doing it is, as the number of an account: the one in whose hands the caller's account is. None
    if nobody is known."""
    if caller.account is None or not caller.in_person:
        return None
    hands = func.coalesce(_ACCOUNTS.c.in_hands_of, _ACCOUNTS.c.id)
    person: int = (await connection.execute(select(hands).where(_ACCOUNTS.c.id == caller.account))).scalar_one()
    return person


async def approve(transaction: Transaction, caller: Caller, subject: str, asked_person: int | None) -> bool:
    """Record that ``caller`` approves of ``subject``; whether that is enough.

    ``asked_person``: what ``person_behind`` said of who asked. NobodyKnownError for a caller who is no known person,
    SamePersonError for who asked or approved before.
    """
    connection = transaction.connection
    person = await person_behind(connection, caller)
    if person is None:
        raise NobodyKnownError
    if person == asked_person:
        raise SamePersonError("a second person has to approve what you asked for", place=subject)
    before = (await connection.execute(select(_APPROVALS.c.person).where(_APPROVALS.c.subject == subject))).scalars()
    persons = set(before)
    if person in persons:
        raise SamePersonError("you approved it already; since nobody knows who asked, a second has to", place=subject)
    row = {"subject": subject, "person": person, "actor": transaction.actor, "at": transaction.at}
    await transaction.insert(Approval, [row])
    enough = asked_person is not None or bool(persons)
    transaction.note("approval.given", subject, person=person, enough=enough)
    return enough


async def approvals_of(connection: AsyncConnection, subject: str) -> tuple[str, ...]:
    """Who approved of ``subject``, in order."""
    query = select(_APPROVALS.c.actor).where(_APPROVALS.c.subject == subject).order_by(_APPROVALS.c.at)
    return tuple((await connection.execute(query)).scalars())
