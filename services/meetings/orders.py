"""What a resolution has the system carry out, one model a kind: what ``Resolution.action`` keeps.

A class of cases is a selection, kept as such: who is in it is found out when the action is approved, and then recorded.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from services.errors import InputError
from services.remedies.orders import MAX_CASES, Line
from services.revisions.amendments import MAX_CHANGES, AnyChange

_Number = Annotated[str, Field(pattern=r"^[0-9a-z-]{1,40}$")]
_Code = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,40}$")]


class CaseClass(BaseModel):
    """哪些办件 / which cases: those that hang on the matter when the action is approved, or those named.

    Of them those of a district or of days of receipt only, both days included.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    cases: tuple[_Number, ...] = Field(default=(), max_length=MAX_CASES)
    district: _Code | None = None
    received_from: date | None = None
    received_to: date | None = None


class _Action(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class AcceptGround(_Action):
    """认定其他情形 / accept the ground `other` of the cases, or turn it down (A8)."""

    kind: Literal["accept-ground"]
    value: bool = True
    of: CaseClass = CaseClass()


class FactForClass(_Action):
    """认定核验事实 / decide a fact for a class of cases."""

    kind: Literal["decide-fact"]
    fact: _Code
    value: bool
    department: _Code = Field(description="认定部门 / the department that decided")
    of: CaseClass = CaseClass()


class WaiveForClass(_Action):
    """免办事项 / waive the steps of the cases that hang on the matter, on the ground of a clause."""

    kind: Literal["waive"]
    clause: _Code
    of: CaseClass = CaseClass()


class MoveService(_Action):
    """移交服务事项 / another department owes the services from a day on."""

    kind: Literal["hand-over"]
    services: tuple[_Code, ...] = Field(min_length=1, max_length=100)
    to: _Code
    from_on: date


class SetParameter(_Action):
    """调整政策参数 / another value of a parameter of the policy from a day on."""

    kind: Literal["set-parameter"]
    parameter: _Code
    value: int = Field(ge=0, le=150)
    from_on: date


class Amend(_Action):
    """修订政策 / other changes of the policy from a day on: a time limit, a ground, a name, its last day."""

    kind: Literal["amend"]
    changes: tuple[AnyChange, ...] = Field(min_length=1, max_length=MAX_CHANGES)
    from_on: date


class SendAgain(_Action):
    """重新推送 / send again what hangs on the matter: the first few first, the rest when they are confirmed."""

    kind: Literal["retry"]
    canary: int = Field(default=1, ge=1, le=3)


class Outage(_Action):
    """认定停机 / a department takes nothing in that time: its steps are held, and no clock runs against it."""

    kind: Literal["outage"]
    department: _Code
    from_at: datetime
    until_at: datetime
    note: Annotated[Line, Field(max_length=200)]


Action = AcceptGround | FactForClass | WaiveForClass | MoveService | SetParameter | Amend | SendAgain | Outage
Revising = MoveService | SetParameter | Amend
AnyAction = Annotated[Action, Field(discriminator="kind")]
ForClass = AcceptGround | FactForClass | WaiveForClass

KINDS = ("accept-ground", "decide-fact", "waive", "hand-over", "set-parameter", "amend", "retry", "outage")
"""The kinds of action, as ``kind`` names them."""

_ADAPTER: TypeAdapter[Action] = TypeAdapter(AnyAction)


def read_action(content: dict[str, Any]) -> Action:
    """The action that ``content`` says; InputError with the first thing that is wrong."""
    try:
        action = _ADAPTER.validate_python(content)
    except ValidationError as problem:
        first = problem.errors(include_input=False)[0]
        place = ".".join(["action", *(str(part) for part in first["loc"][1:])])
        raise InputError(str(first["msg"]), place=place) from None
    if isinstance(action, Outage) and (action.from_at.tzinfo is None or action.until_at.tzinfo is None):
        raise InputError("must bear a time zone, such as 2014-11-03T09:00:00+08:00", place="action.from_at")
    return action


def action_content(action: Action) -> dict[str, Any]:
    """The action as it is kept: plain JSON."""
    return action.model_dump(mode="json", exclude_none=True)
