"""Decisions: those of a case, and the bare engine."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request

from api.access import GuardedRoute
from api.openapi import problems
from api.question import QUESTION_SCHEMA
from api.routes.cases import CaseNumber
from api.state import TheCaller, TheHouse
from api.views.decisions import Decision, DecisionItem, DecisionList
from services.access.purposes import Purpose
from services.dossiers.decisions import DecisionFile, open_decision
from services.dossiers.decisions import list_decisions as decisions_of
from services.policy.decide import decide as ask
from services.policy.parsing import read_question

router = APIRouter(prefix="/api/v1", tags=["decisions"], route_class=GuardedRoute)

Sequence = Annotated[int, Path(ge=1, le=1_000_000, description="第几次决定 / which decision, from 1")]


@router.get("/cases/{number}/decisions", response_model=DecisionList, responses=problems(404, 422))
async def list_decisions(number: CaseNumber, house: TheHouse, caller: TheCaller) -> DecisionList:
    """List the decisions of a case."""
    rows = await decisions_of(house, number, caller.sight)
    return DecisionList(items=[DecisionItem.model_validate(row) for row in rows])


@router.get("/cases/{number}/decisions/{sequence}", response_model=Decision, responses=problems(404, 422))
async def show_decision(
    number: CaseNumber, sequence: Sequence, house: TheHouse, caller: TheCaller, purpose: Purpose = Purpose.HANDLING
) -> DecisionFile:
    """Open a decision whole, with every reason in words. That it was opened, and what for, is logged."""
    return await open_decision(house, caller, number, sequence, purpose)


@router.post(
    "/decide",
    response_model=dict[str, Any],
    openapi_extra={
        "requestBody": {"required": True, "content": {"application/json": {"schema": QUESTION_SCHEMA}}},
    },
)
async def decide(request: Request, house: TheHouse) -> dict[str, object]:
    """Ask the policy engine one question; nothing is kept. The same as `lianban decide`."""
    question = read_question(await request.body())
    return ask(house.packs.covering(question.received_on), question).to_json()
