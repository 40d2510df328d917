"""What the checks work with: messages about a made-up person, rightly signed or not, and the answers to them."""

from __future__ import annotations

import asyncio
import base64
import secrets as randomness
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx
import orjson

from services.errors import InputError
from services.exchange.client import MAX_ANSWER, TIMEOUT
from services.exchange.failures import UNANSWERED, error_kind
from services.exchange.messages import (
    BATCH_CONTENT_TYPE,
    CONTENT_TYPE,
    Message,
    MessageWriter,
    batch_body,
    batch_id,
)
from services.exchange.orders import (
    ENTITLEMENTS,
    PERMIT_ENDED,
    PERMIT_ISSUED,
    VERIFICATION,
    Opening,
    PermitTerm,
    StepOrder,
    Withdrawal,
    step_id,
)
from services.exchange.outcomes import Outcome, parse_answer
from services.exchange.signatures import SIGNATURE_HEADER, signature_headers
from services.policy.pack import Pack

# The example of GB 11643 itself, born in 1880: nobody's.
PERSON: Final[Mapping[str, object]] = {
    "name": "验收测试",
    "id_number": "440524188001010014",
    "sex": "male",
    "born_on": "1880-01-01",
    "phone": "15400000000",
    "address": "验收测试路1号",
    "district": "370303",
    "residence_registered_on": "2013-10-08",
    "children": [{"name": "验收测试子女", "born_on": "2008-05-01", "sex": "female", "relation": "daughter"}],
}
_SLOW_PIECES = 12


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer: ``status`` None if none came, and ``error`` then says why; ``ms`` since the first byte was sent."""

    status: int | None
    ms: int
    error: str | None = None
    outcomes: tuple[Outcome, ...] = ()
    problem: str | None = None

    @property
    def taken(self) -> bool:
        """Whether the receiver said that it has the message."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def refused(self) -> bool:
        """Whether the receiver turned the message away, by a status that says so."""
        return self.status is not None and 400 <= self.status < 500 and self.status not in (408, 425, 429)

    @property
    def words(self) -> str:
        """The status, or why there is none."""
        return f"HTTP {self.status}" if self.status is not None else f"{self.error}"


