"""The engine: a pure function of a pack, a day, a person and facts.

One call answers section 二 (the permit) and section 三 (every service). The flows, the console and
``lianban decide`` all ask here.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Final

from services.policy.answer import Decision, Entitlement, EntitlementFields, PermitAnswer
from services.policy.dates import FOREVER, LAST_DAY
from services.policy.permit import decide_permit, held_permit
from services.policy.verdicts import Life, Verdict, judge

if TYPE_CHECKING:
    from services.policy.pack import Pack
    from services.policy.plan import Era, Plan
    from services.policy.question import Question

NO_POLICY: Final = "A16"
"""The reason for a refusal where no pack covers the day of receipt. No pack is there to name it."""

# An entitlement made of its fields in order, in C: a decision makes 78, and naming them doubles its cost.
_entitlement: Final[Callable[[EntitlementFields], Entitlement]] = partial(tuple.__new__, Entitlement)


def decide(pack: Pack | None, question: Question) -> Decision:
    """Answer the question by the pack that covers its day of receipt.

    ``pack`` None, or one that does not cover ``question.received_on``, is answered with the refusal of A16.
    Raises InputError (``on``) only where a permit would run past 9999-12-31.
    """
    if pack is None or not pack.covers(question.received_on):
        refusal = PermitAnswer("refuse", None, None, None, grounds=(), needs=(), because=(NO_POLICY,))
        return Decision(policy=None, permit=refusal, entitlements={}, next_change=None)
    plan = pack.plan
    on = question.on.toordinal()
    era = plan.era(on)
    if question.permit is None:
        permit = decide_permit(pack.permit, pack.because, era, question)
    else:
        permit = held_permit(pack.because, question.permit, question.on)

    change = FOREVER
    life = permit_life(permit)
    if life is not None:
        verdicts = judge(plan, era, pack.because, question, life)
        due = _by_verdict(era, verdicts)
        change = min(life.last + 1, plan.next_handover(on), *(verdict.change for verdict in verdicts))
    elif permit.outcome == "wait":
        due = _waiting(plan, era, pack.because.unknown, question, permit)
        change = plan.next_handover(on)
    else:
        due = _all_unmet(era, permit.because)
        if permit.outcome == "not-yet" and permit.valid_from is not None:
            change = permit.valid_from.toordinal()
    return Decision(pack.code, permit, due, date.fromordinal(change) if change <= LAST_DAY else None)


def permit_life(permit: PermitAnswer) -> Life | None:
    """Return the days over which services are due under this permit, None where none is in force on the day."""
    if permit.outcome not in {"issue", "in-force"}:
        return None
    if permit.term_years is None or permit.valid_from is None or permit.valid_until is None:
        return None
    return Life(permit.valid_from.toordinal(), permit.valid_until.toordinal(), permit.term_years)


def _by_verdict(era: Era, verdicts: list[Verdict]) -> dict[str, Entitlement]:
    """Write every service's answer from the verdict of its profile."""
    due: dict[str, Entitlement] = {}
    for service, kind, department, profile in era.members:
        state, first_day, last_day, needs, reasons, opens, fails, _ = verdicts[profile]
        because = (service, *reasons)
        due[service] = _entitlement(
            (service, state, first_day, last_day, kind, department, needs, because, opens, fails)
        )
    return due


def _waiting(
    plan: Plan, era: Era, reasons: tuple[str, ...], question: Question, permit: PermitAnswer
) -> dict[str, Entitlement]:
    """Leave everything unknown while the permit waits: for the permit's needs and the service's own facts."""
    permit_needs = {need.fact for need in permit.needs}
    needs = [
        era.needs_for(permit_needs.union(fact for fact in profile.facts if fact not in question.facts))
        for profile in plan.profiles
    ]
    return {
        service: _entitlement(
            (service, "unknown", None, None, kind, department, needs[profile], (service, *reasons), None, ())
        )
        for service, kind, department, profile in era.members
    }


def _all_unmet(era: Era, reasons: tuple[str, ...]) -> dict[str, Entitlement]:
    """Nothing is due without a permit in force, for the reasons that decided the permit."""
    return {
        service: _entitlement((service, "unmet", None, None, kind, department, (), (service, *reasons), None, ()))
        for service, kind, department, _ in era.members
    }
