"""Handing in applications (ZB87-2.0b)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from api.access import GuardedRoute
from api.openapi import problems
from api.problems import problem
from api.state import TheCaller, TheDoors
from api.views.cases import Submitted
from api.views.words import Code
from models import CaseState
from services.access import Caller, own_place
from services.casework.listing import state_of
from services.house import House
from services.intake.application import Application
from services.intake.divisions import Districts
from services.intake.problems import Problem
from services.intake.register import Registered, Registry
from services.words import CASE_WORDS

router = APIRouter(prefix="/api/v1", tags=["cases"], route_class=GuardedRoute)

_ELSEWHERE = Problem(
    "person.id_number",
    "此人在其他派出所或者区县已有未办结的申请或者有效的居住证，请联系联席会议协调员",
    "this person has an open application or a permit in force at another station or in another district; ask a "
    "coordinator",
)


_AGAIN: dict[int | str, dict[str, Any]] = {
    200: {"model": Submitted, "description": "此前已收件，内容相同 / received before, with the same content"}
}


@router.post("/applications", status_code=201, response_model=Submitted, responses=_AGAIN | problems(409))
async def submit_application(
    application: Application, doors: TheDoors, caller: TheCaller, response: Response
) -> Submitted | JSONResponse:
    """Hand in one application: a new case (201), or the case that the same application opened before (200)."""
    house = doors.house
    own_place(caller, application.district, application.station)
    found = application.problems_at(house.database.clock.today(), _districts(house, application))
    if found:
        return problem(422, detail="see `errors` for each field", errors=found)
    registry = Registry(house.database, house.keys, house.packs)
    (answer,) = await registry.register([application], caller.actor)
    if answer.problem is not None or answer.number is None:
        return await _refusal(house, caller, answer)
    # A case is never deleted, so what was received before has a state.
    state = (None if answer.new else await state_of(house, answer.number)) or CaseState.RECEIVED
    response.status_code = 201 if answer.new else 200
    response.headers["Location"] = f"/api/v1/cases/{answer.number}"
    if answer.new:
        doors.bell.ring()
    return Submitted(number=answer.number, state=Code(code=state.value, **CASE_WORDS[state.value]._asdict()))


def _districts(house: House, application: Application) -> Districts:
    """The districts of the policy that covers the application; of the newest one where none does (A16)."""
    pack = house.packs.covering(application.received_on) or house.packs.packs[-1]
    return Districts({code: text.zh for code, text in pack.districts.items()})


async def _refusal(house: House, caller: Caller, answer: Registered) -> JSONResponse:
    """409 with what stands in the way; a case out of the caller's sight is not named."""
    errors: Iterable[Problem] = () if answer.problem is None else (answer.problem,)
    if answer.number is not None and await state_of(house, answer.number, caller.sight) is None:
        errors = (_ELSEWHERE,)
    return problem(409, "conflict", "nothing was registered; see `errors`", errors=errors)
