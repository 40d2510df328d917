"""Changing the policy as the meeting settled it: a revision that rests on the minutes, tried over live permits first.

The resolution's two persons are the revision's: who asked for the action proposes it, who approved the action adopts
it. It is done when the revision is in force and nothing stands any more as it was before.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models import Approval, Entitlement, EntitlementState, Revision, RevisionState
from services.access import Caller
from services.casework.differing import GAINS, LOSES, OWNER
from services.database import Transaction, among, table
from services.meetings.actions.work import Evidence, Preview, Work, caller_named
from services.meetings.causes import NOT_OUR_DUTY
from services.meetings.orders import Amend, MoveService, Revising, SetParameter, read_action
from services.meetings.resolutions import lock_resolution, write_resolution
from services.policy.text import Text
from services.revisions.amendments import Owner, Parameter
from services.revisions.proposing import AmendmentDraft, approve_revision, propose_revision
from services.revisions.reading import LOOK_SECONDS, preview_revision

_REVISIONS, _APPROVALS, _ENTITLEMENTS = table(Revision), table(Approval), table(Entitlement)
_STANDS = (EntitlementState.DUE, EntitlementState.PROVISIONING, EntitlementState.IN_FORCE, EntitlementState.WITHDRAWING)


class Amending:
    """Carries out `hand-over`, `set-parameter` and `amend`."""

    async def preview(self, work: Work, connection: AsyncConnection) -> Preview:
        """What differs in the policy, and who of the holders of live permits would gain and lose."""
        del connection
        found = await preview_revision(work.house, _draft(work), seconds=LOOK_SECONDS)
        trial = found.trial
        changes: Counter[str] = Counter()
        for shift, count in trial.shifts.items():
            changes[shift.change] += count
        told = [
            Text(
                f"政策改动 {len(found.differences)} 处；有效居住证 {trial.permits} 件，受影响 {trial.affected} 件。",
                f"{len(found.differences)} places differ; of {trial.permits} live permits {trial.affected} change.",
            )
        ]
        if not trial.whole:
            told.append(
                Text(
                    "办件较多，只试算了其中一部分；全部可用 lianban policy try 试算。",
                    "There are many: a part was looked at; `lianban policy try` looks at all.",
                )
            )
        if changes:
            told.append(
                Text(
                    f"新增 {changes[GAINS]} 项，停止 {changes[LOSES]} 项，换部门 {changes[OWNER]} 项。",
                    f"{changes[GAINS]} gained, {changes[LOSES]} lost, {changes[OWNER]} with another owner.",
                )
            )
        figures = {
            "differences": [[one.place, one.before, one.after] for one in found.differences],
            "permits": trial.permits,
            "affected": trial.affected,
            "changes": dict(sorted(changes.items())),
        }
        return Preview(tuple(told), figures)

    async def fix(self, work: Work, transaction: Transaction) -> None:
        """The draft is the action itself; nothing has to be chosen."""

    async def carry_out(self, work: Work) -> bool:
        """Propose the revision and adopt it, from where it was broken off."""
        revision = await self._proposed(work)
        query = select(_REVISIONS.c.state).where(_REVISIONS.c.id == revision)
        async with work.house.database.read() as connection:
            state = (await connection.execute(query)).scalar_one()
            approvers = await _approvers(work, connection)
        if state is RevisionState.PROPOSED:
            for approver in approvers:
                await approve_revision(work.house, approver, revision, work.reference.zh)
        return True

    async def _proposed(self, work: Work) -> int:
        """The revision's number; proposed now if it was not before."""
        house = work.house
        if "revision" in work.resolution.traces:
            return int(work.resolution.traces["revision"])
        # Proposed before a crash, and not remembered.
        mine = select(_REVISIONS.c.id).where(
            _REVISIONS.c.basis == work.reference.zh, _REVISIONS.c.state == RevisionState.PROPOSED
        )
        async with house.database.read() as connection:
            revision = (await connection.execute(mine)).scalars().first()
        if revision is None:
            asked = _in_person(work.resolution.asked_by, work.resolution.asked_person)
            revision = (await propose_revision(house, asked, _draft(work))).id
        async with house.database.write(work.approver.actor) as transaction:
            row = await lock_resolution(transaction, work.id)
            await write_resolution(transaction, work.id, traces=dict(row.traces) | {"revision": revision})
        return int(revision)

    async def check(self, work: Work, connection: AsyncConnection) -> Evidence:
        """Done when the revision is in force, every case was looked at for it, and no service is where it was."""
        revision = work.resolution.traces.get("revision")
        row = (await connection.execute(select(_REVISIONS).where(_REVISIONS.c.id == revision))).one_or_none()
        today = work.house.database.clock.today()
        adopted = row is not None and row.state is RevisionState.ADOPTED
        in_force = adopted and row is not None and row.from_on <= today
        looked = adopted and row is not None and row.looked_at is not None
        left = await _elsewhere(work, connection)
        day = row.from_on.isoformat() if row is not None else "—"
        told = [
            Text(
                f"政策修订{'已生效' if in_force else '尚未生效'}（自 {day}）。",
                f"the revision is {'in force' if in_force else 'not in force yet'} (from {day}).",
            )
        ]
        if left is not None:
            told.append(Text(f"仍由原部门承办 {left} 件。", f"{left} services are still with the former owner."))
        figures: dict[str, Any] = {"revision": revision, "in_force": in_force, "looked": looked, "left": left or 0}
        return Evidence(bool(in_force and looked and not left), tuple(told), figures)


