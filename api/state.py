"""What every route has at hand: the house, who calls, and the dispatcher's bell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, cast

import httpx
from fastapi import Depends, Request

from api.wake import Bell
from services.access import Caller
from services.changes.feed import ChangeFeed
from services.house import House


@dataclass(slots=True)
class Doors:
    """One application's parts, for as long as it runs. ``prefect`` is the client that speaks to Prefect's API."""

    house: House
    bell: Bell
    prefect: httpx.AsyncClient
    changes: ChangeFeed


def doors_of(request: Request) -> Doors:
    """The parts of the application that serves ``request``."""
    return cast(Doors, request.app.state.doors)


def house_of(request: Request) -> House:
    """The house in which ``request`` is served."""
    return doors_of(request).house


def caller_of(request: Request) -> Caller:
    """Who calls, as the guard of the route found out."""
    return cast(Caller, request.state.caller)


TheDoors = Annotated[Doors, Depends(doors_of)]
TheHouse = Annotated[House, Depends(house_of)]
TheCaller = Annotated[Caller, Depends(caller_of)]
