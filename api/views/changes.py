"""Changes as they are told live."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from api.views.words import View


class Change(View):
    """一项变化 / one change: what happened to what. Nothing personal."""

    sequence: int = Field(description="序号，即事件 id / its place in the audit log, and the event's id")
    at: datetime
    kind: str = Field(examples=["case.moved"])
    subject: str = Field(description="办件编号、部门或者 system / a case's number, a department, or `system`")
    departments: list[str] = Field(description="涉及的部门 / whose steps it is about")
    figures: dict[str, Any] = Field(description="批次、异常编号和件数等 / numbers and counts", examples=[{"retry": 7}])


class Missed(View):
    """错过的变化过多，请重新读取 / more happened than is told one by one: read anew what you show."""

    reached: int
