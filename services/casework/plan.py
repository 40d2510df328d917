"""The planner: what stands is compared with what is due, and the difference is what must be done.

``plan_case`` is pure. First issue, a full year of residence, a birthday, a fact that came in, a permit's end, a
new owner of a service: all of them are the one comparison (architecture, "one idea").
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from models import CaseState, EntitlementState, StepKind, StepState
from services.casework.comparison import Difference, compare
from services.casework.differing import answers_differ
from services.casework.standing import Standing, StandingEntitlement, StandingStep
from services.exchange.orders import round_of, step_id
from services.policy.answer import Decision, PermitAnswer
from services.policy.decide import decide
from services.policy.needs import facts_wanted
from services.policy.pack import Pack
from services.policy.question import HeldPermit, Question
from services.policy.registry import Version

_DAY = timedelta(days=1)
_EXPIRED, _REPLACED = "expired", "replaced"


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """A step to be written into the ledger; ``content`` as in ``models.Step``."""

    id: str
    department: str
    kind: StepKind
    content: dict[str, Any]


@dataclass(slots=True)
class Plan:
    """What is to change for one case. Empty fields change nothing.

    ``entitlements`` are rows to write over what stands; ``superseded`` are ids of steps that are no longer right;
    ``decision`` is kept only if it had an effect. ``weighed``: all that is known was weighed; ``unsettled``: what could
    not be put right yet is to be looked at again once its step has settled, though no fact came in since.
    """

    number: str
    states: list[CaseState] = field(default_factory=list)
    decision: Decision | None = None
    issued: HeldPermit | None = None
    ended: bool = False
    reinstated: bool = False
    entitlements: list[StandingEntitlement] = field(default_factory=list)
    steps: list[PlannedStep] = field(default_factory=list)
    superseded: list[str] = field(default_factory=list)
    review_on: date | None = None
    weighed: bool = False
    unsettled: bool = False

    @property
    def effective(self) -> bool:
        """Whether the decision changed anything and is therefore kept."""
        outcome = self.decision.permit.outcome if self.decision is not None else ""
        return outcome in {"issue", "refuse"} or self.ended or self.reinstated or bool(self.entitlements)


def plan_case(standing: Standing, pack: Pack | None, today: date, coming: Sequence[Version] = ()) -> Plan:
    """What must change for the case on the day ``today``, by the pack of its day of receipt. ``coming``: how that pack
    will change on later days.
    """
    plan = Plan(standing.case.number, review_on=standing.case.review_on)
    held = standing.held
    if standing.permit is None and standing.case.is_open:
        if standing.state is CaseState.AWAITING_APPLICANT:
            return plan
        _towards_permit(plan, standing, pack, today)
    elif held is not None and pack is not None and _asks_again(standing, today):
        _under_permit(plan, standing, pack, held, today)
    if plan.decision is not None and pack is not None and coming:
        plan.review_on = _earlier(plan.review_on, _changes_by_rule(plan, standing, pack, coming))
    _conclude(plan, standing)
    return plan


def _changes_by_rule(plan: Plan, standing: Standing, pack: Pack, coming: Sequence[Version]) -> date | None:
    """The first day on which a version to come answers otherwise than the one before it."""
    for version in coming:
        question = standing.question(version.from_on)
        if plan.issued is not None:
            question = replace(question, permit=plan.issued)
        if answers_differ(decide(pack, question), decide(version.pack, question)):
            return version.from_on
        pack = version.pack
    return None


def _earlier(day: date | None, other: date | None) -> date | None:
    return min(filter(None, (day, other)), default=None)


def _asks_again(standing: Standing, today: date) -> bool:
    """Whether anything happened since the last decision that could change it."""
    review_on = standing.case.review_on
    return (
        standing.case.weighed != standing.fact_count
        or (review_on is not None and review_on <= today)
        or any(_out_of_step(held, today) for held in _by_service(standing))
        or _has_orphans(standing)
        or (standing.ended and any(_outlives(one, today) for one in standing.entitlements.values()))
    )


def _outlives(standing: StandingEntitlement, today: date) -> bool:
    """Whether a service came into force although its permit was cancelled while the step was under way."""
    return standing.state is EntitlementState.IN_FORCE and (standing.leaves_on is None or standing.leaves_on <= today)


def _by_service(standing: Standing) -> Iterable[list[StandingEntitlement]]:
    """The services that no later permit carries, each at all departments at which it ever stood."""
    held: dict[str, list[StandingEntitlement]] = {}
    for one in standing.entitlements.values():
        if one.service not in standing.renewed:
            held.setdefault(one.service, []).append(one)
    return held.values()


def _out_of_step(held: Sequence[StandingEntitlement], today: date) -> bool:
    """Whether a service stands otherwise than its days say, because its last step was still under way then; or at two
    departments, of which one has it in force.
    """
    live = [one for one in held if one.state not in (EntitlementState.WITHDRAWING, EntitlementState.ENDED)]
    in_force = [one for one in live if one.state is EntitlementState.IN_FORCE]
    if in_force and len(live) > 1:
        return True
    if any(one.until_on < today and (one.leaves_on is None or one.leaves_on <= today) for one in in_force):
        return True
    return len(held) == 1 and held[0].state is EntitlementState.ENDED and held[0].until_on >= today


def _has_orphans(standing: Standing) -> bool:
    """Whether a service is under way by a step that was superseded before it was sent (``rechecks``)."""
    gone = {step.id for step in standing.steps if step.state is StepState.SUPERSEDED}
    under_way = (EntitlementState.PROVISIONING, EntitlementState.WITHDRAWING)
    return any(one.step_id in gone and one.state in under_way for one in standing.entitlements.values())


def _towards_permit(plan: Plan, standing: Standing, pack: Pack | None, today: date) -> None:
    """Section 二: verify, then issue or refuse; a case that cannot be decided yet waits (A18)."""
    question = standing.question(today)
    decision = decide(pack, question)
    plan.decision, plan.weighed, plan.review_on = decision, True, None
    if standing.state is CaseState.RECEIVED:
        plan.states.append(CaseState.ACCEPTED)
    permit, term = decision.permit, _issued(decision)
    if permit.outcome == "wait":
        if standing.state is not CaseState.VERIFYING:
            plan.states.append(CaseState.VERIFYING)
        _ask(plan, standing, pack, question, decision.permit)
        # Who is to be asked may change on a day, though nothing else does.
        plan.review_on = decision.next_change
        return
    plan.states.append(CaseState.DECIDED)
    if term is None or pack is None:
        plan.states.append(CaseState.REFUSED)
        plan.superseded.extend(step.id for step in standing.steps if step.unsent)
        return
    plan.issued = term
    plan.states.append(CaseState.ISSUED)
    _notify(plan, standing, pack, StepKind.PERMIT_ISSUED, term, today, clauses=permit.because)
    _reconcile(plan, standing, pack, decision, term, today)
    _ask(plan, standing, pack, question, decision.permit)


def _under_permit(plan: Plan, standing: Standing, pack: Pack, held: HeldPermit, today: date) -> None:
    """Section 三 over time: tiers, birthdays, facts that came later, and the permit's end."""
    question = standing.question(today)
    decision = decide(pack, question)
    plan.decision = decision
    if decision.permit.outcome == "ended" and not standing.ended:
        plan.ended = True
        reason, clauses = end_reason(standing), decision.permit.because
        _notify(plan, standing, pack, StepKind.PERMIT_ENDED, held, today, reason=reason, clauses=clauses)
    elif decision.permit.outcome == "in-force" and standing.ended:
        _reinstate(plan, standing, pack, held, today, decision)
    plan.unsettled = _reconcile(plan, standing, pack, decision, held, today).unsettled
    plan.weighed = not plan.unsettled
    if decision.permit.outcome == "in-force":
        _ask(plan, standing, pack, question, decision.permit)


