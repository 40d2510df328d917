"""Advancing cases: plan each of a batch, and write all that the plans say in one transaction.

Safe to repeat: a case that was advanced already has nothing left to change.
"""

from __future__ import annotations

import hashlib
import zlib
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import Executable, Row, bindparam, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine.interfaces import Dialect

from models import Case, CaseState, Decision, Entitlement, Permit, PermitState, Step, StepState
from models.states import CASE_MOVES
from services import tracing
from services.bulk import Many
from services.casework.plan import Plan, end_reason, permit_term, plan_case
from services.casework.splitting import split_planned
from services.casework.standing import LOOK_AGAIN, Applications, Standing, load_standing
from services.database import Database, Transaction, table
from services.errors import ConflictError, UnavailableError
from services.ledger.steps import Move, move_steps
from services.policy.answer import Decision as Answer
from services.policy.pack import Pack
from services.policy.registry import Version
from services.revisions.rulebook import Rulebook
from services.sealing import KeyRing
from services.supervision.terms import Terms, load_terms

_LOOKS = 5


@dataclass(slots=True)
class Progress:
    """What one pass over a batch came to: ``cases`` by the state they are in now, ``steps`` planned by department."""

    cases: Counter[str] = field(default_factory=Counter)
    steps: Counter[str] = field(default_factory=Counter)
    issued: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Caseworker:
    """What advancing needs at hand: the keys, the rules, and the opened applications of the cases in hand."""

    keys: KeyRing
    rules: Rulebook
    applications: Applications

    def pack(self, code: str | None, day: date = date.max) -> Pack | None:
        """What governs a case on ``day``: the pack of its day of receipt (A16), as it was amended up to ``day``; or up
        to the last amendment, for what is dated in the pack itself (names, limits).
        """
        return self.rules.registry.on(code, day) if code is not None else None

    def coming(self, code: str | None, day: date) -> tuple[Version, ...]:
        """How that pack will change after ``day``."""
        return self.rules.registry.coming(code, day) if code is not None else ()


async def advance(
    database: Database, worker: Caseworker, numbers: Collection[str], actor: str, *, lease_seconds: float = 0.0
) -> Progress:
    """Take every case of ``numbers`` as far as it goes without an answer from outside.

    For ``lease_seconds`` only the caller, who holds the cases, sends the steps planned here.
    """
    for _ in range(_LOOKS):
        try:
            with tracing.span("advance", cases=tuple(numbers)):
                return await _advance(database, worker, numbers, actor, lease_seconds)
        except _OvertakenError:
            # A step that was to be taken back went out, or was answered, between reading and writing: look again.
            continue
    raise UnavailableError("steps of these cases change faster than they can be planned; try again")


class _OvertakenError(Exception):
    """What was read does not stand any more."""


async def _advance(
    database: Database, worker: Caseworker, numbers: Collection[str], actor: str, lease_seconds: float
) -> Progress:
    clock = database.clock
    today, moment, now = clock.today(), clock.moment(), clock.now()
    progress = Progress()
    async with database.write(actor) as transaction:
        await worker.rules.refresh(transaction.connection)
        standing = await load_standing(transaction.connection, numbers, worker.applications)
        plans = [
            plan_case(one, worker.pack(one.case.pack, today), today, worker.coming(one.case.pack, today))
            for one in standing.values()
        ]
        terms = await load_terms(transaction.connection, clock)
        first_right_until = now + timedelta(seconds=lease_seconds)
        writing = _Writing(transaction, worker, standing, terms, moment, first_right_until)
        for plan in plans:
            writing.take(plan)
            progress.cases[(plan.states[-1] if plan.states else standing[plan.number].state).value] += 1
            progress.steps.update(step.department for step in plan.steps)
            if plan.issued is not None:
                progress.issued[str(plan.issued.term_years)] += 1
        await writing.flush()
    if tracing.enabled():
        for plan in plans:
            states = [state.value for state in plan.states]
            if states or plan.steps:
                steps = [step.id for step in plan.steps]
                tracing.note_case("advance", plan.number, states=states or None, steps=steps or None)
    return progress


