"""What a retry takes, and what would come of it: chosen from the steps in trouble, looked at before any is sent.

Retried is what failed, what waits for its next try, and what a department has not answered by its deadline. What was
declined is not: the department has said no. What is held goes out by itself as soon as its door opens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models import Door, Endpoint, EndpointState, Incident, IncidentKind, ItemState, RetryItem, Step, StepState
from services.casework.rechecks import recheck
from services.database import among, table
from services.errors import ConflictError, InputError, NotFoundError
from services.house import House
from services.lexicon import Lexicon, Named
from services.operations.incidents import departments_of
from services.operations.troubles import Cause, bare_reason, of_cause, troubled

_STEPS, _INCIDENTS, _ENDPOINTS, _ITEMS = table(Step), table(Incident), table(Endpoint), table(RetryItem)
MAX_STEPS = 20_000
RETRIED = (StepState.FAILED, StepState.DUE, StepState.RECEIVED)
_KINDS = (IncidentKind.FAILED, IncidentKind.STUCK, IncidentKind.RETRYING)


@dataclass(frozen=True, slots=True)
class Selection:
    """Which steps in trouble: one ``step``, those of one ``case``, those of an ``incident``, or all that fit every
    filter given. At least one is given.
    """

    step: str | None = None
    case: str | None = None
    incident: int | None = None
    department: str | None = None
    kind: IncidentKind | None = None
    reason: str | None = None
    district: str | None = None

    def to_json(self) -> dict[str, Any]:
        """What was given, as it is kept with the retry."""
        return {name: str(value) for name, value in asdict(self).items() if value is not None}


@dataclass(frozen=True, slots=True)
class Share:
    """What of a retry goes to one department, and by which door. ``superseded``: no longer right, will not be sent.

    ``open``: whether the door takes messages now; what is sent to one that is shut is held. ``policies``: the versions
    of policy packs under which the messages are written, which are those of when the steps were made.
    """

    department: Named
    door: Door | None
    open: bool
    url: str | None
    steps: int
    superseded: int
    policies: tuple[str, ...] = ()


async def choose(house: House, connection: AsyncConnection, wanted: Selection) -> Sequence[Row[Any]]:
    """The steps that ``wanted`` names and that can be sent again, in the order in which they were made. Rows of the
    ledger with ``cause_kind`` and ``cause_reason``. ConflictError if there are none, or too many.
    """
    if not wanted.to_json():
        raise InputError("say what is to be sent again: a step, a case, an incident, or a filter", place="retry")
    clock = house.database.clock
    found = troubled(departments_of(house), clock.now(), clock.today())
    kinds = [kind.value for kind in _KINDS]
    conditions: list[ColumnElement[bool]] = [found.c.kind.in_(kinds), _STEPS.c.state.in_(RETRIED)]
    if wanted.incident is not None:
        conditions += of_cause(found, await _cause(connection, wanted.incident))
    for column, value in (
        (found.c.step_id, wanted.step),
        (found.c.case_number, wanted.case),
        (found.c.department, wanted.department),
        (found.c.kind, wanted.kind.value if wanted.kind else None),
        (found.c.reason, bare_reason(wanted.reason) if wanted.reason else None),
        (found.c.district, wanted.district),
    ):
        if value is not None:
            conditions.append(column == value)
    taken = select(_ITEMS.c.open_step).where(_ITEMS.c.open_step == _STEPS.c.id)
    query = (
        select(_STEPS, found.c.kind.label("cause_kind"), found.c.reason.label("cause_reason"))
        .join(found, found.c.step_id == _STEPS.c.id)
        .where(and_(*conditions), ~taken.exists())
        .order_by(_STEPS.c.created_at, _STEPS.c.id)
        .limit(MAX_STEPS + 1)
    )
    rows = (await connection.execute(query)).all()
    if not rows:
        raise ConflictError(
            "nothing of that can be sent again: it is settled, declined, held, on its way, or in another retry",
            place="retry",
        )
    if len(rows) > MAX_STEPS:
        raise ConflictError(f"is more than {MAX_STEPS} steps; narrow the selection", place="retry")
    return rows


async def preview_shares(house: House, connection: AsyncConnection, run: int) -> tuple[Share, ...]:
    """What of the retry ``run`` is still to be sent, by department, and what of it is no longer right today."""
    waiting = select(_ITEMS.c.step_id).where(_ITEMS.c.run_id == run, _ITEMS.c.state == ItemState.WAITING)
    ids = list((await connection.execute(waiting)).scalars())
    rows = (await connection.execute(select(_STEPS).where(among(connection, _STEPS.c.id, ids)))).all()
    today = house.database.clock.today()
    wrong = (await recheck(connection, rows, today)).wrong
    endpoints = {row.department: row for row in await connection.execute(select(_ENDPOINTS))}
    lexicon = Lexicon(house.packs, None)
    shares = []
    for department in sorted({row.department for row in rows}):
        mine, door = [row.id for row in rows if row.department == department], endpoints.get(department)
        shares.append(
            Share(
                lexicon.department(department, today),
                door.door if door is not None else None,
                door is not None and door.state is EndpointState.OPEN,
                door.url if door is not None else None,
                len(mine),
                sum(step in wrong for step in mine),
                tuple(sorted({row.pack for row in rows if row.department == department})),
            )
        )
    return tuple(shares)


async def _cause(connection: AsyncConnection, incident: int) -> Cause:
    row = (await connection.execute(select(_INCIDENTS).where(_INCIDENTS.c.id == incident))).one_or_none()
    if row is None:
        raise NotFoundError("there is no such incident", place="incident")
    if row.open_key is None:
        raise ConflictError("is over; nothing of it is left to be sent again", place="incident")
    return Cause(row.department, row.kind, row.reason)