def end_reason(standing: Standing) -> str:
    """Why the permit ends: a code of ``PERMIT_END_REASONS``."""
    cancelled = standing.permit.end_reason if standing.permit is not None else None
    return cancelled or (_REPLACED if standing.renewed else _EXPIRED)


def _reinstate(plan: Plan, standing: Standing, pack: Pack, held: HeldPermit, today: date, decision: Decision) -> None:
    """A cancellation was lifted: its news is taken back where nobody can have seen it, else put right."""
    plan.reinstated = True
    news = [step for step in standing.steps if step.kind is StepKind.PERMIT_ENDED and step.waiting]
    plan.superseded.extend(step.id for step in news)
    if not any(step.unsent for step in news):
        _notify(plan, standing, pack, StepKind.PERMIT_ISSUED, held, today, clauses=decision.permit.because)


def _ask(plan: Plan, standing: Standing, pack: Pack | None, question: Question, permit: PermitAnswer) -> None:
    """Plan a verification at every department whose facts the case needs and that was not asked for them. What a
    department has not seen yet, or never took, is taken back where the facts are another's by now.
    """
    since = standing.case.asked_after
    handed_over = {step.id for step in standing.steps if pack is not None and _is_another_s(step, pack, question.on)}
    plan.superseded.extend(sorted(handed_over))
    asked = {
        name
        for step in standing.steps
        if step.kind is StepKind.VERIFICATION
        and step.id not in handed_over
        and (step.unfinished or not since or round_of(step.id) > since)
        for name in step.content["facts"]
    }
    for department, facts in facts_wanted(pack, question, permit).items():
        fresh = [name for name in facts if name not in asked]
        if fresh:
            _add_step(plan, standing, StepKind.VERIFICATION, department, {"facts": fresh})


