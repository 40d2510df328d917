"""Claim, act, record: due steps are claimed in one transaction, sent with none open, recorded in one more.

Each of the three is safe to repeat. A crash between any two costs a resend under the same key, nothing else.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from models import StepState
from services.casework.outcomes import Answered, apply_settlement, weigh_answers
from services.database import Transaction
from services.endpoints import close_endpoint, open_targets
from services.exchange.client import connected, shared_client
from services.exchange.delivery import AttemptResult, Target, deliver
from services.exchange.messages import Message
from services.exchange.orders import read_order
from services.exchange.schedule import Verdict, next_attempt, retries
from services.house import House
from services.ledger.cases import wake
from services.ledger.steps import ClaimedStep, Move, StepClaim, claim_steps, move_steps, record_attempts

_FLUSH_STEPS = 800
_FLUSH_SECONDS = 0.25
USED_UP = "tries-used-up"


@dataclass(slots=True)
class Tally:
    """What came of one delivery: steps by (department, state they are in now)."""

    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)

    @property
    def sent(self) -> int:
        """How many steps were tried."""
        return sum(self.outcomes.values())


async def deliver_steps(
    house: House,
    actor: str,
    *,
    departments: Collection[str] | None = None,
    cases: Collection[str] | None = None,
    limit: int = 4_000,
    wake_cases: bool = True,
) -> Tally:
    """Send the steps whose time has come, of ``departments`` and of ``cases`` only if given.

    ``wake_cases``: tell the dispatcher of every case that got an answer; a flow that goes on by itself does not.
    """
    claim, targets, messages = await _claim(house, actor, departments, cases, limit)
    tally = Tally()
    if claim.steps:
        recording = _Recording(house, actor, claim, wake_cases, tally)
        recording.fields = {one.step_id: one.fields for own in messages.values() for one in own}
        await _act(targets, messages, recording)
    return tally


async def _claim(
    house: House, actor: str, departments: Collection[str] | None, cases: Collection[str] | None, limit: int
) -> tuple[StepClaim, Mapping[str, Target], Mapping[str, list[Message]]]:
    async with house.database.write(actor) as transaction:
        targets = await open_targets(transaction.connection, house.keys, departments, house.database.clock.now())
        claim = await claim_steps(
            transaction,
            house.database.clock.now(),
            departments=targets,
            limit=limit,
            seconds=house.settings.lease_seconds,
            cases=cases,
        )
        numbers = {step.case_number for step in claim.steps}
        applications = await house.caseworker.applications.of_cases(transaction.connection, numbers)
    messages: dict[str, list[Message]] = {}
    for step in claim.steps:
        order = read_order(
            step_id=step.id,
            case_number=step.case_number,
            department=step.department,
            kind=step.kind,
            asked_at=step.created_at,
            answer_by=step.answer_by,
            content=step.content,
        )
        message = house.writer(step.pack).build(order, applications[step.case_number].person_fields())
        messages.setdefault(step.department, []).append(message)
    return claim, targets, messages


async def _act(targets: Mapping[str, Target], messages: Mapping[str, list[Message]], recording: _Recording) -> None:
    """Send to all departments at once; results are recorded as they come, so a slow one holds up no other."""
    client = shared_client()
    results: asyncio.Queue[AttemptResult | None] = asyncio.Queue()

    async def send_to(department: str) -> None:
        try:
            target = targets[department]
            guarded = connected(client, recording.house.guard, target.access)
            stream = deliver(guarded, target, messages[department], recording.clock_utc)
            async with aclosing(stream) as sent:
                async for result in sent:
                    results.put_nowait(result)
        finally:
            results.put_nowait(None)

    async with asyncio.TaskGroup() as group:
        for department in messages:
            group.create_task(send_to(department))
        buffer: list[AttemptResult] = []
        running, waiting = len(messages), 0
        loop = asyncio.get_running_loop()
        flush_at = loop.time() + _FLUSH_SECONDS
        while running:
            try:
                async with asyncio.timeout_at(flush_at if buffer else None):
                    result = await results.get()
            except TimeoutError:
                result, waiting = None, _FLUSH_STEPS
            else:
                if result is None:
                    running -= 1
                else:
                    if not buffer:
                        flush_at = loop.time() + _FLUSH_SECONDS
                    buffer.append(result)
                    waiting += len(result.step_ids)
            if buffer and (waiting >= _FLUSH_STEPS or not running):
                await recording.flush(buffer)
                buffer, waiting = [], 0


class _Recording:
    """Writes down what came of a claim, many results in one transaction."""

    def __init__(self, house: House, actor: str, claim: StepClaim, wake_cases: bool, tally: Tally) -> None:
        self.house, self.actor, self.lease, self.wake_cases, self.tally = house, actor, claim.lease, wake_cases, tally
        self.steps = {step.id: step for step in claim.steps}
        # What of the person each message bore, for the access log.
        self.fields: dict[str, tuple[str, ...]] = {}
        self.clock_utc = house.database.clock.now

    async def flush(self, results: Sequence[AttemptResult]) -> None:
        """Record ``results`` and let their outcomes take effect, if the claim still holds."""
        clock = self.house.database.clock
        now, moment = clock.now(), clock.moment()
        answers, moves = self._sort(results, now)
        settlement = weigh_answers(answers, moment)
        moves.extend(settlement.moves)
        async with self.house.database.write(self.actor) as transaction:
            await record_attempts(transaction, [row for result in results for row in self._attempts(result)])
            moved = await move_steps(transaction, moves, now, lease=self.lease)
            await apply_settlement(transaction, settlement, moved, moment)
            await self._note_failures(transaction, moves, moved)
            for result in results:
                if result.verdict is Verdict.GONE:
                    department = self.steps[result.step_ids[0]].department
                    await close_endpoint(transaction, department, "the endpoint answered 410")
            if self.wake_cases:
                await wake(transaction, {self.steps[step].case_number for step in moved}, now)
        for move in moves:
            if move.step_id in moved:
                self.tally.outcomes[self.steps[move.step_id].department, move.to.value] += 1

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

    async def _note_failures(self, transaction: Transaction, moves: Sequence[Move], moved: set[str]) -> None:
        for move in moves:
            if move.to is StepState.FAILED and move.step_id in moved:
                case_number = self.steps[move.step_id].case_number
                transaction.note("steps.failed", case_number, steps={move.step_id: move.reason})


def _after_failure(step: ClaimedStep, result: AttemptResult, now: datetime) -> Move:
    """When to try again, or that no retry can mend it. ``reason`` is a short code that groups like failures."""
    reason = result.error or f"http-{result.status}"
    if not retries(result.verdict):
        return Move(step.id, StepState.FAILED, reason)
    # Jitter only spreads load over time.
    again = next_attempt(step.attempt, now, random.random(), retry_after=result.retry_after)  # noqa: S311
    if again is None:
        return Move(step.id, StepState.FAILED, f"{USED_UP}:{reason}")
    return Move(step.id, StepState.DUE, reason, again)
