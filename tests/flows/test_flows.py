"""The flows as real flow runs: what they do, that they may be run again, and what of it Prefect gets to know."""

from __future__ import annotations

import json
import sqlite3
from datetime import date
from pathlib import Path

import pytest

from models import CaseState
from services.house import House
from services.simulation import move_clock
from tests.testing.looking import case_row, chain_length, granted, in_force
from tests.testing.people import application
from tests.testing.servers import PrefectServer, installation

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("system")]


async def _stands(house: House, number: str) -> None:
    assert await in_force(house, number) == await granted(house, number)
    assert (await case_row(house, number)).state is CaseState.CLOSED


async def test_the_main_job_by_flows_and_a_year_on(tmp_path: Path, prefect_server: PrefectServer) -> None:
    people = [application(children=[{"born_on": "2008-05-01", "name": "测试娃"}]) for _ in range(4)]
    async with installation(tmp_path, prefect_server) as town:
        await town.start_sandbox()
        first, *rest = await town.receive(*people)
        # On the cases named, then on whatever is ready; each a second time, which finds nothing to do.
        named, again, whole, nothing = await town.run_flows(
            f"issue_permits([{first!r}])", f"issue_permits([{first!r}])",
            "dispatch(linger_seconds=0)", "dispatch(linger_seconds=0)",
        )  # fmt: skip
        assert named == {"closed": 1}
        assert again == {"closed": 1}
        assert (whole["closed"], nothing) == (len(rest), {})
        for number in (first, *rest):
            await _stands(town.house, number)
        entries, audit = await chain_length(town.house), await town.audit()
        assert (audit["doubled"], audit["duplicates"]) == (0, 0)

        await move_clock(town.house.database, town.house.settings, date(2015, 10, 8))
        reconciled, second = await town.run_flows("reconcile()", "reconcile()")
        assert (reconciled, second) == ({"closed": 4}, {})
        for number in (first, *rest):
            await _stands(town.house, number)
            assert "3.2.2j" in await in_force(town.house, number)
        assert await chain_length(town.house) > entries
        assert (await town.audit())["doubled"] == 0

    artifacts = prefect_server.ask("/artifacts/filter")
    assert all(artifact["flow_run_id"] for artifact in artifacts)
    assert any("办件" in (artifact["description"] or "") for artifact in artifacts)
    tables = [json.loads(artifact["data"]) for artifact in artifacts]
    assert any(row["部门"].startswith("公安") and row.get("已办结") for table in tables for row in table), tables
    personal = [value for one in people for value in (one.person.name, one.person.id_number, one.person.phone,
                                                      one.person.address, "测试娃") if value]  # fmt: skip
    _bears_nothing_of(personal, prefect_server)


def _bears_nothing_of(personal: list[str], server: PrefectServer) -> None:
    """Nothing that Prefect stored about runs, parameters, states, logs, artifacts or results bears personal data."""
    runs = server.ask("/flow_runs/filter")
    assert {run["name"] for run in runs} >= {"调度", "逐日核对", "办理居住证 · 1 件"}
    # Another test that shares the server may have deployed flows, whose schedules are none of ours.
    assert {run["state_type"] for run in runs} - {"SCHEDULED"} == {"COMPLETED"}
    assert server.ask("/task_runs/filter")
    (database,) = server.folder.rglob("prefect.db")
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as stored:
        whole = "\n".join(stored.iterdump())
    assert "370303-2014-" in whole
    for value in personal:
        assert value not in whole
        assert json.dumps(value).strip('"') not in whole
