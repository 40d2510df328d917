"""Cards, clocks and the calendar at the HTTP door and on the command line."""

from __future__ import annotations

from datetime import date

import httpx

from models import Role
from services.house import House
from services.supervision.cards import look
from tests.api.conftest import Knock
from tests.testing.clock import SetClock
from tests.testing.departments import Departments, work
from tests.testing.people import application, registered


async def _late(house: House, clock: SetClock, departments: Departments) -> str:
    departments.silent.add("hrss")
    (number,) = await registered(house, application())
    await work(house, number)
    clock.set_day(date(2014, 11, 18))
    await look(house)
    return number


async def test_a_card_is_seen_contested_and_lifted(
    house: House, clock: SetClock, departments: Departments, coordinator: httpx.AsyncClient, knock: Knock
) -> None:
    number = await _late(house, clock, departments)
    officer, other = await knock(Role.OFFICER, "hrss"), await knock(Role.OFFICER, "police")
    (card,) = (await officer.get("/api/v1/cards")).json()["items"]
    assert (card["colour"]["code"], card["case_number"], card["due_on"]) == ("red", number, "2014-11-17")
    assert (await other.get("/api/v1/cards")).json()["items"] == []
    assert (await other.get(f"/api/v1/cards/{card['id']}")).status_code == 404
    address = f"/api/v1/cards/{card['id']}"
    assert (await coordinator.post(f"{address}/contest", json={"because": "x"})).status_code == 403
    assert (await officer.post(f"{address}/contest", json={"because": " "})).status_code == 422
    contested = await officer.post(f"{address}/contest", json={"because": "资料不全"})
    assert contested.json()["state"]["code"] == "contested"
    assert (await officer.post(f"{address}/lift", json={"because": "x"})).status_code == 403
    lifted = await coordinator.post(f"{address}/lift", json={"because": "经核属实"})
    assert (lifted.json()["state"]["code"], lifted.json()["decided_because"]) == ("lifted", "经核属实")
    assert (await coordinator.post(f"{address}/uphold", json={"because": "x"})).status_code == 409
    page = await coordinator.get("/api/v1/cards", params={"dealt_from": "2014-11-19"})
    assert page.json() == {"items": [], "next": None}


async def test_the_clocks_of_a_case_add_up(
    house: House, clock: SetClock, departments: Departments, coordinator: httpx.AsyncClient, knock: Knock
) -> None:
    number = await _late(house, clock, departments)
    times = (await coordinator.get(f"/api/v1/cases/{number}/clocks")).json()
    assert {one["clock"]["code"] for one in times["clocks"]} == {"own", "promised"}
    assert sum(one["hours"] for one in times["shares"]) == times["elapsed_hours"] == 15 * 24
    mine = (await (await knock(Role.OFFICER, "police")).get(f"/api/v1/cases/{number}/clocks")).json()
    assert {one["department"]["code"] for one in mine["clocks"] if one["department"]} == {"police"}
    assert (await coordinator.get("/api/v1/cases/370303-2014-000099/clocks")).status_code == 404


async def test_limits_and_calendar_are_for_the_whole_citys_coordinators(
    house: House, departments: Departments, coordinator: httpx.AsyncClient, knock: Knock
) -> None:
    departments.silent.add("hrss")
    await work(house, *await registered(house, application()))
    district = await knock(Role.COORDINATOR, "370303")
    wish = {"days": {"2014-11-10": False}, "note": "市政府通知"}
    assert (await district.post("/api/v1/calendar", json=wish)).status_code == 403
    seen = (await district.post("/api/v1/calendar/preview", json=wish)).json()
    assert (seen["cases"], seen["by_clock"]) == (1, {"own": 1, "promised": 1})
    made = (await coordinator.post("/api/v1/calendar", json=wish)).json()
    assert made == seen
    assert [one["on"] for one in (await coordinator.get("/api/v1/calendar")).json()["items"]] == ["2014-11-10"]
    assert (await coordinator.post("/api/v1/calendar", json={"days": {}})).status_code == 422
    limit = await coordinator.post("/api/v1/limits", json={"department": "hrss", "days": 5})
    assert (limit.status_code, limit.json()["days"]) == (200, 5)
    assert (await district.post("/api/v1/limits", json={"department": "hrss", "days": 5})).status_code == 403
    assert {
        one["department"]["code"]: one["days"] for one in (await coordinator.get("/api/v1/limits")).json()["items"]
    }["hrss"] == 5


async def test_a_number_is_no_day(coordinator: httpx.AsyncClient) -> None:
    for number in ("0", "1415000000"):
        refused = await coordinator.get("/api/v1/cards", params={"dealt_to": number})
        assert refused.status_code == 422
        assert refused.json()["errors"][0]["field"] == "dealt_to"
