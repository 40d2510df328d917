"""Whoever applies, whenever answers come, on whatever days one looks: what stands open is what the policy grants.

The planner is driven in the process with a department that answers in any order, late, or never.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models import CaseState
from services.casework import deliveries
from services.database import Database
from services.house import House
from services.policy.grace import grace_end
from services.policy.question import FACTS, GROUNDS
from services.settings import Settings
from tests.conftest import FIRST_DAY, create_tables
from tests.testing.clock import SetClock
from tests.testing.departments import Departments, dispatch, reconcile
from tests.testing.looking import case_row, chain_length, entitlements, granted, in_force, steps
from tests.testing.people import application, registered

START = date(2014, 11, 3)
# Those whose answer comes later, by call-back and in any order.
LATE = ("education", "health", "hrss", "housing-fund", "police")

BORN = st.dates(date(1945, 1, 1), date(2000, 6, 1))
CHILDREN = st.lists(st.dates(START - timedelta(days=19 * 365), START), max_size=3)
REGISTERED = st.one_of(st.dates(date(2013, 6, 1), START), st.just(date(2012, 2, 29)))
KNOWN = st.dictionaries(st.sampled_from(FACTS), st.sampled_from([True, True, False, None]))
DAYS = st.lists(st.integers(1, 500), max_size=4)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    born_on=BORN, sex=st.sampled_from(["male", "female"]), children=CHILDREN, registered_on=REGISTERED,
    term=st.sampled_from([1, 3, 3]), ground=st.sampled_from(GROUNDS), wish=st.booleans(), facts=KNOWN, days=DAYS,
    late=st.permutations(LATE), quick=st.integers(0, len(LATE)),
)  # fmt: skip
def test_what_stands_is_what_the_policy_grants(  # noqa: PLR0917 - hypothesis
    born_on: date, sex: str, children: list[date], registered_on: date, term: int, ground: str, wish: bool,
    facts: dict[str, bool | None], days: list[int], late: list[str], quick: int,
) -> None:  # fmt: skip
    applicant = {
        "born_on": born_on,
        "sex": sex,
        "children": [{"born_on": one.isoformat()} for one in children if one > born_on],
        "term_years": term,
        "grounds": [ground],
        "residence": {
            "registered_on": max(registered_on, born_on).isoformat(),
            "intends_half_year": True,
            "from_outside_county": True,
        },
        "declared": {"wants_to_start_business": wish},
    }
    asyncio.run(_live(applicant, facts, sorted(days), late[quick:]))


async def _live(
    applicant: Mapping[str, Any], facts: Mapping[str, bool | None], days: list[int], late: list[str]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        clock, departments = SetClock(FIRST_DAY), Departments()
        dsn = f"sqlite+aiosqlite:///{Path(folder) / 'lianban.db'}"
        first = Database(dsn, clock.clock)
        await create_tables(first)
        await first.dispose()
        house = House(Settings(data_dir=Path(folder), database_url=dsn, simulate=True, _env_file=None), clock.clock)
        original, deliveries.shared_client = deliveries.shared_client, lambda: departments  # type: ignore[assignment,return-value]
        try:
            departments.facts, departments.silent = dict(facts), set(late)
            await departments.connect(house)
            await _through_the_days(house, clock, departments, applicant, days, late)
        finally:
            deliveries.shared_client = original
            await house.close()


async def _through_the_days(
    house: House, clock: SetClock, departments: Departments, applicant: Mapping[str, Any], days: list[int],
    late: list[str],
) -> None:  # fmt: skip
    (number,) = await registered(house, application(**applicant))
    await dispatch(house)
    for department in late:
        departments.silent.discard(department)
        await departments.call_back(house, number, department)
        await dispatch(house)
    await _settled(house, number, departments)
    for day in days:
        clock.set_day(START + timedelta(days=day))
        await reconcile(house)
        await dispatch(house)
        await _settled(house, number, departments)


async def _settled(house: House, number: str, departments: Departments) -> None:
    due, stands = await granted(house, number), await entitlements(house, number)
    today, pack = house.database.clock.today(), house.packs.packs[0]
    in_grace = {
        service for service in await in_force(house, number) - due
        if (row := stands[service]).leaves_on is not None and row.leaves_on > today
        and grace_end(pack, f"ZB87-{service}", row.leaves_on - timedelta(days=1)) == row.leaves_on - timedelta(days=1)
    }  # fmt: skip
    assert await in_force(house, number) - in_grace == due
    # Nothing is opened that stands open: between two openings of a service lies a withdrawal, or another last day.
    last: dict[str, Any] = {}
    for step in await steps(house, number):
        for one in step.content.get("open", ()):
            assert last.get(one["service"]) != one["until"], one["service"]
            last[one["service"]] = one["until"]
        for one in step.content.get("withdraw", ()):
            last.pop(one["service"], None)
    entries, sent = await chain_length(house), len(departments.sent)
    await dispatch(house)
    assert await reconcile(house) == []
    assert (await chain_length(house), len(departments.sent)) == (entries, sent)
    assert (await case_row(house, number)).state in {
        CaseState.CLOSED, CaseState.REFUSED, CaseState.VERIFYING, CaseState.PROVISIONING
    }  # fmt: skip
