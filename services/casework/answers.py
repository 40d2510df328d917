"""Answers that come by themselves: a department's signed call-back takes effect like an answer given at once.

Accepted is not done: a step that was merely received waits here for its outcome, however late it comes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, and_, select
from sqlalchemy.exc import IntegrityError

from models import Entitlement, EntitlementState, Fact, InboundMessage, Step, StepState
from services.casework.outcomes import Answered, apply_settlement, weigh_answers
from services.database import Transaction, among, is_postgresql, table
from services.endpoints import secrets_of
from services.errors import ConflictError, NotFoundError
from services.evidence.inbound import link_steps, sealed_inbound
from services.exchange.outcomes import Outcome, parse_outcomes
from services.exchange.signatures import ID_HEADER, verify
from services.house import House
from services.ledger.cases import wake
from services.ledger.steps import move_steps
from services.operations.contradictions import keep_contradictions

_STEPS, _INBOUND = table(Step), table(InboundMessage)
_FACTS, _ENTITLEMENTS = table(Fact), table(Entitlement)
_ANSWERABLE = (StepState.DUE, StepState.SENDING, StepState.RECEIVED, StepState.FAILED, StepState.HELD)


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a call-back: steps by what happened to them. ``repeated``: the same message was taken before;
    ``contradicted``: the department said otherwise before, which stands until somebody has looked.
    """

    repeated: bool
    settled: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    contradicted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Inbound:
    """What came in, as it is kept: the id by which it is known again, and the signed headers where there are any."""

    message_id: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


async def take_callback(house: House, department: str, headers: Mapping[str, str], body: bytes) -> Taken:
    """Verify and take in one call-back.

    Errors: SignatureError (401) for a wrong key or an old time-stamp, InputError for a body that cannot be read,
    NotFoundError for a department or a step unknown, ConflictError for a message id used for another body.
    """
    clock = house.database.clock
    async with house.database.read() as connection:
        secrets = await secrets_of(connection, house.keys, department, clock.now())
    message_id = verify(headers, body, secrets, clock.now())
    return await take_outcomes(
        house, department, parse_outcomes(body), Inbound(message_id, headers, body), f"department:{department}"
    )


async def take_outcomes(
    house: House, department: str, outcomes: Sequence[Outcome], inbound: Inbound, actor: str
) -> Taken:
    """Let ``outcomes`` take effect, by whichever door they came: a call-back, an acknowledged poll, or a sheet that the
    officer ``actor`` handed in. Errors as of ``take_callback``, but for the signature, which is the door's matter.
    """
    message_id, headers, body = inbound.message_id, inbound.headers, inbound.body
    for last_try in (False, True):
        try:
            async with house.database.write(actor) as transaction:
                if await _taken_before(house, transaction, department, message_id, headers, body):
                    return Taken(repeated=True)
                taken = await _take(house, transaction, department, outcomes)
                await link_steps(transaction, department, message_id, (outcome.step for outcome in outcomes))
                return taken
        except IntegrityError:
            # The same message came twice in the same moment; now the other one is seen.
            if last_try:
                raise
    raise AssertionError("unreachable")


async def _taken_before(
    house: House, transaction: Transaction, department: str, message_id: str, headers: Mapping[str, str], body: bytes
) -> bool:
    digest = hashlib.sha256(body).hexdigest()
    found = await transaction.connection.execute(
        select(_INBOUND.c.digest).where(and_(_INBOUND.c.department == department, _INBOUND.c.message_id == message_id))
    )
    known = found.scalar_one_or_none()
    if known is not None:
        if known != digest:
            raise ConflictError(
                "this webhook-id was used for another body; give every message its own", place=ID_HEADER
            )
        return True
    row = {
        "department": department,
        "message_id": message_id,
        "digest": digest,
        "received_at": transaction.at,
        "sealed": sealed_inbound(house.keys, department, message_id, headers, body),
    }
    await transaction.insert(InboundMessage, [row])
    return False


