"""Live changes by server-sent events: what happens, as it happens, to whoever may know of it.

A browser's ``EventSource`` does the rest by itself: it comes again when a connection ends, and says with
``Last-Event-ID`` where it was.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent

from api.access import GuardedRoute
from api.guard import still_admitted
from api.openapi import problems
from api.state import Doors, TheCaller, TheDoors
from api.views.changes import Change, Missed
from services.changes.feed import News

router = APIRouter(tags=["changes"], route_class=GuardedRoute)
_LAST = 2**53 - 1
# Milliseconds after which a client that lost us comes again.
_AGAIN = 2_000

Place = Annotated[
    int | None, Query(ge=0, le=_LAST, description="从该序号之后开始 / start after the entry of this number")
]
LastPlace = Annotated[
    int | None, Header(alias="Last-Event-ID", ge=0, le=_LAST, description="断线前最后的序号 / the last seen")
]


async def _seat(doors: TheDoors) -> AsyncIterator[Doors]:
    with doors.changes.seat():
        yield doors


@router.get("/api/v1/changes", response_class=EventSourceResponse, responses=problems(422))
async def follow_changes(
    request: Request,
    doors: Annotated[Doors, Depends(_seat)],
    caller: TheCaller,
    after: Place = None,
    last_event_id: LastPlace = None,
) -> AsyncIterator[ServerSentEvent]:
    """Follow what changes in your sight, as server-sent events, each with its kind and what it is about.

    The event's name is the beginning of its kind (``case``, ``steps``, ``permit``, ``incident``, ``retry``, ``remedy``,
    ``endpoint`` …). ``missed`` says that more happened than is told one by one. The stream ends after a while, or when
    your key does; come again with ``Last-Event-ID``.
    """
    settings, loop = doors.house.settings, asyncio.get_running_loop()
    start = after if last_event_id is None else last_event_id
    leave_at = loop.time() + settings.changes_seconds
    rest = min(settings.changes_rest_seconds, settings.changes_seconds)
    look_at = loop.time() + rest
    async for news in doors.changes.follow(caller, start, rest=rest):
        for event in _events(news):
            yield event
        if loop.time() >= leave_at:
            return
        if loop.time() >= look_at:
            if not await still_admitted(request):
                return
            look_at = loop.time() + rest


def _events(news: News) -> list[ServerSentEvent]:
    """The events of some news. Without any, a comment keeps the connection open and says how far it has come."""
    if news.missed:
        return [ServerSentEvent(event="missed", data=Missed(reached=news.reached), id=str(news.reached), retry=_AGAIN)]
    if not news.changes:
        return [ServerSentEvent(comment="-", id=str(news.reached), retry=_AGAIN)]
    return [
        ServerSentEvent(event=one.kind.partition(".")[0], data=Change.model_validate(one), id=str(one.sequence))
        for one in news.changes
    ]
