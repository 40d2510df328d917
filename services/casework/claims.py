"""Claiming: what is to be sent now, chosen and checked in one transaction, with its messages written.

Doors come first: what is due at a shut door is held, what was held at one that opened is released bit by bit, and a
door that may be tried gets a single step. Then each step is checked against what stands (``rechecks``).
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Collection, Mapping, Set
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row

from models import StepState
from services.casework.rechecks import recheck
from services.casework.splitting import split_standing, takes_part
from services.database import Transaction
from services.endpoints.doors import Doors, read_doors
from services.endpoints.health import begin_probe, give_up_probe, reserve_slots
from services.endpoints.registry import close_endpoint
from services.errors import LianbanError
from services.exchange.delivery import Target
from services.exchange.messages import Message
from services.exchange.orders import read_order
from services.exchange.passage import Passage
from services.house import House
from services.intake.application import Application
from services.ledger.cases import wake
from services.ledger.holding import departments_due, give_back, hold_due, release_held
from services.ledger.steps import ClaimedStep, Move, claim_steps, move_steps

_AGAIN = timedelta(seconds=5)
# How far ahead slots of a rate are reserved: a claim that dies takes no more of them with it.
_RESERVED_SECONDS = 10.0
_PROBE_SECONDS = 60.0
_UNBOUNDED = 1_000_000
UNWRITABLE = "message-not-written"
UNREADABLE = "credentials-unreadable"


@dataclass(slots=True)
class Consignment:
    """Steps claimed for one department under ``lease``, with their messages, and its way there."""

    target: Target
    lease: str
    passage: Passage
    probe: bool
    steps: dict[str, ClaimedStep] = field(default_factory=dict)
    messages: list[Message] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a delivery asks for: of ``departments`` and of ``cases`` only if given; at most ``limit`` a department."""

    departments: Collection[str] | None = None
    cases: Collection[str] | None = None
    limit: int = 1_000


async def claim_consignments(house: House, actor: str, wanted: Wanted, busy: Collection[str]) -> list[Consignment]:
    """Claim for every department at which steps are due; departments in ``busy`` are passed over."""
    clock = house.database.clock
    async with house.database.write(actor) as transaction:
        now = clock.now()
        await house.rules.refresh(transaction.connection)
        doors = await read_doors(transaction.connection, now, wanted.departments)
        targets = doors.targets(house.keys, now)
        doors = await _without_unreadable(transaction, doors, targets.keys())
        await _tend(transaction, doors, wanted, now, frozenset(busy))
        claimed: list[Consignment] = []
        for group in _groups(doors, await _due(transaction, doors, wanted, now, busy), wanted):
            claimed += await _claim(house, transaction, doors, [targets[code] for code in group], wanted, now)
        mixed = await _check(house, transaction, doors, claimed, now)
        applications = await _applications(house, transaction, claimed)
    for department in sorted(mixed):
        # Planned by somebody who read the filter before it was changed. Trouble with one stops no other's messages.
        with suppress(LianbanError):
            await split_standing(house.database, department, actor)
    # With no transaction open: of a large batch it takes a second, in which others write.
    failed = _write(house, claimed, applications)
    if failed:
        async with house.database.write(actor) as transaction:
            await _fail(transaction, claimed, failed, now)
    return [one for one in claimed if one.messages]


async def _without_unreadable(transaction: Transaction, doors: Doors, readable: Set[str]) -> Doors:
    """Close the endpoints whose credentials do not open; their steps wait for new ones and stop no other's."""
    unreadable = frozenset((doors.open | doors.probes) - readable)
    for department in sorted(unreadable):
        await close_endpoint(transaction, department, UNREADABLE)
    return doors.without(unreadable)


async def _tend(transaction: Transaction, doors: Doors, wanted: Wanted, now: datetime, busy: frozenset[str]) -> None:
    """Hold what is due at doors that are shut; release what is held at doors that opened."""
    await hold_due(transaction, doors.shut - doors.probes, wanted.cases)
    if wanted.cases is not None:
        return
    for department in sorted((doors.open | doors.fetching) - busy):
        row = doors.rows[department]
        count = await release_held(transaction, department, now, row.drain_per_second)
        if count:
            transaction.note("steps.released", department, count=count)


async def _due(
    transaction: Transaction, doors: Doors, wanted: Wanted, now: datetime, busy: Collection[str]
) -> list[str]:
    if wanted.cases is not None:
        # A batch sends what it planned, to doors that are open; a probe is one step, not a batch's share.
        await hold_due(transaction, doors.probes, wanted.cases)
        return sorted(doors.open)
    free = (doors.open | doors.probes) - set(busy)
    for department in sorted(doors.probes & free):
        await hold_due(transaction, {department})
        if not await begin_probe(transaction, department, now, _PROBE_SECONDS):
            free -= {department}
        elif not await release_held(transaction, department, now, 1.0, limit=1):
            await give_up_probe(transaction, department, now)
            free -= {department}
    return sorted(await departments_due(transaction.connection, free, now))


def _groups(doors: Doors, departments: list[str], wanted: Wanted) -> list[list[str]]:
    """Departments that are claimed for in one statement. Retries are claimed for each alone, so that the pile of one
    takes no place from the others; a batch's own steps together, unless a rate bounds how many may go.
    """
    if wanted.cases is None:
        return [[code] for code in departments]
    together = [code for code in departments if not doors.rows[code].rate_per_second]
    return [*([together] if together else []), *([code] for code in departments if code not in together)]


