"""Whom a case waits for, and for what (A18): facts that nobody confirmed, and services that nobody acknowledged."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime

from models import CaseState, EntitlementState, StepKind, StepState
from models.states import OPEN_STEPS
from services.dossiers.dossier import Dossier
from services.lexicon import Named, day_words, listed
from services.policy.text import Text

_UNFINISHED = OPEN_STEPS | {StepState.FAILED}
_OVER = (CaseState.REFUSED, CaseState.WITHDRAWN)
_UNDER_WAY = (EntitlementState.PROVISIONING, EntitlementState.WITHDRAWING)


@dataclass(frozen=True, slots=True)
class Waiting:
    """One department that has to answer.

    ``facts`` are those to confirm, ``services`` those to open or to withdraw; both empty: to take note of the permit.
    ``for_permit``: the permit itself hangs on it; ``holds_up``: services that wait for the facts. ``step`` is what
    the department was sent, None if it was not asked yet; ``state`` may say that it declined.
    """

    department: Named
    facts: tuple[Named, ...]
    services: tuple[Named, ...]
    for_permit: bool
    holds_up: tuple[Named, ...]
    step: str | None
    state: str | None
    since: datetime | None
    answer_by: date | None

    @property
    def words(self) -> Text:
        """One sentence: who has to do what, and by when."""
        name, by = self.department, self.answer_by
        until = day_words(by) if by is not None else None
        if self.facts:
            what = listed(self.facts)
            said = Text(f"待{name.zh}核验：{what.zh}", f"{name.en} has to confirm: {what.en}")
        elif self.services:
            what = listed(self.services)
            said = Text(f"待{name.zh}办理并确认：{what.zh}", f"{name.en} has to deal with and confirm: {what.en}")
        else:
            said = Text(f"待{name.zh}登记居住证信息", f"{name.en} has to take note of the permit")
        if self.state == StepState.DECLINED:
            return Text(f"{said.zh}（已答复未能核验）", f"{said.en} (answered that it cannot)")
        if self.step is None or until is None:
            return said
        return Text(f"{said.zh}（{until.zh}前答复）", f"{said.en} (by {until.en})")


def waiting_for(dossier: Dossier) -> tuple[Waiting, ...]:
    """Whom the case waits for today, as far as the reader sees: facts first, then services under way."""
    found = [*_for_facts(dossier), *_for_services(dossier)]
    return tuple(one for one in found if dossier.shows(one.department.code))


def _for_facts(dossier: Dossier) -> list[Waiting]:
    if dossier.case.state in _OVER:
        return []
    decision = dossier.decide()
    needs = dict.fromkeys(decision.permit.needs, True)
    held_up: dict[str, list[str]] = defaultdict(list)
    # Before there is a permit every service is unknown: what counts is what the permit itself waits for.
    if decision.permit.outcome in {"issue", "in-force"}:
        for service, answer in decision.entitlements.items():
            if answer.state == "unknown" and answer.opens is not None and answer.opens <= dossier.today:
                for need in answer.needs:
                    needs.setdefault(need, False)
                    held_up[need.fact].append(service)
    asked = {
        fact: step.id
        for step in dossier.steps.values()
        if step.kind is StepKind.VERIFICATION
        for fact in step.content["facts"]
    }
    groups: dict[tuple[str, str | None, bool], list[str]] = defaultdict(list)
    for need, for_permit in needs.items():
        groups[need.department, asked.get(need.fact), for_permit].append(need.fact)
    return [
        _waiting(dossier, department, step, facts, for_permit, sorted({one for fact in facts for one in held_up[fact]}))
        for (department, step, for_permit), facts in groups.items()
    ]


def _waiting(
    dossier: Dossier, department: str, step_id: str | None, facts: list[str], for_permit: bool, holds_up: list[str]
) -> Waiting:
    words, step = dossier.lexicon, dossier.steps[step_id] if step_id is not None else None
    return Waiting(
        department=words.department(department, dossier.today),
        facts=tuple(words.fact(fact) for fact in facts),
        services=(),
        for_permit=for_permit,
        holds_up=tuple(words.service(one) for one in holds_up),
        step=step_id,
        state=step.state.value if step is not None else None,
        since=step.created_at if step is not None else None,
        answer_by=step.answer_by if step is not None else None,
    )


def _for_services(dossier: Dossier) -> list[Waiting]:
    words = dossier.lexicon
    under_way: dict[str, list[Named]] = defaultdict(list)
    for one in dossier.entitlements:
        if one.state in _UNDER_WAY:
            under_way[one.step_id].append(words.service(one.service))
    return [
        Waiting(
            department=words.department(step.department, dossier.today),
            facts=(),
            services=tuple(under_way[step.id]),
            for_permit=False,
            holds_up=(),
            step=step.id,
            state=step.state.value,
            since=step.created_at,
            answer_by=step.answer_by,
        )
        for step in dossier.steps.values()
        if step.kind is not StepKind.VERIFICATION and step.state in _UNFINISHED
    ]
