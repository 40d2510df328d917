"""Pages for accounts and keys: made, shown once, shut, let go, revoked; read by auditors, changed by nobody else."""

from __future__ import annotations

import re

import httpx

from models import Role
from services.house import House
from tests.api.conftest import Browse, Browser, SignIn, enter
from tests.testing.looking import last_entry

_SECRET = re.compile(r"<code>([^<]+)</code>")


def _shown(answer: httpx.Response) -> str:
    found = _SECRET.search(answer.text)
    assert found is not None, answer.text
    return found[1]


async def _root(sign_in: SignIn) -> Browser:
    return await sign_in(Role.ADMINISTRATOR)


async def test_an_account_is_made_and_its_password_shown_once(sign_in: SignIn, browse: Browse) -> None:
    root = await _root(sign_in)
    made = await root.submit("/console/accounts", name="li.na", role="coordinator", scope="370303")
    password = _shown(made)
    assert made.headers["cache-control"] == "no-store"
    listed = await root.get("/console/accounts")
    assert "li.na" in listed.text
    assert "张店区" in listed.text
    assert password not in listed.text
    assert password not in (await root.get("/console/accounts/li.na")).text
    assert (await enter(await browse(), "li.na", password)).headers["location"] == "/account"


async def test_an_account_is_shut_opened_again_and_given_a_new_password(sign_in: SignIn, browse: Browse) -> None:
    root = await _root(sign_in)
    other = await sign_in(Role.COORDINATOR, name="zhao")
    assert "Browser of the tests" in (await root.get("/console/accounts/zhao")).text
    assert (await root.submit("/console/accounts/zhao/sessions")).status_code == 303
    assert (await other.get("/console/overview")).headers["location"].startswith("/sign-in")
    assert (await root.submit("/console/accounts/zhao/disable")).status_code == 303
    assert "已停用" in (await root.get("/console/accounts/zhao")).text
    assert (await root.submit("/console/accounts/zhao/disable")).status_code == 409
    assert (await root.submit("/console/accounts/zhao/enable")).status_code == 303
    fresh = _shown(await root.submit("/console/accounts/zhao/password"))
    assert (await enter(await browse(), "zhao", fresh)).status_code == 303


async def test_a_brake_is_let_go(sign_in: SignIn, browse: Browse, house: House) -> None:
    root = await _root(sign_in)
    password = _shown(await root.submit("/console/accounts", name="sun", role="auditor"))
    for _ in range(6):
        await enter(await browse(), "sun", "wrong password")
    assert (await enter(await browse(), "sun", password)).status_code == 429
    assert (await root.submit("/console/accounts/sun/unlock")).status_code == 303
    assert (await enter(await browse(), "sun", password)).status_code == 303
    assert (await last_entry(house, "account.unlocked")).actor == "administrator:administrator.city"


async def test_a_post_is_changed_and_one_that_cannot_be_is_refused(sign_in: SignIn) -> None:
    root = await _root(sign_in)
    await root.submit("/console/accounts", name="qian", role="coordinator")
    moved = await root.submit("/console/accounts/qian/post", role="officer", scope="hrss")
    assert moved.status_code == 303
    page = (await root.get("/console/accounts/qian")).text
    assert "部门经办人员" in page
    refused = await root.submit("/console/accounts/qian/post", role="officer", scope="370303")
    assert refused.status_code == 422
    last = await root.submit("/console/accounts/administrator.city/disable")
    assert last.status_code == 409


async def test_a_key_is_shown_once_bounded_and_revoked(sign_in: SignIn, browse: Browse) -> None:
    root = await _root(sign_in)
    fields = {"name": "dashboard", "role": "coordinator", "operations": "overview", "days": "7"}
    made = await root.submit("/console/keys", **fields)
    secret = _shown(made)
    assert secret.startswith("lbk_")
    page = (await root.get("/console/keys")).text
    assert secret not in page
    assert "administrator.city" in page
    machine = await browse()
    bearer = {"authorization": f"Bearer {secret}"}
    assert (await machine.get("/api/v1/overview", headers=bearer)).status_code == 200
    assert (await machine.get("/api/v1/cases", headers=bearer)).status_code == 403
    found = re.search(r'name="id" value="([0-9a-f]{12})"', page)
    assert found is not None
    assert (await root.submit("/console/keys/dashboard/revoke", id=found[1])).status_code == 303
    assert (await machine.get("/api/v1/overview", headers=bearer)).status_code == 401
    assert "已吊销" in (await root.get("/console/keys")).text
    assert (await root.submit("/console/keys", **(fields | {"days": "5000"}))).status_code == 422


async def test_an_auditor_reads_and_a_districts_administrator_sees_the_own(sign_in: SignIn) -> None:
    root = await _root(sign_in)
    await root.submit("/console/accounts", name="citywide", role="coordinator")
    auditor = await sign_in(Role.AUDITOR)
    page = (await auditor.get("/console/accounts/citywide")).text
    assert "停用账号" not in page
    assert (await auditor.submit("/console/accounts/citywide/disable")).status_code == 403
    district = await sign_in(Role.ADMINISTRATOR, "370303")
    assert "citywide" not in (await district.get("/console/accounts")).text
    assert (await district.get("/console/accounts/citywide")).status_code == 404
    assert (await district.submit("/console/accounts", name="more", role="administrator")).status_code == 403
