"""Signing in by OpenID Connect, with a provider that signs for real, and its answers that do not hold."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from joserfc.jwk import RSAKey
from pydantic import SecretStr
from sqlalchemy import select

from api.entrance.openid import CALLBACK
from models import Account, AuditEntry, Role
from services.access.openid.provider import Client, Provider
from services.access.openid.rules import PostRule
from services.database import table
from services.house import House
from services.settings import Settings
from tests.api.conftest import Browse, Browser, SignIn
from tests.testing.clock import SetClock
from tests.testing.openid import CLIENT_ID, ISSUER, SECRET, PlayedProvider

RULES = (
    PostRule(claim="groups", has="lianban-administrators", role=Role.ADMINISTRATOR),
    PostRule(claim="groups", has="lianban-auditors", role=Role.AUDITOR),
    PostRule(claim="unit", has="police", role=Role.CLERK, scope_claim="district", station_claim="station"),
)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """An installation with an identity provider."""
    return settings.model_copy(update={
        "oidc_issuer": ISSUER, "oidc_client_id": CLIENT_ID, "oidc_client_secret": SecretStr(SECRET),
        "oidc_posts": RULES,
    })  # fmt: skip


@pytest.fixture
async def provider(app: FastAPI, clock: SetClock) -> AsyncIterator[PlayedProvider]:
    """The provider, connected to the application."""
    played = PlayedProvider(int(clock.instant.timestamp()))
    client = Client(ISSUER, CLIENT_ID, SECRET, f"http://127.0.0.1:8700{CALLBACK}")
    http = httpx.AsyncClient(transport=httpx.MockTransport(played.answer))
    app.state.doors.openid = Provider(client, http)
    yield played
    await http.aclose()


async def _there_and_back(browser: Browser, provider: PlayedProvider, **other: str) -> httpx.Response:
    sent = await browser.get("/sign-in/openid?next=/account")
    assert sent.status_code == 303, sent.text
    assert sent.headers["location"].startswith(f"{ISSUER}/authorization_endpoint?")
    return await browser.get(CALLBACK, params=provider.sign_in(sent.headers["location"]) | other)


async def _accounts(house: House) -> list[Any]:
    async with house.database.read() as connection:
        return list((await connection.execute(select(table(Account)))).all())


async def test_a_person_comes_in_and_is_the_same_the_next_time(
    provider: PlayedProvider, browse: Browse, house: House
) -> None:
    assert "/sign-in/openid?next=" in (await (await browse()).get("/sign-in")).text
    for _ in range(2):
        browser = await browse()
        answer = await _there_and_back(browser, provider)
        # A page of ours that leads on, so that the browser sends the new cookie.
        assert (answer.status_code, 'content="0; url=/account"' in answer.text) == (200, True)
        assert "wang.fang" in (await browser.get("/account")).text
        assert (await browser.get("/api/v1/audit")).status_code == 200
    (row,) = await _accounts(house)
    assert (row.role, row.scope, row.password) == (Role.AUDITOR, None, None)
    assert "u-1" not in row.identity
    # Keys are asked for once, and so is where the provider is.
    assert provider.asked.count("openid-configuration") == 1
    assert provider.asked.count("jwks_uri") == 1


async def test_claims_say_the_post_at_each_sign_in(provider: PlayedProvider, browse: Browse, house: House) -> None:
    first = await browse()
    await _there_and_back(first, provider)
    provider.claims |= {"groups": [], "unit": "police", "district": "370303", "station": "科苑派出所"}
    assert (await _there_and_back(await browse(), provider)).status_code == 200
    (row,) = await _accounts(house)
    assert (row.role, row.scope, row.station) == (Role.CLERK, "370303", "科苑派出所")
    assert (await first.get("/account")).status_code == 303
    # No post, or one that is none: no way in.
    for claims in ({"unit": None}, {"district": "999999"}, {"station": None}, {"station": ["a"]}):
        provider.wrong = claims
        assert (await _there_and_back(await browse(), provider)).status_code == 403
    provider.wrong = {"sub": "u-2", "unit": None, "groups": "lianban-auditorsx"}
    assert (await _there_and_back(await browse(), provider)).status_code == 403
    assert len(await _accounts(house)) == 1


@pytest.mark.parametrize(
    ("wrong", "header"),
    [
        ({"nonce": "another"}, {}), ({"nonce": None}, {}), ({"aud": "somebody-else"}, {}), ({"aud": None}, {}),
        ({"aud": [CLIENT_ID, "other"]}, {}), ({"aud": [CLIENT_ID, "other"], "azp": "other"}, {}),
        ({"iss": "https://evil.example"}, {}), ({"iss": None}, {}), ({"exp": 1_000_000_000}, {}), ({"exp": None}, {}),
        ({"iat": 4_000_000_000}, {}), ({"sub": None}, {}), ({"sub": ""}, {}), ({"sub": 7}, {}),
        ({}, {"alg": "none"}), ({}, {"alg": "HS256"}), ({}, {"kid": "unknown"}),
    ],
)  # fmt: skip
async def test_a_token_that_does_not_hold_lets_nobody_in(
    provider: PlayedProvider, browse: Browse, house: House, wrong: dict[str, Any], header: dict[str, Any]
) -> None:
    provider.wrong, provider.header = wrong, header
    browser = await browse()
    answer = await _there_and_back(browser, provider)
    assert answer.status_code in {401, 303}
    assert "lianban" not in browser.cookies
    assert await _accounts(house) == []
    async with house.database.read() as connection:
        query = select(table(AuditEntry).c.detail).where(table(AuditEntry).c.action == "sign_in.failed")
        (noted,) = (await connection.execute(query)).scalars().all()
    assert noted["by"] == "openid"


async def test_a_forged_signature_and_no_token_let_nobody_in(
    provider: PlayedProvider, browse: Browse, house: House
) -> None:
    forger = PlayedProvider(provider.now)
    forger.keys = [RSAKey.generate_key(2048, {"kid": "first"}, private=True)]
    for token in (forger._signed(provider.claims | {"iss": ISSUER, "aud": CLIENT_ID}), "", "a.b.c", "字"):
        provider.token = token or "x"
        assert (await _there_and_back(await browse(), provider)).status_code == 401
    assert await _accounts(house) == []


async def test_new_keys_are_found_and_not_asked_for_without_end(
    provider: PlayedProvider, browse: Browse, clock: SetClock
) -> None:
    assert (await _there_and_back(await browse(), provider)).status_code == 200
    provider.keys = [RSAKey.generate_key(2048, {"kid": "second", "use": "sig"}, private=True)]
    # Right after keys were asked for, another unknown key may be a stranger's.
    assert (await _there_and_back(await browse(), provider)).status_code == 401
    assert provider.asked.count("jwks_uri") == 1
    clock.pass_(seconds=61)
    assert (await _there_and_back(await browse(), provider)).status_code == 200
    assert provider.asked.count("jwks_uri") == 2


async def test_the_way_back_belongs_to_the_browser_that_went(
    provider: PlayedProvider, browse: Browse, clock: SetClock
) -> None:
    # Another browser: an attacker who wants to have somebody signed in as himself.
    sent = await (await browse()).get("/sign-in/openid")
    back = provider.sign_in(sent.headers["location"])
    assert (await (await browse()).get(CALLBACK, params=back)).status_code == 401
    for other in ({"state": "other"}, {"state": ""}, {"code": ""}, {"error": "access_denied"}, {"iss": "https://evil.example"},
                  {"code": "invented"}):  # fmt: skip
        assert (await _there_and_back(await browse(), provider, **other)).status_code == 401
    # The same answer twice.
    browser = await browse()
    sent = await browser.get("/sign-in/openid")
    back = provider.sign_in(sent.headers["location"])
    assert (await browser.get(CALLBACK, params=back)).status_code == 200
    assert (await browser.get(CALLBACK, params=back)).status_code == 401
    # Too late.
    browser = await browse()
    sent = await browser.get("/sign-in/openid")
    clock.pass_(seconds=601)
    assert (await browser.get(CALLBACK, params=provider.sign_in(sent.headers["location"]))).status_code == 401


async def test_no_local_account_is_taken_over(
    provider: PlayedProvider, browse: Browse, sign_in: SignIn, house: House
) -> None:
    await sign_in(Role.ADMINISTRATOR, name="wang.fang")
    assert (await _there_and_back(await browse(), provider)).status_code == 403
    provider.claims |= {"preferred_username": "a b"}
    assert (await _there_and_back(await browse(), provider)).status_code == 401
    assert len(await _accounts(house)) == 1


async def test_an_administrator_can_shut_such_an_account_but_not_change_it(
    provider: PlayedProvider, browse: Browse, sign_in: SignIn
) -> None:
    person = await browse()
    await _there_and_back(person, provider)
    administrator = await sign_in(Role.ADMINISTRATOR)
    headers = {"x-csrf-token": administrator.csrf}
    path = "/api/v1/accounts/wang.fang"
    assert (await administrator.post(f"{path}/password", headers=headers)).status_code == 409
    moved = await administrator.put(f"{path}/post", json={"role": "administrator"}, headers=headers)
    assert moved.status_code == 409
    assert (await administrator.post(f"{path}/disable", headers=headers)).status_code == 200
    assert (await person.get("/account")).status_code == 303
    assert (await _there_and_back(await browse(), provider)).status_code == 403


async def test_a_provider_that_is_away_is_told_plainly(provider: PlayedProvider, browse: Browse) -> None:
    provider.up = False
    answer = await (await browse()).get("/sign-in/openid")
    assert (answer.status_code, "text/html" in answer.headers["content-type"]) == (503, True)


async def test_without_a_provider_there_is_no_such_way(app: FastAPI, browse: Browse) -> None:
    app.state.doors.openid = None
    assert (await (await browse()).get("/sign-in/openid")).status_code == 404
