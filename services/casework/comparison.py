"""The comparison at the heart of the house: services due against services as they stand. Pure.

Six rules keep messages in sense (ZB87, A9, A17): a service has at most one step under way at a department, so a
withdrawal never overtakes its grant; what no department has seen yet is taken back, not withdrawn; what a department
may have seen is withdrawn before it is granted anew; a service that changes hands is opened at its new department
first, and withdrawn at the former one when the new one has confirmed, so that nobody stands without it; schooling
already begun runs on to the end of its term; what the same person has by a later permit is no matter of the earlier one
any more.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from models import EntitlementState, StepKind, StepState
from services.casework.standing import Standing, StandingEntitlement
from services.policy.answer import Decision, Entitlement
from services.policy.grace import grace_end
from services.policy.pack import Pack

_DAY = timedelta(days=1)
WAIVED = "waived"
"""Why a service counts as declined whose step was waived after a try: the department may hold it all the same."""


@dataclass(frozen=True, slots=True)
class Change:
    """One service to open or to withdraw, with the days decided and the codes that decided it."""

    service: str
    first_day: date
    last_day: date
    because: list[str]

    def standing(self, department: str, state: EntitlementState, step: str) -> StandingEntitlement:
        """The service as it stands once the change is planned as part of ``step``."""
        return StandingEntitlement(self.service, department, state, self.first_day, self.last_day, None, step)


@dataclass(slots=True)
class Difference:
    """What must be done, by department; ``changed`` are entitlements that change without a message.

    ``unsettled``: something stands otherwise than it is due and cannot be put right before its step has settled.
    """

    opens: dict[str, list[Change]] = field(default_factory=lambda: defaultdict(list))
    withdraws: dict[str, list[Change]] = field(default_factory=lambda: defaultdict(list))
    changed: list[StandingEntitlement] = field(default_factory=list)
    superseded: set[str] = field(default_factory=set)
    review_on: date | None = None
    unsettled: bool = False

    @property
    def departments(self) -> list[str]:
        """The departments that have something to do, in the order of their codes."""
        return sorted({*self.opens, *self.withdraws})

    def look_again_on(self, day: date | None) -> None:
        """Remember the earliest day on which time alone changes the answer."""
        if day is not None:
            self.review_on = min(self.review_on or day, day)


def compare(standing: Standing, decision: Decision, pack: Pack, today: date) -> Difference:
    """What lies between ``decision`` and what stands on the day ``today``."""
    difference = Difference()
    difference.look_again_on(decision.next_change)
    due = {name: one for name, one in decision.entitlements.items() if one.state == "granted" and one.kind != "public"}
    difference.superseded = _no_longer_right(standing, due)
    taken_back = _TakenBack.of(standing, difference.superseded)
    waived = {one.service for one in standing.entitlements.values() if _is_waived(one)}
    for one in due.values():
        if one.service in standing.renewed:
            continue
        stands = standing.entitlements.get((one.service, one.department))
        # What was waived at one department is not asked of the next.
        if one.service not in waived or (stands is not None and stands.state is not EntitlementState.ENDED):
            _open(difference, one, stands, taken_back)
    failed = {step.id for step in standing.steps if step.state is StepState.FAILED}
    for (name, department), stands in standing.entitlements.items():
        leaving = _Leaving(standing, stands, decision, pack, due, failed)
        if name in standing.renewed:
            _hand_on(difference, leaving, standing.renewed[name], taken_back, today)
        elif name not in due or (due[name].department != department and leaving.may_let_go(taken_back, today)):
            _leave(difference, leaving, taken_back, today)
    return difference


def _is_waived(stands: StandingEntitlement) -> bool:
    return stands.state is EntitlementState.DECLINED and stands.reason == WAIVED


@dataclass(frozen=True, slots=True)
class _TakenBack:
    """Steps that will not be sent any more: ``unseen`` by any department, or ``perhaps_seen``, because they were tried
    before.
    """

    unseen: frozenset[str]
    perhaps_seen: frozenset[str]

    @classmethod
    def of(cls, standing: Standing, superseded: set[str]) -> _TakenBack:
        gone = [step for step in standing.steps if step.id in superseded or step.state is StepState.SUPERSEDED]
        tried = frozenset(step.id for step in gone if step.attempts)
        return cls(frozenset(step.id for step in gone) - tried, tried)

    def never_seen(self, stands: StandingEntitlement) -> bool:
        """Whether its department never heard of the service."""
        return stands.state is EntitlementState.PROVISIONING and stands.step_id in self.unseen

    def must_be_withdrawn(self, stands: StandingEntitlement) -> bool:
        """Whether the department may hold the service although the step about it was taken back."""
        if stands.state is EntitlementState.WITHDRAWING:
            return stands.step_id in self.unseen | self.perhaps_seen
        return stands.state is EntitlementState.PROVISIONING and stands.step_id in self.perhaps_seen


def _no_longer_right(standing: Standing, due: Mapping[str, Entitlement]) -> set[str]:
    """Steps of which no try is out and that ask for something no longer due; or, never sent, for what another
    department owes by now. One that was tried may have arrived: its service is left there until the new one has it.
    """
    return {
        step.id
        for step in standing.steps
        if step.kind is StepKind.ENTITLEMENTS
        and step.waiting
        and any(
            opening["service"] not in due or (step.unsent and due[opening["service"]].department != step.department)
            for opening in step.content.get("open", ())
        )
    }


def _open(difference: Difference, due: Entitlement, stands: StandingEntitlement | None, taken_back: _TakenBack) -> None:
    if due.first_day is None or due.last_day is None:
        raise ValueError(f"{due.service} is granted without its days")
    change = Change(due.service, due.first_day, due.last_day, list(due.because))
    if stands is None or stands.state is EntitlementState.ENDED:
        difference.opens[due.department].append(change)
    elif taken_back.must_be_withdrawn(stands):
        # Under a new key the department would open it a second time; so first an end to what it may hold.
        leaving = Change(stands.service, stands.from_on, stands.until_on, list(due.because))
        difference.withdraws[stands.department].append(leaving)
    elif taken_back.never_seen(stands):
        difference.opens[due.department].append(change)
    elif stands.state is EntitlementState.IN_FORCE:
        if stands.until_on != due.last_day:
            difference.opens[due.department].append(change)
        elif stands.leaves_on is not None:
            stands.leaves_on = None
            difference.changed.append(stands)
    elif stands.state is EntitlementState.WITHDRAWING or (
        stands.state is EntitlementState.PROVISIONING and stands.until_on != due.last_day
    ):
        difference.unsettled = True


def _hand_on(
    difference: Difference,
    leaving: _Leaving,
    later: Mapping[str, EntitlementState],
    taken_back: _TakenBack,
    today: date,
) -> None:
    """Leave a service to the later permit: a withdrawal now would take away what that one has opened. Unless it has
    opened it at another department, which the service went to meanwhile: then the one before is told.
    """
    stands = leaving.stands
    if stands.state is EntitlementState.ENDED:
        return
    if taken_back.never_seen(stands) or later.get(stands.department) is EntitlementState.IN_FORCE:
        stands.state = EntitlementState.ENDED
        difference.changed.append(stands)
    elif stands.department not in later and EntitlementState.IN_FORCE in later.values():
        _leave(difference, leaving, taken_back, today)
    elif stands.until_on < today:
        # Should it not be opened after all, it has to be withdrawn here.
        difference.look_again_on(today + _DAY)


@dataclass(frozen=True, slots=True)
class _Leaving:
    """A service that stands and is not due, with what its leaving depends on."""

    case: Standing
    stands: StandingEntitlement
    decision: Decision
    pack: Pack
    due: Mapping[str, Entitlement]
    failed: set[str]

    def change(self) -> Change:
        answer = self.decision.entitlements.get(self.stands.service)
        because = list(answer.because) if answer is not None else [self.stands.service]
        return Change(self.stands.service, self.stands.from_on, self.stands.until_on, because)

    def whole_step_leaves(self) -> bool:
        """Whether nothing that its step asked for is due any more, so that nobody need mend that step."""
        return not any(
            one.step_id == self.stands.step_id
            and one.service in self.due
            and self.due[one.service].department == one.department
            for one in self.case.entitlements.values()
        )

    def may_let_go(self, taken_back: _TakenBack, today: date) -> bool:
        """Of a service that another department owes by now: whether that one has it, or there is nothing to let go."""
        stands, owner = self.stands, self.due[self.stands.service].department
        by_owner = self.case.entitlements.get((stands.service, owner))
        return (
            (by_owner is not None and by_owner.state is EntitlementState.IN_FORCE)
            or (stands.state is EntitlementState.DECLINED and stands.reason != WAIVED)
            or (stands.state is EntitlementState.IN_FORCE and stands.until_on < today)
            or taken_back.never_seen(stands)
            # Nothing is on the way about it any more: whatever becomes of the owner's step, it must not hang for ever.
            or taken_back.must_be_withdrawn(stands)
        )

    def grace_until(self, today: date) -> date | None:
        """The first day without the service when schooling begun runs on (A17), once it was set the day that was set;
        None where nothing runs on, or where another department has it.
        """
        if self.stands.service in {*self.due, *self.case.renewed}:
            return None
        if any(other in self.due for other in self.pack.services[self.stands.service].replaced_by):
            return None
        if self.stands.leaves_on is not None:
            return self.stands.leaves_on
        end = grace_end(self.pack, self.stands.service, min(self.stands.until_on, today - _DAY))
        return end + _DAY if end is not None else None


def _leave(difference: Difference, leaving: _Leaving, taken_back: _TakenBack, today: date) -> None:
    stands = leaving.stands
    if _is_waived(stands) or taken_back.must_be_withdrawn(stands):
        difference.withdraws[stands.department].append(leaving.change())
    elif stands.state is EntitlementState.DECLINED or taken_back.never_seen(stands):
        stands.state = EntitlementState.ENDED
        difference.changed.append(stands)
    elif stands.state is EntitlementState.IN_FORCE:
        leaves_on = leaving.grace_until(today)
        if leaves_on is None or leaves_on <= today:
            difference.withdraws[stands.department].append(leaving.change())
            return
        difference.look_again_on(leaves_on)
        if stands.leaves_on is None:
            stands.leaves_on = leaves_on
            difference.changed.append(stands)
    elif stands.state is EntitlementState.PROVISIONING and stands.step_id in leaving.failed:
        # The department may have taken the message although we never heard so: what it may hold is withdrawn.
        difference.withdraws[stands.department].append(leaving.change())
        if leaving.whole_step_leaves():
            difference.superseded.add(stands.step_id)
    elif stands.state is EntitlementState.PROVISIONING:
        difference.unsettled = True
