"""``GET /api/v1/audit``: the log page by page, in the reader's sight, and the reading noted."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi import FastAPI

from api.access import MATRIX, GuardedRoute, Open
from api.openapi import named_routes
from models import Role
from services.house import House
from services.upkeep.audit_file import check_audit_file
from tests.api.conftest import Knock, SignIn
from tests.testing.clock import SetClock
from tests.testing.looking import chain_length
from tests.testing.people import application, registered


async def test_pages_follow_one_another_without_a_gap(house: House, knock: Knock) -> None:
    auditor = await knock(Role.AUDITOR)
    for number in range(7):
        async with house.database.write("clerk:test") as transaction:
            transaction.note("case.received", f"370303-2014-{number:06d}")
    first = (await auditor.get("/api/v1/audit", params={"limit": 3, "actor": "clerk:"})).json()
    second = (
        await auditor.get("/api/v1/audit", params={"limit": 3, "actor": "clerk:", "before": first["next"]})
    ).json()
    third = (
        await auditor.get("/api/v1/audit", params={"limit": 3, "actor": "clerk:", "before": second["next"]})
    ).json()
    numbers = [int(one["subject"][-6:]) for page in (first, second, third) for one in page["items"]]
    assert numbers == [6, 5, 4, 3, 2, 1, 0]
    assert third["next"] is None


async def test_reading_is_noted_with_what_was_asked(house: House, knock: Knock) -> None:
    auditor = await knock(Role.AUDITOR)
    await auditor.get("/api/v1/audit", params={"subject": "370303-2014-000001", "since": "2014-11-01T00:00:00+08:00"})
    (noted,) = (await auditor.get("/api/v1/audit", params={"action": "audit.read"})).json()["items"]
    assert noted["actor"] == "auditor:auditor-city"
    assert noted["detail"]["entries"] == 0
    assert noted["detail"]["asked"]["subject"] == "370303-2014-000001"
    assert noted["detail"]["asked"]["since"].startswith("2014-11-01")
    await chain_length(house)


async def test_filters_narrow_and_take_kinds(house: House, knock: Knock) -> None:
    (number,) = await registered(house, application())
    auditor = await knock(Role.AUDITOR)

    async def found(**asked: str) -> set[str]:
        answer = await auditor.get("/api/v1/audit", params=asked)
        assert answer.status_code == 200
        return {one["action"] for one in answer.json()["items"]}

    assert await found(subject=number) == {"case.received"}
    assert await found(action="key.") == {"key.created", "key.first_used"}
    assert await found(action="key") == set()
    assert await found(actor="clerk") == set()
    assert await found(action="case.", until="2014-11-03T00:00:00Z") == set()


async def test_a_districts_auditor_sees_its_cases_only(house: House, knock: Knock) -> None:
    here, there = await registered(house, application(), application(district="370304"))
    auditor = await knock(Role.AUDITOR, "370304")
    items = (await auditor.get("/api/v1/audit")).json()["items"]
    assert {one["subject"] for one in items} == {there}
    assert (await auditor.get("/api/v1/audit", params={"subject": here})).json()["items"] == []
    assert (await auditor.get("/api/v1/audit", params={"subject": "system"})).json()["items"] == []


@pytest.mark.parametrize(
    "asked", [{"since": "yesterday"}, {"since": "2014-11-01T00:00:00"}, {"limit": "0"}, {"before": "0"}, {"who": "x"}]
)
async def test_a_filter_that_cannot_be_read_is_refused(knock: Knock, asked: dict[str, str]) -> None:
    answer = await (await knock(Role.AUDITOR)).get("/api/v1/audit", params=asked)
    assert answer.status_code == 422
    assert answer.json()["errors"]


async def test_the_whole_log_is_exported_sealed_to_the_whole_citys_auditors(
    house: House, knock: Knock, tmp_path: Path
) -> None:
    await registered(house, application())
    assert (await (await knock(Role.AUDITOR, "370303")).get("/api/v1/audit/export")).status_code == 403
    assert (await (await knock(Role.COORDINATOR)).get("/api/v1/audit/export")).status_code == 403
    answer = await (await knock(Role.AUDITOR)).get("/api/v1/audit/export")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/jsonl")
    file = tmp_path / "audit.jsonl"
    file.write_bytes(answer.content)
    found = check_audit_file(file)
    assert (found.problem, found.entries > 2) == (None, True)
    file.write_bytes(answer.content.replace(b"case.received", b"case.refused_"))
    assert check_audit_file(file).problem is not None


async def test_who_was_shown_a_case_stands_in_the_log(
    house: House, knock: Knock, sign_in: SignIn, clock: SetClock
) -> None:
    number, other = await registered(house, application(), application(district="370302"))
    auditor = await knock(Role.AUDITOR)

    async def seen() -> list[tuple[str, str, str]]:
        page = (await auditor.get("/api/v1/audit", params={"action": "case.seen"})).json()
        return [(one["actor"], one["subject"], one["detail"]["by"]) for one in page["items"]]

    clerk = await knock(Role.CLERK, "370303")
    # Twice in a minute is once; what is out of sight, or not there, was not seen.
    for _ in range(2):
        assert (await clerk.get(f"/api/v1/cases/{number}")).status_code == 200
    assert (await clerk.get(f"/api/v1/cases/{other}")).status_code == 404
    assert await seen() == [("clerk:clerk-370303", number, "show_case")]
    await clerk.get(f"/api/v1/cases/{number}/timeline")
    browser = await sign_in(Role.COORDINATOR)
    assert (await browser.get(f"/console/cases/{number}")).status_code == 200
    clock.pass_(minutes=16)
    await clerk.get(f"/api/v1/cases/{number}")
    assert [by for _, _, by in reversed(await seen())] == ["show_case", "show_timeline", "page_case", "show_case"]


async def test_an_auditor_reads_and_does_nothing(app: FastAPI) -> None:
    does = {
        name for name, route in named_routes(app)
        if isinstance(route, GuardedRoute) and route.changes and not isinstance(MATRIX[name], Open)
        and Role.AUDITOR in MATRIX[name]
    }  # fmt: skip
    # Asking the engine, or what would be if, changes nothing; the rest is the own account and its views of lists.
    own = {"sign_out", "change_password", "end_own_session", "end_other_sessions", "page_save_view", "page_remove_view"}
    assert does <= own | {"decide", "ask_what_if"}
