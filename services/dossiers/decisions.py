"""Decisions as they were kept: the question with its facts, the answer, and every reason in words.

A decision bears the person's days of birth and facts, so opening one is written into the audit log in the same
transaction. Its digest is checked each time, and the engine is asked the same again.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from models import Case
from models import Decision as KeptDecision
from services.access import Caller, Sight
from services.access.purposes import Purpose
from services.casework.sight import cases_in
from services.database import table
from services.errors import NotFoundError
from services.house import House
from services.lexicon import Lexicon, Named
from services.policy.answer import Decision, Entitlement, Need, PermitAnswer
from services.policy.decide import decide
from services.policy.explain import STATE_WORDS, explain_entitlement, explain_permit
from services.policy.pack import Pack
from services.policy.parsing import parse_question
from services.policy.text import Text
from services.sealing import SealError

_CASES, _DECISIONS = table(Case), table(KeptDecision)


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """One decision without what is personal in it."""

    sequence: int
    on: date
    outcome: str
    term_years: int | None
    because: tuple[Named, ...]
    pack: str | None
    decided_at: datetime


@dataclass(frozen=True, slots=True)
class Explained:
    """One service of the answer, in one sentence."""

    service: str
    state: Named
    sentence: Text


@dataclass(frozen=True, slots=True)
class DecisionFile:
    """A decision whole. ``question`` and ``answer`` are the JSON of the contract, section 2.

    ``pack_unchanged``: the pack now loaded is the very one that decided. ``same_again``: asked again, the engine gives
    this answer; None where the pack is not at hand any more.
    """

    case_number: str
    sequence: int
    on: date
    decided_at: datetime
    pack: str | None
    pack_digest: str | None
    pack_unchanged: bool
    digest: str
    same_again: bool | None
    question: Mapping[str, Any]
    answer: Mapping[str, Any]
    permit: Text
    because: tuple[Named, ...]
    entitlements: tuple[Explained, ...]


async def list_decisions(house: House, number: str, sight: Sight) -> tuple[DecisionRow, ...]:
    """The decisions about the case ``number``, in order; NotFoundError if it is not in ``sight``."""
    async with house.database.read() as connection:
        await _in_sight(connection, number, sight)
        query = select(_DECISIONS).where(_DECISIONS.c.case_number == number).order_by(_DECISIONS.c.sequence)
        rows = (await connection.execute(query)).all()
    return tuple(
        DecisionRow(
            row.sequence,
            row.on,
            row.outcome,
            row.term_years,
            tuple(Lexicon(house.packs, _pack(house, row.pack)).clause(code) for code in row.because),
            row.pack,
            row.decided_at,
        )
        for row in rows
    )


async def open_decision(
    house: House, caller: Caller, number: str, sequence: int, purpose: Purpose = Purpose.HANDLING
) -> DecisionFile:
    """Open one decision, and note who did and what for. NotFoundError if there is none in the caller's sight; SealError
    if what is kept was altered.
    """
    async with house.database.write(caller.actor) as transaction:
        connection = transaction.connection
        await _in_sight(connection, number, caller.sight)
        mine = (_DECISIONS.c.case_number == number, _DECISIONS.c.sequence == sequence)
        row = (await connection.execute(select(_DECISIONS).where(*mine))).one_or_none()
        if row is None:
            raise NotFoundError("the case has no such decision; list its decisions first", place="sequence")
        kept = _unsealed(house, number, sequence, row.sealed, row.digest)
        transaction.note("decision.opened", number, sequence=sequence, purpose=purpose.value)
    pack = _pack(house, row.pack)
    answer = _answer(kept["answer"])
    again = _again(pack, kept) if row.pack is None or pack is not None else None
    # Asked again, the engine also says which condition failed, which is not kept.
    told = again if again is not None and again.to_json() == kept["answer"] else answer
    return DecisionFile(
        case_number=number,
        sequence=sequence,
        on=row.on,
        decided_at=row.decided_at,
        pack=row.pack,
        pack_digest=row.pack_digest,
        pack_unchanged=row.pack_digest == (pack.digest if pack is not None else None),
        digest=row.digest,
        same_again=again.to_json() == kept["answer"] if again is not None else None,
        question=kept["question"],
        answer=kept["answer"],
        permit=explain_permit(pack, told, row.on),
        because=tuple(Lexicon(house.packs, pack).clause(code) for code in answer.permit.because),
        entitlements=_explained(pack, told.entitlements.values(), row.on),
    )


async def _in_sight(connection: AsyncConnection, number: str, sight: Sight) -> None:
    found = await connection.execute(select(_CASES.c.number).where(_CASES.c.number == number, cases_in(sight)))
    if found.first() is None:
        raise NotFoundError("there is no such case, or it is not yours to see; check the number", place="number")


def _pack(house: House, code: str | None) -> Pack | None:
    try:
        return house.packs.named(code) if code is not None else None
    except NotFoundError:
        return None


def _unsealed(house: House, number: str, sequence: int, sealed: bytes, digest: str) -> dict[str, Any]:
    place = f"decision:{number}:{sequence}"
    try:
        plain = zlib.decompress(house.keys.open(sealed, place))
    except zlib.error as problem:
        raise SealError("does not open: it was altered or moved", place=place) from problem
    if hashlib.sha256(plain).hexdigest() != digest:
        raise SealError("does not fit its digest: one of the two was altered", place=place)
    kept: dict[str, Any] = orjson.loads(plain)
    return kept


def _again(pack: Pack | None, kept: Mapping[str, Any]) -> Decision:
    return decide(pack, parse_question(kept["question"]))


def _explained(pack: Pack | None, entitlements: Any, on: date) -> tuple[Explained, ...]:
    if pack is None:
        return ()
    known: Sequence[Entitlement] = [one for one in entitlements if one.service in pack.services]
    return tuple(
        Explained(one.service, Named.of(one.state, STATE_WORDS[one.state]), explain_entitlement(pack, one, on))
        for one in known
    )


def _answer(kept: Mapping[str, Any]) -> Decision:
    """The answer as it was kept, as the engine's own type."""
    permit = kept["permit"]
    return Decision(
        policy=kept["policy"],
        permit=PermitAnswer(
            outcome=permit["outcome"],
            term_years=permit["term_years"],
            valid_from=_day(permit["valid_from"]),
            valid_until=_day(permit["valid_until"]),
            grounds=tuple(permit["grounds"]),
            needs=_needs(permit["needs"]),
            because=tuple(permit["because"]),
        ),
        entitlements={
            service: Entitlement(
                service=service,
                state=one["state"],
                first_day=_day(one["from"]),
                last_day=_day(one["until"]),
                kind=one["kind"],
                department=one["department"],
                needs=_needs(one["needs"]),
                because=tuple(one["because"]),
                opens=None,
                fails=(),
            )
            for service, one in kept["entitlements"].items()
        },
        next_change=None,
    )


def _needs(needs: Sequence[Mapping[str, str]]) -> tuple[Need, ...]:
    return tuple(Need(need["fact"], need["department"]) for need in needs)


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text is not None else None
