"""The console as a part of the application: its pages, its own files, its errors, and what is sent smaller."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Path, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import Receive, Scope, Send

from api.access import GuardedRoute
from api.console import assets, errors
from api.console.pages import (
    accounts,
    appraisal,
    cards,
    case,
    cases,
    desk,
    endpoints,
    flows,
    forecast,
    incidents,
    keys,
    limits,
    matters,
    meetings,
    overview,
    policy,
    remedies,
    resolutions,
    retries,
    rights,
    window,
)
from api.entrance.answers import answer_with_page
from services.errors import LianbanError

PAGES = (
    overview,
    cases,
    case,
    flows,
    incidents,
    retries,
    remedies,
    policy,
    window,
    rights,
    desk,
    endpoints,
    meetings,
    matters,
    resolutions,
    cards,
    appraisal,
    forecast,
    limits,
    accounts,
    keys,
)
_WORTH_PACKING = 800

router = APIRouter(route_class=GuardedRoute, include_in_schema=False)


@router.get("/", name="page_root")
async def page_root() -> RedirectResponse:
    """Lead who knows only the host's name to the console."""
    return RedirectResponse("/console", 303)


@router.get(f"{assets.PREFIX}/{{name}}", name="console_file")
async def console_file(name: Annotated[str, Path(pattern="^[a-z-]{1,40}[.](css|js|svg)$")]) -> Response:
    """Give out one of the console's own files."""
    content = assets.files().get(name)
    if content is None:
        raise HTTPException(404)
    return Response(content, media_type=assets.kind(name), headers={"cache-control": assets.FOR_GOOD})


class PagesPacked(GZipMiddleware):
    """Packs pages and the console's files; what programs fetch is left as it is."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and errors.is_page(scope["path"]):
            await super().__call__(scope, receive, send)
        else:
            await self.app(scope, receive, send)


def install(app: FastAPI) -> None:
    """Add the console to ``app``, whose own error handlers must stand already."""
    app.include_router(router)
    for one in PAGES:
        app.include_router(one.router)
    for kind in (LianbanError, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, _as_page(app.exception_handlers[kind]))
    app.add_middleware(PagesPacked, minimum_size=_WORTH_PACKING)


def _as_page(otherwise: Any) -> Callable[[Request, Any], Awaitable[Response]]:
    """Answers an error before any guard (an address that is none) with a page to who looks at pages."""

    async def handle(request: Request, error: Any) -> Response:
        if errors.is_page(request.url.path):
            return answer_with_page(request, error)
        response: Response = await otherwise(request, error)
        return response

    return handle
