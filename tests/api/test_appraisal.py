"""Appraisal, public figures and the forecast at the HTTP door."""

from __future__ import annotations

from datetime import date

import httpx

from api.access import WORKBOOK
from models import Role
from services.house import House
from services.supervision.forecast import make_forecast
from tests.api.conftest import Knock
from tests.testing.clock import SetClock
from tests.testing.departments import Departments, work
from tests.testing.people import application, registered

ADDRESS = "/api/v1/appraisal/2014-11"


async def _november(house: House, clock: SetClock, departments: Departments) -> str:
    departments.silent.add("hrss")
    number, *_ = numbers = await registered(house, *(application() for _ in range(3)))
    await work(house, *numbers)
    clock.set_day(date(2014, 11, 20))
    for one in numbers:
        await departments.call_back(house, one, "hrss")
    await work(house, *numbers)
    clock.set_day(date(2014, 12, 1))
    return number


async def test_a_department_sees_its_own_figures_drills_down_and_contests(
    house: House, clock: SetClock, departments: Departments, coordinator: httpx.AsyncClient, knock: Knock
) -> None:
    await _november(house, clock, departments)
    officer = await knock(Role.OFFICER, "hrss")
    whole = (await coordinator.get(ADDRESS)).json()
    mine = (await officer.get(ADDRESS)).json()
    assert {one["department"]["code"] for one in mine["cards"]} == {"hrss"}
    assert len(whole["cards"]) > len(mine["cards"])
    own = mine["cards"][0]
    assert (own["district"], own["judged"] - own["on_time"]) == (None, 3)
    behind = (await officer.get(f"{ADDRESS}/departments/hrss/late", params={"limit": 2})).json()
    assert (behind["total"], len(behind["items"])) == (3, 2)
    assert (await officer.get(f"{ADDRESS}/departments/police/late")).status_code == 404
    assert (await officer.get(f"{ADDRESS}/departments/hrss/beauty")).status_code == 422
    form = {"period": "2014-11", "figure": "late", "step": behind["items"][0]["step"], "because": "材料后补"}
    assert (await coordinator.post("/api/v1/disputes", json=form)).status_code == 403
    dispute = (await officer.post("/api/v1/disputes", json=form)).json()
    decision = {"left_out": True, "because": "属实"}
    decided = await coordinator.post(f"/api/v1/disputes/{dispute['id']}/decision", json=decision)
    assert decided.json()["left_out"] is True
    assert (await officer.get("/api/v1/disputes")).json()["items"][0]["decided_because"] == "属实"
    assert (await officer.get(ADDRESS)).json()["cards"][0]["judged"] == own["judged"] - 1
    assert (
        await coordinator.post("/api/v1/appraisal-weights", json={"figure": "cards", "weight": 0})
    ).status_code == 200
    assert (await coordinator.get("/api/v1/appraisal/2014-13")).status_code == 422


async def test_the_workbook_is_one(
    house: House, clock: SetClock, departments: Departments, coordinator: httpx.AsyncClient
) -> None:
    await _november(house, clock, departments)
    answer = await coordinator.get(f"{ADDRESS}/workbook")
    assert (answer.status_code, answer.headers["content-type"], answer.content[:2]) == (200, WORKBOOK, b"PK")


async def test_what_is_told_beside_is_taken_in(
    house: House, clock: SetClock, departments: Departments, coordinator: httpx.AsyncClient, knock: Knock
) -> None:
    number = await _november(house, clock, departments)
    officer = await knock(Role.OFFICER, "health")
    marks = {"marks": [{"case_number": number, "department": "hrss", "score": 5, "given_on": "2014-11-28"}]}
    assert (await coordinator.post("/api/v1/satisfaction", json=marks)).json() == {"taken": 1}
    uses = {"uses": [{"service": "ZB87-3.1.4b", "district": "370303", "month": "2014-11-01", "holders": 2}]}
    assert (await officer.post("/api/v1/services/uses", json=uses)).json() == {"taken": 1}
    costs = {"fen": {"ZB87-3.1.4b": 300}, "from_on": "2014-10-01"}
    assert (await officer.post("/api/v1/services/costs", json=costs)).status_code == 403
    assert (await coordinator.post("/api/v1/services/costs", json=costs)).json() == {"taken": 1}
    (whole, _) = (await officer.get(f"{ADDRESS}/services")).json()["items"][:2]
    assert whole["district"] is None
    told = [one for one in (await coordinator.get(f"{ADDRESS}/services")).json()["items"] if one["cost_fen"]]
    assert {one["cost_fen"] for one in told} == {600}


async def test_the_public_is_told_without_a_key(
    house: House, clock: SetClock, departments: Departments, knock: Knock
) -> None:
    await _november(house, clock, departments)
    nobody = await knock()
    told = (await nobody.get("/api/v1/public/2014-11")).json()
    assert told["threshold"] == 10
    # Three cases are few: nothing is told of any department that closed fewer than ten steps.
    hrss = next(one for one in told["departments"] if one["department"]["code"] == "hrss")
    assert set(hrss["closed"].values()) <= {None, 0}
    assert (await nobody.get("/api/v1/public/2014-12")).status_code == 422
    assert (await nobody.get("/api/v1/appraisal/2014-11")).status_code == 401


async def test_the_forecast_is_shown_as_it_was_made(
    house: House, clock: SetClock, departments: Departments, coordinator: httpx.AsyncClient, knock: Knock
) -> None:
    assert (await coordinator.get("/api/v1/forecast")).json()["made_at"] is None
    await _november(house, clock, departments)
    await make_forecast(house, "forecast")
    seen = (await coordinator.get("/api/v1/forecast")).json()
    assert seen["permits"] == 3
    assert len(seen["months"]) == 12
    assert sum(seen["tier2"][0]["numbers"]) == 3
    own = (await (await knock(Role.OFFICER, "hrss")).get("/api/v1/forecast")).json()
    assert {one["name"]["code"] for one in own["load"]} == {"hrss"}
