"""Meetings: planned, called, held; what is settled at them; their minutes; and the rule by which they come together."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from api.access import GuardedRoute
from api.openapi import problems
from api.routes.matters import MAX_ID, Because, Department, MatterId, Words
from api.state import TheCaller, TheHouse
from api.views.meetings import Done, Made, MeetingFile, MeetingItem, MeetingList, Minutes, Rule
from services.intake.fields import Day
from services.meetings import agenda, minutes, reading, records, rules, sitting
from services.meetings.orders import AnyAction
from services.meetings.resolutions import Agreed, record_resolution
from services.remedies.orders import Line

router = APIRouter(prefix="/api/v1", tags=["meetings"], route_class=GuardedRoute)

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
MeetingId = Annotated[int, Path(ge=1, le=MAX_ID, description="会议编号 / its number")]
Version = Annotated[int, Path(ge=1, le=MAX_ID, description="纪要版次 / version of the minutes")]
Office = Annotated[Line, Field(max_length=80)]


class MeetingQuery(BaseModel):
    """Which meetings to list."""

    model_config = ConfigDict(extra="forbid")

    before: int | None = Field(default=None, ge=1, le=MAX_ID)
    limit: int = Field(default=50, ge=1, le=reading.MAX_PAGE)


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class Convening(_Form):
    """A meeting beside the regular ones."""

    held_on: Day


class Opening(_Form):
    """Who leads the sitting: an office, and who holds it."""

    chair: Office


class Presence(_Form):
    """Whether a department is there, and by whom (an office held)."""

    department: Department
    present: bool
    delegate: Office | None = None


class ResolutionForm(_Form):
    """What was agreed on a matter of the agenda."""

    matter: int = Field(ge=1, le=MAX_ID)
    text: Words
    department: Department = Field(description="责任单位 / who owes it")
    helpers: tuple[Department, ...] = Field(default=(), max_length=30, description="配合单位 / who helps")
    due_on: Day
    action: AnyAction | None = Field(default=None, description="系统执行的措施 / what the system carries out")


class RuleForm(_Form):
    """What of the rule changes, from which day on."""

    from_on: Day
    content: dict[str, Any] = Field(description="要改的项 / the parts that change")


class Drafting(_Form):
    """After a version was signed: what the new one corrects."""

    because: Line | None = None


class Signing(_Form):
    """The digest of the version that was looked at."""

    digest: str = Field(pattern=r"^[0-9a-f]{64}$")


@router.get("/meetings", response_model=MeetingList, responses=problems(422))
async def list_meetings(query: Annotated[MeetingQuery, Query()], house: TheHouse) -> MeetingList:
    """List meetings, the newest first."""
    found = await reading.list_meetings(house, before=query.before, limit=query.limit)
    return MeetingList(items=[MeetingItem.model_validate(one) for one in found])


@router.get("/meetings/{meeting}", response_model=MeetingFile, responses=problems(404, 422))
async def show_meeting(meeting: MeetingId, house: TheHouse) -> records.MeetingFile:
    """Show a meeting with its seats, its agenda with the papers, and its minutes."""
    return await reading.show_meeting(house, meeting)


@router.post("/meetings", status_code=201, response_model=Made, responses=problems(403, 409))
async def convene_meeting(form: Convening, house: TheHouse, caller: TheCaller) -> Made:
    """Plan a meeting beside the regular ones."""
    return Made(id=await agenda.convene(house, caller, form.held_on))


@router.post("/meetings/{meeting}/call", status_code=204, responses=problems(403, 404, 409, 422))
async def call_meeting(meeting: MeetingId, house: TheHouse, caller: TheCaller) -> None:
    """Call a planned meeting before its day to be called: members and papers are fixed."""
    await agenda.call_meeting(house, caller, meeting)


@router.post("/meetings/{meeting}/call-off", status_code=204, responses=problems(403, 404, 409, 422))
async def call_meeting_off(meeting: MeetingId, given: Because, house: TheHouse, caller: TheCaller) -> None:
    """Call a meeting off; its matters go to the next one."""
    await sitting.call_off(house, caller, meeting, given.because)


@router.post("/meetings/{meeting}/open", status_code=204, responses=problems(403, 404, 409, 422))
async def open_meeting(meeting: MeetingId, form: Opening, house: TheHouse, caller: TheCaller) -> None:
    """Open the sitting."""
    await sitting.open_sitting(house, caller, meeting, form.chair)


@router.post("/meetings/{meeting}/attendance", status_code=204, responses=problems(403, 404, 409, 422))
async def attend_meeting(meeting: MeetingId, form: Presence, house: TheHouse, caller: TheCaller) -> None:
    """Write down whether a department is there."""
    await sitting.attend(house, caller, meeting, form.department, present=form.present, delegate=form.delegate)


@router.post("/meetings/{meeting}/matters/{matter}/take-up", status_code=204, responses=problems(403, 404, 409, 422))
async def take_up_matter(meeting: MeetingId, matter: MatterId, house: TheHouse, caller: TheCaller) -> None:
    """This matter is discussed from now on."""
    await sitting.take_up(house, caller, meeting, matter)


@router.post("/meetings/{meeting}/matters/{matter}/defer", status_code=204, responses=problems(403, 404, 409, 422))
async def defer_matter(
    meeting: MeetingId, matter: MatterId, given: Because, house: TheHouse, caller: TheCaller
) -> None:
    """Put a matter off to the next meeting."""
    await sitting.defer(house, caller, meeting, matter, given.because)


@router.post("/meetings/{meeting}/close", status_code=204, responses=problems(403, 404, 409, 422))
async def close_meeting(meeting: MeetingId, house: TheHouse, caller: TheCaller) -> None:
    """Close the sitting; what was not settled goes to the next meeting."""
    await sitting.close_sitting(house, caller, meeting)


@router.post(
    "/meetings/{meeting}/resolutions", status_code=201, response_model=Made, responses=problems(403, 404, 409, 422)
)
async def resolve_matter(meeting: MeetingId, form: ResolutionForm, house: TheHouse, caller: TheCaller) -> Made:
    """Write down what was agreed. Nothing is carried out by that."""
    action = form.action.model_dump(mode="json", exclude_none=True) if form.action is not None else None
    agreed = Agreed(form.text, form.department, form.due_on, form.helpers, action)
    return Made(id=await record_resolution(house, caller, meeting, form.matter, agreed))


@router.post(
    "/meetings/{meeting}/minutes", status_code=201, response_model=Made, responses=problems(403, 404, 409, 422)
)
async def draft_minutes(meeting: MeetingId, form: Drafting, house: TheHouse, caller: TheCaller) -> Made:
    """Draft the minutes anew; the number is the version's."""
    return Made(id=await minutes.draft_minutes(house, caller, meeting, form.because))