@dataclass(slots=True)
class Kit:
    """One run against the receiver of ``department`` at ``url``. ``at`` moves the clock of a single message only.

    ``secrets`` are those the receiver holds; ``batch`` how many events it takes in one call (1: no batches).
    """

    http: httpx.AsyncClient
    url: str
    department: str
    secrets: Sequence[str]
    pack: Pack
    writer: MessageWriter
    batch: int = 1
    slow_seconds: float = 3.0
    case: str = field(default_factory=lambda: f"conformance-2014-{randomness.randbelow(10**9):09d}")
    answered: list[Answered] = field(default_factory=list)
    _round: int = 0

    def __post_init__(self) -> None:
        if self.department not in self.pack.departments:
            raise InputError("no pack knows this department; `lianban policy show` lists them", place="department")

    def orders(self) -> list[StepOrder]:
        """One order of every kind that this department may be sent, each with all it may ever bear."""
        day, own = self.pack.first_day, self.department
        term = PermitTerm(3, day, day.replace(year=day.year + 3) - timedelta(days=1))
        facts = tuple(name for name, fact in self.pack.facts.items() if fact.owner_on(day) == own)
        services = [
            code for code, one in self.pack.services.items() if one.kind != "public" and one.owner_on(day) == own
        ]
        rests_on = tuple(route.clause for ground in self.pack.permit.grounds.values() for route in ground.routes)[:1]
        orders = [
            self._order(PERMIT_ISSUED, permit=term, clauses=rests_on),
            self._order(PERMIT_ENDED, permit=term, reason="expired", clauses=rests_on),
        ]
        if services:
            opens = tuple(Opening(code, day, term.valid_until, (code,)) for code in services)
            orders.insert(0, self._order(ENTITLEMENTS, permit=term, open=opens))
        if facts:
            orders.insert(0, self._order(VERIFICATION, facts=facts))
        return orders

    def message(self, order: StepOrder | None = None) -> Message:
        """The message of ``order``, or of a new order of the department's main kind."""
        return self.writer.build(order or self._main(), PERSON)

    def test(self) -> Message:
        """A test event: no case and no person."""
        step = f"{self.case}-test-{self._next()}"
        return self.writer.build_test(self.department, randomness.token_hex(16), step, datetime.now(UTC))

    def earlier_and_later(self) -> tuple[Message, Message]:
        """Two messages about the same thing, of which the second undoes or repeats the first."""
        first = self._main()
        later = replace(self._order(first.kind), asked_at=first.asked_at + timedelta(minutes=1))
        later = replace(later, facts=first.facts, permit=first.permit, reason=first.reason, clauses=first.clauses)
        if first.open:
            ends = first.asked_at.date()
            gone = tuple(Withdrawal(one.service, ends, one.because) for one in first.open)
            later = replace(later, withdraw=gone)
        return self.message(first), self.message(later)

    def large(self, size: int) -> Message:
        """A message of at least ``size`` bytes that keeps to its schema: its reasons are very many."""
        order = self._main()
        return self.message(replace(order, clauses=tuple(f"CONFORMANCE-{count:07d}" for count in range(size // 22))))

    def signed(self, message_id: str, body: bytes, age: float = 0, keys: Sequence[str] = ()) -> dict[str, str]:
        """The headers of a message signed ``age`` seconds ago."""
        return signature_headers(message_id, body, keys or self.secrets, datetime.now(UTC) - timedelta(seconds=age))

    async def send(self, message: Message, *, age: float = 0) -> Answered:
        """Send one event, rightly signed unless it is of another age."""
        return await self.post(message.body, self.signed(message.step_id, message.body, age))

    async def send_batch(self, messages: Sequence[Message]) -> Answered:
        """Send a batch, rightly signed."""
        body = batch_body(messages)
        key = batch_id(message.step_id for message in messages)
        return await self.post(body, self.signed(key, body), content_type=BATCH_CONTENT_TYPE)

    async def send_slowly(self, message: Message) -> Answered:
        """Send one event whose body comes in pieces, over ``slow_seconds``."""

        async def pieces() -> AsyncIterator[bytes]:
            size = max(1, -(-len(message.body) // _SLOW_PIECES))
            for start in range(0, len(message.body), size):
                yield message.body[start : start + size]
                await asyncio.sleep(self.slow_seconds / _SLOW_PIECES)

        # With its length given, the body is not sent in HTTP's own chunks, which not every server understands.
        headers = self.signed(message.step_id, message.body) | {"content-length": str(len(message.body))}
        return await self.post(pieces(), headers)

    async def post(
        self, body: bytes | AsyncIterator[bytes], headers: Mapping[str, str], content_type: str = CONTENT_TYPE
    ) -> Answered:
        """POST as given, and read the answer up to the bound."""
        started = time.perf_counter()
        sent = {"content-type": content_type, "user-agent": "Lianban-Conformance", **headers}
        answered = await self._answer(body, sent, started)
        self.answered.append(answered)
        return answered

    async def _answer(self, body: bytes | AsyncIterator[bytes], headers: Mapping[str, str], started: float) -> Answered:
        read = b""
        try:
            async with (
                asyncio.timeout(TIMEOUT + self.slow_seconds),
                self.http.stream("POST", self.url, content=body, headers=dict(headers), follow_redirects=False) as got,
            ):
                async for piece in got.aiter_raw():
                    read += piece
                    if len(read) > MAX_ANSWER:
                        break
                status = got.status_code
        except UNANSWERED as failure:
            return Answered(None, _ms(started), error_kind(failure))
        if not 200 <= status < 300:
            return Answered(status, _ms(started))
        if len(read) > MAX_ANSWER:
            return Answered(status, _ms(started), problem=f"the answer is longer than {MAX_ANSWER} bytes")
        try:
            return Answered(status, _ms(started), outcomes=parse_answer(read))
        except InputError as problem:
            return Answered(status, _ms(started), problem=str(problem))

    def _main(self) -> StepOrder:
        """A new order to open services, where the department has any: what hurts most if it is done twice."""
        orders = self.orders()
        return next((order for order in orders if order.open), orders[0])

    def _order(self, kind: str, **parts: Any) -> StepOrder:
        step = step_id(self.case, kind, self.department, self._next())
        return StepOrder(step, self.case, self.department, kind, datetime.now(UTC), **parts)

    def _next(self) -> int:
        self._round += 1
        return self._round


def spoilt(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers whose every signature is of the right form and wrong, whatever its scheme."""
    made = []
    for signature in headers[SIGNATURE_HEADER].split():
        version, _, value = signature.partition(",")
        raw = base64.b64decode(value)
        made.append(f"{version},{base64.b64encode(bytes([raw[0] ^ 1]) + raw[1:]).decode()}")
    return {**headers, SIGNATURE_HEADER: " ".join(made)}


def altered(body: bytes) -> bytes:
    """The same event with one value changed and its signature no longer right."""
    event = orjson.loads(body)
    event["data"]["purpose"] = {"zh": "另一目的", "en": "another purpose"}
    return orjson.dumps(event)


def _ms(started: float) -> int:
    return round((time.perf_counter() - started) * 1000)