class _Writing:
    """Rows of many plans, gathered by table and written in bulk."""

    def __init__(
        self,
        transaction: Transaction,
        worker: Caseworker,
        standing: Mapping[str, Standing],
        terms: Terms,
        moment: datetime,
        first_right_until: datetime,
    ) -> None:
        self.transaction, self.worker, self.standing = transaction, worker, standing
        self.terms, self.today, self.moment, self.first_right_until = terms, terms.today, moment, first_right_until
        self.cases: list[dict[str, Any]] = []
        self.permits: list[dict[str, Any]] = []
        self.ended: list[str] = []
        self.reinstated: list[str] = []
        self.decisions: list[dict[str, Any]] = []
        self.entitlements: list[dict[str, Any]] = []
        self.steps: list[dict[str, Any]] = []
        self.moves: list[Move] = []

    def take(self, plan: Plan) -> None:
        """Turn one plan into rows and notes. ConflictError for a move that the table of states forbids."""
        standing = self.standing[plan.number]
        case = standing.case
        weighed = standing.fact_count if plan.weighed else LOOK_AGAIN if plan.unsettled else case.weighed
        waits_anew = plan.weighed or weighed != case.weighed or plan.review_on != case.review_on
        if not (plan.states or plan.steps or plan.entitlements or plan.superseded or waits_anew):
            return
        state = standing.state
        for target in plan.states:
            if target not in CASE_MOVES[state]:
                raise ConflictError(f"a case cannot move from {state} to {target}", place=plan.number)
            state = target
        decision = case.decisions
        if plan.decision is not None and plan.effective:
            decision += 1
            self._keep_decision(plan.decision, standing, decision)
        self.cases.append(
            {
                "key": plan.number,
                "state": state,
                "is_open": case.is_open and state not in {CaseState.CLOSED, CaseState.REFUSED, CaseState.WITHDRAWN},
                "round": case.round + bool(plan.steps),
                "decisions": decision,
                "weighed": weighed,
                "review_on": plan.review_on,
                "decided_at": self.moment if CaseState.DECIDED in plan.states else case.decided_at,
                "closed_at": self.moment if state in {CaseState.CLOSED, CaseState.REFUSED} else None,
                **self._clocks(plan, case),
            }
        )
        self._permit(plan, standing)
        self._steps(plan, decision, self.worker.pack(case.pack, self.today), case.district)
        self.entitlements.extend(
            {
                "case_number": plan.number,
                "service": one.service,
                "department": one.department,
                "state": one.state,
                "from_on": one.from_on,
                "until_on": one.until_on,
                "leaves_on": one.leaves_on,
                "step_id": one.step_id,
                "changed_at": self.moment,
            }
            for one in plan.entitlements
        )
        self.moves.extend(Move(step, StepState.SUPERSEDED, "no-longer-due") for step in plan.superseded)
        self._note(plan)

    def _clocks(self, plan: Plan, case: Row[Any]) -> dict[str, Any]:
        """The case's own clocks, which run from its acceptance to the decision."""
        if CaseState.DECIDED in plan.states:
            return {**_kept_clocks(case), "look_on": None}
        if CaseState.ACCEPTED not in plan.states:
            return _kept_clocks(case)
        return self.terms.case_clocks(self.worker.pack(case.pack), case.received_on, self.moment)

    def _keep_decision(self, answer: Answer, standing: Standing, sequence: int) -> None:
        pack = self.worker.pack(standing.case.pack, self.today)
        asked = standing.application.to_question(self.today, standing.facts, _held(standing))
        kept = orjson.dumps({"question": asked, "answer": answer.to_json()}, option=orjson.OPT_SORT_KEYS)
        sealed = self.worker.keys.seal(zlib.compress(kept, 1), f"decision:{standing.case.number}:{sequence}")
        self.decisions.append(
            {
                "case_number": standing.case.number,
                "sequence": sequence,
                "on": self.today,
                "pack": pack.name if pack else None,
                "pack_digest": pack.digest if pack else None,
                "outcome": answer.permit.outcome,
                "term_years": answer.permit.term_years,
                "because": list(answer.permit.because),
                "digest": hashlib.sha256(kept).hexdigest(),
                "sealed": sealed,
                "decided_at": self.moment,
            }
        )

    def _permit(self, plan: Plan, standing: Standing) -> None:
        if plan.ended:
            self.ended.append(plan.number)
        if plan.reinstated:
            self.reinstated.append(plan.number)
        if plan.issued is None or plan.decision is None:
            return
        self.permits.append(
            {
                "case_number": plan.number,
                "state": PermitState.IN_FORCE,
                "district": standing.case.district,
                "term_years": plan.issued.term_years,
                "valid_from": plan.issued.valid_from,
                "valid_until": plan.issued.valid_until,
                "grounds": list(plan.decision.permit.grounds),
                "issued_at": self.moment,
            }
        )

    def _steps(self, plan: Plan, decision: int, pack: Pack | None, district: str) -> None:
        if not plan.steps or pack is None:
            return
        self.steps.extend(
            {
                "id": step.id,
                "case_number": plan.number,
                "department": step.department,
                "district": district,
                "kind": step.kind,
                "state": StepState.DUE,
                "content": step.content,
                "pack": pack.name,
                "decision": decision or None,
                "created_at": self.moment,
                **self.terms.step_clock(pack, step.department),
                "next_attempt_at": self.first_right_until,
                "attempts": 0,
            }
            for step in plan.steps
        )

    def _note(self, plan: Plan) -> None:
        note, number = self.transaction.note, plan.number
        answer = plan.decision.permit if plan.decision is not None else None
        if CaseState.REFUSED in plan.states and answer is not None:
            note("case.refused", number, because=list(answer.because))
        elif plan.issued is not None and answer is not None:
            note(
                "permit.issued",
                number,
                term_years=plan.issued.term_years,
                valid_from=plan.issued.valid_from.isoformat(),
                valid_until=plan.issued.valid_until.isoformat(),
                grounds=list(answer.grounds),
                because=list(answer.because),
            )
        elif plan.ended:
            note("permit.ended", number, reason=end_reason(self.standing[number]))
        elif plan.reinstated:
            note("permit.reinstated", number)
        if plan.steps:
            note("steps.planned", number, steps={step.id: _summary(step.content) for step in plan.steps})
        if plan.superseded:
            note("steps.superseded", number, steps=list(plan.superseded), reason="no-longer-due")
        if plan.states and plan.states[-1] is not CaseState.REFUSED:
            note("case.moved", number, to=plan.states[-1].value)

    async def flush(self) -> None:
        """Write everything that was taken."""
        transaction = self.transaction
        await transaction.insert(Permit, self.permits)
        await transaction.insert(Decision, self.decisions)
        await transaction.insert(Step, self.steps)
        await _ENTITLEMENTS_WRITTEN.run(transaction.connection, self.entitlements)
        moved = await move_steps(transaction, self.moves, waiting=True)
        if len(moved) < len({move.step_id for move in self.moves}):
            raise _OvertakenError
        for numbers, state, at in (
            (self.ended, PermitState.ENDED, self.moment),
            (self.reinstated, PermitState.IN_FORCE, None),
        ):
            if numbers:
                permits = table(Permit)
                await transaction.connection.execute(
                    update(permits).where(permits.c.case_number.in_(numbers)).values(state=state, ended_at=at)
                )
        if self.cases:
            await _CASES_CHANGED.run(transaction.connection, self.cases)
        if self.steps:
            departments = {step["department"] for step in self.steps}
            await split_planned(transaction, departments, {step["case_number"] for step in self.steps})


