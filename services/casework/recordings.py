"""Recording: what came of a delivery, many results in one transaction, with the department's door moved by it."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from models import StepState
from services import tracing
from services.casework.claims import Consignment
from services.casework.outcomes import Answered, apply_settlement, weigh_answers
from services.casework.watch import Watch
from services.database import Transaction
from services.endpoints.health import record_tries
from services.endpoints.registry import close_gone
from services.exchange.breaker import Tries, speaks_of_endpoint
from services.exchange.delivery import AttemptResult
from services.exchange.failures import INTERNAL
from services.exchange.schedule import Verdict, next_attempt, retries
from services.house import House
from services.ledger.cases import wake
from services.ledger.holding import give_back, hold_due
from services.ledger.steps import ClaimedStep, Move, move_steps, record_attempts

USED_UP = "tries-used-up"
REDIRECTED = "redirected"
ENDPOINT_GONE = "endpoint-gone"


@dataclass(slots=True)
class Tally:
    """What came of one delivery: steps by (department, state they are in now)."""

    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)

    @property
    def sent(self) -> int:
        """How many steps were tried."""
        return sum(self.outcomes.values())


class Recording:
    """Writes down what comes of ``consignments``."""

    def __init__(self, house: House, actor: str, consignments: Sequence[Consignment], watch: Watch) -> None:
        self.house, self.actor, self.watch = house, actor, watch
        self.tally = Tally()
        self.clock_utc = house.database.clock.now
        self.consignments = {one.target.department: one for one in consignments}
        self.steps = {step.id: step for one in consignments for step in one.steps.values()}
        # What of the person each message bore, for the access log.
        self.fields = {message.step_id: message.fields for one in consignments for message in one.messages}
        self.unsent = set(self.steps)

    async def flush(self, results: Sequence[AttemptResult]) -> None:
        """Record ``results`` and let their outcomes take effect, as far as the claims still hold."""
        clock = self.house.database.clock
        now, moment = clock.now(), clock.moment()
        answers, moves = self._sort(results, now)
        settlement = weigh_answers(answers, moment)
        moves.extend(settlement.moves)
        by_lease: dict[str, list[Move]] = defaultdict(list)
        for move in moves:
            by_lease[self._consignment(move.step_id).lease].append(move)
        async with self.house.database.write(self.actor) as transaction:
            await record_attempts(transaction, [row for result in results for row in self._attempts(result)])
            moved: set[str] = set()
            for lease, held_under in by_lease.items():
                moved |= await move_steps(transaction, held_under, lease=lease)
            await apply_settlement(transaction, settlement, moved, moment)
            self._note_failures(transaction, moves, moved)
            await self._move_doors(transaction, results, now)
            cases, woken = {self.steps[step].case_number for step in moved}, self.watch.wakes
            if woken:
                await wake(transaction, cases, now)
        if self.watch.wakes and not woken:
            # Whoever waited has gone on meanwhile, and may have looked before this was written.
            async with self.house.database.write(self.actor) as transaction:
                await wake(transaction, cases, now)
        for result in results:
            self.unsent.difference_update(result.step_ids)
        for move in moves:
            if move.step_id in moved:
                step = self.steps[move.step_id]
                tracing.note_case("record", step.case_number, step=step.id, state=move.to.value, reason=move.reason)
                self.tally.outcomes[self.steps[move.step_id].department, move.to.value] += 1

    async def give_back_unsent(self, department: str) -> None:
        """Give back what of one consignment was not sent: its door fell shut, or the claim was running out."""
        one = self.consignments[department]
        left = self.unsent & one.steps.keys()
        if not left:
            return
        async with self.house.database.write(self.actor) as transaction:
            # Should the door be shut, the next claim holds them.
            await give_back(transaction, left, one.lease, self.clock_utc(), held=False)
        self.unsent -= left

    def so_far(self) -> Tally:
        """What came of it until now; what was not answered yet as being sent."""
        outcomes = Counter(self.tally.outcomes)
        outcomes.update((self.steps[step].department, StepState.SENDING.value) for step in self.unsent)
        return Tally(outcomes)

    def _consignment(self, step_id: str) -> Consignment:
        return self.consignments[self.steps[step_id].department]

    async def _move_doors(self, transaction: Transaction, results: Sequence[AttemptResult], now: datetime) -> None:
        """Let the breakers see what came; a 410 closes a door for good (until somebody opens it)."""
        by_department: dict[str, list[AttemptResult]] = defaultdict(list)
        for result in results:
            by_department[self.steps[result.step_ids[0]].department].append(result)
        probes = {code for code in by_department if self.consignments[code].probe}
        doors = await record_tries(
            transaction, {code: _tries(tried) for code, tried in by_department.items()}, probes, now
        )
        gone = {code for code, tried in by_department.items() if any(one.verdict is Verdict.GONE for one in tried)}
        called = [self.consignments[code].target for code in sorted(gone)]
        closed = await close_gone(transaction, self.house.keys, called, ENDPOINT_GONE)
        await hold_due(transaction, doors.shut | closed)
        # What is on its way to an address that is no more stops, also where the department has a new one.
        for department in doors.shut | gone:
            self.consignments[department].passage.gate.shut()

    def _sort(self, results: Sequence[AttemptResult], now: datetime) -> tuple[list[Answered], list[Move]]:
        answers: list[Answered] = []
        moves: list[Move] = []
        for result in results:
            outcomes = {outcome.step: outcome for outcome in result.outcomes}
            for step in (self.steps[identity] for identity in result.step_ids):
                if result.verdict is Verdict.RECEIVED:
                    outcome = outcomes.get(step.id)
                    answers.append(
                        Answered(step.id, step.case_number, step.department, step.kind, step.content, outcome)
                    )
                else:
                    moves.append(_after_failure(step, result, now))
        return answers, moves

    def _attempts(self, result: AttemptResult) -> list[dict[str, Any]]:
        return [
            {
                "step_id": identity,
                "number": self.steps[identity].attempt,
                "started_at": result.started_at,
                "duration_ms": result.duration_ms,
                "status": result.status,
                "error": result.error,
                "problem": result.problem,
                "sent_digest": result.sent_digest,
                "excerpt": result.excerpt,
                "message_id": result.message_id,
                "signature": result.signature,
                "event_digest": digest,
                "position": position,
                "fields": " ".join(self.fields[identity]),
                "answer_digest": result.answer_digest,
            }
            for position, (identity, digest) in enumerate(zip(result.step_ids, result.event_digests, strict=True))
        ]

    def _note_failures(self, transaction: Transaction, moves: Sequence[Move], moved: set[str]) -> None:
        for move in moves:
            if move.to is StepState.FAILED and move.step_id in moved:
                case_number = self.steps[move.step_id].case_number
                transaction.note("steps.failed", case_number, steps={move.step_id: move.reason})


def _tries(results: Sequence[AttemptResult]) -> Tries:
    """What the breaker sees of the requests to one department: not those that failed for a fault of ours."""
    results = [one for one in results if one.error != INTERNAL]
    failed = tuple(speaks_of_endpoint(one.verdict, one.status) for one in results)
    because = next((_cause(one) for one, bad in zip(reversed(results), reversed(failed), strict=True) if bad), None)
    pauses = [one.retry_after for one, bad in zip(results, failed, strict=True) if bad and one.retry_after is not None]
    return Tries(failed, because, max(pauses, default=None))


def _cause(result: AttemptResult) -> str:
    """Why a try failed: a short code that groups like failures."""
    if result.verdict is Verdict.REDIRECTED:
        return REDIRECTED
    return result.error or f"http-{result.status}"


def _after_failure(step: ClaimedStep, result: AttemptResult, now: datetime) -> Move:
    """When to try again, or that no retry can mend it."""
    if result.verdict is Verdict.GONE:
        # Nothing is wrong with the message: it waits until the department has a door again.
        return Move(step.id, StepState.HELD, ENDPOINT_GONE)
    reason = _cause(result)
    if not retries(result.verdict):
        return Move(step.id, StepState.FAILED, reason)
    # Jitter only spreads load over time.
    again = next_attempt(step.attempt, now, random.random(), retry_after=result.retry_after)  # noqa: S311
    if again is None:
        return Move(step.id, StepState.FAILED, f"{USED_UP}:{reason}")
    return Move(step.id, StepState.DUE, reason, again)
