"""Signing in and out: sessions, forgery, brakes, and where one is led."""

from __future__ import annotations

import pytest

from api.entrance.paths import own_path
from models import Role
from services.access.accounts import create_account, disable_account
from services.access.posts import Post
from services.audit import verify_chain
from services.house import House
from tests.api.conftest import PASSWORD, Browse, SignIn, enter
from tests.testing.accounts import CONSOLE
from tests.testing.clock import SetClock


async def test_who_signs_in_sees_pages_and_uses_the_interface(sign_in: SignIn) -> None:
    browser = await sign_in(Role.CLERK, "370303")
    account = await browser.get("/account")
    assert account.status_code == 200
    assert "clerk.370303" in account.text
    assert (await browser.get("/api/v1/cases")).status_code == 200
    search = {"name": "王芳"}
    refused = await browser.post("/api/v1/cases/search", json=search)
    assert (refused.status_code, refused.json()["code"]) == (403, "forged-request")
    found = await browser.post("/api/v1/cases/search", json=search, headers={"x-csrf-token": browser.csrf})
    assert found.status_code == 200


async def test_the_cookie_is_for_this_site_alone(sign_in: SignIn, browse: Browse) -> None:
    await sign_in(Role.AUDITOR)
    answer = await enter(await browse(), "auditor.city", PASSWORD)
    cookie = next(one for one in answer.headers.get_list("set-cookie") if one.startswith("lianban="))
    parts = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert parts == {"httponly", "path=/", "samesite=strict"}


async def test_without_a_session_a_page_leads_to_the_sign_in_page_and_back(sign_in: SignIn, browse: Browse) -> None:
    await sign_in(Role.AUDITOR)
    browser = await browse()
    sent = await browser.get("/account?tab=1")
    assert (sent.status_code, sent.headers["location"]) == (303, "/sign-in?next=/account%3Ftab%3D1")
    back = await enter(browser, "auditor.city", PASSWORD, "/account?tab=1")
    assert (back.status_code, back.headers["location"]) == (303, "/account?tab=1")
    # Who is in already is not asked again.
    again = await browser.get("/sign-in?next=/account")
    assert (again.status_code, again.headers["location"]) == (303, "/account")


async def test_a_link_from_another_site_still_finds_the_session(sign_in: SignIn, browse: Browse) -> None:
    browser = await sign_in(Role.AUDITOR)
    # A browser keeps the cookie back on such a link; the page in between makes it a request of our own.
    stranger = await browse()
    between = await stranger.get("/account", headers={"sec-fetch-site": "cross-site"})
    assert between.status_code == 200
    assert 'content="0; url=/account"' in between.text
    assert (await browser.get("/account")).status_code == 200


@pytest.mark.parametrize(
    "given",
    [
        "https://evil.example/", "//evil.example", "/\\evil.example", "\\/evil.example", "javascript:alert(1)", "",
        "/\t/evil.example", "/a\r\nset-cookie: x=1", " /a", "/sign-in", "/sign-out?x", "/" + "a" * 2_000, "evil.test",
    ],
)  # fmt: skip
async def test_next_leads_nowhere_else(given: str, sign_in: SignIn, browse: Browse) -> None:
    assert own_path(given) == "/console"
    await sign_in(Role.AUDITOR)
    answer = await enter(await browse(), "auditor.city", PASSWORD, given)
    assert (answer.status_code, answer.headers["location"]) == (303, "/console")


async def test_a_session_is_never_one_that_was_there_before(sign_in: SignIn, browse: Browse) -> None:
    await sign_in(Role.AUDITOR)
    victim, planted = await browse(), "lbs_" + "A" * 43
    victim.cookies.set("lianban", planted, domain="lianban.test", path="/")
    assert (await enter(victim, "auditor.city", PASSWORD)).status_code == 303
    assert victim.cookies["lianban"] != planted
    first = victim.cookies["lianban"]
    await victim.submit("/sign-out")
    assert (await enter(victim, "auditor.city", PASSWORD)).status_code == 303
    assert victim.cookies["lianban"] != first


async def test_signing_out_ends_the_session_itself(sign_in: SignIn) -> None:
    browser = await sign_in(Role.AUDITOR)
    kept = browser.cookies["lianban"]
    assert (await browser.submit("/sign-out")).headers["location"] == "/sign-in"
    assert "lianban" not in browser.cookies
    browser.cookies.set("lianban", kept, domain="lianban.test")
    assert (await browser.get("/account")).status_code == 303


async def test_wrong_words_are_told_alike(sign_in: SignIn, browse: Browse, house: House) -> None:
    await sign_in(Role.AUDITOR)
    disabled = await create_account(house.database, house.packs, CONSOLE, "gone", Post(Role.AUDITOR))
    async with house.database.write("administrator:t") as transaction:
        await disable_account(transaction, house.database.clock.now(), CONSOLE, "gone")
    told = []
    for name, password in (("auditor.city", "wrong"), ("nobody", PASSWORD), ("gone", disabled.password), ("\0", "")):
        answer = await enter(await browse(), name, password)
        assert answer.status_code == 401
        told.append(answer.text.partition("<form")[0])
    assert len(set(told)) == 1


async def test_guessing_is_braked_for_every_name_alike(
    sign_in: SignIn, browse: Browse, clock: SetClock, house: House
) -> None:
    await sign_in(Role.AUDITOR)
    for name in ("auditor.city", "nobody"):
        browser = await browse()
        statuses = [(await enter(browser, name, "wrong")).status_code for _ in range(7)]
        assert statuses == [401] * 5 + [429] * 2
    # Not even the right words get through while it is closed.
    refused = await enter(await browse(), "auditor.city", PASSWORD)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "30")
    clock.pass_(seconds=31)
    assert (await enter(await browse(), "auditor.city", "wrong")).status_code == 401
    assert (await enter(await browse(), "auditor.city", PASSWORD)).headers["retry-after"] == "60"
    clock.pass_(seconds=61)
    assert (await enter(await browse(), "auditor.city", PASSWORD)).status_code == 303
    async with house.database.read() as connection:
        assert (await verify_chain(connection)).broken_at is None


