"""The HTTP application: routes, guard, limits and logs around one house.

Run it with ``uvicorn api.app:create_app --factory``. There are no pages for trying it out: they would load scripts from
the internet, and this network is closed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.metadata import version

import httpx
from fastapi import FastAPI

from api import console, openapi, problems
from api.access import MATRIX, GuardedRoute, Open
from api.callers import CallerLimit
from api.entrance import openid as by_openid
from api.entrance import pages as entrance
from api.guard import is_https
from api.headers import SecurityHeaders
from api.lanes import Lanes
from api.limits import BodyLimit
from api.logs import RequestLog, configure_logs
from api.problems import answer_failure
from api.routes import (
    accounts,
    applications,
    appraisal,
    callbacks,
    cards,
    cases,
    changes,
    clocks,
    decisions,
    doors,
    endpoints,
    forecast,
    incidents,
    matters,
    meetings,
    notices,
    reference,
    remedies,
    resolutions,
    retries,
    revisions,
    system,
    upkeep,
)
from api.state import Doors
from api.system.prefect_api import prefect_client
from api.wake import bell_of
from services.changes.feed import ChangeFeed
from services.house import House, open_house
from services.settings import Settings

_DESCRIPTION = (
    "受理居住证申请，会同有关部门核验，依政策决定、发证，并逐项开通权益事项。\n\n"
    "Takes in applications for the residence permit, has departments confirm what they know, decides by the policy in "
    "force, issues the permit, and opens every service it carries. Keys: `Authorization: Bearer lbk_…`. Errors are "
    "problem details (RFC 9457)."
)


def create_app(
    settings: Settings | None = None, house: House | None = None, prefect: httpx.AsyncClient | None = None
) -> FastAPI:
    """The application. ``house`` and ``prefect`` (the client that speaks to Prefect) stay the caller's to close;
    without them the application opens its own when it starts.
    """
    settings = house.settings if house is not None else settings or Settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            opened, client = house, prefect
            if opened is None:
                configure_logs()
                opened = await stack.enter_async_context(open_house(settings))
            if client is None:
                client = await stack.enter_async_context(prefect_client(settings.prefect_auth))
            doors = app.state.doors = _doors(opened, client)
            stack.push_async_callback(doors.bell.close)
            stack.push_async_callback(doors.changes.close)
            if doors.openid is not None:
                stack.push_async_callback(doors.openid.close)
            yield

    app = FastAPI(
        title="联办 Lianban",
        version=version("lianban"),
        description=_DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    if house is not None and prefect is not None:
        # Tests speak to the application without a server, and so without a lifespan.
        app.state.doors = _doors(house, prefect)
    problems.install(app)
    openapi.install(app)
    for room in (
        system,
        accounts,
        applications,
        cases,
        cards,
        clocks,
        appraisal,
        forecast,
        changes,
        decisions,
        callbacks,
        doors,
        endpoints,
        entrance,
        by_openid,
        incidents,
        matters,
        meetings,
        notices,
        reference,
        remedies,
        resolutions,
        retries,
        revisions,
        upkeep,
    ):
        app.include_router(room.router)
    console.install(app)
    # The last added is the outermost: the log sees what the limit refuses.
    app.add_middleware(Lanes, settings=settings)
    app.add_middleware(BodyLimit, limit=settings.max_body_bytes)
    app.add_middleware(CallerLimit, settings=settings)
    app.add_middleware(RequestLog, answer=console.answering(answer_failure))
    app.add_middleware(SecurityHeaders, https=is_https(settings))
    _check_matrix(app)
    return app


def _doors(house: House, client: httpx.AsyncClient) -> Doors:
    settings = house.settings
    changes = ChangeFeed(house.database, seats=settings.changes_seats, poll_seconds=settings.poll_seconds)
    return Doors(house, bell_of(house, client), client, changes, by_openid.provider_of(settings))


def _check_matrix(app: FastAPI) -> None:
    """Refuse to start with a route that no guard stands before, unless the matrix says that it is for all."""
    for name, route in openapi.named_routes(app):
        if not isinstance(route, GuardedRoute) and MATRIX.get(name) is not Open.PUBLIC:
            raise LookupError(f"the route {name or route!r} stands in no access matrix")
