"""The applicant's answer to a correction (补正): a corrected application takes the place of the one before.

The one before is kept, sealed, as a version of the case. Where it is about another person or another residence, what
departments answered counts no more and is asked again.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import and_, select, update
from sqlalchemy.exc import IntegrityError

from models import Case, CaseState, CaseVersion, ClockStop, StepKind
from services.access import Caller
from services.casework.sight import cases_in
from services.casework.standing import Standing, load_standing
from services.database import Transaction, table
from services.errors import ConflictError, InputError, NotFoundError
from services.house import House
from services.intake.application import Application
from services.remedies.cases import ask_anew
from services.remedies.hands import Hands

_CASES, _STOPS = table(Case), table(ClockStop)
# What a correction cannot change: it is then another application.
_FIXED = ("application_number", "received_on", "district")
# What departments' answers are about.
_ANSWERED_ON = frozenset({"person", "residence"})


@dataclass(frozen=True, slots=True)
class Corrected:
    """What a correction came to: the parts of the application that it changed, and which version now counts."""

    number: str
    version: int
    changed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Opened:
    """An application opened to be put right, with all that the applicant was told is missing."""

    application: Application
    missing: tuple[str, ...]


async def open_application(house: House, caller: Caller, number: str) -> Opened:
    """The application of a case that waits for its correction; that it was opened stands in the audit log.

    NotFoundError out of sight, ConflictError if no correction is awaited.
    """
    async with house.database.write(caller.actor) as transaction:
        one = await _awaiting(house, caller, transaction, number)
        query = select(_STOPS.c.missing).where(_STOPS.c.case_number == number, _STOPS.c.until_at.is_(None))
        missing = (await transaction.connection.execute(query)).scalar_one_or_none() or ()
        transaction.note("case.opened", number, purpose="correction")
    return Opened(one.application, tuple(missing))


async def take_correction(house: House, caller: Caller, number: str, application: Application) -> Corrected:
    """Let ``application`` take the place of what the case ``number`` holds, end the clock's stop, and go on.

    NotFoundError out of sight, ConflictError if no correction is awaited or the person has another case, InputError
    where it changes what makes it the application it is.
    """
    try:
        async with house.database.write(caller.actor) as transaction:
            return await _take(house, caller, transaction, number, application)
    except IntegrityError:
        # The database allows a person one open case.
        raise ConflictError("this person has another open case; check the ID number", place=number) from None


async def _take(
    house: House, caller: Caller, transaction: Transaction, number: str, application: Application
) -> Corrected:
    connection = transaction.connection
    one = await _awaiting(house, caller, transaction, number)
    changed = _changes(one, application)
    hands = Hands(house, transaction, {number: one}, "")
    version = one.case.version
    former = {
        "case_number": number,
        "version": version,
        "sealed": one.case.sealed,
        "replaced_at": transaction.at,
        "replaced_by": caller.actor,
    }
    await transaction.insert(CaseVersion, [former])
    person = application.person
    own = f"{person.id_number}\0{application.application_number}"
    await hands.change(
        [number],
        state=CaseState.ACCEPTED,
        version=version + 1,
        sealed=house.keys.seal(application.dump(), f"case:{number}"),
        station=application.station,
        term_asked=application.term_years,
        grounds=list(application.grounds),
        person_key=house.keys.lookup_hash("person", person.id_number),
        name_key=house.keys.lookup_hash("name", person.name),
        application_key=house.keys.lookup_hash("application", own),
    )
    stopped = and_(_STOPS.c.case_number == number, _STOPS.c.until_at.is_(None))
    await connection.execute(update(_STOPS).where(stopped).values(until_at=transaction.at))
    transaction.note("case.corrected", number, version=version + 1, changed=list(changed))
    await hands.reckon([number], "correction-taken")
    if _ANSWERED_ON.intersection(changed):
        open_ = {step.id for step in one.steps if step.kind is StepKind.VERIFICATION and step.unfinished}
        if open_ - await ask_anew(hands, [number]):
            # Its answer would be about the content before.
            raise ConflictError("a department is asked or answers this moment; try again in a minute", place=number)
    return Corrected(number, version + 1, changed)


async def _awaiting(house: House, caller: Caller, transaction: Transaction, number: str) -> Standing:
    """The case, locked, if a correction of it is awaited."""
    seen = select(_CASES.c.number).where(_CASES.c.number == number, cases_in(caller.sight))
    if (await transaction.connection.execute(seen)).one_or_none() is None:
        raise NotFoundError("there is no such case, or it is not yours to see; check the number", place="number")
    one = (await load_standing(transaction.connection, [number], house.caseworker.applications))[number]
    if one.state is not CaseState.AWAITING_APPLICANT:
        raise ConflictError(f"is {one.state.value}; no correction is awaited", place=number)
    return one


def _changes(standing: Standing, application: Application) -> tuple[str, ...]:
    """The parts of the application that differ."""
    before = standing.application
    for name in _FIXED:
        if getattr(before, name) != getattr(application, name):
            raise InputError("cannot be corrected; withdraw this application and hand in another", place=name)
    fields = type(application).model_fields
    return tuple(name for name in fields if getattr(before, name) != getattr(application, name))
