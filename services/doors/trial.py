"""The trial of an endpoint (联调测试): it takes a signed test event, and turns away one whose signature is wrong.

An endpoint that takes whatever comes would take a stranger's message for ours, so it does not go live. The test event
concerns nobody.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Row, update

from models import Door, Endpoint, EndpointState
from services.database import table
from services.doors.offering import endpoint_row
from services.doors.registration import locked_row
from services.endpoints.registry import target_of
from services.errors import ConflictError, NotFoundError
from services.exchange.client import connected, shared_client
from services.exchange.delivery import AttemptResult, Target, attempt
from services.exchange.schedule import Verdict
from services.exchange.signatures import new_secret, new_signing_key
from services.house import House
from services.policy.text import Text

_ENDPOINTS = table(Endpoint)
_UNTRIED = (EndpointState.DRAFT, EndpointState.CLOSED)
GOOD, FORGED = "good-signature", "bad-signature"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing tried: what came back, and in words whether that is right."""

    name: str
    well: bool
    status: int | None
    error: str | None
    excerpt: str | None
    duration_ms: int
    words: Text


@dataclass(frozen=True, slots=True)
class Trial:
    """How a trial went, and the state that the endpoint is in after it."""

    well: bool
    state: EndpointState
    checks: tuple[Check, ...]


async def try_endpoint(house: House, department: str, actor: str) -> Trial:
    """Try the endpoint of ``department``; passed, a draft (or a closed one) goes live.

    InputError if its address may not be called (any more), ConflictError if it takes no push.
    """
    async with house.database.read() as connection:
        row = await endpoint_row(connection, department)
    if row is None:
        raise NotFoundError("no such department is connected", place="department")
    if row.door is not Door.PUSH or row.url is None:
        raise ConflictError("takes no push, so there is nothing to try", place="endpoint.door")
    await house.guard.check(row.url)
    target = target_of(row, house.keys, house.database.clock.now())
    checks = (await _good(house, target), await _forged(house, target))
    return await _record(house, row, actor, checks)


async def _good(house: House, target: Target) -> Check:
    result = await _send(house, target)
    if result.verdict is Verdict.RECEIVED:
        return _check(GOOD, True, result, "已接收签名正确的测试消息", "took the test event")
    return _check(GOOD, False, result, *_failure(result))


async def _forged(house: House, target: Target) -> Check:
    # Signed by the same schemes with keys that nobody has.
    stranger = tuple(new_secret() if key.startswith("whsec_") else new_signing_key() for key in target.secrets)
    result = await _send(house, replace(target, secrets=stranger))
    if result.verdict is Verdict.RECEIVED:
        return _check(
            FORGED,
            False,
            result,
            "接收了签名错误的消息；请先验签，再处理",
            "took a message with a wrong signature; verify before anything else",
        )
    if result.status is not None and 400 <= result.status < 500 and result.status not in (404, 405, 410):
        return _check(FORGED, True, result, "已拒收签名错误的消息", "turned a wrong signature away")
    return _check(FORGED, False, result, *_failure(result))


async def _send(house: House, target: Target) -> AttemptResult:
    now = house.database.clock.now
    token = secrets.token_hex(8)
    writer = house.writer(house.packs.packs[-1].name)
    message = writer.build_test(target.department, secrets.token_hex(16), f"test-{target.department}-{token}", now())
    return await attempt(connected(shared_client(), house.guard, target.access), target, (message,), now)


def _failure(result: AttemptResult) -> tuple[str, str]:
    if result.status is None:
        return f"未收到应答（{result.error}）", f"no answer came ({result.error})"
    if result.verdict is Verdict.REDIRECTED:
        return "要求跳转；请登记最终地址", "redirects, which is never followed; register the final address"
    return f"应答 HTTP {result.status}", f"answered HTTP {result.status}"


def _check(name: str, well: bool, result: AttemptResult, zh: str, en: str) -> Check:
    return Check(name, well, result.status, result.error, result.excerpt, result.duration_ms, Text(zh, en))


async def _record(house: House, tried: Row[Any], actor: str, checks: tuple[Check, ...]) -> Trial:
    well = all(check.well for check in checks)
    async with house.database.write(actor) as transaction:
        row = await locked_row(transaction, tried.department)
        if row is None or (row.url, row.secrets) != (tried.url, tried.secrets):
            raise ConflictError("was changed during the trial; try again", place="endpoint")
        state = EndpointState.OPEN if well and row.state in _UNTRIED else row.state
        values = {"tested_at": transaction.at, "tested_well": well, "state": state}
        if state is not row.state:
            values |= {"because": None, "accepted_at": transaction.at}
        mine = _ENDPOINTS.c.department == tried.department
        await transaction.connection.execute(update(_ENDPOINTS).where(mine).values(values))
        told = {check.name: check.error or check.status for check in checks}
        transaction.note("endpoint.tested", tried.department, well=well, checks=told)
        if state is not row.state:
            transaction.note("endpoint.opened", tried.department, after="trial")
    return Trial(well, state, checks)