@router.get("/meetings/{meeting}/minutes/{version}", response_model=Minutes, responses=problems(404, 422))
async def show_minutes(meeting: MeetingId, version: Version, house: TheHouse) -> minutes.MinutesVersion:
    """Show a version of the minutes."""
    return await minutes.read_minutes(house, meeting, version)


@router.get(
    "/meetings/{meeting}/minutes/{version}/document",
    response_class=Response,
    responses={200: {"content": {DOCX: {}}, "description": "纪要 / the minutes (.docx)"}, **problems(404, 422)},
)
async def download_minutes(meeting: MeetingId, version: Version, house: TheHouse) -> Response:
    """Fetch a version of the minutes as a document; a signed one as it was signed."""
    name, content = await minutes.minutes_file(house, meeting, version)
    return Response(
        content, media_type=DOCX, headers={"content-disposition": f"attachment; filename*=UTF-8''{quote(name)}"}
    )


@router.post("/meetings/{meeting}/minutes/{version}/sign", response_model=Done, responses=problems(403, 404, 409, 422))
async def sign_minutes(meeting: MeetingId, version: Version, form: Signing, house: TheHouse, caller: TheCaller) -> Done:
    """Sign a version off. It is never changed after that."""
    return Done(done=await minutes.sign_minutes(house, caller, meeting, version, form.digest))


@router.get("/meeting-rule", response_model=Rule)
async def show_meeting_rule(house: TheHouse) -> rules.Rule:
    """Show the rule that holds today."""
    async with house.database.read() as connection:
        return await rules.rule_on(connection, house.database.clock.today())


@router.post("/meeting-rule", response_model=Rule, responses=problems(403, 422))
async def set_meeting_rule(form: RuleForm, house: TheHouse, caller: TheCaller) -> rules.Rule:
    """Change the rule from a day on, today or later."""
    return await rules.set_rule(house, caller, form.content, form.from_on)
