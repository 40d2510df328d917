"""Prefect as seen from the doors: by its HTTP API only. Doors name a deployment; they never import a flow."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx

from services.errors import UnavailableError

_ENDED = frozenset({"COMPLETED", "FAILED", "CRASHED", "CANCELLED"})


class PrefectApi:
    """A Prefect server. UnavailableError when it does not answer."""

    def __init__(self, api_url: str) -> None:
        self._client = httpx.AsyncClient(base_url=api_url, timeout=10.0, trust_env=False)

    async def close(self) -> None:
        """Give back connections."""
        await self._client.aclose()

    async def start_run(self, deployment: str, parameters: dict[str, Any] | None = None) -> str:
        """Ask for a run of ``flow/deployment`` now; its id."""
        found = await self._call("GET", f"/deployments/name/{deployment}")
        run = await self._call(
            "POST",
            f"/deployments/{found['id']}/create_flow_run",
            {"state": {"type": "SCHEDULED"}, "parameters": parameters or {}},
        )
        return str(run["id"])

    async def wait_for(self, run: str, *, every: float = 0.5) -> str:
        """Wait until a run has ended; its state."""
        while True:
            state = (await self._call("GET", f"/flow_runs/{run}"))["state_type"]
            if state in _ENDED:
                return str(state)
            await asyncio.sleep(every)

    async def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        try:
            answer = await self._client.request(method, path, json=body)
            answer.raise_for_status()
        except httpx.HTTPError as problem:
            raise UnavailableError(f"{method} {path} failed ({type(problem).__name__})", place="Prefect") from problem
        parsed: dict[str, Any] = answer.json()
        return parsed
