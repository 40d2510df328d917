"""The person's access log as it is answered: names of fields, never what stood in them."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from api.views.words import Code, View, Words


class Disclosure(View):
    """What one department was sent by one step; sent again it is the same message."""

    at: datetime
    last_at: datetime
    step: str
    department: Code
    kind: Code
    purpose: Words
    clauses: list[Code]
    fields: list[Code] = Field(description="所含个人信息项 / the person's fields that the message bore")
    tries: int
    received: bool = Field(description="部门确认收到 / the department confirmed that it has it")
    recorded: bool = Field(description="推送时已记录 / written down when sent; else what the policy allows")


class Opened(View):
    """Somebody opened what is personal in the case."""

    at: datetime
    actor: str
    what: Words


class AccessLog(View):
    """个人信息使用记录 / who was sent what about the person of a case, and why."""

    number: str
    sent: list[Disclosure]
    opened: list[Opened]
