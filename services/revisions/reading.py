"""Revisions as they are read: what would come of a draft, lists, and one whole with what it changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, select

from models import Revision, RevisionKind, RevisionState
from services.casework.pack_trial import PackTrial, try_pack
from services.database import table
from services.errors import LianbanError, NotFoundError
from services.house import House
from services.lexicon import Named
from services.policy.registry import PackRegistry
from services.policy.text import Text
from services.revisions.differences import Difference, differences
from services.revisions.proposing import Candidate, Draft, candidate_of, draft_of

_REVISIONS = table(Revision)
LOOK_SECONDS = 20.0
"""How long a look may take while somebody waits for the answer; `lianban policy try` takes the time it needs."""
MAX_PAGE = 200

KIND_WORDS: Mapping[RevisionKind, Text] = {
    RevisionKind.PACK: Text("政策包", "a whole pack"),
    RevisionKind.AMENDMENT: Text("政策调整", "an amendment"),
}
STATE_WORDS: Mapping[RevisionState, Text] = {
    RevisionState.PROPOSED: Text("待复核", "waits for a second person"),
    RevisionState.ADOPTED: Text("已通过", "adopted"),
    RevisionState.REJECTED: Text("未通过复核", "turned down"),
    RevisionState.WITHDRAWN: Text("生效前撤回", "withdrawn before its day"),
}


@dataclass(frozen=True, slots=True)
class RevisionRow:
    """One revision. ``version``: the pack's version that it made; ``in_force``: whether its day has come."""

    id: int
    kind: Named
    state: Named
    pack: str
    from_on: date
    version: int | None
    in_force: bool
    digest: str
    basis: str
    reason: str
    asked_by: str
    asked_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    decided_because: str | None


@dataclass(frozen=True, slots=True)
class RevisionFile:
    """A revision whole: what it says, and what it changes in the pack before it (nothing is told of a new pack).

    ``problem``: why one that waits cannot be adopted any more.
    """

    revision: RevisionRow
    content: Mapping[str, Any]
    differences: tuple[Difference, ...]
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """What would come of a draft: what differs, and who gains and who loses, over all live permits under the pack."""

    candidate: Candidate
    differences: tuple[Difference, ...]
    trial: PackTrial


async def preview_revision(house: House, draft: Draft, *, seconds: float | None = None) -> Preview:
    """Try a draft, for at most ``seconds``; nothing is kept and nothing is touched. Errors as
    ``proposing.candidate_of``.
    """
    await house.refresh_rules()
    candidate = candidate_of(house.packs, draft, house.database.clock.today())
    from_on = candidate.from_on if candidate.before is not None else None
    trial = await try_pack(house, candidate.pack, from_on=from_on, seconds=seconds)
    return Preview(candidate, differences(candidate.before, candidate.pack), trial)


async def list_revisions(
    house: House,
    *,
    state: RevisionState | None = None,
    pack: str | None = None,
    before: int | None = None,
    limit: int = 50,
) -> tuple[RevisionRow, ...]:
    """Revisions, the newest first, asked for before the one numbered ``before``."""
    query = select(_REVISIONS).order_by(_REVISIONS.c.id.desc()).limit(limit)
    for column, value in ((_REVISIONS.c.state, state), (_REVISIONS.c.pack, pack)):
        if value is not None:
            query = query.where(column == value)
    if before is not None:
        query = query.where(_REVISIONS.c.id < before)
    today = house.database.clock.today()
    async with house.database.read() as connection:
        return tuple(_row(row, today) for row in await connection.execute(query))


async def read_revision(house: House, revision: int) -> RevisionFile:
    """One revision; NotFoundError if there is none of that number."""
    today = house.database.clock.today()
    async with house.database.read() as connection:
        row = (await connection.execute(select(_REVISIONS).where(_REVISIONS.c.id == revision))).one_or_none()
        if row is None:
            raise NotFoundError("there is no such revision", place="revision")
        registry = await house.rules.refresh(connection)
    if row.state is RevisionState.PROPOSED:
        try:
            candidate = candidate_of(registry, draft_of(row), today)
        except LianbanError as problem:
            return RevisionFile(_row(row, today), row.content, (), str(problem))
        return RevisionFile(_row(row, today), row.content, differences(candidate.before, candidate.pack))
    return RevisionFile(_row(row, today), row.content, _made(registry, row))


def _made(registry: PackRegistry, row: Row[Any]) -> tuple[Difference, ...]:
    """What an adopted revision changed; nothing of one that is not in force and never will be."""
    history = registry.history(row.pack)
    if row.version is None or not 1 < row.version <= len(history):
        return ()
    return differences(history[row.version - 2].pack, history[row.version - 1].pack)


def _row(row: Row[Any], today: date) -> RevisionRow:
    return RevisionRow(
        id=row.id,
        kind=Named.of(row.kind.value, KIND_WORDS[row.kind]),
        state=Named.of(row.state.value, STATE_WORDS[row.state]),
        pack=row.pack,
        from_on=row.from_on,
        version=row.version,
        in_force=row.state is RevisionState.ADOPTED and row.from_on <= today,
        digest=row.digest,
        basis=row.basis,
        reason=row.reason,
        asked_by=row.asked_by,
        asked_at=row.asked_at,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        decided_because=row.decided_because,
    )
