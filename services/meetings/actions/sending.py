"""Sending again what hangs on a matter: one retry for each incident that shares its cause, each with its canaries."""

from __future__ import annotations

from collections import Counter
from typing import Any

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models import Incident, IncidentKind, ItemState, MatterKind, RetryItem, RetryRun, RetryState
from services.database import Transaction, table
from services.errors import ConflictError
from services.meetings.actions.work import Evidence, Preview, Work
from services.meetings.orders import SendAgain, read_action
from services.meetings.resolutions import lock_resolution, write_resolution
from services.operations.incidents import gather
from services.operations.retries import items_of, outcome_of, preview_retry, start_retry
from services.operations.selection import Selection, choose
from services.operations.troubles import ENDPOINT_CLOSED, NO_ANSWER
from services.policy.text import Text

_INCIDENTS, _RUNS, _ITEMS = table(Incident), table(RetryRun), table(RetryItem)
_SENT_AGAIN = (IncidentKind.FAILED, IncidentKind.STUCK, IncidentKind.RETRYING)


class Sending:
    """Carries out `retry`."""

    async def preview(self, work: Work, connection: AsyncConnection) -> Preview:
        """How many steps of how many cases would go out again. ConflictError if none can."""
        steps: set[str] = set()
        cases: set[str] = set()
        for incident in await _incidents(work, connection):
            try:
                rows = await choose(work.house, connection, Selection(incident=incident))
            except ConflictError:
                continue
            steps |= {row.id for row in rows}
            cases |= {row.case_number for row in rows}
        if not steps:
            raise ConflictError("nothing that hangs on this matter can be sent again now", place="action")
        told = Text(
            f"重新推送协办事项 {len(steps)} 项，涉及办件 {len(cases)} 件；先推送少量，确认后再推送其余。",
            f"{len(steps)} steps of {len(cases)} cases go out again: a few first, the rest when they are confirmed.",
        )
        return Preview((told,), {"steps": len(steps), "cases": len(cases)})

    async def fix(self, work: Work, transaction: Transaction) -> None:
        """What goes out is chosen when it is sent, and recorded with the retry."""

    async def carry_out(self, work: Work) -> bool:
        """Make a retry for each incident and start it. One that was made and not started is started now."""
        actor = work.approver.actor
        await gather(work.house)
        made: dict[str, int] = dict(work.resolution.traces.get("retries", {}))
        async with work.house.database.read() as connection:
            incidents = await _incidents(work, connection)
        action = read_action(work.resolution.action)
        canary = action.canary if isinstance(action, SendAgain) else 1
        for incident in incidents:
            if str(incident) in made:
                continue
            try:
                run = await preview_retry(work.house, Selection(incident=incident), actor, canary)
            except ConflictError:
                # Settled meanwhile, held before a shut door, or in a retry that somebody else started.
                continue
            made[str(incident)] = run.id
            async with work.house.database.write(actor) as transaction:
                row = await lock_resolution(transaction, work.id)
                await write_resolution(transaction, work.id, traces=dict(row.traces) | {"retries": made})
        await self._start(work, list(made.values()))
        return True

    async def _start(self, work: Work, runs: list[int]) -> None:
        query = select(_RUNS.c.id).where(_RUNS.c.id.in_(runs), _RUNS.c.state == RetryState.PREVIEW)
        async with work.house.database.read() as connection:
            waiting = list((await connection.execute(query)).scalars())
        for run in waiting:
            try:
                await start_retry(work.house, run, work.approver.actor)
            except ConflictError:
                # Nothing of it is left to be sent.
                continue

    async def check(self, work: Work, connection: AsyncConnection) -> Evidence:
        """Done when every retry is over and everything in it was confirmed, or is not needed any more."""
        runs = list(work.resolution.traces.get("retries", {}).values())
        counts: Counter[str] = Counter()
        for run in runs:
            counts.update(outcome_of(item).value for item in await items_of(connection, run))
        open_ = select(func.count()).where(
            _RUNS.c.id.in_(runs), _RUNS.c.state.in_((RetryState.PREVIEW, RetryState.RUNNING, RetryState.PAUSED))
        )
        running = int((await connection.execute(open_)).scalar_one()) if runs else 0
        good = counts[ItemState.CONFIRMED.value] + counts[ItemState.SUPERSEDED.value]
        bad = sum(counts.values()) - good
        told = Text(
            f"重新推送 {sum(counts.values())} 项，已确认 {good} 项，尚未确认 {bad} 项。",
            f"{sum(counts.values())} steps sent again: {good} confirmed, {bad} not.",
        )
        left = await _incidents(work, connection)
        figures: dict[str, Any] = {"retries": runs, "counts": dict(sorted(counts.items())), "incidents": left}
        return Evidence(not running and not bad and not left, (told,), figures)


async def _incidents(work: Work, connection: AsyncConnection) -> list[int]:
    """The open incidents that share the matter's cause."""
    matter = work.matter
    mine: list[ColumnElement[bool]] = [_INCIDENTS.c.open_key.is_not(None), _INCIDENTS.c.kind.in_(_SENT_AGAIN)]
    if matter.department is not None:
        mine.append(_INCIDENTS.c.department == matter.department)
    if matter.kind is MatterKind.LATE:
        mine.append(_INCIDENTS.c.reason == NO_ANSWER)
    elif matter.kind is MatterKind.UNCONNECTED:
        mine.append(_INCIDENTS.c.reason == ENDPOINT_CLOSED)
    elif matter.kind is MatterKind.TROUBLE:
        mine.append(_INCIDENTS.c.reason == matter.subject)
    else:
        return []
    query = select(_INCIDENTS.c.id).where(and_(*mine)).order_by(_INCIDENTS.c.id)
    return list((await connection.execute(query)).scalars())
