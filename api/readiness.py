"""What the service stands on, looked at now: the database, its shape, Prefect, a worker, and Redis where it is used."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

import httpx

from api.system.deploying import POOL
from api.views.city import Check
from services.errors import UnavailableError
from services.house import House
from services.migration import is_current

_PATIENCE = 3.0
# Without these nothing is answered, or nothing is coordinated. Without the others the work waits or is slower.
REQUIRED = ("database", "migration", "prefect")


async def check_all(house: House, prefect: httpx.AsyncClient) -> dict[str, Check]:
    """Every check by its name; each takes at most a few seconds. ``prefect``: the client that speaks to Prefect."""
    url = house.settings.prefect_api_url.rstrip("/")
    checks = {
        "database": _checked(house.database.ping(), "does not answer"),
        "migration": _checked(_migration(house), "cannot be read"),
        "prefect": _checked(_prefect(prefect, url), "does not answer"),
        "worker": _checked(_worker(prefect, url), "cannot be told while Prefect does not answer"),
    }
    if house.settings.redis_url:
        checks["redis"] = _checked(_redis(house.settings.redis_url), "does not answer")
    return dict(zip(checks, await asyncio.gather(*checks.values()), strict=True))


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


async def _migration(house: House) -> None:
    if not await is_current(house.database):
        raise _WrongError("the database is not of this version's shape; run `lianban migrate`")


async def _prefect(client: httpx.AsyncClient, url: str) -> None:
    answer = await client.get(f"{url}/health", timeout=_PATIENCE)
    if answer.status_code != 200:
        raise _WrongError(f"answers {answer.status_code}")


async def _worker(client: httpx.AsyncClient, url: str) -> None:
    answer = await client.post(f"{url}/work_pools/{POOL}/workers/filter", json={}, timeout=_PATIENCE)
    if answer.status_code == 404:
        raise _WrongError("Prefect has lost the work pool; `lianban keep` registers it again")
    answer.raise_for_status()
    try:
        online = any(one["status"] == "ONLINE" for one in answer.json())
    except (ValueError, TypeError, KeyError):
        raise _WrongError("what answers at Prefect's address does not speak as Prefect does") from None
    if not online:
        raise _WrongError("none has been heard of for over a minute; the work waits until one is started")


async def _redis(url: str) -> None:
    # Only where it is used: it is no part of an installation on one machine.
    from redis.asyncio import Redis  # noqa: PLC0415
    from redis.exceptions import RedisError  # noqa: PLC0415

    client = Redis.from_url(url, socket_connect_timeout=_PATIENCE, socket_timeout=_PATIENCE)
    try:
        await client.ping()
    except RedisError as problem:
        raise OSError from problem
    finally:
        await client.aclose()
