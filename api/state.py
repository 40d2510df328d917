"""What every route has at hand: the house, who calls, and the dispatcher's bell."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, cast

import httpx
from fastapi import Depends, Request

from api.kept import Kept
from api.seen import Looks
from api.system.runs import Runs
from api.wake import Bell
from services.access import Caller
from services.access.openid.provider import Provider
from services.changes.feed import ChangeFeed
from services.house import House


@dataclass(slots=True)
class Doors:
    """One application's parts, for as long as it runs. ``prefect`` is the client that speaks to Prefect's API, ``runs``
    what it says of the flows; ``openid`` is the identity provider, where one is connected; ``looks`` remembers who
    looked at what of late, ``kept`` what was worked out a moment ago.
    """

    house: House
    bell: Bell
    prefect: httpx.AsyncClient
    changes: ChangeFeed
    openid: Provider | None = None
    looks: Looks = field(default_factory=Looks)
    kept: Kept = field(default_factory=Kept)
    runs: Runs = field(init=False)

    def __post_init__(self) -> None:
        """Put together what stands on the others."""
        self.runs = Runs(self.prefect, self.house.settings.prefect_api_url)


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
