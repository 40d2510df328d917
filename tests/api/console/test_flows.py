"""The flows page: a case's runs are found by what the ledger keeps, however many runs came after."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from services.house import House
from services.ledger.cases import claim_numbers
from services.operations.dispatchers import take_post
from tests.api.conftest import ListeningPrefect
from tests.testing.people import application, registered

_RUN, _GONE = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"


async def _taken(house: House, number: str, *runs: str) -> None:
    for run in runs:
        async with house.database.write("dispatch") as transaction:
            claim = await claim_numbers(transaction, [number], None, house.database.clock.now(), -1, run)
            assert claim.numbers == (number,)


@pytest.fixture
def prefect(monkeypatch: pytest.MonkeyPatch) -> ListeningPrefect:
    """A Prefect that remembers one run of a case and not the other."""
    prefect = ListeningPrefect()
    plain = prefect.answer

    def answer(request: httpx.Request) -> httpx.Response:
        found: Any = {
            "/flows/filter": [{"id": "f1", "name": "issue_permits"}],
            "/deployments/filter": [],
            "/flow_runs/filter": [
                {"id": _RUN, "flow_id": "f1", "name": "办理居住证 · 1 件", "state_type": "COMPLETED",
                 "start_time": "2014-11-03T02:00:00+00:00"}
            ] if _RUN.encode() in request.content else [],
        }.get(request.url.path.removeprefix("/api"))  # fmt: skip
        return httpx.Response(200, json=found) if found is not None and prefect.up else plain(request)

    monkeypatch.setattr(prefect, "answer", answer)
    return prefect


async def test_the_runs_of_a_case_are_listed(coordinator: httpx.AsyncClient, house: House) -> None:
    number, other = await registered(house, application(), application())
    await _taken(house, number, _RUN, _GONE, _RUN)

    page = (await coordinator.get(f"/console/flows?case={number}")).text

    assert page.count(f"/runs/flow-run/{_RUN}") == 1
    assert "办理居住证 · 1 件" in page
    assert "Prefect 已按保存期限清理这次运行" in page
    assert "这件办件还没有流程运行" in (await coordinator.get(f"/console/flows?case={other}")).text


async def test_with_prefect_away_the_links_stand(
    coordinator: httpx.AsyncClient, house: House, prefect: ListeningPrefect
) -> None:
    (number,) = await registered(house, application())
    await _taken(house, number, _RUN)
    prefect.up = False

    page = (await coordinator.get(f"/console/flows?case={number}")).text

    assert f"/runs/flow-run/{_RUN}" in page
    assert "Prefect 无法访问" in page


@pytest.mark.parametrize(
    ("up", "worker", "at_work", "words"),
    [
        (True, "ONLINE", False, "系统运转正常"),
        (True, "OFFLINE", False, "没有工作进程在线，办件不会推进"),
        (True, "OFFLINE", True, "没有工作进程在线，现有调度仍在进行"),
        (False, "ONLINE", False, "Prefect 无法访问，目前没有调度在进行"),
        (False, "ONLINE", True, "Prefect 暂时无法访问，调度仍在进行"),
    ],
)
async def test_the_first_line_says_whether_it_works(  # noqa: PLR0917 - a row of the table, and fixtures
    coordinator: httpx.AsyncClient, house: House, prefect: ListeningPrefect,
    up: bool, worker: str, at_work: bool, words: str,
) -> None:  # fmt: skip
    prefect.up, prefect.workers = up, [worker]
    if at_work:
        async with house.database.write("dispatch") as transaction:
            assert await take_post(transaction, house.database.clock.now(), most=0, enough=0)
    page = (await coordinator.get("/console/flows")).text
    assert page.partition('<div class="notice')[2].partition("</strong>")[0].endswith(f"<strong>{words}")
