"""Accounts and keys at the doors: what an administrator does, what a district's may not, what is never shown."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from sqlalchemy import select

from models import AuditEntry, Role
from services.audit import verify_chain
from services.database import table
from services.house import House
from tests.api.conftest import PASSWORD, STATION, Browse, Browser, Knock, SignIn, enter
from tests.testing.clock import SetClock

ACCOUNTS = "/api/v1/accounts"
CLERK = {"name": "zhang", "role": "clerk", "scope": "370303", "station": STATION}


async def _post(browser: Browser, path: str, **body: Any) -> httpx.Response:
    return await browser.post(path, json=body or None, headers={"x-csrf-token": browser.csrf})


@pytest.fixture
async def administrator(sign_in: SignIn) -> Browser:
    """An administrator of the whole city, signed in."""
    return await sign_in(Role.ADMINISTRATOR)


async def test_an_account_through_its_life(administrator: Browser, browse: Browse, house: House) -> None:
    made = await _post(administrator, ACCOUNTS, **CLERK)
    assert made.status_code == 201
    first = made.json()["password"]
    assert made.json()["account"] | {"created_at": None} == CLERK | {
        "created_at": None, "disabled_at": None, "password_is_initial": True,
    }  # fmt: skip
    assert (await _post(administrator, ACCOUNTS, **CLERK | {"name": "ZHANG"})).status_code == 409
    person = await browse()
    assert (await enter(person, "zhang", first)).headers["location"] == "/account"
    assert (await person.submit("/account/password", old=first, new=PASSWORD, again=PASSWORD)).status_code == 303
    assert (await person.get("/api/v1/cases")).status_code == 200
    (session,) = (await administrator.get(f"{ACCOUNTS}/zhang/sessions")).json()["items"]
    assert session["agent"] == "Browser of the tests"
    # Another post ends what the old one opened.
    moved = await administrator.put(
        f"{ACCOUNTS}/zhang/post", json={"role": "officer", "scope": "hrss"},
        headers={"x-csrf-token": administrator.csrf},
    )  # fmt: skip
    assert (moved.status_code, moved.json()) == (200, {"sessions": 1})
    assert (await person.get("/api/v1/cases")).status_code == 401
    assert (await enter(person, "zhang", PASSWORD)).status_code == 303
    assert (await _post(administrator, f"{ACCOUNTS}/zhang/disable")).json() == {"sessions": 1}
    assert (await person.get("/api/v1/cases")).status_code == 401
    assert (await enter(await browse(), "zhang", PASSWORD)).status_code == 401
    assert (await _post(administrator, f"{ACCOUNTS}/zhang/disable")).status_code == 409
    assert (await _post(administrator, f"{ACCOUNTS}/zhang/enable")).json()["disabled_at"] is None
    assert (await enter(person, "zhang", PASSWORD)).status_code == 303
    assert (await _post(administrator, f"{ACCOUNTS}/zhang/sessions/end")).json() == {"sessions": 1}
    again = (await _post(administrator, f"{ACCOUNTS}/zhang/password")).json()["password"]
    assert (await enter(await browse(), "zhang", PASSWORD)).status_code == 401
    assert (await enter(await browse(), "zhang", again)).status_code == 303
    assert (await _post(administrator, f"{ACCOUNTS}/nobody/disable")).status_code == 404
    async with house.database.read() as connection:
        assert (await verify_chain(connection)).broken_at is None
        entries = (await connection.execute(select(table(AuditEntry)))).all()
    told = {entry.action for entry in entries}
    assert {"account.created", "account.post_changed", "account.disabled", "account.enabled", "account.password_reset",
            "sign_in.done", "sign_in.failed", "sessions.ended", "account.password_changed"} <= told  # fmt: skip
    everything = str([entry.detail for entry in entries])
    assert not [secret for secret in (first, again, PASSWORD, "lbs_") if secret in everything]


async def test_a_brake_is_let_go(administrator: Browser, browse: Browse) -> None:
    await _post(administrator, ACCOUNTS, **CLERK)
    for _ in range(6):
        await enter(await browse(), "zhang", "wrong")
    assert (await enter(await browse(), "zhang", "wrong")).status_code == 429
    assert (await _post(administrator, f"{ACCOUNTS}/zhang/unlock")).json() == {"was_locked": True}
    assert (await _post(administrator, f"{ACCOUNTS}/zhang/unlock")).json() == {"was_locked": False}
    assert (await enter(await browse(), "zhang", "wrong")).status_code == 401


async def test_a_districts_administrator_looks_after_the_district(
    administrator: Browser, sign_in: SignIn, house: House
) -> None:
    await _post(administrator, ACCOUNTS, **CLERK)
    await _post(administrator, ACCOUNTS, name="officer", role="officer", scope="hrss")
    linzi = await sign_in(Role.ADMINISTRATOR, "370305")
    listed = (await linzi.get(ACCOUNTS)).json()["items"]
    assert [one["name"] for one in listed] == ["administrator.370305"]
    for path in ("zhang", "officer", "administrator.city"):
        for what in ("disable", "enable", "password", "unlock", "sessions/end"):
            assert (await _post(linzi, f"{ACCOUNTS}/{path}/{what}")).status_code == 404
        assert (await linzi.get(f"{ACCOUNTS}/{path}/sessions")).status_code == 404
    for post in (
        {"role": "administrator"},
        {"role": "auditor", "scope": "370303"},
        {"role": "officer", "scope": "hrss"},
    ):
        assert (await _post(linzi, ACCOUNTS, name="more", **post)).status_code == 403
        own = await linzi.put(f"{ACCOUNTS}/administrator.370305/post", json=post, headers={"x-csrf-token": linzi.csrf})
        assert own.status_code == 403
        assert (await _post(linzi, "/api/v1/keys", name="more", **post)).status_code == 403
    mine = {"name": "mine", "role": "clerk", "scope": "370305", "station": "齐陵派出所"}
    assert (await _post(linzi, ACCOUNTS, **mine)).status_code == 201
    del house


async def test_a_key_is_its_makers_and_no_more_than_it_says(
    administrator: Browser, knock: Knock, house: House, clock: SetClock
) -> None:
    made = await _post(administrator, "/api/v1/keys", name="reader", role="auditor", operations=["list_cases"], days=1)
    assert made.status_code == 201
    client = await knock()
    client.headers["authorization"] = f"Bearer {made.json()['secret']}"
    assert (await client.get("/api/v1/cases")).status_code == 200
    other = await client.get("/api/v1/overview")
    assert (other.status_code, other.json()["detail"]) == (403, "your key is for other operations")
    (row,) = [one for one in (await administrator.get("/api/v1/keys")).json()["items"] if one["name"] == "reader"]
    assert (row["owner"], row["operations"]) == ("administrator.city", ["list_cases"])
    assert row["used_at"] is not None
    for bad in (["nothing_such"], []):
        refused = await _post(administrator, "/api/v1/keys", name="bad", role="auditor", operations=bad)
        assert (refused.status_code, refused.json()["place"]) == (422, "operations")
    # It ends with its owner's account.
    await _post(administrator, ACCOUNTS, name="second", role="administrator")
    clock.pass_(minutes=11)
    assert (await _post(administrator, f"{ACCOUNTS}/administrator.city/disable")).status_code == 200
    assert (await client.get("/api/v1/cases")).json()["code"] == "key-revoked"
    async with house.database.read() as connection:
        query = select(table(AuditEntry).c.action).where(table(AuditEntry).c.action.startswith("key."))
        actions = (await connection.execute(query.order_by(table(AuditEntry).c.sequence))).scalars().all()
    assert actions == ["key.created", "key.first_used", "key.refused"]


async def test_a_new_post_revokes_the_keys_of_the_old_one(administrator: Browser, knock: Knock) -> None:
    secret = (await _post(administrator, "/api/v1/keys", name="mine", role="administrator")).json()["secret"]
    await _post(administrator, ACCOUNTS, name="second", role="administrator")
    client = await knock()
    client.headers["authorization"] = f"Bearer {secret}"
    assert (await client.get("/api/v1/overview")).status_code == 200
    moved = await administrator.put(
        f"{ACCOUNTS}/administrator.city/post", json={"role": "auditor"}, headers={"x-csrf-token": administrator.csrf}
    )
    assert moved.status_code == 200
    assert (await client.get("/api/v1/overview")).json()["code"] == "key-revoked"


async def test_a_key_without_an_owner_makes_nobody(knock: Knock) -> None:
    client = await knock(Role.ADMINISTRATOR)
    for path, body in ((ACCOUNTS, CLERK), ("/api/v1/keys", {"name": "more", "role": "administrator"})):
        answer = await client.post(path, json=body)
        assert (answer.status_code, answer.json()["code"]) == (403, "needs-a-person")


@pytest.mark.parametrize("name", ["a\r\nx-evil: 1", "a b", "", "a" * 61, "<script>", "王\u0000"])
async def test_a_name_that_could_be_something_else_is_refused(administrator: Browser, name: str) -> None:
    answer = await _post(administrator, ACCOUNTS, name=name, role="auditor")
    assert answer.status_code == 422
    assert "x-evil" not in answer.headers
