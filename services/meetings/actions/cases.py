"""Actions on a class of cases: the other ground accepted, a fact decided, steps waived. Each is a remedy, lot by lot.

The class is resolved when the action is approved, and recorded. Lots of some hundred cases are each one transaction
together with the marks that they are done, so that a crash between two lots costs nothing.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from typing import Any

from sqlalchemy import Row, and_, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models import Case, CaseState, Fact, MatterKind, Permit, ResolutionCase, Step, StepState
from services.casework.standing import LOOK_AGAIN
from services.database import Transaction, among, is_postgresql, table
from services.errors import ConflictError
from services.lexicon import Lexicon
from services.meetings.actions.work import Evidence, Preview, Work
from services.meetings.causes import meeting_code
from services.meetings.classes import OTHER_GROUND, resolve_class
from services.meetings.orders import AcceptGround, FactForClass, ForClass, WaiveForClass, read_action
from services.operations.contradictions import Found, see_contradictions
from services.policy.text import Text
from services.remedies.asking import settle_remedy
from services.remedies.orders import Order, Waive, read_order

_OF_RESOLUTION, _CASES, _STEPS = table(ResolutionCase), table(Case), table(Step)
_PERMITS, _FACTS = table(Permit), table(Fact)
_LOT = 200
_UNDECIDED = (CaseState.RECEIVED, CaseState.ACCEPTED, CaseState.VERIFYING, CaseState.AWAITING_APPLICANT)


class ForCases:
    """Carries out what is settled for a class of cases."""

    async def preview(self, work: Work, connection: AsyncConnection) -> Preview:
        """How many cases and steps, where, and in which state."""
        chosen = await resolve_class(work.house, connection, work.matter, _action(work))
        query = select(_CASES.c.number, _CASES.c.district, _CASES.c.state).where(
            among(connection, _CASES.c.number, chosen)
        )
        rows = (await connection.execute(query)).all()
        words = Lexicon(work.house.packs, None)
        districts = Counter(row.district for row in rows)
        steps = sum(len(chosen[row.number]) for row in rows)
        what = _what(work)
        where = "、".join(f"{words.district(code).zh} {count} 件" for code, count in sorted(districts.items()))
        in_ = ", ".join(f"{words.district(code).en} {count}" for code, count in sorted(districts.items()))
        told = (
            Text(
                f"{what.zh}：办件 {len(rows)} 件，协办事项 {steps} 项。",
                f"{what.en}: {len(rows)} cases, {steps} steps.",
            ),
            Text(f"其中{where}。", f"By district: {in_}."),
        )
        states = Counter(row.state.value for row in rows)
        figures = {"cases": len(rows), "steps": steps, "districts": dict(sorted(districts.items())),
                   "states": dict(sorted(states.items()))}  # fmt: skip
        return Preview(told, figures)

    async def fix(self, work: Work, transaction: Transaction) -> None:
        """Record who is in the class."""
        chosen = await resolve_class(work.house, transaction.connection, work.matter, _action(work))
        rows = [{"resolution_id": work.id, "case_number": number, "steps": steps} for number, steps in chosen.items()]
        await transaction.insert(ResolutionCase, rows)

    async def carry_out(self, work: Work) -> bool:
        """Lot by lot until none is left. A case that is being answered this moment is left to the next pass."""
        busy: set[str] = set()
        while True:
            lot: list[Row[Any]] = []
            try:
                async with work.house.database.write(work.approver.actor) as transaction:
                    lot = await _next_lot(work, transaction, busy)
                    await self._settle(work, transaction, lot)
            except ConflictError:
                # One of them holds the others up: these go one by one.
                busy |= {row.case_number for row in lot if not await self._alone(work, row)}
            if not lot:
                return not busy

    async def check(self, work: Work, connection: AsyncConnection) -> Evidence:
        """Done when every case of the class was dealt with and waits no more for what was settled."""
        mine = select(_OF_RESOLUTION).where(_OF_RESOLUTION.c.resolution_id == work.id)
        rows = (await connection.execute(mine)).all()
        done = [row.case_number for row in rows if row.done]
        refused = [row for row in rows if row.done is False]
        waiting = len(rows) - len(done) - len(refused)
        action = _action(work)
        if isinstance(action, WaiveForClass):
            steps = [step for row in rows if row.done for step in row.steps]
            left = await _not_waived(connection, steps)
            told = [
                Text(
                    f"已免办事项 {len(steps) - left} 项，尚余 {left} 项。",
                    f"{len(steps) - left} steps waived, {left} left.",
                )
            ]
            figures: dict[str, Any] = {"steps": len(steps), "left": left}
        else:
            left = await _undecided(connection, done)
            permits = await _permits(connection, done)
            told = [
                Text(
                    f"{len(done)} 件已按认定办理，发放居住证 {permits} 张，尚待决定 {left} 件。",
                    f"{len(done)} cases dealt with as settled: {permits} permits issued, {left} not decided yet.",
                )
            ]
            figures = {"permits": permits, "left": left}
        if refused:
            told.append(
                Text(f"情况有变、未能办理 {len(refused)} 件。", f"{len(refused)} cases did not allow it any more.")
            )
        figures |= {"cases": len(rows), "done": len(done), "refused": len(refused), "waiting": waiting}
        return Evidence(not waiting and not left and bool(rows), tuple(told), figures)

    async def _settle(self, work: Work, transaction: Transaction, lot: list[Row[Any]]) -> None:
        order = _order(work, lot) if lot else None
        problems: dict[str, str] = {}
        remedy: int | None = None
        if order is not None:
            remedy, problems = await settle_remedy(
                work.house, transaction, work.approver, order, work.resolution.asked_by, work.resolution.asked_person
            )
        if work.matter.kind is MatterKind.CONTRADICTION:
            await _put_away(work, transaction, [row for row in lot if row.case_number not in problems])
        for row in lot:
            problem = problems.get(row.case_number)
            if isinstance(order, Waive | None) and not row.steps:
                problem = "nothing of it is left to be waived"
            await _mark(transaction, work.id, row.case_number, remedy, problem)

    async def _alone(self, work: Work, row: Row[Any]) -> bool:
        """One case by itself; whether it was settled."""
        try:
            async with work.house.database.write(work.approver.actor) as transaction:
                await self._settle(work, transaction, [row])
        except ConflictError:
            return False
        return True


def _action(work: Work) -> ForClass:
    action = read_action(work.resolution.action)
    if not isinstance(action, AcceptGround | FactForClass | WaiveForClass):
        raise TypeError(f"{action.kind} is not for a class of cases")
    return action


def _what(work: Work) -> Text:
    action, words = _action(work), Lexicon(work.house.packs, None)
    if isinstance(action, WaiveForClass):
        return Text(f"依据 {action.clause} 免办", f"waived on the ground of {action.clause}")
    fact = words.fact(OTHER_GROUND if isinstance(action, AcceptGround) else action.fact)
    return Text(
        f"认定“{fact.zh}”{'属实' if action.value else '不属实'}",
        f"decided that '{fact.en}' {'holds' if action.value else 'does not hold'}",
    )


def _order(work: Work, lot: list[Row[Any]]) -> Order | None:
    """The remedy for these cases; None where there is nothing to waive."""
    action, reason = _action(work), work.reference.zh
    if isinstance(action, WaiveForClass):
        steps = [step for row in lot for step in row.steps]
        content: dict[str, Any] = {"kind": "waive", "steps": steps, "clause": action.clause}
        return read_order(content | {"reason": reason}) if steps else None
    fact, department = (
        (OTHER_GROUND, meeting_code(work.house))
        if isinstance(action, AcceptGround)
        else (action.fact, action.department)
    )
    return read_order(
        {
            "kind": "fact",
            "cases": [row.case_number for row in lot],
            "fact": fact,
            "value": action.value,
            "department": department,
            "document": reason,
            "reason": reason,
        }
    )


async def _next_lot(work: Work, transaction: Transaction, busy: set[str]) -> list[Row[Any]]:
    query = (
        select(_OF_RESOLUTION)
        .where(
            _OF_RESOLUTION.c.resolution_id == work.id,
            _OF_RESOLUTION.c.done.is_(None),
            _OF_RESOLUTION.c.case_number.not_in(sorted(busy)),
        )
        .order_by(_OF_RESOLUTION.c.case_number)
        .limit(_LOT)
    )
    if is_postgresql(transaction.connection):
        query = query.with_for_update(skip_locked=True)
    return list((await transaction.connection.execute(query)).all())


async def _mark(
    transaction: Transaction, resolution: int, number: str, remedy: int | None, problem: str | None
) -> None:
    one = and_(_OF_RESOLUTION.c.resolution_id == resolution, _OF_RESOLUTION.c.case_number == number)
    values = {"done": problem is None, "remedy_id": remedy, "problem": problem[:300] if problem else None}
    await transaction.connection.execute(update(_OF_RESOLUTION).where(one).values(values))


async def _put_away(work: Work, transaction: Transaction, rows: list[Row[Any]]) -> None:
    """The meeting has looked: what was contradicted waits for nobody any more, with which answer it found right."""
    action = _action(work)
    if not isinstance(action, FactForClass):
        return
    for step in (step for row in rows for step in row.steps):
        first = select(_FACTS.c.value).where(_FACTS.c.step_id == step, _FACTS.c.name == action.fact)
        said = (await transaction.connection.execute(first)).scalar_one_or_none()
        found = Found.FIRST_RIGHT if said == action.value else Found.LATER_RIGHT
        # Somebody may have looked at it before the meeting did.
        with suppress(ConflictError):
            await see_contradictions(transaction, step, found)


async def _undecided(connection: AsyncConnection, numbers: list[str]) -> int:
    # Also those that nobody has looked at since the fact was written.
    waits = or_(_CASES.c.state.in_(_UNDECIDED), _CASES.c.weighed == LOOK_AGAIN)
    query = select(func.count()).where(among(connection, _CASES.c.number, numbers), waits)
    return int((await connection.execute(query)).scalar_one())


async def _permits(connection: AsyncConnection, numbers: list[str]) -> int:
    query = select(func.count()).where(among(connection, _PERMITS.c.case_number, numbers))
    return int((await connection.execute(query)).scalar_one())


async def _not_waived(connection: AsyncConnection, steps: list[str]) -> int:
    settled = (StepState.WAIVED, StepState.DONE, StepState.SUPERSEDED)
    query = select(func.count()).where(among(connection, _STEPS.c.id, steps), _STEPS.c.state.not_in(settled))
    return int((await connection.execute(query)).scalar_one())
