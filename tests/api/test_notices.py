"""Notices over HTTP: masked to read, with the name to hand over, and only for who takes applications in."""

from __future__ import annotations

import httpx
import pytest

from models import Role
from services.errors import UnavailableError
from services.house import House
from services.notices import documents
from tests.api.conftest import Knock
from tests.testing.departments import Departments, work
from tests.testing.people import application, registered


async def _number(house: House) -> str:
    (number,) = await registered(house, application(name="欧阳明珠"))
    await work(house, number)
    return number


async def test_notices_are_read_masked(clerk: httpx.AsyncClient, house: House, departments: Departments) -> None:
    del departments
    number = await _number(house)
    notice = await clerk.get(f"/api/v1/cases/{number}/rights-notice")
    receipt = await clerk.get(f"/api/v1/cases/{number}/receipt")
    assert (notice.json()["holder"], receipt.json()["applicant"]) == ("欧**", "欧**")
    assert notice.json()["has"][0]["rights"][0]["clause"].startswith("三（一）")
    assert "欧阳" not in notice.text + receipt.text


async def test_a_printed_notice_is_a_pdf_and_stands_in_the_story(
    clerk: httpx.AsyncClient, house: House, departments: Departments
) -> None:
    del departments
    if not any("CJK" in name for name in documents.fonts()[0]):
        pytest.skip("this machine has no Chinese font")
    number = await _number(house)
    printed = await clerk.get(f"/api/v1/cases/{number}/rights-notice.pdf")
    assert (printed.status_code, printed.headers["content-type"]) == (200, "application/pdf")
    assert (printed.content[:5], printed.headers["cache-control"]) == (b"%PDF-", "no-store")
    told = (await clerk.get(f"/api/v1/cases/{number}/timeline")).json()["events"][-1]
    assert (told["kind"], told["zh"]) == ("printed", "打印权益告知书。")
    log = (await clerk.get(f"/api/v1/cases/{number}/access-log")).text
    assert "打印受理回执或者权益告知书（含姓名）" in log


async def test_without_a_chinese_font_nothing_is_printed(
    clerk: httpx.AsyncClient, house: House, departments: Departments, monkeypatch: pytest.MonkeyPatch
) -> None:
    del departments
    number = await _number(house)
    known = documents.fonts()[1]
    monkeypatch.setattr(documents, "fonts", lambda: (frozenset({"Libertinus Serif"}), known))
    answer = await clerk.get(f"/api/v1/cases/{number}/receipt.pdf")
    assert (answer.status_code, answer.json()["code"]) == (UnavailableError.status, "unavailable")
    assert "fonts-noto-cjk" in answer.json()["detail"]


async def test_an_officer_prints_nothing(knock: Knock, house: House, departments: Departments) -> None:
    del departments
    number = await _number(house)
    officer = await knock(Role.OFFICER, "hrss")
    for path in ("rights-notice", "rights-notice.pdf", "receipt", "receipt.pdf"):
        assert (await officer.get(f"/api/v1/cases/{number}/{path}")).status_code == 403
