"""Registering applications: each becomes a case with its number, once (ZB87-2.0b).

Idempotent by the person and the application's own number. The database itself allows a person one open case.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.exc import IntegrityError

from models import Case, CaseCounter, CaseState, Permit, PermitState
from services import tracing
from services.database import Database, Transaction, among, table
from services.intake.application import Application
from services.intake.problems import Problem
from services.policy.registry import PackRegistry
from services.sealing import KeyRing

_CASES, _COUNTERS, _PERMITS = table(Case), table(CaseCounter), table(Permit)
# A permit is renewed in the month before its end (State Council Decree 663, article 10); earlier it still serves.
_RENEWAL = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Registered:
    """What became of one application: its case number, and whether it is new.

    With a ``problem`` it was kept out, and ``number`` is the case that stands in its way (None: in the same file).
    """

    number: str | None
    new: bool
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class Registry:
    """The desk at which applications are registered."""

    database: Database
    keys: KeyRing
    packs: PackRegistry

    async def register(
        self, applications: Sequence[Application], actor: str, seen: dict[str, str] | None = None
    ) -> list[Registered]:
        """Register ``applications`` in one transaction; the answers stand in the same order.

        ``seen``: whom earlier parts of the same file were about, by keyed hash; one file speaks of a person once.
        """
        seen = {} if seen is None else seen
        for last_try in (False, True):
            try:
                async with self.database.write(actor) as transaction:
                    answers = await self._register(transaction, applications, seen)
                for answer in answers:
                    if answer.new and answer.number is not None:
                        tracing.open_case(answer.number)
                return answers
            except IntegrityError:
                # Another process registered the same person in the same moment; now its case is seen.
                if last_try:
                    raise
        raise AssertionError("unreachable")

    async def _register(
        self, transaction: Transaction, applications: Sequence[Application], seen: dict[str, str]
    ) -> list[Registered]:
        drafts = [_Draft.of(application, self.keys) for application in applications]
        # In this order: should the same application be committed by another process in between, it is seen as the same,
        # and not as another application of somebody who has one open.
        engaged = await self._engaged(transaction, drafts)
        standing = await self._standing(transaction, drafts)
        answers: list[Registered | None] = []
        fresh: list[_Draft] = []
        for draft in drafts:
            known = standing.get(draft.application_key)
            earlier = seen.setdefault(draft.person_key, draft.application_key)
            if known is not None:
                answers.append(_same_again(known, draft))
            elif earlier != draft.application_key:
                answers.append(Registered(None, False, _SEEN))
            elif draft.person_key in engaged:
                answers.append(engaged[draft.person_key])
            else:
                answers.append(None)
                fresh.append(draft)
                standing[draft.application_key] = (None, draft.application)
        numbers = iter(await self._write(transaction, fresh))
        return [answer or Registered(next(numbers), True) for answer in answers]

    async def _engaged(self, transaction: Transaction, drafts: Sequence[_Draft]) -> dict[str, Registered]:
        """Who cannot apply now, and why: an application is open, or a permit is good for longer yet."""
        wanted = among(transaction.connection, _CASES.c.person_key, [draft.person_key for draft in drafts])
        renewal = self.database.clock.today() + _RENEWAL
        good = and_(_PERMITS.c.state != PermitState.ENDED, _PERMITS.c.valid_until > renewal)
        rows = await transaction.connection.execute(
            select(_CASES.c.person_key, _CASES.c.number, _CASES.c.is_open, _PERMITS.c.valid_until)
            .outerjoin_from(_CASES, _PERMITS, and_(_PERMITS.c.case_number == _CASES.c.number, good))
            .where(wanted, or_(_CASES.c.is_open, _PERMITS.c.case_number.is_not(None)))
            .order_by(_CASES.c.is_open)
        )
        return {
            row.person_key: Registered(
                row.number,
                False,
                _open_case(row.number) if row.is_open else _permit_in_force(row.number, row.valid_until),
            )
            for row in rows
        }

    async def _standing(
        self, transaction: Transaction, drafts: Sequence[_Draft]
    ) -> dict[str, tuple[str | None, Application]]:
        wanted = among(transaction.connection, _CASES.c.application_key, [draft.application_key for draft in drafts])
        rows = await transaction.connection.execute(
            select(_CASES.c.number, _CASES.c.application_key, _CASES.c.sealed).where(wanted)
        )
        return {
            row.application_key: (row.number, Application.load(self.keys.open(row.sealed, f"case:{row.number}")))
            for row in rows
        }

    async def _write(self, transaction: Transaction, drafts: Sequence[_Draft]) -> list[str]:
        clock = self.database.clock
        moment, now = clock.moment(), clock.now()
        numbers = await _numbers(transaction, drafts)
        rows = [self._row(number, draft, moment, now) for number, draft in zip(numbers, drafts, strict=True)]
        await transaction.insert(Case, rows)
        for row in rows:
            transaction.note(
                "case.received",
                row["number"],
                district=row["district"],
                term_asked=row["term_asked"],
                grounds=row["grounds"],
                pack=row["pack"],
            )
        return numbers

    def _row(self, number: str, draft: _Draft, moment: datetime, now: datetime) -> dict[str, Any]:
        application = draft.application
        pack = self.packs.covering(application.received_on)
        return {
            "number": number,
            "district": application.district,
            "station": application.station,
            "state": CaseState.RECEIVED,
            "is_open": True,
            "pack": pack.code if pack is not None else None,
            "application_key": draft.application_key,
            "person_key": draft.person_key,
            "name_key": self.keys.lookup_hash("name", application.person.name),
            "received_on": application.received_on,
            "term_asked": application.term_years,
            "grounds": list(application.grounds),
            "sealed": self.keys.seal(application.dump(), f"case:{number}"),
            "received_at": moment,
            "ready_at": now,
            "round": 0,
            "decisions": 0,
            "weighed": 0,
            "tries": 0,
        }


@dataclass(frozen=True, slots=True)
class _Draft:
    application: Application
    application_key: str
    person_key: str

    @classmethod
    def of(cls, application: Application, keys: KeyRing) -> _Draft:
        person = application.person.id_number
        own = f"{person}\0{application.application_number}"
        return cls(application, keys.lookup_hash("application", own), keys.lookup_hash("person", person))


def _same_again(known: tuple[str | None, Application], draft: _Draft) -> Registered:
    number, application = known
    if application == draft.application:
        return Registered(number, False)
    return Registered(
        number,
        False,
        Problem(
            "application_number",
            f"该申请编号已受理，但内容不同；如需更正，请在办件 {number or '（本次）'} 中办理补正",
            f"was received before with other content; correct it in case {number or '(this file)'}",
        ),
    )


_SEEN = Problem(
    "person.id_number",
    "本次前面已有此人的另一份申请，一人一次只收一份",
    "an earlier application in this file is about the same person; one person, one application",
)


def _open_case(number: str) -> Problem:
    return Problem(
        "person.id_number",
        f"此人已有未办结的申请（办件 {number}），请在其中办理",
        f"this person has an open application already (case {number}); go on there",
    )


def _permit_in_force(number: str, valid_until: date) -> Problem:
    return Problem(
        "person.id_number",
        f"此人的居住证有效期至 {valid_until}（办件 {number}），期满前 30 日内方可再次申领",
        f"this person's permit is good until {valid_until} (case {number}); apply again in its last 30 days",
    )


async def _numbers(transaction: Transaction, drafts: Sequence[_Draft]) -> list[str]:
    """One number a draft, in order: ``<district>-<year>-<six digits>``, without a gap in what is committed."""
    scopes: Mapping[str, list[int]] = defaultdict(list)
    for index, draft in enumerate(drafts):
        scopes[f"{draft.application.district}-{draft.application.received_on.year}"].append(index)
    numbers = [""] * len(drafts)
    for scope in sorted(scopes):
        last = await _advance_counter(transaction, scope, len(scopes[scope]))
        for offset, index in enumerate(scopes[scope], start=last - len(scopes[scope]) + 1):
            numbers[index] = f"{scope}-{offset:06d}"
    return numbers


async def _advance_counter(transaction: Transaction, scope: str, count: int) -> int:
    await transaction.insert_new(CaseCounter, [{"scope": scope, "last": 0}], "scope")
    counter = _COUNTERS.update().where(_COUNTERS.c.scope == scope).values(last=_COUNTERS.c.last + count)
    return int((await transaction.connection.execute(counter.returning(_COUNTERS.c.last))).scalar_one())
