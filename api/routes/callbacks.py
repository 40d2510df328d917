"""Call-backs: departments report outcomes, signed by Standard Webhooks with the secret of their endpoint."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request

from api.access import GuardedRoute
from api.openapi import problems, signed_headers
from api.state import TheDoors
from api.views.city import CallbackTaken
from services.casework.answers import Taken
from services.casework.answers import take_callback as take
from services.exchange.schemas import ANSWER

router = APIRouter(prefix="/api/v1", tags=["departments"], route_class=GuardedRoute)

Department = Annotated[str, Path(pattern="^[a-z-]{1,40}$", description="部门代码 / code of the department")]
_BODY: dict[str, Any] = {
    "required": True,
    "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{ANSWER}"}}},
}


@router.post(
    "/callbacks/{department}",
    response_model=CallbackTaken,
    responses=problems(401, 404, 409),
    openapi_extra={"parameters": signed_headers(), "requestBody": _BODY},
)
async def take_callback(department: Department, request: Request, doors: TheDoors) -> Taken:
    """Take the outcomes of steps from the department that was asked. The same message twice changes nothing."""
    taken = await take(doors.house, department, request.headers, await request.body())
    if taken.settled or taken.unchanged:
        doors.bell.ring()
    return taken
