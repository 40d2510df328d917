"""Appraisal: scorecards, the steps behind each figure, disputes, services in figures; and what the public is told."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from api.access import WORKBOOK, GuardedRoute
from api.openapi import problems
from api.routes.cards import MAX_ID
from api.state import TheCaller, TheHouse
from api.views.appraisal import (
    AppraisalView,
    DisputeItem,
    DisputeList,
    MeasurePage,
    PublicFiguresView,
    ServiceItem,
    ServiceList,
    Taken,
    Weights,
)
from services.access import WHOLE_CITY, Caller
from services.errors import AccessError
from services.intake.fields import Day
from services.supervision import appraisal, figures, publicity, uptake
from services.supervision.periods import read_period
from services.supervision.workbook import appraisal_workbook

router = APIRouter(prefix="/api/v1", tags=["supervision"], route_class=GuardedRoute)

PERIOD = r"^(\d{4}-(0[1-9]|1[0-2])|\d{4}Q[1-4])$"
PeriodCode = Annotated[str, Path(pattern=PERIOD, description="月份 2014-11 或季度 2014Q4 / a month or a quarter")]
DepartmentCode = Annotated[str, Path(pattern="^[a-z-]{1,40}$", description="部门代码 / the department's code")]
FigureCode = Annotated[str, Path(pattern="^[a-z_]{1,40}$", description="指标 / the figure")]
DisputeId = Annotated[int, Path(ge=1, le=MAX_ID, description="申诉编号 / its number")]
_Step = Annotated[str, Field(pattern="^[0-9a-z-]{1,80}$")]


class BehindQuery(BaseModel):
    """Which page of the steps behind a figure: in a district, after a step."""

    model_config = ConfigDict(extra="forbid")

    district: str | None = Field(default=None, pattern="^[0-9a-z-]{1,24}$")
    after: str | None = Field(default=None, pattern="^[0-9a-z-]{1,80}$")
    limit: int = Field(default=50, ge=1, le=figures.MAX_PAGE)


class DisputeQuery(BaseModel):
    """Which disputes: all, or those not decided; those before the one numbered ``before``."""

    model_config = ConfigDict(extra="forbid")

    open_only: bool = False
    before: int | None = Field(default=None, ge=1, le=MAX_ID)
    limit: int = Field(default=50, ge=1, le=figures.MAX_PAGE)


class DisputeForm(BaseModel):
    """Why a figure of a period, or one step in it, is wrong."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    period: str = Field(pattern=PERIOD)
    figure: str = Field(pattern="^[a-z_]{1,40}$")
    step: _Step | None = None
    because: str = Field(min_length=1, max_length=figures.LONGEST_REASON)


class DisputeDecision(BaseModel):
    """Whether the step is left out of the figure, and why."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    left_out: bool
    because: str = Field(min_length=1, max_length=figures.LONGEST_REASON)


class WeightForm(BaseModel):
    """What one figure weighs from now on."""

    model_config = ConfigDict(extra="forbid")

    figure: str = Field(pattern="^[a-z_]{1,40}$")
    weight: int = Field(ge=0, le=appraisal.MAX_WEIGHT)


class Mark(BaseModel):
    """One holder's mark for a department's share of a case."""

    model_config = ConfigDict(extra="forbid")

    case_number: str = Field(pattern="^[0-9a-z-]{1,40}$")
    department: str = Field(pattern="^[a-z-]{1,40}$")
    score: int = Field(ge=1, le=5)
    given_on: Day


class MarksForm(BaseModel):
    """Marks that holders gave."""

    model_config = ConfigDict(extra="forbid")

    marks: list[Mark] = Field(min_length=1, max_length=uptake.MAX_ENTRIES)


class UseEntry(BaseModel):
    """How many holders took a service up in a month, given by its first day."""

    model_config = ConfigDict(extra="forbid")

    service: str = Field(pattern=r"^[0-9A-Za-z.-]{1,24}$")
    district: str = Field(pattern="^[0-9a-z-]{1,24}$")
    month: Day
    holders: int = Field(ge=0, le=MAX_ID)


class UsesForm(BaseModel):
    """How many took services up, month by month."""

    model_config = ConfigDict(extra="forbid")

    uses: list[UseEntry] = Field(min_length=1, max_length=uptake.MAX_ENTRIES)


class CostsForm(BaseModel):
    """What a unit of each service costs from a day on, in fen."""

    model_config = ConfigDict(extra="forbid")

    fen: dict[str, int] = Field(min_length=1, max_length=uptake.MAX_ENTRIES)
    from_on: Day


@router.get("/appraisal/{period}", response_model=AppraisalView, responses=problems(422))
async def show_appraisal(period: PeriodCode, house: TheHouse, caller: TheCaller) -> appraisal.Appraisal:
    """Show the scorecards of a period in the caller's sight."""
    return await appraisal.appraise(house, read_period(period), caller.sight)