async def test_a_session_ends_unused_and_at_last(sign_in: SignIn, clock: SetClock) -> None:
    browser = await sign_in(Role.AUDITOR)
    for _ in range(12):
        clock.pass_(minutes=55)
        assert (await browser.get("/account")).status_code == 200
    clock.pass_(minutes=61)
    assert (await browser.get("/account")).status_code == 303
    api = await browser.get("/api/v1/cases")
    assert (api.status_code, api.json()["code"]) == (401, "session-ended")


async def test_a_form_without_its_token_or_from_elsewhere_does_nothing(sign_in: SignIn) -> None:
    browser = await sign_in(Role.AUDITOR)
    tries = [
        await browser.post("/sign-out"),
        await browser.post("/sign-out", data={"csrf_token": "0" * 64}),
        await browser.post("/sign-out", data={"csrf_token": "字" * 64}),
        await browser.post("/sign-out", data={"csrf_token": browser.csrf}, headers={"sec-fetch-site": "cross-site"}),
        await browser.post("/sign-out", data={"csrf_token": browser.csrf}, headers={"sec-fetch-site": "same-site"}),
    ]
    assert [one.status_code for one in tries] == [403] * 5
    assert "text/html" in tries[0].headers["content-type"]
    del browser.headers["sec-fetch-site"]
    old = await browser.post("/sign-out", data={"csrf_token": browser.csrf}, headers={"origin": "https://evil.example"})
    assert old.status_code == 403
    assert (await browser.get("/account")).status_code == 200
    assert (
        await browser.post("/sign-out", data={"csrf_token": browser.csrf}, headers={"origin": "http://lianban.test"})
    ).status_code == 303


async def test_the_sign_in_form_cannot_be_sent_from_elsewhere(sign_in: SignIn, browse: Browse) -> None:
    await sign_in(Role.AUDITOR)
    browser = await browse()
    fields = {"name": "auditor.city", "password": PASSWORD}
    assert (await browser.post("/sign-in", data=fields)).status_code == 403
    assert (await browser.post("/sign-in", data=fields, headers={"sec-fetch-site": "cross-site"})).status_code == 403


async def test_nobody_may_send_much_to_the_sign_in_page(browse: Browse) -> None:
    browser = await browse()
    assert (await browser.post("/sign-in", data={"name": "a" * 10_000})).status_code == 413

    async def endless():  # type: ignore[no-untyped-def]  # a body without its length
        yield b"name=a"

    kind = {"content-type": "application/x-www-form-urlencoded"}
    assert (await browser.post("/sign-in", content=endless(), headers=kind)).status_code == 413
    assert (await browser.post("/sign-in", json={"name": "a"})).status_code == 415


async def test_the_first_password_must_be_changed_before_anything_else(house: House, browse: Browse) -> None:
    made = await create_account(house.database, house.packs, CONSOLE, "Wang", Post(Role.AUDITOR))
    browser = await browse()
    assert (await enter(browser, "ＷANG", made.password, "/elsewhere")).headers["location"] == "/account"
    api = await browser.get("/api/v1/cases")
    assert (api.status_code, api.json()["code"]) == (403, "password-change-required")
    for new, again in (("short", "short"), ("wang-is-my-name", "wang-is-my-name"), ("a" * 20, "a" * 20),
                       (PASSWORD, "other"), (made.password, made.password)):  # fmt: skip
        refused = await browser.submit("/account/password", old=made.password, new=new, again=again)
        assert refused.status_code == 422
        assert new not in refused.text or new == "short"
    wrong = await browser.submit("/account/password", old="wrong", new=PASSWORD, again=PASSWORD)
    assert wrong.status_code == 403
    done = await browser.submit("/account/password", old=made.password, new=PASSWORD, again=PASSWORD)
    assert done.status_code == 303
    assert (await browser.get("/api/v1/cases")).status_code == 200
    assert (await enter(await browse(), "wang", made.password)).status_code == 401


async def test_a_person_sees_and_ends_the_own_sessions(sign_in: SignIn, browse: Browse) -> None:
    browser = await sign_in(Role.AUDITOR)
    other, third = await browse(), await browse()
    for one in (other, third):
        assert (await enter(one, "auditor.city", PASSWORD)).status_code == 303
    shown = (await browser.get("/account")).text
    ids = [part[:12] for part in shown.split('name="session" value="')[1:]]
    assert len(ids) == 2
    assert (await browser.submit("/account/sessions/end", session=ids[0])).status_code == 303
    assert (await browser.submit("/account/sessions/end", session=ids[0])).status_code == 404
    assert (await browser.submit("/account/sessions/end", session="")).status_code == 404
    assert sorted([(await one.get("/account")).status_code for one in (other, third)]) == [200, 303]
    assert (await browser.submit("/account/sessions/end-others")).status_code == 303
    assert [(await one.get("/account")).status_code for one in (other, third)] == [303, 303]
    assert (await browser.get("/account")).status_code == 200


async def test_every_answer_bears_the_headers(sign_in: SignIn, browse: Browse) -> None:
    browser = await sign_in(Role.AUDITOR)
    for answer in (
        await browser.get("/account"),
        await (await browse()).get("/sign-in"),
        await browser.get("/nowhere"),
        await browser.get("/openapi.json"),
        await browser.post("/sign-in", data={"name": "a" * 10_000}),
    ):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert answer.headers["cache-control"] == "no-store"
