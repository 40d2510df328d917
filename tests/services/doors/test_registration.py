"""Registering, trying and re-keying an endpoint: nothing goes live that takes forged messages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from models import Door, EndpointState
from services.doors import trial
from services.doors.registration import Registration, close, register, rotate
from services.doors.trial import try_endpoint
from services.doors.viewing import view_endpoint
from services.errors import ConflictError, InputError, NotFoundError
from services.exchange.addresses import Guard
from services.exchange.client import Answer
from services.exchange.connections import ClientCredentials
from services.exchange.credentials import ED25519, HMAC
from services.exchange.signatures import new_signing_key, public_key, verify
from services.house import House
from tests.testing.clock import SetClock

ACTOR = "officer:li"
URL = "http://10.1.2.3:9000/webhook"


class Receiver:
    """A department's receiver. ``keys``: with which it verifies; none: it takes whatever comes."""

    def __init__(self, *keys: str, good: int = 204, bad: int = 401) -> None:
        self.keys, self.good, self.bad = keys, good, bad
        self.sent: list[tuple[bytes, Mapping[str, str]]] = []

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        assert url == URL
        self.sent.append((body, headers))
        status = self.good if not self.keys or self._verified(body, headers) else self.bad
        return Answer(status, b"", None, None, too_large=False)

    def _verified(self, body: bytes, headers: Mapping[str, str]) -> bool:
        return any(_fits(key, body, headers) for key in self.keys)

    async def aclose(self) -> None:
        """There is nothing to close."""


def _fits(key: str, body: bytes, headers: Mapping[str, str]) -> bool:
    try:
        Webhook(key).verify(body, dict(headers), json_parse=False)
    except WebhookVerificationError:
        return False
    return True


@pytest.fixture
async def open_house(house: House, clock: SetClock) -> House:
    """The house, with an intranet in which endpoints may be, on today's wire clock: receivers check it."""
    clock.instant = datetime.now(UTC)
    house.guard = Guard.of(["10.0.0.0/8"])
    return house


def received_by(monkeypatch: pytest.MonkeyPatch, receiver: Any) -> Any:
    monkeypatch.setattr(trial, "shared_client", lambda: receiver)
    return receiver


