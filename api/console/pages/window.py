"""The clerk's window: an application typed in, checked as it is typed, and taken in; then what to hand over."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from api.access import GuardedPage
from api.console.application_form import ApplicationForm, by_field, form_of, read_form, reading_of
from api.console.frame import page
from api.console.queries import Form
from api.routes.cases import CaseNumber
from api.state import TheCaller, TheDoors, TheHouse
from services.access import Caller, own_place
from services.casework.receiving import foresee, judge, receive_application
from services.dossiers.reading import read_case
from services.errors import LianbanError
from services.house import House
from services.intake.problems import Problem
from services.lexicon import Lexicon, Named
from services.notices.receipt import read_receipt
from services.remedies.corrections import open_application, take_correction

router = APIRouter(prefix="/console", route_class=GuardedPage, include_in_schema=False)

_UNPROCESSABLE = 422


@router.get("/window", name="page_window")
async def page_window(request: Request, house: TheHouse, caller: TheCaller) -> HTMLResponse:
    """Show an empty form. Its number is made here, so that the same form sent twice is the same application."""
    today = house.database.clock.today()
    form = ApplicationForm(
        application_number=f"CK-{today:%Y%m%d}-{secrets.token_hex(4)}",
        received_on=today.isoformat(),
        district=caller.sight.district or "",
        station=caller.sight.station or "",
    )
    return _show(request, house, caller, form, {})


@router.post("/window", name="page_take_application")
async def page_take_application(
    request: Request, form: Form[ApplicationForm], doors: TheDoors, caller: TheCaller
) -> Response:
    """Take the application in, or show the form again with what is wrong at each field; nothing typed is lost."""
    judged = read_form(form)
    if judged.application is None:
        return _show(request, doors.house, caller, form, judged.wrong, _UNPROCESSABLE)
    received = await receive_application(doors.house, caller, judged.application)
    if received.number is None:
        return _show(request, doors.house, caller, form, by_field(form, received.problems), _UNPROCESSABLE)
    if received.new:
        doors.bell.ring()
    return RedirectResponse(f"/console/window/{received.number}", 303)


@router.post("/window/check", name="page_check_application")
async def page_check_application(
    request: Request, form: Form[ApplicationForm], house: TheHouse, caller: TheCaller
) -> HTMLResponse:
    """Say what is wrong so far and what will come of it: the part of the page beside the form. Nothing is kept."""
    del caller
    judged = read_form(form)
    wrong = dict(judged.wrong)
    if judged.application is not None:
        wrong |= by_field(form, judge(house, judged.application))
    # What is simply not filled in yet is no mistake while somebody types.
    wrong = {name: problem for name, problem in wrong.items() if _filled(form, name)}
    asked = foresee(house, judged.application) if judged.application is not None and not wrong else ()
    return page(
        request, "window_check.html", wrong=wrong, asked=asked, reading=reading_of(form),
        complete=judged.application is not None and not wrong,
    )  # fmt: skip


@router.get("/window/{number}", name="page_taken")
async def page_taken(request: Request, number: CaseNumber, house: TheHouse, caller: TheCaller) -> HTMLResponse:
    """Show that the application was taken in: its number, who is asked what, and the receipt to print."""
    case = await read_case(house, number, caller.sight)
    try:
        receipt = await read_receipt(house, number, caller.sight)
    except LianbanError:
        # Refused at once, by the policy of its day or for want of one (A16): there is nothing to give a receipt for.
        receipt = None
    return page(request, "window_taken.html", case=case, receipt=receipt)


@router.get("/cases/{number}/correction", name="page_correction")
async def page_correction(request: Request, number: CaseNumber, house: TheHouse, caller: TheCaller) -> HTMLResponse:
    """Show the application of a case that waits for its correction, to be put right; opening it is logged."""
    opened = await open_application(house, caller, number)
    form = form_of(opened.application)
    return _show(request, house, caller, form, {}, correcting=number, missing=opened.missing)


@router.post("/cases/{number}/correction", name="page_take_correction")
async def page_take_correction(
    request: Request, number: CaseNumber, form: Form[ApplicationForm], doors: TheDoors, caller: TheCaller
) -> Response:
    """Take the corrected application; the clock goes on."""
    house = doors.house
    judged = read_form(form)
    wrong: Mapping[str, Problem] = judged.wrong
    if judged.application is not None:
        own_place(caller, judged.application.district, judged.application.station)
        wrong = by_field(form, judge(house, judged.application))
    if judged.application is None or wrong:
        return _show(request, house, caller, form, wrong, _UNPROCESSABLE, correcting=number)
    await take_correction(house, caller, number, judged.application)
    doors.bell.ring()
    return RedirectResponse(f"/console/cases/{number}", 303)


def _show(  # noqa: PLR0913 - what a form is shown with
    request: Request,
    house: House,
    caller: Caller,
    form: ApplicationForm,
    wrong: Mapping[str, Problem],
    status: int = 200,
    *,
    correcting: str | None = None,
    missing: tuple[str, ...] = (),
) -> HTMLResponse:
    words = Lexicon(house.packs, house.packs.covering(house.database.clock.today()))
    grounds = [words.ground(code) for code in words.book.permit.grounds]
    districts: list[Named] = [words.district(code) for code in words.book.districts]
    given: dict[str, Any] = {
        "form": form, "wrong": wrong, "grounds": grounds, "districts": districts, "reading": reading_of(form),
        "sight": caller.sight, "correcting": correcting, "missing": missing, "asked": (), "complete": False,
        "document": words.book.document,
    }  # fmt: skip
    return page(request, "window.html", status=status, **given)


def _filled(form: ApplicationForm, name: str) -> bool:
    """Whether something stands in the field; of a child's row, whether the row was begun."""
    field, _, row = name.partition("-")
    if row.isdecimal():
        return any(form.children[int(row)].values()) and bool(form.children[int(row)].get(field[6:], ""))
    return bool(getattr(form, field, ""))
