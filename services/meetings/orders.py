"""What a resolution has the system carry out, one model a kind: what ``Resolution.action`` keeps.

A class of cases is a selection, kept as such: who is in it is found out when the action is approved, and then recorded.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from services.errors import InputError
from services.remedies.orders import MAX_CASES, Line

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


Action = AcceptGround | FactForClass | WaiveForClass | SendAgain | Outage
AnyAction = Annotated[Action, Field(discriminator="kind")]
ForClass = AcceptGround | FactForClass | WaiveForClass

KINDS = ("accept-ground", "decide-fact", "waive", "retry", "outage")
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
