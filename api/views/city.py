"""The installation as it is answered: figures, call-backs taken, readiness, policies, reasons."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from pydantic import Field

from api.views.words import Code, View, Words


class Failure(View):
    """Steps or services of one department that went wrong for one reason."""

    department: str
    state: str
    reason: str
    count: int


class OldestStep(View):
    """The step that has waited longest for an answer."""

    id: str
    case_number: str
    department: str
    state: str
    created_at: datetime
    answer_by: date | None
    attempts: int


class Overview(View):
    """Counts over what the caller sees; what does not occur is left out."""

    cases: dict[str, int] = Field(description="办件：状态→件数 / state to count")
    set_aside: int
    permits: dict[int, dict[str, int]] = Field(description="居住证：年限→状态→张数 / term to state to count")
    steps: dict[str, dict[str, int]] = Field(description="协办事项：部门→状态→项数 / department to state to count")
    entitlements: dict[str, dict[str, int]] = Field(description="权益事项 / department to state to count")
    failures: list[Failure]
    declined: list[Failure]
    oldest: OldestStep | None


class CallbackTaken(View):
    """What became of a call-back: ids of steps. ``repeated``: this very message was taken before."""

    repeated: bool
    settled: list[str]
    unchanged: list[str]
    contradicted: list[str] = Field(description="与先前答复不一致 / said otherwise before; nothing was overwritten")


class Check(View):
    """Whether one thing we stand on is well; ``trouble`` says what is wrong with it."""

    ok: bool
    trouble: str | None = None


class Readiness(View):
    """What the service stands on, each by name."""

    status: str = Field(examples=["ready"], description="ready / degraded: 有组件缺席 / something is away")
    checks: dict[str, Check]


class Health(View):
    """The process is up."""

    status: str = Field(examples=["ok"])


class SchemaItem(View):
    """A type of message and where its JSON Schema is."""

    type: str
    schema_url: str


class SchemaList(View):
    """The schemas that are published: of each message's data, and of the answer."""

    items: list[SchemaItem]


class Reason(Code):
    """Why a department may decline; ``concerns``: facts asked, services to open, or both."""

    concerns: list[str]


class Reasons(View):
    """The codes for declining, and those for the end of a permit."""

    declines: list[Reason]
    permit_ends: list[Code]


class PolicyItem(View):
    """A policy pack: the opinion, and the days on which it is in force, both included."""

    code: str
    version: int = Field(description="修订后的第几版 / which version, counted from 1")
    title: Words
    document: str
    issuer: Words
    issued_on: date
    first_day: date
    last_day: date
    digest: str


class PolicyList(View):
    """The packs that are loaded, in the order of their first day."""

    items: list[PolicyItem]


class Policy(PolicyItem):
    """A pack whole, as the file has it."""

    content: dict[str, Any]
