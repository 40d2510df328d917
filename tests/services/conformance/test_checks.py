"""A receiver that does its duty passes; one that neglects a duty fails by that very check."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from api.sandbox import SandboxSettings, create_sandbox
from services.conformance.checks import CHECKS, run_checks
from services.conformance.kit import Kit
from services.conformance.report import Report, shown_url
from services.exchange.messages import MessageWriter
from services.exchange.signatures import new_secret
from services.policy.registry import default_registry

PACK = default_registry().packs[-1]
SECRET = new_secret()


async def _verdicts(app: Any, department: str = "hrss", batch: int = 3, url: str = "/hook") -> dict[str, str]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://receiver.test") as http:
        writer = MessageWriter(PACK, public_url="https://conformance.invalid")
        kit = Kit(http, f"http://receiver.test{url}", department, [SECRET], PACK, writer, batch, slow_seconds=0.2)
        return {check.code: found.verdict for check, found in await run_checks(kit)}


class Receiver:
    """A receiver by the book, but for the duties that it ``neglects``."""

    def __init__(self, *neglects: str) -> None:
        self.neglects = neglects
        self.lane = asyncio.Semaphore(1)
        self.seen: set[str] = set()

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if "slow" in self.neglects:
            async with self.lane:
                status, answer = await self._take(scope, receive)
        else:
            status, answer = await self._take(scope, receive)
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": answer})

    async def _take(self, scope: dict[str, Any], receive: Any) -> tuple[int, bytes]:
        body = b"".join([piece async for piece in _pieces(receive)])
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        status = self._proven(headers, body)
        if status is not None:
            return status, b""
        if "large" in self.neglects and len(body) > 100_000:
            return 413, b""
        events = json.loads(body)
        if isinstance(events, list) and "batch" in self.neglects:
            return 400, b""
        events = events if isinstance(events, list) else [events]
        if "still-well" in self.neglects and "locked" in self.seen:
            return 423, b""
        outcomes = [self._outcome(event) for event in events if event["data"]["case"]]
        return 200, json.dumps({"outcomes": outcomes}).encode() if "good" not in self.neglects else b"<html>"

    def _proven(self, headers: dict[str, str], body: bytes) -> int | None:
        """None if the sender is proven, else the status to answer with."""
        if "rotated" in self.neglects:
            headers["webhook-signature"] = headers.get("webhook-signature", "").split(" ")[0]
        key = Webhook(SECRET)
        if "late" in self.neglects and _signed_anyhow(headers, body):
            return None
        try:
            key.verify(body, headers, json_parse=False)
        except (WebhookVerificationError, ValueError):
            self.seen.add("locked")
            return None if "bad-signature" in self.neglects else 302 if "redirects" in self.neglects else 401
        return None

    def _outcome(self, event: dict[str, Any]) -> dict[str, Any]:
        data, first = event["data"], event["id"] not in self.seen
        self.seen.add(event["id"])
        if "duplicate" in self.neglects and not first:
            return {"step": event["id"], "declined": {"reason": "system-error"}}
        state = {"state": "in_force"}
        services = {one["service"]: state for one in data.get("open", ())}
        services |= {one["service"]: {"state": "ended"} for one in data.get("withdraw", ())}
        if "facts" in data:
            return {"step": event["id"], "facts": dict.fromkeys(data["facts"], True)}
        return {"step": event["id"], "services": services} if services else {"step": event["id"], "received": True}


def _signed_anyhow(headers: dict[str, str], body: bytes) -> bool:
    """Whether the signature fits, however old it is."""
    key, given = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not given:
        return False
    made = Webhook(SECRET).sign(key, datetime.fromtimestamp(int(given), UTC), body.decode())
    return made in headers.get("webhook-signature", "").split(" ")


async def _pieces(receive: Any) -> AsyncIterator[bytes]:
    while True:
        message = await receive()
        yield message.get("body", b"")
        if not message.get("more_body"):
            return


@pytest.mark.parametrize("department", sorted(PACK.departments))
async def test_a_receiver_by_the_book_passes_for_every_department(department: str) -> None:
    assert set((await _verdicts(Receiver(), department)).values()) == {"pass"}


async def test_the_sandbox_passes() -> None:
    app = create_sandbox(SandboxSettings({"hrss": SECRET}))
    try:
        verdicts = await _verdicts(app, url="/departments/hrss/webhook")
    finally:
        await app.state.sandbox.close()
    assert set(verdicts.values()) == {"pass"}


@pytest.mark.parametrize(
    ("neglected", "failed"),
    [
        ("bad-signature", {"bad-signature", "late"}),
        ("late", {"late"}),
        ("redirects", {"bad-signature", "late"}),
        ("rotated", {"rotated"}),
        ("duplicate", {"duplicate", "reordered"}),
        ("batch", {"batch"}),
        ("large", {"large"}),
        ("slow", {"slow"}),
        ("still-well", {"rotated", "duplicate", "reordered", "batch", "large", "slow", "still-well"}),
    ],
)
async def test_a_neglected_duty_is_found(neglected: str, failed: set[str]) -> None:
    verdicts = await _verdicts(Receiver(neglected))
    assert {code for code, verdict in verdicts.items() if verdict == "fail"} == failed


async def test_an_answer_that_cannot_be_read_fails_and_no_batches_are_not_run() -> None:
    verdicts = await _verdicts(Receiver("good"), batch=1)
    assert (verdicts["good"], verdicts["batch"], verdicts["bad-signature"]) == ("fail", "not-run", "pass")


async def test_nobody_there_fails_everything() -> None:
    async def nobody(*_: Any) -> None:
        raise ConnectionRefusedError

    async with httpx.AsyncClient(transport=httpx.ASGITransport(nobody)) as http:
        writer = MessageWriter(PACK, public_url="https://conformance.invalid")
        made = await run_checks(Kit(http, "http://nobody.test", "hrss", [SECRET], PACK, writer))
    assert {found.verdict for check, found in made if check.code != "batch"} == {"fail"}
    report = Report(
        shown_url("http://a:b@nobody.test/x?key=1"), "hrss", "人社", datetime.now(UTC), "0", PACK.code, made
    )
    assert not report.conforms
    page, content = report.to_markdown(), json.loads(report.to_json())
    assert "不符合要求" in page
    assert "a:b" not in page
    assert "key=1" not in page
    assert [one["code"] for one in content["checks"]] == [check.code for check in CHECKS]
