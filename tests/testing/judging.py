"""What the ledger and the departments' own books must say after whatever happened: nothing lost, nothing doubled."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import select

from benchmarks.fault_town import held_by_departments, in_force
from models import AuditEntry, Case, CaseState, Entitlement, Step, StepKind, StepState
from services.audit import verify_chain
from services.database import table
from tests.testing.servers import Installation

CASES, STEPS, ENTRIES, ENTITLEMENTS = table(Case), table(Step), table(AuditEntry), table(Entitlement)
_OVER = (CaseState.CLOSED, CaseState.REFUSED)
_UNDER_WAY = (StepState.DUE, StepState.SENDING)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found. All but ``cases``, ``steps`` and ``resent`` must be zero or true."""

    cases: int
    steps: int
    lost: int
    unfinished: int
    set_aside: int
    issued_twice: int
    effects_doubled: int
    unknown_messages: int
    unlike_the_departments: int
    resent: int
    chain_holds: bool

    @property
    def well(self) -> bool:
        """Whether all is as it must be."""
        wrong = ("lost", "unfinished", "set_aside", "issued_twice", "effects_doubled", "unknown_messages",
                 "unlike_the_departments")  # fmt: skip
        return self.chain_holds and not any(getattr(self, name) for name in wrong)

    def as_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


async def judge(town: Installation, numbers: Collection[str]) -> Verdict:
    """Look at everything: ``numbers`` are the cases that were acknowledged to clerks."""
    async with town.house.database.read() as connection:
        cases = (await connection.execute(select(CASES))).all()
        steps = (await connection.execute(select(STEPS))).all()
        standing = in_force((await connection.execute(select(ENTITLEMENTS))).all())
        issued = Counter(
            (await connection.execute(select(ENTRIES.c.subject).where(ENTRIES.c.action == "permit.issued"))).scalars()
        )
        chain = await verify_chain(connection)
    audit = await town.audit()
    held, doubled, _ = held_by_departments(town.folder / "sandbox.db")
    return Verdict(
        cases=len(cases),
        steps=len(steps),
        lost=len(set(numbers) - {case.number for case in cases}),
        unfinished=len(_unfinished(cases, steps)),
        set_aside=sum(case.set_aside is not None for case in cases),
        issued_twice=sum(count > 1 for count in issued.values()),
        effects_doubled=audit["doubled"] + doubled,
        unknown_messages=max(0, audit["messages"] - len(steps)),
        unlike_the_departments=len(held ^ standing),
        resent=audit["duplicates"],
        chain_holds=chain.broken_at is None,
    )


async def finished(town: Installation, within: float) -> float | None:
    """Wait until every case is over, truly waits or was set aside, and nothing is under way; after how many seconds,
    or None.
    """
    started = time.monotonic()
    while time.monotonic() < started + within:
        async with town.house.database.read() as connection:
            cases = (await connection.execute(select(CASES).where(CASES.c.state.not_in(_OVER)))).all()
            steps = (await connection.execute(select(STEPS).where(STEPS.c.state.not_in([StepState.DONE])))).all()
            busy = (
                await connection.execute(
                    select(CASES.c.number).where(CASES.c.ready_at.is_not(None), CASES.c.set_aside.is_(None)).limit(1)
                )
            ).first()
        under_way = any(step.state in _UNDER_WAY for step in steps)
        going = [case for case in cases if case.set_aside is None]
        if not (under_way or busy or _unfinished(going, steps) or (await town.audit())["callbacks_waiting"]):
            return round(time.monotonic() - started, 1)
        await asyncio.sleep(0.5)
    return None


def _unfinished(cases: Collection[Any], steps: Collection[Any]) -> list[str]:
    """Cases that are neither over nor wait for a department's or the joint meeting's word."""
    waits = {step.case_number for step in steps if step.state is StepState.RECEIVED}
    waits |= {
        step.case_number for step in steps
        if step.kind is StepKind.VERIFICATION and step.state is StepState.DECLINED
    }  # fmt: skip
    return [case.number for case in cases if case.state not in _OVER and case.number not in waits]
