"""Who is at the door: a key in the header, or a session in the cookie; and that a session's request is its own.

A browser sends the cookie with whatever any page makes it send. So a request that changes something must come from our
own pages (``Sec-Fetch-Site``, else ``Origin``) and bear the session's token, which no other page can read: in the
header ``X-CSRF-Token``, or, from a form, in the field ``csrf_token``.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from fastapi import Request

from api.state import caller_of, doors_of
from models import Role
from services.access import Caller, KeyRefusedError
from services.access.keys import find_key, is_use_due, note_use
from services.access.sessions import (
    SEEN_EVERY,
    OpenSession,
    SessionRefusedError,
    find_session,
    is_csrf_token,
    touch_session,
)
from services.errors import AccessError
from services.settings import Settings

CSRF_HEADER: Final = "x-csrf-token"
CSRF_FIELD: Final = "csrf_token"
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
FORMS: Final = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})


class ForgeryError(AccessError):
    """A request that changes something did not come from our own pages, or does not prove it."""

    code = "forged-request"


class PasswordDueError(AccessError):
    """The password was given by somebody else and must be changed first."""

    code = "password-change-required"

    def __init__(self) -> None:
        super().__init__("change your initial password first", place="password")


def is_https(settings: Settings) -> bool:
    """Whether people reach this installation by https, so that its cookies may say so."""
    return settings.public_url.startswith("https://")


def session_cookie(settings: Settings) -> str:
    """The name of the session's cookie. The prefix binds it to this very host, where there is https."""
    return "__Host-lianban" if is_https(settings) else "lianban"


def session_token(request: Request) -> str:
    """The token in the session's cookie; empty if there is none."""
    return request.cookies.get(session_cookie(doors_of(request).house.settings), "")


async def admit(
    request: Request, name: str, roles: frozenset[Role], *, forms: bool = False, initial: bool = False
) -> Caller:
    """Who calls the route ``name``, if in one of ``roles``. ``forms``: the token may stand in a form's field.
    ``initial``: a person with a password for the first sign-in may, too.

    KeyRefusedError or SessionRefusedError for nobody, ForgeryError for a request that is not the session's own.
    """
    request.state.session = None
    if "authorization" in request.headers:
        caller = await _by_key(request)
    else:
        session = await open_session_of(request)
        if session is None:
            if session_token(request):
                raise SessionRefusedError
            raise KeyRefusedError("send an access key: `Authorization: Bearer lbk_…`; or sign in", "key-missing")
        await _refuse_forgery(request, session_token(request), forms=forms)
        if session.must_change and not initial:
            raise PasswordDueError
        request.state.session, caller = session, session.caller
    request.state.caller = caller
    if caller.role not in roles:
        may = ", ".join(sorted(role.value for role in roles))
        raise AccessError(f"this is for {may}; you are a {caller.role.value}", place="authorization")
    if caller.operations is not None and name not in caller.operations:
        raise AccessError("your key is for other operations", place="authorization")
    return caller


async def still_admitted(request: Request) -> bool:
    """Whether the key or the session that let ``request`` in still holds, for an answer that is given over minutes.
    Listening is not doing something: it keeps no session from running out.
    """
    house = doors_of(request).house
    try:
        if request.state.session is None:
            return await _by_key(request) == caller_of(request)
        async with house.database.read() as connection:
            token, now = session_token(request), house.database.clock.now()
            found = await find_session(connection, token, now, house.settings.session_terms)
    except AccessError:
        return False
    return found.caller == caller_of(request)


async def open_session_of(request: Request) -> OpenSession | None:
    """The session of the request's cookie, if it stands; that it was used is remembered."""
    token = session_token(request)
    if not token:
        return None
    house = doors_of(request).house
    database, terms = house.database, house.settings.session_terms
    now = database.clock.now()
    try:
        async with database.read() as connection:
            session = await find_session(connection, token, now, terms)
    except SessionRefusedError:
        return None
    if now - session.seen_at >= SEEN_EVERY:
        async with database.write(session.caller.actor) as transaction:
            await touch_session(transaction, now, session)
    return session


def refuse_foreign(request: Request) -> None:
    """ForgeryError if the browser says that another site's page made it send this."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        own = site in {"same-origin", "none"}
    else:
        origin = request.headers.get("origin")
        hosts = {request.headers.get("host", ""), urlsplit(doors_of(request).house.settings.public_url).netloc}
        own = origin is None or urlsplit(origin).netloc in hosts
    if not own:
        raise ForgeryError("comes from a page of another site", place="origin")


def source_of(request: Request) -> str:
    """The network address from which the request came."""
    return request.client.host if request.client is not None else "unknown"


async def form_token(request: Request) -> str:
    """The forgery token of a form that the request bears; empty if there is none."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() not in FORMS:
        return ""
    given = (await request.form()).get(CSRF_FIELD)
    return given if isinstance(given, str) else ""


async def _by_key(request: Request) -> Caller:
    database = doors_of(request).house.database
    scheme, _, secret = request.headers["authorization"].partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        raise KeyRefusedError("send an access key: `Authorization: Bearer lbk_…`", "key-missing")
    now = database.clock.now()
    async with database.read() as connection:
        found = await find_key(connection, secret.strip(), now)
    if is_use_due(found, now):
        async with database.write(found.caller.actor) as transaction:
            await note_use(transaction, now, found, source_of(request))
    if found.refused is not None:
        raise found.refused
    return found.caller


async def _refuse_forgery(request: Request, token: str, *, forms: bool) -> None:
    if request.method in SAFE:
        return
    refuse_foreign(request)
    given = request.headers.get(CSRF_HEADER) or (await form_token(request) if forms else "")
    if not is_csrf_token(given, token):
        raise ForgeryError(f"needs the session's token in {CSRF_HEADER}; load the page again", place=CSRF_HEADER)
