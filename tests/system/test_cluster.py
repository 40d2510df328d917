"""Two machines that work and two doors, on PostgreSQL and Redis: the work is shared, and nothing is done twice."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from sqlalchemy import func, select

from models import Dispatcher, Step
from services.database import table
from tests.testing.cluster import Cluster
from tests.testing.intake import clerks
from tests.testing.judging import finished, judge
from tests.testing.people import body

pytestmark = [
    pytest.mark.system, pytest.mark.xdist_group("cluster"), pytest.mark.timeout(280),
    pytest.mark.asyncio(loop_scope="session"),
]  # fmt: skip
STEPS, POSTS = table(Step), table(Dispatcher)


async def test_the_work_is_shared_and_done_once(town: Cluster) -> None:
    async with town.house.database.read() as connection:
        before = (await connection.execute(select(func.max(POSTS.c.started_at)))).scalar_one_or_none()
    people = [body() for _ in range(120)]
    first, second = await clerks(town.house, town.apis[:1]), await clerks(town.house, town.apis[1:])
    # Each application at both doors at the same moment.
    await asyncio.gather(first.hand_in(people), second.hand_in(people))
    assert first.numbers == second.numbers
    assert len(first.numbers) == len(people)
    assert await finished(town, 120) is not None
    verdict = await judge(town, first.numbers)
    assert verdict.well, verdict
    async with town.house.database.read() as connection:
        mine = STEPS.c.case_number.in_(first.numbers)
        tries, steps = (await connection.execute(select(func.sum(STEPS.c.attempts), func.count()).where(mine))).one()
        worked = POSTS.c.cases > 0
        posts = (await connection.execute(select(POSTS).where(worked))).all()
    assert tries == steps
    # Both machines took part: each has one dispatcher at a time, and two were at work in the same span of time.
    fresh = [one for one in posts if before is None or one.started_at > before]
    assert any(
        one.started_at < (other.left_at or other.seen_at) and other.started_at < (one.left_at or one.seen_at)
        for one in fresh for other in fresh if one is not other
    ), fresh  # fmt: skip


async def test_each_door_knows_what_came_in_by_the_other(town: Cluster) -> None:
    handing = await clerks(town.house, town.apis[:1])
    await handing.hand_in([body()])
    (number,) = handing.numbers
    async with httpx.AsyncClient(trust_env=False, headers=handing.headers) as client:
        answers = [await client.get(f"{door}/api/v1/cases/{number}") for door in town.apis]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert await finished(town, 60) is not None