async def _claim(
    house: House, transaction: Transaction, doors: Doors, targets: list[Target], wanted: Wanted, now: datetime
) -> list[Consignment]:
    """Claim for ``targets`` at once: a single one, or several of which none has a rate."""
    first_target, seconds = targets[0], house.settings.lease_seconds
    row, limit, probe = doors.rows[first_target.department], wanted.limit * len(targets), False
    if len(targets) == 1:
        probe = first_target.department in doors.probes
        limit = 1 if probe else min(limit, _slots_left(row, now) * first_target.batch_size)
    if limit <= 0:
        return []
    departments = [target.department for target in targets]
    claim = await claim_steps(
        transaction, now, departments=departments, limit=limit, seconds=seconds, cases=wanted.cases
    )
    shares: dict[str, dict[str, ClaimedStep]] = {}
    for step in claim.steps:
        shares.setdefault(step.department, {})[step.id] = step
    loop_now = asyncio.get_running_loop().time()
    slot, interval = now, 0.0
    if row.rate_per_second and claim.steps and not probe:
        requests = math.ceil(len(claim.steps) / first_target.batch_size)
        slot, interval = await reserve_slots(transaction, row, requests, now), 1.0 / row.rate_per_second
    consignments = []
    for target in targets:
        if target.department in shares:
            # An answer after the lease has run out could not be recorded any more.
            until = loop_now + max(seconds - target.timeout, seconds / 2)
            gate = house.gates.of(target.department, target.concurrency)
            passage = Passage(gate, until, loop_now + (slot - now).total_seconds(), interval)
            consignments.append(Consignment(target, claim.lease, passage, probe, shares[target.department]))
    return consignments


def _slots_left(row: Row[Any], now: datetime) -> int:
    """How many requests the endpoint's rate still allows to be reserved ahead."""
    if not row.rate_per_second:
        return _UNBOUNDED
    ahead = max(0.0, ((row.rate_until or now) - now).total_seconds())
    return max(0, math.floor((_RESERVED_SECONDS - ahead) * float(row.rate_per_second) + 1))


async def _check(
    house: House, transaction: Transaction, doors: Doors, claimed: Collection[Consignment], now: datetime
) -> set[str]:
    """Take out of each consignment what is no longer right, what must wait, and what the endpoint does not take; the
    departments of which the endpoint takes a part of that.
    """
    mixed: set[str] = set()
    steps = [step for one in claimed for step in one.steps.values()]
    found = await recheck(transaction.connection, steps, house.database.clock.today())
    moves = [Move(step, StepState.SUPERSEDED, reason) for step, reason in found.wrong.items()]
    for one in claimed:
        early = found.early & one.steps.keys()
        filtered = {
            step.id
            for step in one.steps.values()
            if step.id not in found.wrong and not doors.takes(step.department, step.district, step.content)
        }
        row = doors.rows[one.target.department]
        if any(takes_part(row, one.steps[step].district, one.steps[step].content) for step in filtered):
            mixed.add(one.target.department)
        wrong = found.wrong.keys() & one.steps.keys()
        await give_back(transaction, early, one.lease, now + _AGAIN, held=False)
        await give_back(transaction, filtered, one.lease, None, held=False)
        # The try that is not made is not counted: what nobody has seen need not be withdrawn.
        await give_back(transaction, wrong, one.lease, now, held=False)
        for gone in early | filtered | wrong:
            case_number = one.steps.pop(gone).case_number
            if gone in found.wrong:
                transaction.note("steps.superseded", case_number, steps=[gone], reason=found.wrong[gone])
        if one.probe and not one.steps:
            await give_up_probe(transaction, one.target.department, now)
    numbers = {step.case_number for step in steps if step.id in found.wrong}
    await move_steps(transaction, moves)
    await wake(transaction, numbers, now)
    return mixed


async def _applications(
    house: House, transaction: Transaction, claimed: Collection[Consignment]
) -> dict[str, Application]:
    """The applications of the cases in hand; one that does not open stops only its own steps."""
    numbers = {step.case_number for one in claimed for step in one.steps.values()}
    read = house.caseworker.applications.of_cases
    try:
        return await read(transaction.connection, numbers)
    except LianbanError:
        opened: dict[str, Application] = {}
        for number in sorted(numbers):
            try:
                opened |= await read(transaction.connection, (number,))
            except LianbanError:
                continue
        return opened


def _write(
    house: House, claimed: Collection[Consignment], applications: Mapping[str, Application]
) -> dict[str, ClaimedStep]:
    """Write the messages. A step of which none can be written stops no other: it is taken out and given back here."""
    failed: dict[str, ClaimedStep] = {}
    people: dict[str, dict[str, Any]] = {}
    for one in claimed:
        for step in tuple(one.steps.values()):
            order = read_order(
                step_id=step.id,
                case_number=step.case_number,
                department=step.department,
                kind=step.kind,
                asked_at=step.created_at,
                answer_by=step.answer_by,
                content=step.content,
            )
            try:
                person = people.get(step.case_number)
                if person is None:
                    person = people[step.case_number] = applications[step.case_number].person_fields()
                one.messages.append(house.writer(step.pack).build(order, person))
            except (LianbanError, KeyError):
                failed[step.id] = one.steps.pop(step.id)
    return failed


async def _fail(
    transaction: Transaction, claimed: Collection[Consignment], failed: Mapping[str, ClaimedStep], now: datetime
) -> None:
    await move_steps(transaction, [Move(step, StepState.FAILED, UNWRITABLE) for step in failed])
    for step in failed.values():
        transaction.note("steps.failed", step.case_number, steps={step.id: UNWRITABLE})
    for one in claimed:
        if one.probe and not one.steps:
            await give_up_probe(transaction, one.target.department, now)