@router.get("/appraisal/{period}/workbook", responses=problems(422), response_class=Response)
async def download_appraisal(period: PeriodCode, house: TheHouse, caller: TheCaller) -> Response:
    """Download the appraisal as a workbook."""
    span = read_period(period)
    made = await appraisal.appraise(house, span, caller.sight)
    content = appraisal_workbook(made, await uptake.service_figures(house, span, caller.sight))
    name = f"appraisal-{span.code}.xlsx"
    return Response(content, media_type=WORKBOOK, headers={"content-disposition": f'attachment; filename="{name}"'})


@router.get("/appraisal/{period}/services", response_model=ServiceList, responses=problems(422))
async def list_service_figures(period: PeriodCode, house: TheHouse, caller: TheCaller) -> ServiceList:
    """List services with holders entitled, opened and taken up, and their cost where it is set."""
    found = await uptake.service_figures(house, read_period(period), caller.sight)
    return ServiceList(items=[ServiceItem.model_validate(one) for one in found])


@router.get(
    "/appraisal/{period}/departments/{department}/{figure}", response_model=MeasurePage, responses=problems(404, 422)
)
async def list_measures(
    period: PeriodCode,
    department: DepartmentCode,
    figure: FigureCode,
    query: Annotated[BehindQuery, Query()],
    house: TheHouse,
    caller: TheCaller,
) -> figures.StepPage:
    """List the steps behind one figure of a department, page by page."""
    wanted = figures.Behind(figure, department, query.district)
    return await figures.steps_behind(
        house, read_period(period), wanted, caller.sight, after=query.after, limit=query.limit
    )


@router.post("/appraisal-weights", response_model=Weights, responses=problems(403, 422))
async def set_weight(form: WeightForm, house: TheHouse, caller: TheCaller) -> Weights:
    """Set what a figure weighs; all weights are given back."""
    _whole_city(caller)
    return Weights(weights=await appraisal.set_weight(house, caller.actor, form.figure, form.weight))


@router.get("/disputes", response_model=DisputeList, responses=problems(422))
async def list_disputes(query: Annotated[DisputeQuery, Query()], house: TheHouse, caller: TheCaller) -> DisputeList:
    """List what departments said against figures, the newest first."""
    found = await figures.list_disputes(
        house, caller.sight, open_only=query.open_only, before=query.before, limit=query.limit
    )
    return DisputeList(items=[DisputeItem.model_validate(one) for one in found])


@router.post("/disputes", response_model=DisputeItem, responses=problems(404, 422))
async def dispute_figure(form: DisputeForm, house: TheHouse, caller: TheCaller) -> figures.DisputeView:
    """Contest a figure of the own department, or one step in it."""
    return await figures.dispute_figure(house, caller, form.period, form.figure, form.because, form.step)


@router.post("/disputes/{dispute}/decision", response_model=DisputeItem, responses=problems(403, 404, 409, 422))
async def decide_dispute(
    dispute: DisputeId, form: DisputeDecision, house: TheHouse, caller: TheCaller
) -> figures.DisputeView:
    """Leave the step out of the figure, or let it stand."""
    return await figures.decide_dispute(house, caller, dispute, form.left_out, form.because)


@router.post("/satisfaction", response_model=Taken, responses=problems(404, 422))
async def take_satisfaction(form: MarksForm, house: TheHouse, caller: TheCaller) -> Taken:
    """Take in holders' marks; the same again changes nothing."""
    marks = [uptake.Given(one.case_number, one.department, one.score, one.given_on) for one in form.marks]
    return Taken(taken=await uptake.take_satisfaction(house, caller, marks))


@router.post("/services/uses", response_model=Taken, responses=problems(403, 422))
async def report_uses(form: UsesForm, house: TheHouse, caller: TheCaller) -> Taken:
    """Report how many holders took services up; the same month again replaces what was told."""
    uses = [uptake.Use(one.service, one.district, one.month, one.holders) for one in form.uses]
    return Taken(taken=await uptake.report_uses(house, caller, uses))


@router.post("/services/costs", response_model=Taken, responses=problems(403, 422))
async def set_costs(form: CostsForm, house: TheHouse, caller: TheCaller) -> Taken:
    """Set what a unit of each service costs."""
    _whole_city(caller)
    return Taken(taken=await uptake.set_costs(house, caller.actor, form.fen, form.from_on))


@router.get("/public/{period}", response_model=PublicFiguresView, responses=problems(422))
async def public_figures(period: PeriodCode, house: TheHouse) -> publicity.PublicFigures:
    """Tell the public what was done in a period, without small numbers. For everybody."""
    return await publicity.public_figures(house, read_period(period))


def _whole_city(caller: Caller) -> None:
    if caller.sight != WHOLE_CITY:
        raise AccessError("this is for the whole city's coordinators and administrators", place="authorization")