def _kept_clocks(case: Row[Any]) -> dict[str, Any]:
    return {name: getattr(case, name) for name in _CLOCKS}


def _held(standing: Standing) -> dict[str, Any] | None:
    """The permit as the contract writes it in a question."""
    held = standing.good
    return None if held is None else permit_term(held)


def _summary(content: Mapping[str, Any]) -> dict[str, Any]:
    """What a step asks, short enough for the log: facts by name, services by id."""
    if "facts" in content:
        return {"facts": list(content["facts"])}
    return {key: [one["service"] for one in content[key]] for key in ("open", "withdraw") if key in content}


_CLOCKS = ("accepted_at", "promised_by", "statutory_by", "look_on")
_CHANGED = ("state", "is_open", "round", "decisions", "weighed", "review_on", "decided_at", "closed_at", *_CLOCKS)
_PLACE = ("case_number", "service", "department")
_WRITTEN = ("state", "from_on", "until_on", "leaves_on", "step_id", "changed_at")


def _change_case(dialect: Dialect) -> Executable:
    del dialect
    cases = table(Case)
    return update(cases).where(cases.c.number == bindparam("key")).values({name: bindparam(name) for name in _CHANGED})


def _write_over(dialect: Dialect) -> Executable:
    insert = postgresql.insert if dialect.name == "postgresql" else sqlite.insert
    statement = insert(table(Entitlement))
    changed: dict[str, Any] = {name: statement.excluded[name] for name in _WRITTEN}
    return statement.on_conflict_do_update(index_elements=list(_PLACE), set_=changed)


_CASES_CHANGED = Many(_change_case, ("key", *_CHANGED))
_ENTITLEMENTS_WRITTEN = Many(_write_over, (*_PLACE, *_WRITTEN), table(Entitlement))
