"""That somebody looked at a case is an entry of the audit log, written before the answer leaves.

The guard sees to it for every route that shows one case, so that no route can forget it. Who looks again within a
quarter of an hour is not written down again: a page that keeps itself fresh would fill the log.
"""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Final

from fastapi import Request

from services.access import Caller
from services.database import Database

_AGAIN: Final = timedelta(minutes=15)
_REMEMBERED: Final = 20_000


class Looks:
    """Who looked at what of late, in this process. ``Looks().note(…)`` after each look."""

    def __init__(self) -> None:
        self._last: OrderedDict[tuple[str, str, str], datetime] = OrderedDict()

    async def note(self, database: Database, caller: Caller, route: str, number: str) -> None:
        """Write down that ``caller`` was shown the case ``number`` by ``route``, unless it was just now."""
        now, look = database.clock.now(), (caller.actor, route, number)
        before = self._last.get(look)
        if before is not None and now - before < _AGAIN:
            return
        async with database.write(caller.actor) as transaction:
            transaction.note("case.seen", number, by=route)
        self._last[look] = now
        self._last.move_to_end(look)
        while len(self._last) > _REMEMBERED:
            self._last.popitem(last=False)


def case_shown(request: Request) -> str | None:
    """The case of which the request's address asks to be shown something; None if it is about no single case."""
    if request.method != "GET":
        return None
    if "number" in request.path_params:
        return str(request.path_params["number"])
    if "step" in request.path_params:
        # A step's id begins with its case's number (``exchange.orders.step_id``).
        return "-".join(str(request.path_params["step"]).split("-")[:3])
    return None
