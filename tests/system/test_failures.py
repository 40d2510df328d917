"""Killed, frozen, cut off, emptied, under load: nothing is lost, nothing is done twice, and all is finished by itself.

A few of each kind; ``python -m benchmarks.kill_run`` does hundreds, at random.
"""

from __future__ import annotations

import asyncio
import random

import pytest

from tests.testing.cluster import Cluster
from tests.testing.intake import clerks
from tests.testing.judging import finished, judge
from tests.testing.people import body
from tests.testing.trouble import KINDS

pytestmark = [
    pytest.mark.system, pytest.mark.xdist_group("cluster"), pytest.mark.timeout(280),
    pytest.mark.asyncio(loop_scope="session"),
]  # fmt: skip
# After the last of it, everything must be finished within so many seconds: the longest lease, and the work itself.
WITHIN = 120


async def _under(town: Cluster, *kinds: str, cases: int = 40) -> None:
    dice = random.Random(20141103)  # noqa: S311 - moments to be the same again
    handing = await clerks(town.house, town.apis)
    people = [body() for _ in range(cases)]
    intake = asyncio.create_task(handing.hand_in(people, at_once=2, pause=0.2))
    for kind in kinds:
        # A dispatcher to be killed is there once it has found work.
        async with asyncio.timeout(70):
            while not await KINDS[kind][0](town, dice):  # noqa: ASYNC110 - other processes send no events
                await asyncio.sleep(0.2)
        await asyncio.sleep(dice.uniform(0.2, 1.5))
    await intake
    await town.revive()
    assert len(handing.numbers) == cases
    assert await finished(town, WITHIN) is not None
    verdict = await judge(town, handing.numbers)
    assert verdict.well, verdict


async def test_killed(town: Cluster) -> None:
    await _under(town, "dispatcher", "door", "dispatcher", "worker", "departments", "dispatcher")


async def test_frozen_past_the_lease_and_awake_again(town: Cluster) -> None:
    await _under(town, "frozen")


async def test_postgresql_and_redis_gone_and_back(town: Cluster) -> None:
    await _under(town, "postgresql", "redis", "postgresql")


async def test_prefect_gone_and_back_with_nothing_in_its_memory(town: Cluster) -> None:
    await _under(town, "prefect-empty")
