"""The daily check of live endpoints: test events only, which concern no person and open nothing."""

from __future__ import annotations

import asyncio
import secrets as randomness
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, update
from sqlalchemy.dialects import postgresql, sqlite

from models import Endpoint, EndpointDay
from services.conformance.kit import spoilt
from services.database import is_postgresql, table
from services.endpoints import open_targets
from services.exchange.client import Client, connected, shared_client
from services.exchange.delivery import Target
from services.exchange.failures import UNANSWERED, error_kind
from services.exchange.messages import CONTENT_TYPE, Message, MessageWriter
from services.exchange.signatures import signature_headers
from services.house import House
from services.policy.text import Text

AT_ONCE = 16
_OLD = timedelta(minutes=10)
_ENDPOINTS, _DAYS = table(Endpoint), table(EndpointDay)


@dataclass(frozen=True, slots=True)
class Checked:
    """One endpoint's day. ``problem`` says in one line what is wrong; None if it does all that it must."""

    department: str
    problem: str | None

    @property
    def well(self) -> bool:
        """Whether nothing is wrong."""
        return self.problem is None


async def check_endpoints(
    house: House, actor: str, connect: Callable[[Target], Client] | None = None
) -> tuple[Checked, ...]:
    """Check every endpoint that is open for pushing, and write down what was found. Safe to run again: the day's last
    result stands. ``connect`` gives the client for a target; by default the shared one, behind the address guard.
    """
    async with house.database.read() as connection:
        targets = await open_targets(connection, house.keys)
    writer = house.writer(house.packs.packs[-1].name)
    lanes = asyncio.Semaphore(AT_ONCE)

    async def one(target: Target) -> Checked:
        client = connect(target) if connect is not None else connected(shared_client(), house.guard, target.access)
        async with lanes:
            return await check_endpoint(client, target, writer, house.database.clock.now)

    checked = tuple(await asyncio.gather(*(one(targets[code]) for code in sorted(targets))))
    await _write_down(house, actor, checked)
    return checked


async def check_endpoint(
    client: Client, target: Target, writer: MessageWriter, clock_utc: Callable[[], datetime]
) -> Checked:
    """Whether a receiver takes a test event, again too, and refuses it wrongly signed or signed long ago."""
    at = clock_utc()
    step = f"check-{at:%Y%m%d%H%M%S}-{randomness.token_hex(4)}"
    message = writer.build_test(target.department, randomness.token_hex(16), step, at)
    right = _signed(message, target, clock_utc())
    late = _signed(message, target, clock_utc() - _OLD)
    tries: Sequence[tuple[Text, Mapping[str, str], bool]] = (
        (Text("应接收测试消息", "must take a test event"), right, True),
        (Text("应接收重复消息", "must take the same again"), right, True),
        (Text("应以 4xx 拒收错误签名", "must refuse a wrong signature with 4xx"), spoilt(right), False),
        (Text("应以 4xx 拒收过期签名", "must refuse an old signature with 4xx"), late, False),
    )
    for duty, headers, takes in tries:
        status, error = await _post(client, target, message, headers)
        taken = status is not None and 200 <= status < 300
        refused = status is not None and 400 <= status < 500
        if not (taken if takes else refused):
            found = f"HTTP {status}" if status is not None else error
            return Checked(target.department, f"{duty.zh}，实为 {found} {duty.en}, met {found}")
    return Checked(target.department, None)


def _signed(message: Message, target: Target, at: datetime) -> dict[str, str]:
    return signature_headers(message.step_id, message.body, target.secrets, at)


async def _post(
    client: Client, target: Target, message: Message, headers: Mapping[str, str]
) -> tuple[int | None, str | None]:
    try:
        async with asyncio.timeout(target.timeout):
            answer = await client.post(target.url, message.body, {**headers, "content-type": CONTENT_TYPE})
    except UNANSWERED as failure:
        return None, error_kind(failure)
    return answer.status, None


async def _write_down(house: House, actor: str, checked: Sequence[Checked]) -> None:
    if not checked:
        return
    clock = house.database.clock
    async with house.database.write(actor) as transaction:
        dialect = postgresql if is_postgresql(transaction.connection) else sqlite
        insert = dialect.insert(_DAYS)
        kept = {name: insert.excluded[name] for name in ("well", "problem")}
        await transaction.connection.execute(
            insert.on_conflict_do_update(index_elements=["department", "on"], set_=kept),
            [
                {"department": one.department, "on": clock.today(), "well": one.well, "problem": one.problem}
                for one in checked
            ],
        )
        await transaction.connection.execute(
            update(_ENDPOINTS)
            .where(_ENDPOINTS.c.department == bindparam("code"))
            .values(tested_at=clock.now(), tested_well=bindparam("outcome")),
            [{"code": one.department, "outcome": one.well} for one in checked],
        )
        for one in checked:
            if not one.well:
                transaction.note("endpoint.unwell", one.department, problem=one.problem)
