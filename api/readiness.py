"""What the service stands on, looked at now: the database, its shape, and Prefect."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

import httpx

from api.state import Doors
from api.views.city import Check
from services.errors import UnavailableError
from services.migration import is_current

_PATIENCE = 3.0


async def check_all(doors: Doors) -> dict[str, Check]:
    """Every check by its name; each takes at most a few seconds."""
    names = ("database", "migration", "prefect")
    found = await asyncio.gather(
        _checked(doors.house.database.ping(), "does not answer"),
        _checked(_migration(doors), "cannot be read"),
        _checked(_prefect(doors), "does not answer"),
    )
    return dict(zip(names, found, strict=True))


async def _checked(check: Awaitable[None], otherwise: str) -> Check:
    """``check`` as a result. What the failure says is left out: it may name hosts and users."""
    try:
        async with asyncio.timeout(_PATIENCE):
            await check
    except _WrongError as wrong:
        return Check(ok=False, trouble=str(wrong))
    except (UnavailableError, TimeoutError, OSError, httpx.HTTPError):
        return Check(ok=False, trouble=otherwise)
    return Check(ok=True)


class _WrongError(Exception):
    """Something answers, but not as it should."""


async def _migration(doors: Doors) -> None:
    if not await is_current(doors.house.database):
        raise _WrongError("the database is not of this version's shape; run `lianban migrate`")


async def _prefect(doors: Doors) -> None:
    answer = await doors.prefect.get(f"{doors.house.settings.prefect_api_url.rstrip('/')}/health", timeout=_PATIENCE)
    if answer.status_code != 200:
        raise _WrongError(f"answers {answer.status_code}")
