"""One pass of everything that prepares the meeting, as the weekly flow and ``lianban meeting prepare`` run it."""

from __future__ import annotations

from dataclasses import dataclass

from services.house import House
from services.meetings.agenda import Prepared, prepare_agenda
from services.meetings.following import Followed, follow
from services.meetings.matters import Gathered
from services.meetings.matters import gather as gather_matters
from services.operations.incidents import gather as gather_incidents


@dataclass(frozen=True, slots=True)
class Pass:
    """What a pass came to: resolutions followed, matters gathered, the next agenda."""

    followed: Followed
    gathered: Gathered
    prepared: Prepared


async def prepare(house: House) -> Pass:
    """Follow what was settled, gather what comes up, compose the next agenda, call the meeting if it is time. Safe to
    repeat at any moment, and side by side.
    """
    await gather_incidents(house)
    # First what is done: its cause is free then, and what is left of it comes up anew.
    followed = await follow(house)
    gathered = await gather_matters(house)
    return Pass(followed, gathered, await prepare_agenda(house))
