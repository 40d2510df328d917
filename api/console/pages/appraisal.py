"""The appraisal (考核): departments in figures, one department's scorecard, the steps behind a figure, the public's."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import Field

from api.access import WORKBOOK, GuardedPage
from api.console.frame import page
from api.console.queries import Entered, Form, ListQuery, Query, sorted_rows
from api.routes.appraisal import PERIOD, DisputeId
from api.state import TheCaller, TheDoors, TheHouse
from services.access import WHOLE_CITY, Sight
from services.errors import NotFoundError
from services.house import House
from services.lexicon import Named
from services.supervision.appraisal import Scorecard, appraise, figure_names
from services.supervision.figures import (
    BEHIND,
    CONTESTED,
    LONGEST_REASON,
    Behind,
    StepPage,
    decide_dispute,
    dispute_figure,
    list_disputes,
    steps_behind,
)
from services.supervision.periods import Period, month_of, months, read_period
from services.supervision.publicity import public_figures
from services.supervision.uptake import service_figures
from services.supervision.words import FIGURE_WORDS
from services.supervision.workbook import appraisal_workbook

router = APIRouter(prefix="/console", route_class=GuardedPage, include_in_schema=False)

DepartmentCode = Annotated[str, Path(pattern="^[a-z-]{1,40}$")]
_MONTHS_BACK = 12
# Seconds for which a count of everything is good enough.
_SLOW = 60.0
_BY = {
    "received": lambda one: one.received,
    "closed": lambda one: one.closed,
    "on_time": lambda one: one.on_time / one.judged if one.judged else 2,
    "department": lambda one: one.department.zh,
    "first_right": lambda one: one.first_right / one.first_judged if one.first_judged else 2,
    "late": lambda one: one.judged - one.on_time,
    "declined": lambda one: one.declined,
    "reasoned": lambda one: one.reasoned / one.refusals if one.refusals else 2,
    "red": lambda one: (one.red, one.yellow),
    "median": lambda one: one.median_hours or 0,
    "slow": lambda one: one.p90_hours or 0,
    "satisfaction": lambda one: one.satisfaction if one.satisfaction is not None else -1,
    "score": lambda one: one.score if one.score is not None else -1,
}

_SERVICES_BY = {
    "service": lambda one: one.service.zh,
    "owner": lambda one: one.department.zh,
    "entitled": lambda one: one.entitled,
    "opened": lambda one: one.opened,
    "taken_up": lambda one: one.taken_up,
    "cost": lambda one: one.cost_fen or 0,
}


class PeriodQuery(ListQuery):
    """Which month or quarter; in a district; which figure's steps."""

    period: str | None = Field(default=None, pattern=PERIOD)
    district: str | None = Field(default=None, pattern="^[0-9a-z-]{1,24}$")
    figure: str | None = Field(default=None, pattern="^[a-z_]{1,40}$")
    after: str | None = Field(default=None, pattern="^[0-9a-z-]{1,80}$")


class Disputed(Entered):
    """Why a figure, or one step in it, is wrong."""

    period: str = Field(pattern=PERIOD)
    figure: str = Field(pattern="^[a-z_]{1,40}$")
    step: str | None = Field(default=None, pattern="^[0-9a-z-]{1,80}$")
    reason: str = Field(min_length=1, max_length=LONGEST_REASON)


class Decided(Entered):
    """Whether the step is left out, and why."""

    left_out: bool
    reason: str = Field(min_length=1, max_length=LONGEST_REASON)


@router.get("/appraisal", name="page_appraisal")
async def page_appraisal(
    request: Request, query: Query[PeriodQuery], doors: TheDoors, caller: TheCaller
) -> HTMLResponse:
    """Show the departments of a period side by side, and services in figures."""
    house, sight = doors.house, caller.sight
    period = _period(house, query.period)
    found = await appraise(house, period, caller.sight)
    districts = {one.district.code: one.district for one in found.cards if one.district is not None}
    wanted = query.district or caller.sight.district
    rows: list[Scorecard] = sorted_rows(
        [one for one in found.cards if (one.district.code if one.district else None) == wanted], query.sort or "", _BY
    )
    # Counted over everybody with a permit: once in a while for all who look.
    kept = ("services", sight, period.code)
    figures = await doors.kept.get(kept, _SLOW, lambda: service_figures(house, period, sight))
    services = [one for one in figures if (one.district.code if one.district else None) == wanted]
    services = sorted_rows(services, query.sort or "", _SERVICES_BY)
    return page(
        request, "appraisal.html", query=query, period=period, periods=_periods(house), rows=rows, services=services,
        districts=list(districts.values()), weights=[(name, found.weights[name.code]) for name in figure_names()],
        most=max((one.closed for one in rows), default=0), sort=query.sort or "",
        disputes=await list_disputes(house, caller.sight, open_only=True),
    )  # fmt: skip


