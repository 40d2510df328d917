"""What departments answered takes effect: facts are added, entitlements move, steps settle.

The same code serves an answer that came in the body of a response and one that came later by call-back.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, bindparam, case, or_, update

from models import Entitlement, EntitlementState, Fact, Step, StepKind, StepState
from services.clock import china_day
from services.database import Transaction, among, table
from services.exchange.outcomes import Declined, Outcome, ServiceOutcome
from services.ledger.steps import UNEXPLAINED, Move

_ENTITLEMENTS, _STEPS = table(Entitlement), table(Step)
_REFUSALS = (EntitlementState.DECLINED, EntitlementState.WITHDRAWING)
_OTHER = "other"
_UNDER_WAY = (EntitlementState.PROVISIONING, EntitlementState.WITHDRAWING)


@dataclass(frozen=True, slots=True)
class Answered:
    """A step and what its department said of it; ``content`` is what was asked (``models.Step``).

    ``known``: the facts or services of the step that were answered before.
    """

    id: str
    case_number: str
    department: str
    kind: StepKind
    content: Mapping[str, Any]
    outcome: Outcome | None
    known: frozenset[str] = frozenset()


@dataclass(slots=True)
class Settlement:
    """What a set of answers amounts to: facts to add, entitlements to move, and where each step goes.

    ``opened`` are steps confirmed whole and plainly; ``cases`` says to which case each step belongs.
    """

    cases: dict[str, str] = field(default_factory=dict)
    facts: list[dict[str, Any]] = field(default_factory=list)
    opened: list[Answered] = field(default_factory=list)
    services: list[dict[str, Any]] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)


def weigh_answers(answers: Iterable[Answered], moment: datetime) -> Settlement:
    """Work out, without touching anything, what ``answers`` amount to.

    An answer to only a part of what was asked leaves the step ``received``: the rest comes later, or is chased.
    """
    settlement = Settlement()
    for answered in answers:
        settlement.cases[answered.id] = answered.case_number
        if answered.kind is StepKind.VERIFICATION:
            _weigh_facts(settlement, answered, moment)
        elif answered.kind is StepKind.ENTITLEMENTS:
            _weigh_services(settlement, answered)
        else:
            # A register takes note; there is nothing to grant, so received is done.
            settlement.moves.append(Move(answered.id, StepState.DONE))
    return settlement


def _weigh_facts(settlement: Settlement, answered: Answered, moment: datetime) -> None:
    outcome, asked = answered.outcome, answered.content["facts"]
    told = {name: value for name, value in outcome.facts.items() if name in asked} if outcome else {}
    settlement.facts.extend(
        {
            "case_number": answered.case_number,
            "name": name,
            "value": value,
            "department": answered.department,
            "step_id": answered.id,
            "authority": outcome.authority if outcome else None,
            "confirmed_at": moment,
        }
        for name, value in told.items()
    )
    if answered.known.union(told).issuperset(asked):
        settlement.moves.append(Move(answered.id, StepState.DONE))
    elif outcome is not None and outcome.declined is not None:
        settlement.moves.append(Move(answered.id, StepState.DECLINED, _why(outcome.declined)))
    else:
        settlement.moves.append(Move(answered.id, StepState.RECEIVED))


def _weigh_services(settlement: Settlement, answered: Answered) -> None:
    outcome = answered.outcome
    opens = {one["service"]: date.fromisoformat(one["from"]) for one in answered.content.get("open", ())}
    asked = [*opens, *(one["service"] for one in answered.content.get("withdraw", ()))]
    told: dict[str, tuple[EntitlementState, date | None, str | None]] = {}
    if outcome is not None and outcome.declined is not None:
        told = {service: (_refused(service in opens), None, _why(outcome.declined)) for service in asked}
    for service, said in (outcome.services if outcome else {}).items():
        if service in asked:
            told[service] = _told(said, opening=service in opens)
    plain = all(
        state is (EntitlementState.IN_FORCE if service in opens else EntitlementState.ENDED)
        and on in (None, opens.get(service))
        for service, (state, on, _) in told.items()
    )
    complete = answered.known.union(told).issuperset(asked)
    if len(told) == len(asked) and plain:
        settlement.opened.append(answered)
    else:
        settlement.services.extend(
            {
                "case": answered.case_number,
                "name": service,
                "step": answered.id,
                "state": state,
                "reason": reason,
                "in_force_from": on,
            }
            for service, (state, on, reason) in told.items()
        )
    if not complete:
        settlement.moves.append(Move(answered.id, StepState.RECEIVED))
        return
    refusals = {service: reason for service, (state, _, reason) in told.items() if state in _REFUSALS}
    # A withdrawal that is refused leaves somebody with what is not due: its step must not pass for done.
    if refusals and (len(refusals) == len(told) or not refusals.keys() <= opens.keys()):
        settlement.moves.append(Move(answered.id, StepState.DECLINED, next(iter(refusals.values()))))
    else:
        settlement.moves.append(Move(answered.id, StepState.DONE))


def _refused(opening: bool) -> EntitlementState:
    """Where a service stands that was not opened, or not withdrawn: the latter stays where it is, for a person to see
    to. Nothing is asked again by itself, or a department that always says no would be asked for ever.
    """
    return EntitlementState.DECLINED if opening else EntitlementState.WITHDRAWING


def _told(said: ServiceOutcome, *, opening: bool) -> tuple[EntitlementState, date | None, str | None]:
    """State, first day and reason that an answer about one service comes to; the opposite of what was asked refuses."""
    asked_for = EntitlementState.IN_FORCE if opening else EntitlementState.ENDED
    if said.state == asked_for:
        return asked_for, said.from_on, said.reason
    return _refused(opening), None, _why(said)


def _why(said: Declined | ServiceOutcome) -> str:
    """The reason of a refusal. ``other`` without a word, or the opposite of what was asked, gives none."""
    return UNEXPLAINED if said.reason in (None, _OTHER) and not said.note else said.reason or _OTHER


async def apply_settlement(transaction: Transaction, settlement: Settlement, moved: set[str], moment: datetime) -> None:
    """Let the settlement of the steps in ``moved`` take effect; the others changed hands meanwhile."""
    await transaction.insert_new(
        Fact, [fact for fact in settlement.facts if fact["step_id"] in moved], "step_id", "name"
    )
    await _confirm_whole(transaction, [one for one in settlement.opened if one.id in moved], moment)
    singles = [one | {"at": moment} for one in settlement.services if one["step"] in moved]
    if singles:
        await transaction.connection.execute(
            update(_ENTITLEMENTS)
            .where(
                and_(
                    _ENTITLEMENTS.c.case_number == bindparam("case"),
                    _ENTITLEMENTS.c.service == bindparam("name"),
                    _ENTITLEMENTS.c.step_id == bindparam("step"),
                    or_(*(_ENTITLEMENTS.c.state == state for state in _UNDER_WAY)),
                )
            )
            .values(
                state=bindparam("state"),
                reason=bindparam("reason"),
                in_force_from=bindparam("in_force_from"),
                changed_at=bindparam("at"),
            ),
            singles,
        )
        await _mark_unexplained(transaction, {one["step"] for one in singles if one["reason"] == UNEXPLAINED}, moment)
    _note(transaction, settlement, moved)


async def _mark_unexplained(transaction: Transaction, steps: set[str], moment: datetime) -> None:
    """Have supervision look at steps of which a service was refused without a reason."""
    if steps:
        mine = among(transaction.connection, _STEPS.c.id, steps)
        await transaction.connection.execute(update(_STEPS).where(mine).values(look_on=china_day(moment)))


async def _confirm_whole(transaction: Transaction, answers: Sequence[Answered], moment: datetime) -> None:
    """Steps all of whose services were confirmed as asked: one statement for all of them."""
    if not answers:
        return
    opening = _ENTITLEMENTS.c.state == EntitlementState.PROVISIONING
    await transaction.connection.execute(
        update(_ENTITLEMENTS)
        .where(
            and_(
                among(transaction.connection, _ENTITLEMENTS.c.case_number, {one.case_number for one in answers}),
                among(transaction.connection, _ENTITLEMENTS.c.step_id, {one.id for one in answers}),
                _ENTITLEMENTS.c.state.in_(_UNDER_WAY),
            )
        )
        .values(
            state=case((opening, EntitlementState.IN_FORCE), else_=EntitlementState.ENDED),
            in_force_from=case((opening, _ENTITLEMENTS.c.from_on), else_=_ENTITLEMENTS.c.in_force_from),
            reason=None,
            changed_at=moment,
        )
    )


def _note(transaction: Transaction, settlement: Settlement, moved: set[str]) -> None:
    """One entry a step that settled: which facts were told, which services were opened, ended or declined."""
    facts: dict[str, dict[str, bool]] = defaultdict(dict)
    for fact in settlement.facts:
        facts[fact["step_id"]][fact["name"]] = fact["value"]
    services: dict[str, dict[str, str]] = defaultdict(dict)
    for one in settlement.services:
        services[one["step"]][one["name"]] = one["reason"] or one["state"].value
    by_case: dict[str, dict[str, Any]] = defaultdict(dict)
    for move in settlement.moves:
        if move.step_id in moved:
            told: dict[str, Any] = {"to": move.to.value}
            if move.reason:
                told["reason"] = move.reason
            if move.step_id in facts:
                told["facts"] = facts[move.step_id]
            if move.step_id in services:
                told["services"] = services[move.step_id]
            by_case[settlement.cases[move.step_id]][move.step_id] = told
    for number, steps in by_case.items():
        transaction.note("steps.answered", number, steps=steps)
