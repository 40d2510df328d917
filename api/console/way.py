"""A case's way through the departments: six stages, what stands at each, and each department's part of two of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from api.console.catalogue import said
from models import CaseState, StepKind
from services.dossiers.reading import CaseFile, StepFile
from services.lexicon import Named

# How far a case has come when it stands in a state.
_REACHED = {
    CaseState.RECEIVED: 0,
    CaseState.ACCEPTED: 0,
    CaseState.VERIFYING: 1,
    CaseState.AWAITING_APPLICANT: 1,
    CaseState.DECIDED: 2,
    CaseState.REFUSED: 2,
    CaseState.ISSUED: 3,
    CaseState.PROVISIONING: 4,
    CaseState.CLOSED: 5,
}
_TITLES = (said("受理"), said("核验"), said("决定"), said("发证"), said("开通"), said("办结"))
_ENTITLEMENTS, _VERIFICATION = StepKind.ENTITLEMENTS.value, StepKind.VERIFICATION.value


@dataclass(frozen=True, slots=True)
class Part:
    """One department's part of a stage: its last step there, and how many facts or services that is about."""

    department: Named
    state: Named
    count: int
    answer_by: date | None
    step: str


@dataclass(slots=True)
class Stage:
    """One stage. ``tone``: done, here, ahead, halted."""

    title: str
    tone: str
    at: datetime | None = None
    on: date | None = None
    parts: list[Part] = field(default_factory=list)


def draw_way(case: CaseFile) -> list[Stage]:
    """The way of ``case`` as far as its reader sees it."""
    state = CaseState(case.state.code)
    # A case that was withdrawn stands where it was when that happened.
    reached = _REACHED.get(state, 1 if case.steps else 0)
    over, halted = state is CaseState.CLOSED, state in (CaseState.REFUSED, CaseState.WITHDRAWN)
    tones = ["done" if place < reached or over else "here" if place == reached else "ahead" for place in range(6)]
    if halted or state is CaseState.AWAITING_APPLICANT:
        tones[reached] = "halted"
    stages = [Stage(title, tone) for title, tone in zip(_TITLES, tones, strict=True)]
    stages[0].at = case.received_at
    stages[1].parts = _parts(case, _VERIFICATION)
    stages[2].at = case.decided_at
    stages[3].at = case.permit.issued_at if case.permit is not None else None
    stages[4].parts = _parts(case, _ENTITLEMENTS)
    stages[5].at = case.closed_at if state is CaseState.CLOSED else None
    return stages


def _parts(case: CaseFile, kind: str) -> list[Part]:
    """The last step of each department, in the order in which departments were first asked."""
    last: dict[str, StepFile] = {}
    for step in case.steps:
        if step.kind.code == kind:
            last[step.department.code] = step
    return [
        Part(step.department, step.state, len(step.asks) + len(step.withdraws), step.answer_by, step.id)
        for step in last.values()
    ]
