"""A town of sandbox departments over ASGI, spoken to by the real sender, with messages of the real pack."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import httpx

from api.sandbox.app import Sandbox
from services.exchange.delivery import AttemptResult, Target, deliver
from services.exchange.messages import Message, MessageWriter
from services.exchange.orders import Opening, PermitTerm, StepOrder, Withdrawal
from services.exchange.outcomes import Outcome, parse_outcomes
from services.exchange.signatures import SignatureError, new_secret, verify

SECRETS = {code: new_secret() for code in ("hrss", "police", "justice", "publicity")}
NUMBER = "440524188001010014"
CASE = "370303-2014-000123"
FIRST, LAST = date(2014, 11, 3), date(2017, 11, 2)
_HEADINGS = "申请编号,受理日期,区县,派出所,姓名,公民身份号码,申领期限,申领情形,居住登记日期,拟居住半年以上,来自本县以外"
_ROW = "2014-10-08,张店区,科苑派出所"
# One whom the departments know, and a row that is nobody.
PEOPLE = f"""{_HEADINGS},演示核验
T-1,{_ROW},测试甲,{NUMBER},3年,就业,2013-10-08,是,是,{{known}}
T-2,{_ROW},测试乙,123,3年,就业,2013-10-08,是,是,labour_contract=yes
"""


def now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Inbox:
    """Our side of the call-backs: verified as the service does it."""

    outcomes: asyncio.Queue[Outcome] = field(default_factory=asyncio.Queue)
    ids: list[str] = field(default_factory=list)
    refused: asyncio.Queue[str] = field(default_factory=asyncio.Queue)
    answers: list[int] = field(default_factory=list)

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        department = request.url.path.rpartition("/")[2]
        try:
            self.ids.append(verify(request.headers, request.content, [SECRETS[department]], now()))
        except SignatureError as problem:
            self.refused.put_nowait(problem.code)
            return httpx.Response(401)
        status = self.answers.pop(0) if self.answers else 202
        if status < 300:
            for outcome in parse_outcomes(request.content):
                self.outcomes.put_nowait(outcome)
        return httpx.Response(status)


@dataclass
class Town:
    """One sandbox, a client to it, and what it called back."""

    http: httpx.AsyncClient
    sandbox: Sandbox
    inbox: Inbox
    writer: MessageWriter

    async def send(self, *messages: Message, department: str = "hrss", **target: Any) -> list[AttemptResult]:
        url = f"http://sandbox/departments/{department}/webhook"
        secrets = target.pop("secrets", (SECRETS.get(department, SECRETS["hrss"]),))
        sent = deliver(self.http, Target(department, url, secrets, concurrency=1, **target), messages, now)
        return [result async for result in sent]

    def question(self, step: str = "v-1", *facts: str, department: str = "hrss", number: str = NUMBER) -> Message:
        facts = facts or ("labour_contract", "social_insurance")
        order = StepOrder(step, CASE, department, "verification", now(), facts=facts)
        return self.writer.build(order, {"name": "测试甲", "id_number": number, "phone": "13800001234"})

    def services(self, step: str = "e-1", *services: str, withdraw: tuple[str, ...] = ()) -> Message:
        order = StepOrder(
            step,
            CASE,
            "justice",
            "entitlements",
            now(),
            open=tuple(Opening(service, FIRST, LAST, (service,)) for service in services),
            withdraw=tuple(Withdrawal(service, FIRST, (service,)) for service in withdraw),
            permit=PermitTerm(3, FIRST, LAST),
        )
        return self.writer.build(order, {"name": "测试甲", "id_number": NUMBER})

    async def behave(self, department: str = "hrss", **faults: Any) -> None:
        answer = await self.http.put(f"http://sandbox/departments/{department}/behaviour", json=faults)
        assert answer.status_code == 200, answer.text

    async def audit(self) -> dict[str, Any]:
        audit: dict[str, Any] = (await self.http.get("http://sandbox/audit")).json()
        return audit