def _revising(work: Work) -> Revising:
    action = read_action(work.resolution.action)
    if not isinstance(action, MoveService | SetParameter | Amend):
        raise TypeError(f"{action.kind} changes no policy")
    return action


def _draft(work: Work) -> AmendmentDraft:
    action, house = _revising(work), work.house
    if isinstance(action, MoveService):
        changes: tuple[Any, ...] = (Owner(kind="owner", services=action.services, department=action.to),)
    elif isinstance(action, SetParameter):
        changes = (Parameter(kind="parameter", parameter=action.parameter, value=action.value),)
    else:
        changes = action.changes
    pack = house.packs.covering(action.from_on) or house.packs.packs[-1]
    return AmendmentDraft(
        pack=pack.code,
        from_on=action.from_on,
        changes=changes,
        basis=work.reference.zh,
        reason=work.resolution.text[:400],
    )


async def _elsewhere(work: Work, connection: AsyncConnection) -> int | None:
    """How many of the services handed over stand at another department than the new owner; None for other changes."""
    action = _revising(work)
    if not isinstance(action, MoveService):
        return None
    refused = and_(_ENTITLEMENTS.c.state == EntitlementState.DECLINED, _ENTITLEMENTS.c.reason == NOT_OUR_DUTY)
    query = select(func.count()).where(
        among(connection, _ENTITLEMENTS.c.service, action.services),
        _ENTITLEMENTS.c.department != action.to,
        or_(_ENTITLEMENTS.c.state.in_(_STANDS), refused),
    )
    return int((await connection.execute(query)).scalar_one())


async def _approvers(work: Work, connection: AsyncConnection) -> list[Caller]:
    """Who approved the action, in order: as persons, so that they count as the revision's own."""
    subject = f"resolution:{work.id}:{work.resolution.asks}"
    query = select(_APPROVALS.c.actor, _APPROVALS.c.person).where(_APPROVALS.c.subject == subject)
    rows = await connection.execute(query.order_by(_APPROVALS.c.at))
    return [_in_person(row.actor, row.person) for row in rows]


def _in_person(actor: str, person: int | None) -> Caller:
    caller = caller_named(actor)
    return Caller(caller.name, caller.role, account=person, in_person=person is not None)