@router.get("/appraisal/workbook", name="page_appraisal_workbook")
async def page_appraisal_workbook(query: Query[PeriodQuery], house: TheHouse, caller: TheCaller) -> Response:
    """Download the appraisal as a workbook."""
    period = _period(house, query.period)
    made = await appraise(house, period, caller.sight)
    content = appraisal_workbook(made, await service_figures(house, period, caller.sight))
    name = f"appraisal-{period.code}.xlsx"
    return Response(content, media_type=WORKBOOK, headers={"content-disposition": f'attachment; filename="{name}"'})


@router.get("/appraisal/departments/{department}", name="page_scorecard")
async def page_scorecard(
    request: Request, department: DepartmentCode, query: Query[PeriodQuery], house: TheHouse, caller: TheCaller
) -> HTMLResponse:
    """Show one department's scorecard, and the steps behind one of its figures."""
    if caller.sight.department not in (None, department):
        raise NotFoundError("there is no such department, or it is not yours to see", place="department")
    period = _period(house, query.period)
    # Who sees the whole city is shown one department of it, and the others' steps are not gone through for that.
    sight = Sight(department=department) if caller.sight == WHOLE_CITY else caller.sight
    found = await appraise(house, period, sight)
    cards = [one for one in found.cards if one.department.code == department]
    behind: StepPage | None = None
    if query.figure is not None:
        wanted = Behind(query.figure, department, query.district)
        behind = await steps_behind(house, period, wanted, caller.sight, after=query.after, limit=query.limit)
    return page(
        request, "scorecard.html", sort=query.sort or "", districts=sorted_rows(cards, query.sort or "", _BY),
        query=query, period=period, periods=_periods(house), cards=cards, behind=behind,
        department=cards[0].department if cards else _named(house, department), code=department,
        figures=[Named.of(code, FIGURE_WORDS[code]) for code in BEHIND], contested=CONTESTED,
        first=query.after is None, disputes=[
            one for one in await list_disputes(house, caller.sight) if one.department.code == department
        ],
    )  # fmt: skip


@router.post("/disputes", name="page_dispute_figure")
async def page_dispute_figure(form: Form[Disputed], house: TheHouse, caller: TheCaller) -> RedirectResponse:
    """Contest a figure of the own department."""
    await dispute_figure(house, caller, form.period, form.figure, form.reason, form.step)
    return RedirectResponse(f"/console/appraisal/departments/{caller.scope}?period={form.period}#disputes", 303)


@router.post("/disputes/{dispute}", name="page_decide_dispute")
async def page_decide_dispute(
    dispute: DisputeId, form: Form[Decided], house: TheHouse, caller: TheCaller
) -> RedirectResponse:
    """Leave the step out of the figure, or let it stand."""
    decided = await decide_dispute(house, caller, dispute, form.left_out, form.reason)
    return RedirectResponse(f"/console/appraisal?period={decided.period}#disputes", 303)


@router.get("/public", name="page_public")
async def page_public(request: Request, query: Query[PeriodQuery], house: TheHouse) -> HTMLResponse:
    """Show the public what was done in a period, without small numbers. Nobody has to sign in."""
    last = month_of(house.database.clock.today().replace(day=1) - timedelta(days=1))
    offered = [one for one in _periods(house) if one.last_day < house.database.clock.today()]
    told = None
    if query.period is not None or offered:
        told = await public_figures(house, read_period(query.period or last.code))
    return page(request, "public.html", query=query, told=told, periods=offered)


def _period(house: House, code: str | None) -> Period:
    return read_period(code) if code is not None else month_of(house.database.clock.today())


def _periods(house: House) -> list[Period]:
    """The months and quarters of a year back that any policy covers, the newest first."""
    today = house.database.clock.today()
    earliest = house.packs.packs[0].first_day
    start = today.replace(year=today.year - 1, day=1)
    span = [month for month in months(start, _MONTHS_BACK + 1) if month_of(month).last_day >= earliest]
    found = [month_of(month) for month in span]
    quarters = {f"{month.year}Q{(month.month + 2) // 3}": month for month in span}
    found += [read_period(code) for code in quarters]
    return sorted(found, key=lambda one: (one.last_day, one.first_day), reverse=True)


def _named(house: House, code: str) -> Named:
    day: date = house.database.clock.today()
    name = house.department_name(code, day)
    if name == code:
        raise NotFoundError("there is no such department", place="department")
    return Named(code, name, name)
