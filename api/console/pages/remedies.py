"""Remedies (处置): asked for from a case or for many at once, decided by a second person, with what came of each."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import Field, field_validator

from api.access import GuardedPage
from api.console.catalogue import said
from api.console.frame import page
from api.console.queries import Entered, Form, ListQuery, Query
from api.state import TheCaller, TheDoors, TheHouse
from models import CaseState, RemedyKind, RemedyState
from models.states import CASE_MOVES, STEP_MOVES, StepState
from services.dossiers.reading import CaseFile
from services.exchange.reasons import PERMIT_END_REASONS
from services.house import House
from services.lexicon import Lexicon, Named
from services.remedies.asking import approve_remedy, ask_remedy, reject_remedy
from services.remedies.orders import read_order
from services.remedies.reading import list_remedies, read_remedy
from services.remedies.words import KIND_WORDS, STATE_WORDS

router = APIRouter(prefix="/console", route_class=GuardedPage, include_in_schema=False)

RemedyId = Annotated[int, Path(ge=1, le=2**31 - 1)]
_ENDS = ("cancelled", "left-city", "settled", "revoked")
_REOPENED = (CaseState.CLOSED, CaseState.REFUSED, CaseState.WITHDRAWN)
# What a remedy does, in one sentence, beside the form.
EFFECTS = {
    RemedyKind.WAIVE: said("不再要求该部门办理所选事项；拟开通的权益按未获开通记录。"),
    RemedyKind.FACT: said("按书面依据认定一项事实，优先于部门答复，办件随即按此继续。"),
    RemedyKind.WITHDRAW: said("撤回申请，未答复的事项不再催办。已发证的须注销，不能撤回。"),
    RemedyKind.CORRECT: said("一次性告知申请人需补正的全部内容，补正期间各项时限停止计算；再次要求须由另一人复核。"),
    RemedyKind.CANCEL: said("自今日起居住证终止，已开通的权益逐项停止。"),
    RemedyKind.REINSTATE: said("撤销错误的注销，居住证恢复有效，权益重新开通。"),
    RemedyKind.REOPEN: said("不予发放或已撤回的重新决定；已办结的重新申请未获开通的权益；待人工处置的重新进入流程。"),
}


class RemedyListQuery(ListQuery):
    """Which remedies to list."""

    state: RemedyState | None = None
    before: int | None = Field(default=None, ge=1, le=2**31 - 1)


class RemedyEntered(Entered):
    """What the form of a remedy brings; which fields are asked for, the kind says."""

    kind: RemedyKind
    reason: str = Field(max_length=400)
    cases: str | None = Field(default=None, max_length=60_000)
    steps: list[str] = Field(default=[], max_length=1_000)
    clause: str | None = None
    fact: str | None = None
    value: Literal["true", "false"] | None = None
    department: str | None = None
    document: str | None = None
    missing: str | None = Field(default=None, max_length=3_000)
    end: str | None = None
    anew: bool = False

    @field_validator("steps", mode="before")
    @classmethod
    def _as_list(cls, given: object) -> object:
        """One box that was ticked comes as itself."""
        return [given] if isinstance(given, str) else given

    def content(self) -> dict[str, object]:
        """The order's JSON, with what its kind asks for and nothing else."""
        order: dict[str, object] = {"kind": self.kind.value, "reason": self.reason}
        numbers = list(dict.fromkeys((self.cases or "").replace(",", " ").replace("，", " ").split()))
        match self.kind:
            case RemedyKind.WAIVE:
                return order | {"steps": self.steps, "clause": self.clause}
            case RemedyKind.FACT:
                told = {"fact": self.fact, "department": self.department, "document": self.document}
                return order | {"cases": numbers, "value": self.value == "true", **told}
            case RemedyKind.CORRECT:
                lines = [line.strip() for line in (self.missing or "").splitlines() if line.strip()]
                return order | {"cases": numbers, "missing": lines}
            case RemedyKind.CANCEL:
                return order | {"cases": numbers, "end": self.end}
            case RemedyKind.REOPEN:
                return order | {"cases": numbers, "anew": self.anew}
            case _:
                return order | {"cases": numbers}


