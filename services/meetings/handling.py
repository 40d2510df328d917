"""What departments do with matters before a meeting: put one forward, answer, comment; and taking one off."""

from __future__ import annotations

import hashlib
from typing import Any

from sqlalchemy import Row, select

from models import Matter, MatterKind, MatterRemark, MatterState, Role
from services.access import Caller
from services.database import Transaction, is_postgresql, table
from services.errors import AccessError, ConflictError, InputError, NotFoundError
from services.house import House
from services.meetings.matters import take_off_rows
from services.meetings.members import seated
from services.meetings.office import of_the_office
from services.meetings.rules import line
from services.meetings.words import subject_words

_MATTERS, _REMARKS = table(Matter), table(MatterRemark)
LONGEST = 1_000


async def put_forward(house: House, caller: Caller, department: str, text: str, subject: str | None = None) -> int:
    """A member puts a matter forward; its number. The same text of the same department again is the same matter.

    ``subject``: the service, fact, clause or parameter that it is about. AccessError for an officer of another
    department, NotFoundError for one without a seat.
    """
    _speaks_for(caller, department)
    seated(house, department, house.database.clock.today())
    text = line(text, "text", LONGEST)
    if subject is not None and not _is_known(house, subject):
        raise InputError("is no service, fact, clause or parameter of a policy", place="subject")
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    key = f"{MatterKind.PROPOSED.value}|{department}|{digest}"
    async with house.database.write(caller.actor) as transaction:
        row = {
            "open_key": key,
            "kind": MatterKind.PROPOSED,
            "state": MatterState.OPEN,
            "department": department,
            "subject": subject,
            "text": text,
            "opened_by": caller.actor,
            "opened_at": transaction.at,
        }
        standing = select(_MATTERS.c.id).where(_MATTERS.c.open_key == key)
        before = (await transaction.connection.execute(standing)).scalar_one_or_none()
        if before is not None:
            return int(before)
        await transaction.insert_new(Matter, [row], "open_key")
        number = int((await transaction.connection.execute(standing)).scalar_one())
        transaction.note("matter.put-forward", department, matter=number, about=subject)
    return number


async def remark(house: House, caller: Caller, matter: int, department: str, text: str, *, answer: bool) -> None:
    """A department answers a matter that is its to answer, or comments on any, until the meeting settles it."""
    _speaks_for(caller, department)
    seated(house, department, house.database.clock.today())
    text = line(text, "text", LONGEST)
    async with house.database.write(caller.actor) as transaction:
        row = await lock_matter(transaction, matter)
        if row.state is not MatterState.OPEN:
            raise ConflictError("is settled or taken off; nothing is to be said to it any more", place="matter")
        if answer and row.department != department:
            raise ConflictError("is not this department's to answer; comment on it instead", place="matter")
        written = {
            "matter_id": matter,
            "department": department,
            "is_answer": answer,
            "text": text,
            "written_by": caller.actor,
            "written_at": transaction.at,
        }
        await transaction.insert(MatterRemark, [written])
        transaction.note("matter.answered" if answer else "matter.commented", department, matter=matter)


async def take_off(house: House, caller: Caller, matter: int, because: str) -> None:
    """Take a matter off that is not to come before the meeting, with the reason. A member may take back its own."""
    because = line(because, "because", 400)
    if caller.role is not Role.OFFICER:
        of_the_office(caller)
    async with house.database.write(caller.actor) as transaction:
        row = await lock_matter(transaction, matter)
        if caller.role is Role.OFFICER and (row.kind is not MatterKind.PROPOSED or row.department != caller.scope):
            raise AccessError("only what your own department put forward can you take back", place="matter")
        if row.state is not MatterState.OPEN:
            raise ConflictError("does not wait for a meeting", place="matter")
        await take_off_rows(transaction, matter, because)


async def lock_matter(transaction: Transaction, matter: int) -> Row[Any]:
    """The matter's row, nobody else's until the transaction ends; NotFoundError if there is none."""
    query = select(_MATTERS).where(_MATTERS.c.id == matter)
    if is_postgresql(transaction.connection):
        query = query.with_for_update()
    row = (await transaction.connection.execute(query)).one_or_none()
    if row is None:
        raise NotFoundError("there is no such matter", place="matter")
    return row


def _speaks_for(caller: Caller, department: str) -> None:
    """An officer speaks for the own department; the meeting's office writes down what any of them said."""
    if caller.role is not Role.OFFICER:
        of_the_office(caller)
    elif caller.scope != department:
        raise AccessError("you work for another department", place="department")


def _is_known(house: House, code: str) -> bool:
    words = subject_words(house, code)
    return (words.zh, words.en) != (code, code)