def _is_another_s(step: StandingStep, pack: Pack, day: date) -> bool:
    """Whether a question that waits to be sent, or failed, asks of a department what another confirms on ``day``."""
    if step.kind is not StepKind.VERIFICATION or not (step.waiting or step.state is StepState.FAILED):
        return False
    owners = (pack.facts[name].owner_on(day) for name in step.content["facts"] if name in pack.facts)
    return any(owner != step.department for owner in owners)


def _issued(decision: Decision) -> HeldPermit | None:
    """The permit that the decision issues; None if it refuses or waits."""
    permit = decision.permit
    if permit.term_years is None or permit.valid_from is None or permit.valid_until is None:
        return None
    return HeldPermit(permit.term_years, permit.valid_from, permit.valid_until)


def _notify(
    plan: Plan, standing: Standing, pack: Pack, kind: StepKind, permit: HeldPermit, today: date, **extra: Any
) -> None:
    """Tell the department that issues the permit (ZB87-2.0b), which keeps its own register of permits."""
    content = {
        "permit": permit_term(permit),
        **{key: list(v) if isinstance(v, tuple) else v for key, v in extra.items()},
    }
    _add_step(plan, standing, kind, pack.permit.issuer_on(today), content)


def _add_step(plan: Plan, standing: Standing, kind: StepKind, department: str, content: dict[str, Any]) -> str:
    identity = step_id(plan.number, kind, department, standing.case.round + 1)
    plan.steps.append(PlannedStep(identity, department, kind, content))
    return identity


def permit_term(permit: HeldPermit) -> dict[str, Any]:
    """A permit as messages and the contract write it."""
    return {
        "term_years": permit.term_years,
        "valid_from": permit.valid_from.isoformat(),
        "valid_until": permit.valid_until.isoformat(),
    }


def _reconcile(
    plan: Plan, standing: Standing, pack: Pack, decision: Decision, permit: HeldPermit, today: date
) -> Difference:
    """Plan one step a department for the difference between the services due and those that stand."""
    difference = compare(standing, decision, pack, today)
    plan.superseded.extend(sorted(difference.superseded))
    plan.entitlements.extend(difference.changed)
    for department in difference.departments:
        opens, withdraws = difference.opens[department], difference.withdraws[department]
        content: dict[str, Any] = {"permit": permit_term(permit)}
        if opens:
            content["open"] = [
                {
                    "service": one.service,
                    "from": one.first_day.isoformat(),
                    "until": one.last_day.isoformat(),
                    "because": one.because,
                }
                for one in opens
            ]
        if withdraws:
            content["withdraw"] = [
                {
                    "service": one.service,
                    # What ends before its time is good up to yesterday.
                    "last_day": min(one.last_day, today - _DAY).isoformat(),
                    "because": one.because,
                }
                for one in withdraws
            ]
        identity = _add_step(plan, standing, StepKind.ENTITLEMENTS, department, content)
        plan.entitlements.extend(one.standing(department, EntitlementState.PROVISIONING, identity) for one in opens)
        plan.entitlements.extend(one.standing(department, EntitlementState.WITHDRAWING, identity) for one in withdraws)
    plan.review_on = difference.review_on
    return difference


def _conclude(plan: Plan, standing: Standing) -> None:
    """Close a case that waits for nothing, open one again that has new steps."""
    state = plan.states[-1] if plan.states else standing.state
    waiting = bool(plan.steps) or any(step.unfinished and step.id not in plan.superseded for step in standing.steps)
    if state is CaseState.ISSUED:
        plan.states.append(CaseState.PROVISIONING if waiting else CaseState.CLOSED)
    elif state is CaseState.PROVISIONING and not waiting:
        plan.states.append(CaseState.CLOSED)
    elif state is CaseState.CLOSED and waiting:
        plan.states.append(CaseState.PROVISIONING)