class Because(Entered):
    """A second person's word."""

    because: str | None = Field(default=None, max_length=400)


def offered(house: House, case: CaseFile) -> dict[str, object]:
    """What may be asked for about ``case`` as it stands. Whether it is allowed then, the service decides."""
    state, permit = CaseState(case.state.code), case.permit
    good = permit is not None and permit.state.code != "ended"
    kinds = [
        (RemedyKind.CORRECT, CaseState.AWAITING_APPLICANT in CASE_MOVES[state]),
        (RemedyKind.FACT, state is not CaseState.WITHDRAWN and case.policy is not None and (permit is None or good)),
        (RemedyKind.WAIVE, any(StepState.WAIVED in STEP_MOVES[StepState(one.state.code)] for one in case.steps)),
        (RemedyKind.WITHDRAW, CaseState.WITHDRAWN in CASE_MOVES[state]),
        (
            RemedyKind.REOPEN,
            state in (CaseState.CLOSED, CaseState.REFUSED, CaseState.WITHDRAWN) or bool(case.set_aside),
        ),
        (RemedyKind.CANCEL, good),
        (RemedyKind.REINSTATE, permit is not None and not good),
    ]
    words, today = Lexicon(house.packs, None), house.database.clock.today()
    return {
        "facts": [words.fact(code) for code in words.book.facts],
        "departments": [words.department(code, today) for code in words.book.departments],
        "kinds": [(kind.value, KIND_WORDS[kind], EFFECTS[kind]) for kind, may in kinds if may],
        "waivable": [one for one in case.steps if StepState.WAIVED in STEP_MOVES[StepState(one.state.code)]],
        "ends": [Named(code, PERMIT_END_REASONS[code].zh, PERMIT_END_REASONS[code].en) for code in _ENDS],
    }


@router.get("/remedies", name="page_remedies")
async def page_remedies(
    request: Request, query: Query[RemedyListQuery], house: TheHouse, caller: TheCaller
) -> HTMLResponse:
    """List remedies, those that wait for a second person first to be seen."""
    found = await list_remedies(house, caller.sight, state=query.state, before=query.before, limit=query.limit)
    return page(
        request, "remedies.html", rows=found.items, next=found.before, first=query.before is None, query=query,
        states=[Named.of(state.value, STATE_WORDS[state]) for state in RemedyState],
    )  # fmt: skip


@router.get("/remedies/{remedy}", name="page_remedy")
async def page_remedy(request: Request, remedy: RemedyId, house: TheHouse, caller: TheCaller) -> HTMLResponse:
    """Show a remedy, what came of each of its cases, and to a second person the decision."""
    found = await read_remedy(house, remedy, caller.sight)
    return page(
        request, "remedy.html", one=found.remedy, outcomes=found.outcomes, mine=found.remedy.asked_by == caller.actor,
        effect=EFFECTS[RemedyKind(found.remedy.kind.code)],
    )  # fmt: skip


@router.post("/remedies", name="page_ask_remedy")
async def page_ask_remedy(form: Form[RemedyEntered], doors: TheDoors, caller: TheCaller) -> RedirectResponse:
    """Ask for a remedy; about many cases it waits for a second person."""
    asked = await ask_remedy(doors.house, caller, read_order(form.content()))
    doors.bell.ring()
    return RedirectResponse(f"/console/remedies/{asked.id}", 303)


@router.post("/remedies/{remedy}/approve", name="page_approve_remedy")
async def page_approve_remedy(
    remedy: RemedyId, form: Form[Because], doors: TheDoors, caller: TheCaller
) -> RedirectResponse:
    """Approve what another person asked for."""
    await approve_remedy(doors.house, caller, remedy, form.because)
    doors.bell.ring()
    return _back(remedy)


@router.post("/remedies/{remedy}/reject", name="page_reject_remedy")
async def page_reject_remedy(
    remedy: RemedyId, form: Form[Because], house: TheHouse, caller: TheCaller
) -> RedirectResponse:
    """Turn down what was asked for."""
    await reject_remedy(house, caller, remedy, form.because or "")
    return _back(remedy)


def _back(remedy: int) -> RedirectResponse:
    return RedirectResponse(f"/console/remedies/{remedy}", 303)
