"""The list of cases as a file, and as a view with a title of its own."""

from __future__ import annotations

import csv
import io
import re

import httpx
import pytest
from python_calamine import CalamineWorkbook

from models import Role
from services.dossiers.export import _commas
from services.house import House
from tests.api.conftest import SignIn
from tests.testing.departments import Departments, work
from tests.testing.looking import last_entry
from tests.testing.people import application, registered


async def test_a_list_is_exported_masked_and_the_export_is_logged(coordinator: httpx.AsyncClient, house: House) -> None:
    person = application()
    numbers = await registered(house, person, application(district="370302", station="双杨派出所"))

    answer = await coordinator.get("/console/cases/export.csv?district=370303")

    assert answer.headers["content-disposition"] == f'attachment; filename="cases-{house.database.clock.today()}.csv"'
    head, row = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert head[0] == "办件编号"
    assert row[0] == numbers[0]
    assert person.person.id_number not in answer.text
    assert "********" in row[3]
    entry = await last_entry(house, "cases.exported")
    assert entry.detail == {"rows": 1, "format": "csv"}

    sheet = await coordinator.get("/console/cases/export.xlsx")
    rows = CalamineWorkbook.from_filelike(io.BytesIO(sheet.content)).get_sheet_by_index(0).to_python()
    assert {row[0] for row in rows[1:]} == set(numbers)


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x", "\tx"])
def test_no_cell_is_a_formula(cell: str) -> None:
    assert next(csv.reader(io.StringIO(_commas([[cell]]).decode("utf-8-sig")))) == [f"'{cell}"]


async def test_a_view_is_kept_for_who_saved_it(sign_in: SignIn, house: House) -> None:
    await registered(house, application())
    mine, other = await sign_in(Role.COORDINATOR), await sign_in(Role.COORDINATOR, name="somebody.else")

    saved = await mine.submit("/console/cases/views", title="张店在办", query="district=370303&stage=open&cursor=x1")

    assert saved.headers["location"] == "/console/cases?stage=open&district=370303"
    page = (await mine.get("/console/cases")).text
    assert "张店在办" in page
    assert "/console/cases?stage=open&amp;district=370303" in page
    assert "张店在办" not in (await other.get("/console/cases")).text
    assert (await other.submit("/console/cases/views/1/remove")).status_code == 404
    assert (await mine.submit("/console/cases/views/1/remove")).status_code == 303
    assert "张店在办" not in (await mine.get("/console/cases")).text


async def test_what_a_search_is_for_is_chosen_and_logged(sign_in: SignIn, house: House) -> None:
    coordinator = await sign_in(Role.COORDINATOR)
    await registered(house, application(name="欧阳明珠"))
    shown = await coordinator.get("/console/cases")
    assert 'name="purpose"' in shown.text

    found = await coordinator.submit("/console/cases/search", who="欧阳明珠", purpose="complaint")

    assert '<option value="complaint" selected>' in found.text
    entry = await last_entry(house, "person.searched")
    assert entry.detail == {"by": ["name"], "found": 1, "purpose": "complaint"}
    assert (await coordinator.submit("/console/cases/search", who="欧阳明珠", purpose="curiosity")).status_code == 422


async def test_the_list_turns_by_deadline_and_its_pages_follow(
    coordinator: httpx.AsyncClient, house: House, departments: Departments
) -> None:
    departments.silent.add("hrss")
    waiting = await registered(house, application(), application())
    await work(house, *waiting)
    (fresh,) = await registered(house, application())

    first = (await coordinator.get("/console/cases?limit=2&sort=deadline")).text
    assert 'aria-sort="ascending"' in first
    assert [number in first for number in (*waiting, fresh)] == [True, True, False]
    onward = re.search(r'rel="next" href="([^"]+)"', first)
    assert onward
    assert "sort=deadline" in onward[1]
    assert fresh in (await coordinator.get(onward[1].replace("&amp;", "&"))).text
    assert fresh in (await coordinator.get("/console/cases?sort=-deadline&limit=20")).text
    assert (await coordinator.get("/console/cases?sort=nothing")).status_code == 200


@pytest.mark.parametrize(
    ("path", "keys"),
    [
        ("/console/incidents", ("people", "told", "kind", "steps", "today", "overdue", "since", "owner")),
        ("/console/endpoints", ("department", "door", "state", "held")),
        ("/console/appraisal", ("department", "received", "closed", "on_time", "first_right", "declined", "reasoned",
                                "red", "median", "slow", "satisfaction", "score", "service", "entitled")),
        ("/console/appraisal/departments/hrss", ("received", "late", "score")),
        ("/console/overview", ("open", "overdue", "failed", "oldest", "rate", "cards", "under_way", "came")),
    ],
)  # fmt: skip
async def test_short_tables_sort_by_every_column(
    coordinator: httpx.AsyncClient, house: House, departments: Departments, path: str, keys: tuple[str, ...]
) -> None:
    # One that cannot be sent to, and one that waits: what is wrong has its table, what is open has its own.
    departments.failing["sports"] = 400
    await work(house, *await registered(house, application(), application(term_years=1, grounds=[])))
    for key in keys:
        for sort, said in ((key, "ascending"), (f"-{key}", "descending")):
            page = await coordinator.get(path, params={"sort": sort})
            assert page.status_code == 200, (key, page.text[:300])
            assert f'aria-sort="{said}"' in page.text, key
