"""What a person sees in the place of a page: the way to sign in, or what is wrong and what to do about it."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException

from api.console.errors import error_page
from api.console.frame import page
from api.entrance.paths import ACCOUNT, own_path, sign_in_path
from api.guard import PasswordDueError
from api.logs import log_failure
from api.problems import field_problems
from services.access import KeyRefusedError
from services.access.sessions import SessionRefusedError
from services.errors import LianbanError


def answer_with_page(request: Request, problem: LianbanError | HTTPException | RequestValidationError) -> Response:
    """``problem`` as a page, or as the way to the page that comes first."""
    if isinstance(problem, SessionRefusedError | KeyRefusedError) and "authorization" not in request.headers:
        return _to_sign_in(request)
    if isinstance(problem, PasswordDueError):
        return RedirectResponse(ACCOUNT, HTTPStatus.SEE_OTHER)
    if isinstance(problem, RequestValidationError):
        return error_page(request, 422, fields=field_problems(problem.errors()))
    if isinstance(problem, HTTPException):
        return error_page(request, problem.status_code)
    number = log_failure(request.scope, problem) if problem.status >= 500 else None
    return error_page(request, problem.status, problem=problem, number=number)


def onward(request: Request, path: str) -> Response:
    """A page of ours that leads on to ``path`` by itself.

    A browser keeps the session's cookie back while it follows another site's link, through every redirect; from a page
    of ours it sends it.
    """
    return page(request, "entrance/onward.html", path=own_path(path))


def _to_sign_in(request: Request) -> Response:
    if request.method != "GET":
        return RedirectResponse(sign_in_path("/"), HTTPStatus.SEE_OTHER)
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    if request.headers.get("sec-fetch-site") == "cross-site":
        return onward(request, wanted)
    return RedirectResponse(sign_in_path(wanted), HTTPStatus.SEE_OTHER)
