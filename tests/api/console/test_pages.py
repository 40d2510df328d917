"""The pages in the process: who may open them, what every one of them must keep to, and what their filters do."""

from __future__ import annotations

import re

import httpx
import pytest

from api.console.assets import files
from models import Role
from services.house import House
from tests.api.conftest import Knock
from tests.testing.people import application, registered

PAGES = (
    "/console/overview", "/console/cases", "/console/incidents", "/console/retries", "/console/remedies",
    "/console/policy/zibo-2014-87", "/console/flows", "/console/cases/370303-2014-000001", "/console/window",
    "/console/endpoints", "/console/endpoints/hrss",
    "/console/window/370303-2014-000001", "/console/meetings", "/console/matters", "/console/resolutions",
    "/console/what-if", "/console/what-if?parameter=working-age&value=40",
    "/console/appraisal", "/console/appraisal/departments/hrss?figure=closed", "/console/forecast", "/console/public",
)  # fmt: skip
_INLINE = re.compile(r"\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)|<style|javascript:")
_ADDRESS = re.compile(r"(?:src|href|action)=\"([^\"]*)\"")


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("language", ["zh", "en"])
async def test_a_page_keeps_to_what_the_policy_allows(
    coordinator: httpx.AsyncClient, house: House, path: str, language: str
) -> None:
    await registered(house, application())

    page = await coordinator.get(path, params={"lang": language})

    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "unsafe" not in page.headers["content-security-policy"]
    assert not _INLINE.search(page.text)
    assert f'<html lang="{"zh-CN" if language == "zh" else "en"}">' in page.text
    assert [one for one in _ADDRESS.findall(page.text) if not one.startswith(("/", "#"))] == []
    ids = re.findall(r"\sid=\"([^\"]+)\"", page.text)
    assert len(ids) == len(set(ids))
    # What is refreshed is found again by its id.
    assert all(" id=" in tag for tag in re.findall(r"<[a-z]+ [^>]*data-live[^>]*>", page.text))


async def test_the_language_is_remembered(coordinator: httpx.AsyncClient) -> None:
    assert ">Cases<" in (await coordinator.get("/console/cases?lang=en")).text
    assert ">Cases<" in (await coordinator.get("/console/cases")).text
    assert ">办件查询<" in (await coordinator.get("/console/cases?lang=zh")).text


async def test_everybody_begins_at_the_first_page_that_is_theirs(knock: Knock) -> None:
    coordinator, clerk = await knock(Role.COORDINATOR), await knock(Role.CLERK, "370303")
    assert (await coordinator.get("/console")).headers["location"] == "/console/overview"
    assert (await clerk.get("/console")).headers["location"] != "/console/overview"
    assert (await clerk.get("/console/overview")).status_code == 403


async def test_an_error_is_a_page_that_says_what_to_do(coordinator: httpx.AsyncClient) -> None:
    missing = await coordinator.get("/console/nowhere")
    assert missing.status_code == 404
    assert "请核对编号或网址" in missing.text

    wrong = await coordinator.get("/console/cases?received_from=yesterday")
    assert wrong.status_code == 422
    assert "received_from" in wrong.text
    assert "日期应写成 2014-10-08 的形式" in wrong.text
    # Programs are answered as ever.
    assert (await coordinator.get("/api/v1/nowhere")).headers["content-type"] == "application/problem+json"


async def test_the_files_of_the_console_are_kept_and_their_address_changes_with_them(
    coordinator: httpx.AsyncClient,
) -> None:
    page = await coordinator.get("/console/cases")
    style = re.search(r'href="(/console/static/console\.css\?v=[0-9a-f]{12})"', page.text)
    assert style
    file = await coordinator.get(style[1])
    assert file.status_code == 200
    assert "immutable" in file.headers["cache-control"]
    assert re.search(rb"from \"\./live\.js\?v=[0-9a-f]{12}\"", files()["console.js"])
    assert (await coordinator.get("/console/static/no-such.css")).status_code == 404


async def test_numbers_lead_to_the_list_behind_them(coordinator: httpx.AsyncClient, house: House) -> None:
    numbers = await registered(house, application(), application(district="370302", station="双杨派出所"))
    day = house.database.clock.today()

    overview = (await coordinator.get("/console/overview")).text
    assert f"/console/cases?received_from={day}&amp;received_to={day}" in overview

    today = (await coordinator.get(f"/console/cases?received_from={day}&received_to={day}&q=&state=")).text
    assert all(number in today for number in numbers)
    one = (await coordinator.get("/console/cases?district=370302&stage=open")).text
    assert numbers[1] in one
    assert numbers[0] not in one
    assert "没有符合条件的办件" in (await coordinator.get(f"/console/cases?closed_from={day}")).text


async def test_the_list_goes_on_and_turns_round(coordinator: httpx.AsyncClient, house: House) -> None:
    numbers = await registered(house, *(application() for _ in range(3)))

    first = (await coordinator.get("/console/cases?limit=2&sort=received")).text
    assert [number in first for number in numbers] == [True, True, False]
    onward = re.search(r'rel="next" href="([^"]+)"', first)
    assert onward
    second = (await coordinator.get(onward[1].replace("&amp;", "&"))).text
    assert [number in second for number in numbers] == [False, False, True]
    assert "回到第一页" in second