async def _take(house: House, transaction: Transaction, department: str, outcomes: Sequence[Outcome]) -> Taken:
    clock = house.database.clock
    now, moment = clock.now(), clock.moment()
    steps = await _steps(transaction, department, [outcome.step for outcome in outcomes])
    for index, outcome in enumerate(outcomes):
        if outcome.step not in steps:
            raise NotFoundError("this department was asked no such step", place=f"outcomes[{index}].step")
    known = await _known(transaction, steps)
    fresh = [one for one in outcomes if steps[one.step].state in _ANSWERABLE]
    settlement = weigh_answers((_answered(steps[one.step], one, known[one.step]) for one in fresh), moment)
    moved = await move_steps(transaction, settlement.moves)
    # An answer to a further part of a step changes facts or services without moving the step.
    partial = {one.step for one in fresh if steps[one.step].state is StepState.RECEIVED}
    await apply_settlement(transaction, settlement, moved | partial, moment)
    contradicted = _contradictions(steps, known, outcomes)
    for step, names in contradicted.items():
        transaction.note("step.contradicted", steps[step].case_number, step=step, names=names)
    await keep_contradictions(transaction, contradicted)
    await wake(transaction, {steps[step].case_number for step in moved | partial}, now)
    rest = {outcome.step for outcome in outcomes} - moved - contradicted.keys()
    return Taken(False, tuple(sorted(moved)), tuple(sorted(rest)), tuple(sorted(contradicted)))


async def _steps(transaction: Transaction, department: str, ids: Sequence[str]) -> dict[str, Row[Any]]:
    mine = and_(among(transaction.connection, _STEPS.c.id, ids), _STEPS.c.department == department)
    query = select(_STEPS).where(mine).order_by(_STEPS.c.id)
    if is_postgresql(transaction.connection):
        query = query.with_for_update()
    return {row.id: row for row in await transaction.connection.execute(query)}


async def _known(transaction: Transaction, steps: Mapping[str, Row[Any]]) -> dict[str, dict[str, str]]:
    """What was answered to each step before: facts and services by name, each with what was said."""
    known: dict[str, dict[str, str]] = {step: {} for step in steps}
    facts = select(_FACTS.c.step_id, _FACTS.c.name, _FACTS.c.value)
    for row in await transaction.connection.execute(
        facts.where(among(transaction.connection, _FACTS.c.step_id, steps))
    ):
        known[row.step_id][row.name] = str(row.value)
    cases = {row.case_number for row in steps.values()}
    services = select(_ENTITLEMENTS.c.step_id, _ENTITLEMENTS.c.service, _ENTITLEMENTS.c.state).where(
        among(transaction.connection, _ENTITLEMENTS.c.case_number, cases),
        among(transaction.connection, _ENTITLEMENTS.c.step_id, steps),
        _ENTITLEMENTS.c.state.not_in((EntitlementState.PROVISIONING, EntitlementState.WITHDRAWING)),
    )
    for row in await transaction.connection.execute(services):
        known[row.step_id][row.service] = row.state.value
    return known


def _answered(step: Row[Any], outcome: Outcome, known: Mapping[str, str]) -> Answered:
    return Answered(step.id, step.case_number, step.department, step.kind, step.content, outcome, frozenset(known))


def _contradictions(
    steps: Mapping[str, Row[Any]], known: Mapping[str, Mapping[str, str]], outcomes: Sequence[Outcome]
) -> dict[str, list[str]]:
    """Names of which a department now says something else than before: nothing is overwritten, somebody is told."""
    found: dict[str, list[str]] = {}
    for outcome in outcomes:
        said = {name: str(value) for name, value in outcome.facts.items()}
        said |= {service: one.state for service, one in outcome.services.items()}
        names = sorted(name for name, value in said.items() if known[outcome.step].get(name, value) != value)
        if names and steps[outcome.step].state is not StepState.SUPERSEDED:
            found[outcome.step] = names
    return found
