"""Signing in, signing out, and one's own account: its password, its sessions."""

from __future__ import annotations

import secrets
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from api.access import GuardedPage
from api.console.frame import page
from api.entrance.paths import ACCOUNT, SIGN_IN, own_path
from api.entrance.words import GIVEN, REFUSED, STALE, TOO_MANY
from api.guard import CSRF_FIELD, is_https, open_session_of, refuse_foreign, session_cookie, source_of
from api.state import TheHouse
from services.access.brakes import TooManyTriesError
from services.access.own_account import change_password as change
from services.access.sessions import OpenSession, csrf_token, end_session, end_sessions, is_csrf_token, list_sessions
from services.access.sign_in import SignInError
from services.access.sign_in import sign_in as let_in
from services.access.sign_in import sign_out as let_out
from services.errors import AccessError, ConflictError, InputError, NotFoundError
from services.house import House
from services.policy.text import Text
from services.settings import Settings

router = APIRouter(route_class=GuardedPage, include_in_schema=False)
_Field = Annotated[str, Form()]


@router.get(SIGN_IN)
async def sign_in_page(request: Request, house: TheHouse, next: str = "") -> Response:  # noqa: A002 - as the address has it
    """Show the form, or lead on who is signed in already."""
    if await open_session_of(request) is not None:
        return RedirectResponse(own_path(next), HTTPStatus.SEE_OTHER)
    return _form(request, house.settings, next)


@router.post(SIGN_IN)
async def sign_in(
    request: Request,
    house: TheHouse,
    name: _Field = "",
    password: _Field = "",
    next: _Field = "",  # noqa: A002 - as the form has it
    token: Annotated[str, Form(alias=CSRF_FIELD)] = "",
) -> Response:
    """Let the person in, or say that the words do not fit."""
    refuse_foreign(request)
    form = request.cookies.get(_form_cookie(house.settings), "")
    if not form or not is_csrf_token(token, form):
        return _form(request, house.settings, next, STALE, 403, name=name)
    before = await open_session_of(request)
    agent = request.headers.get("user-agent", "")
    try:
        came = await let_in(house, name, password, source=source_of(request), agent=agent)
    except SignInError as problem:
        return _form(request, house.settings, next, REFUSED, problem.status, name=name)
    except TooManyTriesError as problem:
        answer = _form(request, house.settings, next, TOO_MANY(problem.seconds), problem.status, name=name)
        answer.headers["retry-after"] = str(problem.seconds)
        return answer
    if before is not None:
        await let_out(house, before)
    answer = RedirectResponse(ACCOUNT if came.must_change else own_path(next), HTTPStatus.SEE_OTHER)
    answer.delete_cookie(_form_cookie(house.settings), **_cookie(house.settings))
    set_session_cookie(answer, house.settings, came.token)
    return answer


@router.post("/sign-out")
async def sign_out(request: Request, house: TheHouse) -> Response:
    """End the session, on the machine's side and on the browser's."""
    session = _session(request)
    if session is not None:
        await let_out(house, session)
    answer = RedirectResponse(SIGN_IN, HTTPStatus.SEE_OTHER)
    answer.delete_cookie(session_cookie(house.settings), **_cookie(house.settings))
    return answer


@router.get(ACCOUNT)
async def own_account(request: Request, house: TheHouse) -> Response:
    """Show who is signed in, where else, and the form for another password."""
    return await _account(request, house)


@router.post("/account/password")
async def change_password(
    request: Request, house: TheHouse, old: _Field = "", new: _Field = "", again: _Field = ""
) -> Response:
    """Change one's own password; every other session ends."""
    session = _person(request)
    try:
        if new != again:
            raise InputError("the two differ", place="again")
        await change(house.database, session.caller, old, new, keep=session.hash)
    except (AccessError, InputError, ConflictError) as problem:
        return await _account(request, house, GIVEN(problem), problem.status)
    return RedirectResponse(ACCOUNT, HTTPStatus.SEE_OTHER)


@router.post("/account/sessions/end")
async def end_own_session(request: Request, house: TheHouse, session: _Field = "") -> Response:
    """End one of one's own sessions."""
    caller = _person(request).caller
    async with house.database.write(caller.actor) as transaction:
        await end_session(transaction, house.database.clock.now(), caller.account or 0, session, "by_the_person")
    return RedirectResponse(ACCOUNT, HTTPStatus.SEE_OTHER)


@router.post("/account/sessions/end-others")
async def end_other_sessions(request: Request, house: TheHouse) -> Response:
    """End every session of one's own but this."""
    session = _person(request)
    caller = session.caller
    async with house.database.write(caller.actor) as transaction:
        now = house.database.clock.now()
        await end_sessions(transaction, now, caller.account or 0, "by_the_person", keep=session.hash)
    return RedirectResponse(ACCOUNT, HTTPStatus.SEE_OTHER)


def set_session_cookie(answer: Response, settings: Settings, token: str) -> None:
    """Give the browser the session's token. It ends with the browser, and is sent to nobody else."""
    answer.set_cookie(session_cookie(settings), token, **_cookie(settings))


def _cookie(settings: Settings) -> dict[str, Any]:
    return {"path": "/", "httponly": True, "samesite": "strict", "secure": is_https(settings)}


def _form_cookie(settings: Settings) -> str:
    return f"{session_cookie(settings)}-form"


def _form(
    request: Request, settings: Settings, wanted: str, words: Text | None = None, status: int = 200, *, name: str = ""
) -> Response:
    """The form, bound to this browser by a cookie of its own, which opens nothing."""
    cookie = _form_cookie(settings)
    kept = request.cookies.get(cookie, "")
    token = kept if 20 <= len(kept) <= 60 else secrets.token_urlsafe(24)
    answer = page(
        request,
        "entrance/sign_in.html",
        status=status,
        wanted=own_path(wanted),
        words=words,
        name=name[:60],
        form_token=csrf_token(token),
        openid=bool(settings.oidc_issuer),
    )
    answer.set_cookie(cookie, token, **_cookie(settings))
    return answer


async def _account(request: Request, house: House, words: Text | None = None, status: int = 200) -> Response:
    session = _session(request)
    rows = []
    if session is not None and session.caller.account is not None:
        async with house.database.read() as connection:
            now, terms = house.database.clock.now(), house.settings.session_terms
            rows = await list_sessions(connection, session.caller.account, now, terms)
    return page(request, "entrance/account.html", status=status, words=words, session=session, sessions=rows)


def _session(request: Request) -> OpenSession | None:
    """The session by which the request was let in; None if it was by a key."""
    session: OpenSession | None = request.state.session
    return session


def _person(request: Request) -> OpenSession:
    session = _session(request)
    if session is None:
        raise NotFoundError("a key has no account of its own; sign in", place="session")
    return session
