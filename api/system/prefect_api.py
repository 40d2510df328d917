"""Prefect as seen from the doors: by its HTTP API only. Doors name a deployment; they never import a flow."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any
from uuid import uuid4

import httpx

from services.errors import NotFoundError, UnavailableError

# Seconds before a call is made once more.
_PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0)
_ENDED = frozenset({"COMPLETED", "FAILED", "CRASHED", "CANCELLED"})


class PrefectApi:
    """A Prefect server. UnavailableError when it does not answer."""

    def __init__(self, api_url: str, auth: str = "") -> None:
        self._client = prefect_client(auth, base_url=api_url, timeout=10.0)

    async def close(self) -> None:
        """Give back connections."""
        await self._client.aclose()

    async def knows(self, pool: str, deployments: Collection[str]) -> bool:
        """Whether the work pool and every one of ``deployments`` stand."""
        pools = await self._call("POST", "/work_pools/filter", {})
        if pool not in {one["name"] for one in pools}:
            return False
        found = await self._call("POST", "/deployments/filter", {})
        return set(deployments) <= {one["name"] for one in found}

    async def workers_online(self, pool: str) -> list[str]:
        """The names of the workers of ``pool`` that were heard of lately; none if there is no such pool."""
        try:
            found = await self._call("POST", f"/work_pools/{pool}/workers/filter", {})
        except NotFoundError:
            return []
        return sorted(one["name"] for one in found if one["status"] == "ONLINE")

    async def start_run(self, deployment: str, parameters: dict[str, Any] | None = None) -> str:
        """Ask for a run of ``flow/deployment`` now; its id. A server that is overwhelmed is asked again for some
        seconds, under one key, so that there is one run however often it was asked.
        """
        found = await self._call("GET", f"/deployments/name/{deployment}", patient=True)
        asked = {"state": {"type": "SCHEDULED"}, "parameters": parameters or {}, "idempotency_key": uuid4().hex}
        run = await self._call("POST", f"/deployments/{found['id']}/create_flow_run", asked, patient=True)
        return str(run["id"])

    async def wait_for(self, run: str, *, every: float = 0.5) -> str:
        """Wait until a run has ended; its state."""
        while True:
            state = (await self._call("GET", f"/flow_runs/{run}"))["state_type"]
            if state in _ENDED:
                return str(state)
            await asyncio.sleep(every)

    async def _call(self, method: str, path: str, body: dict[str, Any] | None = None, *, patient: bool = False) -> Any:
        """``patient``: a call that may be made again; it is, while the server is overwhelmed."""
        pauses = iter(_PAUSES if patient else ())
        try:
            answer = await self._client.request(method, path, json=body)
            # With SQLite behind it, Prefect's server gives up on a locked database before long.
            while answer.is_server_error and (pause := next(pauses, None)) is not None:
                await asyncio.sleep(pause)
                answer = await self._client.request(method, path, json=body)
            if answer.status_code == httpx.codes.NOT_FOUND:
                raise NotFoundError(f"{method} {path} found nothing", place="Prefect")
            answer.raise_for_status()
        except httpx.HTTPError as problem:
            raise UnavailableError(f"{method} {path} failed ({type(problem).__name__})", place="Prefect") from problem
        return answer.json()


def prefect_client(auth: str = "", **options: Any) -> httpx.AsyncClient:
    """A client for Prefect's API. ``auth``: ``name:password``, if its server asks for one."""
    name, _, password = auth.partition(":")
    return httpx.AsyncClient(trust_env=False, auth=(name, password) if auth else None, **options)
