"""What a remedy asks for, one model a kind: the body of ``POST /api/v1/remedies`` and what ``Remedy.content`` keeps.

No free text may bear an ID number or a telephone number: reasons are read by many, and stand in the audit log.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from models import RemedyKind
from services.errors import InputError
from services.exchange.masking import mask

MAX_CASES = 1_000

_Number = Annotated[str, Field(pattern=r"^[0-9a-z-]{1,40}$")]
_StepId = Annotated[str, Field(pattern=r"^[0-9a-z-]{1,80}$")]
_Code = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,40}$")]
_Cases = Annotated[
    tuple[_Number, ...], Field(min_length=1, max_length=MAX_CASES, description="办件编号 / case numbers")
]


def _no_person(text: str) -> str:
    text = " ".join(text.split())
    if mask(text) != text:
        raise ValueError("must bear no ID number and no telephone number; name the case instead")
    if not text or not text.isprintable():
        raise ValueError("must be one line of text")
    return text


Line = Annotated[str, Field(min_length=1, max_length=400), AfterValidator(_no_person)]
"""One line of text in which nobody can be recognised."""


class _Order(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    reason: Line = Field(description="处置理由，不得含个人信息 / why; nothing personal")


class Waive(_Order):
    """免办事项 / waive steps: nobody is asked any more, on the ground of a clause."""

    kind: Literal[RemedyKind.WAIVE]
    steps: tuple[_StepId, ...] = Field(min_length=1, max_length=MAX_CASES, description="事项编号 / ids of steps")
    clause: _Code = Field(description="依据条款 / the clause that allows it, such as ZB87-4.2a")


class DecideFact(_Order):
    """人工认定核验事实 / decide a fact by hand, on a document; it holds over what a department answers."""

    kind: Literal[RemedyKind.FACT]
    cases: _Cases
    fact: _Code
    value: bool
    department: _Code = Field(description="认定部门 / the department that decided")
    document: Line = Field(max_length=200, description="依据文件 / the document it rests on")


class Withdraw(_Order):
    """撤回申请 / withdraw applications on which no permit was issued yet."""

    kind: Literal[RemedyKind.WITHDRAW]
    cases: _Cases


class Correct(_Order):
    """要求补正 / ask for a correction: the applicant is told at once all that is missing, and the clock stops."""

    kind: Literal[RemedyKind.CORRECT]
    cases: _Cases
    missing: tuple[Annotated[Line, Field(max_length=120)], ...] = Field(
        min_length=1, max_length=20, description="需补正的内容，一次性告知 / all that is missing"
    )


class Cancel(_Order):
    """注销居住证 / cancel permits from today: everything they opened is withdrawn."""

    kind: Literal[RemedyKind.CANCEL]
    cases: _Cases
    end: Literal["cancelled", "left-city", "settled", "revoked"] = Field(
        description="终止原因：持证人申请、离开本市、已落户、依法收回 / why the permit ends"
    )


class Reinstate(_Order):
    """撤销错误注销 / undo cancellations made by mistake: the permits are in force again, services open anew."""

    kind: Literal[RemedyKind.REINSTATE]
    cases: _Cases


class Reopen(_Order):
    """重新办理 / reopen cases: refused or withdrawn ones are decided again, closed ones ask again for what was
    declined, those set aside are taken up. ``anew``: departments are asked again for facts that they have answered.
    """

    kind: Literal[RemedyKind.REOPEN]
    cases: _Cases
    anew: bool = False


Order = Waive | DecideFact | Withdraw | Correct | Cancel | Reinstate | Reopen
AnyOrder = Annotated[Order, Field(discriminator="kind")]

_ADAPTER: TypeAdapter[Order] = TypeAdapter(AnyOrder)


def read_order(content: dict[str, Any]) -> Order:
    """The order that ``content`` says; InputError with the first thing that is wrong."""
    try:
        return _ADAPTER.validate_python(content)
    except ValidationError as problem:
        first = problem.errors(include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"][1:]) or "remedy"
        raise InputError(str(first["msg"]), place=place) from None


def order_content(order: Order) -> dict[str, Any]:
    """What of ``order`` is kept in ``Remedy.content``: all but its kind and its reason, which are columns."""
    return order.model_dump(mode="json", exclude={"kind", "reason"})
