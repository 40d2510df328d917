"""Asking for a revision of the policy, and a second person's decision on it.

Whatever is refused is refused with the reason, and nothing is kept: a pack that is not good, days that another pack
covers, a day that has begun. What was adopted is checked again in the transaction that adopts it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Row, func, select, update

from models import Revision, RevisionKind, RevisionState
from services.access import WHOLE_CITY, Caller
from services.access.second_person import approve, person_behind
from services.database import Transaction, is_postgresql, table
from services.errors import AccessError, ConflictError, InputError, LianbanError, NotFoundError
from services.house import House
from services.policy.pack import Pack
from services.policy.registry import PackRegistry
from services.remedies.orders import Line
from services.revisions.amendments import MAX_CHANGES, AnyChange, amended, checked, read_changes

_REVISIONS = table(Revision)
# A number of our own for the lock under which one revision after the other is decided.
_DECIDING = 4_187_002

_Basis = Annotated[Line, Field(max_length=200, description="依据文件 / the document that it rests on")]
_Reason = Annotated[Line, Field(description="理由，不得含个人信息 / why; nothing personal")]


class _Draft(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    basis: _Basis
    reason: _Reason


class PackDraft(_Draft):
    """A whole pack: a new one, in force from its own first day, or a known one as it shall be from ``from_on`` on.

    ``content`` is the pack as JSON (``Pack.content``).
    """

    content: dict[str, Any]
    from_on: date | None = Field(default=None, description="生效日期 / from which day; a new pack's own first day")


class AmendmentDraft(_Draft):
    """A few changes to a pack that is known, from ``from_on`` on."""

    pack: str = Field(pattern=r"^[a-z0-9-]{1,64}$", description="政策代码 / code of the pack")
    from_on: date = Field(description="生效日期 / from which day")
    changes: tuple[AnyChange, ...] = Field(min_length=1, max_length=MAX_CHANGES)


Draft = PackDraft | AmendmentDraft


@dataclass(frozen=True, slots=True)
class Candidate:
    """A draft made whole: the pack as it would be from ``from_on`` on, and what it was until then (None: nothing)."""

    kind: RevisionKind
    from_on: date
    before: Pack | None
    pack: Pack


@dataclass(frozen=True, slots=True)
class Asked:
    """What became of a revision: its number, where it stands, and the version of the pack that it made."""

    id: int
    state: RevisionState
    pack: str
    from_on: date
    version: int | None = None


def candidate_of(registry: PackRegistry, draft: Draft, today: date) -> Candidate:
    """The pack that ``draft`` makes. InputError for one that is not good or begins in the past, ConflictError for one
    that covers another's days, comes before what was adopted later, or changes nothing.
    """
    if isinstance(draft, AmendmentDraft):
        history = registry.history(draft.pack)
        if not history:
            raise NotFoundError("no such policy pack", place="pack")
        pack, from_on = amended(history[-1].pack, draft.changes, draft.from_on, draft.basis), draft.from_on
        return _held_against(registry, RevisionKind.AMENDMENT, pack, from_on, today)
    pack = checked(draft.content)
    return _held_against(registry, RevisionKind.PACK, pack, draft.from_on or pack.first_day, today)


async def propose_revision(house: House, caller: Caller, draft: Draft) -> Asked:
    """Keep the draft for a second person to decide. Nothing takes effect yet. Errors as ``candidate_of``; AccessError
    to who works for a part of the city.
    """
    _whole_city(caller)
    async with house.database.write(caller.actor) as transaction:
        registry = await house.rules.refresh(transaction.connection)
        candidate = candidate_of(registry, draft, house.database.clock.today())
        content = draft.model_dump(
            mode="json", include={"changes"} if isinstance(draft, AmendmentDraft) else {"content"}
        )
        row = {
            "kind": candidate.kind,
            "state": RevisionState.PROPOSED,
            "pack": candidate.pack.code,
            "from_on": candidate.from_on,
            "content": content if isinstance(draft, AmendmentDraft) else draft.content,
            "digest": candidate.pack.digest,
            "basis": draft.basis,
            "reason": draft.reason,
            "asked_by": caller.actor,
            "asked_person": await person_behind(transaction.connection, caller),
            "asked_at": transaction.at,
        }
        made = await transaction.connection.execute(_REVISIONS.insert().values(row).returning(_REVISIONS.c.id))
        revision = int(made.scalar_one())
        transaction.note(
            "policy.proposed", subject_of(revision), kind=candidate.kind.value, pack=candidate.pack.code,
            from_on=candidate.from_on.isoformat(), digest=candidate.pack.digest, basis=draft.basis, why=draft.reason,
        )  # fmt: skip
    return Asked(revision, RevisionState.PROPOSED, candidate.pack.code, candidate.from_on)


async def approve_revision(house: House, caller: Caller, revision: int, because: str | None = None) -> Asked:
    """Adopt what another person asked for; it holds from its day on, for every process. Where who asked is not known,
    two persons have to approve. AccessError to who asked and to who is no known person, ConflictError where it is
    decided already or does not hold any more.
    """
    _whole_city(caller)
    async with house.database.write(caller.actor) as transaction:
        await _one_by_one(transaction)
        row = await _waiting(transaction, revision)
        if not await approve(transaction, caller, subject_of(revision), row.asked_person):
            return Asked(revision, RevisionState.PROPOSED, row.pack, row.from_on)
        registry = await house.rules.refresh(transaction.connection)
        try:
            candidate = candidate_of(registry, draft_of(row), house.database.clock.today())
        except LianbanError as problem:
            raise ConflictError(
                f"does not hold any more: {problem}; turn it down", place=subject_of(revision)
            ) from problem
        if candidate.pack.digest != row.digest:
            # Another amendment was adopted since: what the second person saw is not what would be adopted.
            raise ConflictError(
                "the pack was amended since this was asked for; turn it down and ask anew", place=subject_of(revision)
            )
        version = len(registry.history(row.pack)) + 1
        adoption = select(func.coalesce(func.max(_REVISIONS.c.adoption), 0) + 1)
        await _decide(
            transaction, revision, RevisionState.ADOPTED, because,
            version=version, adoption=(await transaction.connection.execute(adoption)).scalar_one(),
        )  # fmt: skip
        transaction.note(
            "policy.adopted", subject_of(revision), pack=row.pack, version=version, from_on=row.from_on.isoformat(),
            digest=row.digest, asked_by=row.asked_by, why=because,
        )  # fmt: skip
    return Asked(revision, RevisionState.ADOPTED, row.pack, row.from_on, version)


async def reject_revision(house: House, caller: Caller, revision: int, because: str) -> Asked:
    """Turn down what was asked for. Who asked may take it back this way, too."""
    _whole_city(caller)
    async with house.database.write(caller.actor) as transaction:
        row = await _waiting(transaction, revision)
        await _decide(transaction, revision, RevisionState.REJECTED, because)
        transaction.note("policy.rejected", subject_of(revision), pack=row.pack, asked_by=row.asked_by, why=because)
    return Asked(revision, RevisionState.REJECTED, row.pack, row.from_on)


async def withdraw_revision(house: House, caller: Caller, revision: int, because: str) -> Asked:
    """Take back what was adopted, before its day has come. ConflictError from that day on (another revision then puts
    it right), and while a later revision of the pack stands on it.
    """
    _whole_city(caller)
    async with house.database.write(caller.actor) as transaction:
        await _one_by_one(transaction)
        row = await _found(transaction, revision)
        place = subject_of(revision)
        if row.state is not RevisionState.ADOPTED:
            raise ConflictError(f"is {row.state.value}; only what was adopted is withdrawn", place=place)
        if row.from_on <= house.database.clock.today():
            raise ConflictError("is in force already; put it right by another revision", place=place)
        registry = await house.rules.refresh(transaction.connection)
        latest = len(registry.history(row.pack)) == row.version
        if not latest or not await house.rules.holds_without(transaction.connection, revision):
            raise ConflictError("a later revision stands on it; withdraw that one first", place=place)
        await _decide(transaction, revision, RevisionState.WITHDRAWN, because, version=None)
        transaction.note("policy.withdrawn", place, pack=row.pack, adopted_by=row.decided_by, why=because)
    return Asked(revision, RevisionState.WITHDRAWN, row.pack, row.from_on)


def draft_of(row: Row[Any]) -> Draft:
    """The draft that a row keeps."""
    if row.kind is RevisionKind.PACK:
        return PackDraft(content=row.content, from_on=row.from_on, basis=row.basis, reason=row.reason)
    changes = tuple(read_changes(row.content["changes"]))
    return AmendmentDraft(pack=row.pack, from_on=row.from_on, changes=changes, basis=row.basis, reason=row.reason)


def subject_of(revision: int) -> str:
    """How the audit log names a revision."""
    return f"revision:{revision}"


def _held_against(registry: PackRegistry, kind: RevisionKind, pack: Pack, from_on: date, today: date) -> Candidate:
    """The candidate, if it fits among what is known."""
    if from_on <= today:
        raise InputError(f"{from_on} has begun; a revision holds from a day to come on", place="from_on")
    history = registry.history(pack.code)
    before = history[-1].pack if history else None
    if before is None and from_on != pack.first_day:
        raise InputError(f"a new pack holds from its own first day, {pack.first_day}", place="from_on")
    if before is not None:
        if pack.first_day != before.first_day:
            raise InputError(
                f"must stay {before.first_day}: a new opinion is a pack of another code", place="in_force.from"
            )
        if history[-1].from_on > from_on:
            raise ConflictError(
                f"a later revision of {pack.code} holds from {history[-1].from_on} on; give that day or a later one",
                place="from_on",
            )
        if pack.digest == before.digest:
            raise ConflictError("changes nothing", place=pack.code)
    try:
        registry.with_version(pack, from_on)
    except InputError as problem:
        raise ConflictError(problem.detail, place=problem.place) from None
    return Candidate(kind, from_on, before, pack)


def _whole_city(caller: Caller) -> None:
    if caller.sight != WHOLE_CITY:
        raise AccessError("rules hold for the whole city; you work for a part of it", place="authorization")


async def _one_by_one(transaction: Transaction) -> None:
    """Two who decide at once decide one after the other."""
    if is_postgresql(transaction.connection):
        await transaction.connection.execute(select(func.pg_advisory_xact_lock(_DECIDING)))


async def _found(transaction: Transaction, revision: int) -> Row[Any]:
    query = select(_REVISIONS).where(_REVISIONS.c.id == revision)
    if is_postgresql(transaction.connection):
        query = query.with_for_update()
    row = (await transaction.connection.execute(query)).one_or_none()
    if row is None:
        raise NotFoundError("there is no such revision", place="revision")
    return row


async def _waiting(transaction: Transaction, revision: int) -> Row[Any]:
    row = await _found(transaction, revision)
    if row.state is not RevisionState.PROPOSED:
        raise ConflictError(f"is {row.state.value}; it waits for nobody", place=subject_of(revision))
    return row


async def _decide(
    transaction: Transaction, revision: int, state: RevisionState, because: str | None, **more: int | None
) -> None:
    decided = {
        "state": state,
        "decided_by": transaction.actor,
        "decided_at": transaction.at,
        "decided_because": because,
        **more,
    }
    await transaction.connection.execute(update(_REVISIONS).where(_REVISIONS.c.id == revision).values(decided))
