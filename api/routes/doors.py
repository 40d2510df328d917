"""The doors at which departments come for their steps: the signed poll, and the sheets of the inbox."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api.access import WORKBOOK, GuardedRoute
from api.openapi import problems, signed_headers
from api.routes.callbacks import Department
from api.state import TheCaller, TheDoors, TheHouse
from api.views.city import CallbackTaken
from api.views.endpoints import RejectedRow, WorkTaken
from services.access import own_department
from services.casework.answers import Taken
from services.doors import poll
from services.doors.inbox import MAX_STEPS, upload_answers
from services.doors.inbox import download_work as download
from services.exchange.messages import BATCH_CONTENT_TYPE
from services.exchange.schemas import ANSWER

router = APIRouter(prefix="/api/v1/doors/{department}", tags=["departments"], route_class=GuardedRoute)

_SIGNED = (
    "\n\nSigned by Standard Webhooks; in the place of a message's body stand method and target exactly as sent, a line "
    "feed, and the body if there is one: `webhook-id.webhook-timestamp.GET /api/v1/doors/hrss/steps?limit=50\\n`."
)
_ANSWER: dict[str, Any] = {
    "required": True,
    "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{ANSWER}"}}},
}
_BATCH: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "与推送相同的消息，一并签名 / the messages as a push would send them, in a batch that we signed",
        "content": {BATCH_CONTENT_TYPE: {"schema": {"type": "array", "items": {"type": "object"}}}},
        "headers": {
            name: {"schema": {"type": "string"}}
            for name in ("webhook-id", "webhook-timestamp", "webhook-signature", "lianban-cursor", "lianban-more")
        },
    }
}
_SHEET: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "待办事项表 / the sheet",
        "content": {WORKBOOK: {"schema": {"type": "string", "format": "binary"}}},
        "headers": {name: {"schema": {"type": "string"}} for name in ("lianban-steps", "lianban-fresh")},
    }
}
_WORKBOOK_BODY: dict[str, Any] = {"required": True, "content": {WORKBOOK: {"schema": {"type": "string"}}}}


class PollQuery(BaseModel):
    """How much is wanted, from where on, and how long to wait for it."""

    model_config = ConfigDict(extra="forbid")

    cursor: str | None = Field(default=None, pattern="^[A-Za-z0-9_-]{1,60}$", description="上次的 lianban-cursor")
    limit: int = Field(default=50, ge=1, le=poll.MAX_STEPS)
    wait: float = Field(default=0.0, ge=0, le=poll.MAX_WAIT, allow_inf_nan=False, description="最长等待秒数 / seconds")


class WorkQuery(BaseModel):
    """How many steps the sheet may hold."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(default=500, ge=1, le=MAX_STEPS)


@router.get(
    "/steps",
    response_class=Response,
    responses=_BATCH | problems(401, 404, 409, 422),
    openapi_extra={"parameters": signed_headers()},
    description="Hand out the steps that wait for the department, as a batch. Without a cursor all comes that is not "
    "acknowledged; with one, what is new." + _SIGNED,
)
async def poll_steps(
    department: Department, query: Annotated[PollQuery, Query()], request: Request, house: TheHouse
) -> Response:
    """Hand out the steps that wait for the department."""
    await poll.authenticate(house, department, await _signed(request))
    polled = await poll.poll(house, department, cursor=query.cursor, limit=query.limit, wait=query.wait)
    headers = {**polled.headers, "lianban-cursor": polled.cursor, "lianban-more": str(polled.more).lower()}
    return Response(polled.body, media_type=BATCH_CONTENT_TYPE, headers=headers | {"cache-control": "no-store"})


@router.post(
    "/outcomes",
    response_model=CallbackTaken,
    responses=problems(401, 404, 409),
    openapi_extra={"parameters": signed_headers(), "requestBody": _ANSWER},
    description="Acknowledge steps with their outcomes, or with `received` alone while there is none. The same message "
    "twice changes nothing." + _SIGNED,
)
async def acknowledge_steps(department: Department, request: Request, doors: TheDoors) -> Taken:
    """Acknowledge steps with their outcomes."""
    signed = await _signed(request)
    message_id = await poll.authenticate(doors.house, department, signed)
    taken = await poll.acknowledge(doors.house, department, signed, message_id)
    if taken.settled or taken.unchanged:
        doors.bell.ring()
    return taken


@router.post("/sheet", response_class=Response, responses=_SHEET | problems(404, 422))
async def download_work(
    department: Department, query: Annotated[WorkQuery, Query()], doors: TheDoors, caller: TheCaller
) -> Response:
    """Take what waits for the department as a sheet (.xlsx). Taking it is receipt: the steps are the department's."""
    own_department(caller, department)
    work = await download(doors.house, caller, department, query.limit)
    if work.fresh:
        doors.bell.ring()
    day = doors.house.database.clock.today().isoformat()
    headers = {
        "content-disposition": f'attachment; filename="lianban-{department}-{day}.xlsx"',
        "cache-control": "no-store",
        "lianban-steps": str(work.steps),
        "lianban-fresh": str(work.fresh),
    }
    return Response(work.content, media_type=WORKBOOK, headers=headers)


@router.post(
    "/sheet/outcomes",
    response_model=WorkTaken,
    responses=problems(404, 409),
    openapi_extra={"requestBody": _WORKBOOK_BODY},
)
async def hand_in_work(department: Department, request: Request, doors: TheDoors, caller: TheCaller) -> WorkTaken:
    """Hand in the filled sheet. Good rows take effect; each bad one comes back with its number and the reason."""
    own_department(caller, department)
    done = await upload_answers(doors.house, caller, department, await request.body())
    if done.taken.settled or done.taken.unchanged:
        doors.bell.ring()
    return WorkTaken(
        repeated=done.taken.repeated,
        rows=done.rows,
        settled=list(done.taken.settled),
        unchanged=list(done.taken.unchanged),
        contradicted=list(done.taken.contradicted),
        rejected=[
            RejectedRow(row=one.row, field=one.problem.field, zh=one.problem.zh, en=one.problem.en)
            for one in done.rejected
        ],
    )


async def _signed(request: Request) -> poll.Request:
    query = request.scope.get("query_string", b"")
    target = request.scope.get("raw_path", request.url.path.encode()) + (b"?" + query if query else b"")
    return poll.Request(request.method, target.decode("latin-1"), request.headers, await request.body())