async def test_from_draft_to_open(open_house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house = open_house
    done = await register(house, Registration("hrss", url=URL), ACTOR)
    assert (done.state, done.new, list(done.shown)) == (EndpointState.DRAFT, True, [HMAC])
    receiver = received_by(monkeypatch, Receiver(done.shown[HMAC]))
    tried = await try_endpoint(house, "hrss", ACTOR)
    assert tried.well
    assert tried.state is EndpointState.OPEN
    assert [check.status for check in tried.checks] == [204, 401]
    assert len(receiver.sent) == 2
    again = await register(house, Registration("hrss", url=URL, concurrency=2), ACTOR)
    assert (again.state, again.new, dict(again.shown)) == (EndpointState.OPEN, False, {})
    moved = await register(house, Registration("hrss", url=URL + "/2"), ACTOR)
    assert moved.state is EndpointState.DRAFT


@pytest.mark.parametrize(
    ("receiver", "fault"),
    [
        (Receiver(), 1),
        (Receiver(good=500), 0),
        (Receiver(good=307), 0),
        (Receiver("whsec_" + "A" * 43 + "="), 0),
    ],
    ids=["takes all", "fails", "redirects", "other key"],
)
async def test_what_does_not_verify_stays_a_draft(
    open_house: House, monkeypatch: pytest.MonkeyPatch, receiver: Receiver, fault: int
) -> None:
    await register(open_house, Registration("hrss", url=URL), ACTOR)
    received_by(monkeypatch, receiver)
    tried = await try_endpoint(open_house, "hrss", ACTOR)
    assert not tried.well
    assert tried.state is EndpointState.DRAFT
    assert not tried.checks[fault].well
    assert (await view_endpoint(open_house, "hrss"))["tested_well"] is False


async def test_a_refusal_of_everything_is_no_verification(open_house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    await register(open_house, Registration("hrss", url=URL), ACTOR)
    received_by(monkeypatch, Receiver(good=404))
    assert not any(check.well for check in (await try_endpoint(open_house, "hrss", ACTOR)).checks)


async def test_both_signatures_are_sent_while_keys_overlap(
    open_house: House, monkeypatch: pytest.MonkeyPatch, clock: SetClock
) -> None:
    house = open_house
    old = (await register(house, Registration("hrss", url=URL), ACTOR)).shown[HMAC]
    fresh = await rotate(house, "hrss", ACTOR, overlap=timedelta(hours=2))
    assert fresh.overlaps_until == clock.instant + timedelta(hours=2)
    for key in (old, fresh.shown):
        received_by(monkeypatch, Receiver(key))
        assert (await try_endpoint(house, "hrss", ACTOR)).well
    assert (await view_endpoint(house, "hrss"))["overlapping"]
    clock.pass_(hours=2)
    receiver = received_by(monkeypatch, Receiver())
    await try_endpoint(house, "hrss", ACTOR)
    body, headers = receiver.sent[0]
    assert len(headers["webhook-signature"].split()) == 1
    assert verify(headers, body, [fresh.shown], clock.instant)
    assert not (await view_endpoint(house, "hrss"))["overlapping"]


async def test_ed25519_shows_our_public_key_and_signs_with_the_private_one(
    open_house: House, monkeypatch: pytest.MonkeyPatch, clock: SetClock
) -> None:
    house = open_house
    with pytest.raises(InputError, match="public_keys"):
        await register(house, Registration("hrss", url=URL, signing=(ED25519,)), ACTOR)
    theirs = public_key(new_signing_key())
    done = await register(house, Registration("hrss", url=URL, signing=(HMAC, ED25519), their_keys=(theirs,)), ACTOR)
    assert done.shown[ED25519].startswith("whpk_")
    receiver = received_by(monkeypatch, Receiver())
    await try_endpoint(house, "hrss", ACTOR)
    body, headers = receiver.sent[0]
    assert verify(headers, body, [done.shown[ED25519]], clock.instant)
    assert verify(headers, body, [done.shown[HMAC]], clock.instant)
    view = await view_endpoint(house, "hrss")
    assert view["public_keys"] == [done.shown[ED25519]]
    assert "whs" not in str(view)


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"url": None}, "endpoint.url"),
        ({"url": "http://192.168.0.1/"}, "endpoint.url"),
        ({"url": "https://169.254.169.254/"}, "endpoint.url"),
        ({"door": Door.POLL}, "endpoint.url"),
        ({"fallback": Door.PUSH}, "endpoint.fallback"),
        ({"signing": ("v2",)}, "endpoint.signing"),
        ({"their_keys": ("whpk_x",)}, "endpoint.public_keys[0]"),
        ({"districts": ("999999",)}, "endpoint.districts"),
        ({"services": ("ZB87-9",)}, "endpoint.services"),
        ({"certificate_authority": "none"}, "endpoint.certificate_authority"),
        ({"oauth": ClientCredentials("https://127.0.0.1/token", "a", "b")}, "endpoint.oauth.token_url"),
    ],
)
async def test_what_does_not_hold_is_refused_with_its_place(
    open_house: House, changes: dict[str, Any], place: str
) -> None:
    with pytest.raises(InputError) as refused:
        await register(open_house, Registration("hrss", **({"url": URL} | changes)), ACTOR)
    assert refused.value.place == place
    with pytest.raises(NotFoundError):
        await view_endpoint(open_house, "hrss")


async def test_a_department_that_no_policy_knows_is_not_found(open_house: House) -> None:
    with pytest.raises(NotFoundError):
        await register(open_house, Registration("nobody", url=URL), ACTOR)


async def test_a_poll_needs_no_trial(open_house: House) -> None:
    done = await register(open_house, Registration("hrss", Door.POLL), ACTOR)
    assert done.state is EndpointState.OPEN
    with pytest.raises(ConflictError):
        await try_endpoint(open_house, "hrss", ACTOR)


async def test_closed_by_hand_and_open_again_by_a_trial(open_house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    done = await register(open_house, Registration("hrss", url=URL), ACTOR)
    received_by(monkeypatch, Receiver(done.shown[HMAC]))
    await try_endpoint(open_house, "hrss", ACTOR)
    await close(open_house, "hrss", ACTOR, "系统升级")
    view = await view_endpoint(open_house, "hrss")
    assert (view["state"], view["because"]) == (EndpointState.CLOSED, "系统升级")
    with pytest.raises(ConflictError):
        await close(open_house, "hrss", ACTOR, "再次")
    assert (await try_endpoint(open_house, "hrss", ACTOR)).state is EndpointState.OPEN


async def test_an_oauth_client_stays_until_it_is_taken_away(open_house: House) -> None:
    client = ClientCredentials("http://10.1.2.3/token", "lianban", "secret")
    await register(open_house, Registration("hrss", url=URL, oauth=client), ACTOR)
    await register(open_house, Registration("hrss", url=URL), ACTOR)
    assert (await view_endpoint(open_house, "hrss"))["oauth"]
    await register(open_house, Registration("hrss", url=URL, oauth=None), ACTOR)
    assert not (await view_endpoint(open_house, "hrss"))["oauth"]
