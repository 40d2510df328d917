"""Clerks who hand in by HTTP and do not give up: what was not acknowledged is handed in again, by any door."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from typing import Any

import httpx

from models import Role
from services.access import create_key
from services.house import House

_TAKEN = (200, 201)
_LATER = (429, 500, 502, 503, 504)


class Clerks:
    """Clerks with one key between them. ``numbers``: the cases that were acknowledged to them."""

    def __init__(self, doors: Sequence[str], key: str, seed: int = 0) -> None:
        self.doors = doors
        self.numbers: set[str] = set()
        self.refusals = 0
        self.headers = {"authorization": f"Bearer {key}"}
        self._dice = random.Random(seed)  # noqa: S311 - which door, no secret

    async def hand_in(self, applications: Sequence[dict[str, Any]], *, at_once: int = 4, pause: float = 0.0) -> None:
        """Hand in each of ``applications`` until it is acknowledged, ``pause`` seconds after the one before."""
        left = list(reversed(applications))
        async with httpx.AsyncClient(trust_env=False, headers=self.headers, timeout=10.0) as client:

            async def clerk() -> None:
                while left:
                    self.numbers.add(await self._one(client, left.pop()))
                    await asyncio.sleep(pause)

            await asyncio.gather(*(clerk() for _ in range(at_once)))

    async def _one(self, client: httpx.AsyncClient, application: dict[str, Any]) -> str:
        while True:
            door = self._dice.choice(self.doors)
            try:
                answer = await client.post(f"{door}/api/v1/applications", json=application)
            except httpx.HTTPError:
                self.refusals += 1
                await asyncio.sleep(0.2)
                continue
            if answer.status_code in _TAKEN:
                return str(answer.json()["number"])
            if answer.status_code not in _LATER:
                raise AssertionError(answer.text)
            self.refusals += 1
            await asyncio.sleep(0.2)


async def clerks(house: House, doors: Sequence[str], seed: int = 0) -> Clerks:
    """Clerks of the whole city who hand in at ``doors``."""
    async with house.database.write("administrator:test") as transaction:
        key = await create_key(
            transaction, house.packs, house.database.clock.now(), name="clerk", role=Role.CLERK, scope=None, days=30
        )
    return Clerks(doors, key, seed)
