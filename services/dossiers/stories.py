"""The whole story of a case as a timeline: what came in, who was asked, who answered what, and why it went so.

Told from the audit log, which has every change, and from the attempts that did not get through. The same story serves
the HTTP door and ``lianban case``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Row

from services.access import WHOLE_CITY, Sight
from services.clock import china_day
from services.dossiers.dossier import Dossier, load_dossier, load_entries
from services.dossiers.sentences import sentences
from services.dossiers.telling import Entry
from services.dossiers.waiting import waiting_for
from services.house import House
from services.lexicon import Named
from services.policy.text import Text
from services.words import CASE_WORDS, PERMIT_WORDS, ROLE_WORDS

_DAY = timedelta(days=1)
_ACTORS: Mapping[str, Text] = {
    "dispatch": Text("系统调度", "dispatcher"),
    "reconcile": Text("系统逐日核对", "daily reconciliation"),
    "supervise": Text("系统督办", "supervision"),
    **ROLE_WORDS,
}


@dataclass(frozen=True, slots=True)
class StoryEvent:
    """One thing that happened, at the business instant ``at``. ``details`` are the lines under the headline."""

    at: datetime
    kind: str
    actor: str
    actor_words: Text
    zh: str
    en: str
    details: tuple[Text, ...] = ()


@dataclass(frozen=True, slots=True)
class StoryPermit:
    """The permit as a story's head shows it; both days count (A2)."""

    state: str
    state_words: Text
    term_years: int
    valid_from: date
    valid_until: date


@dataclass(frozen=True, slots=True)
class Story:
    """The head of a case, what it waits for today, and everything that happened, in order."""

    number: str
    state: str
    state_words: Text
    district: Text
    station: str
    received_on: date
    received_at: datetime
    term_asked: int
    grounds: tuple[Text, ...]
    policy: Text | None
    permit: StoryPermit | None
    waiting: tuple[Text, ...]
    set_aside: str | None
    events: tuple[StoryEvent, ...]


async def tell_story(house: House, number: str, sight: Sight = WHOLE_CITY) -> Story:
    """The story of the case ``number`` as far as it is in ``sight``; NotFoundError if it is not."""
    async with house.database.read() as connection:
        dossier = await load_dossier(connection, house, number, sight)
        entries = await load_entries(connection, number)
    case, words = dossier.case, dossier.lexicon
    return Story(
        number=number,
        state=case.state.value,
        state_words=CASE_WORDS[case.state.value],
        district=_text(words.district(case.district)),
        station=case.station,
        received_on=case.received_on,
        received_at=case.received_at,
        term_asked=case.term_asked,
        grounds=tuple(_text(words.ground(code)) for code in case.grounds) if dossier.whole else (),
        policy=dossier.pack.title if dossier.pack is not None else None,
        permit=_permit(dossier.permit),
        waiting=tuple(one.words for one in waiting_for(dossier)),
        set_aside=case.set_aside,
        events=_events(dossier, entries, simulated=bool(house.database.clock.shift)),
    )


def _text(named: Named) -> Text:
    return Text(named.zh, named.en)


def _permit(row: Row[Any] | None) -> StoryPermit | None:
    if row is None:
        return None
    state = row.state.value
    return StoryPermit(state, PERMIT_WORDS[state], row.term_years, row.valid_from, row.valid_until)


def _events(dossier: Dossier, entries: Sequence[Row[Any]], *, simulated: bool) -> tuple[StoryEvent, ...]:
    """Events by time; those of one entry stay together, a try that failed comes before the entry that settled it."""
    placed: list[tuple[datetime, float, StoryEvent]] = []
    closed = False
    for entry in entries:
        # The log names the move after what it led to; a story tells that a case was accepted before who was asked.
        accepted = entry.action == "case.moved" and entry.detail.get("to") == "verifying"
        place = entry.sequence - 1.5 if accepted else entry.sequence
        to = entry.detail.get("to") if entry.action == "case.moved" else None
        actor = _actor(dossier, entry.actor, china_day(entry.at))
        for sentence in sentences(dossier, Entry.of(entry, reopens=closed and to == "provisioning")):
            told = StoryEvent(entry.at, sentence.kind, entry.actor, actor, *sentence.words, sentence.details)
            placed.append((entry.at, place, told))
        closed = to == "closed" if to is not None else closed
    planned = {
        step: entry.sequence for entry in entries if entry.action == "steps.planned" for step in entry.detail["steps"]
    }
    for step in dossier.steps.values():
        if dossier.shows(step.department):
            placed += [(event.at, planned.get(step.id, 0), event) for event in _tries(dossier, step, simulated)]
    placed.sort(key=lambda one: one[:2])
    return tuple(event for _, _, event in placed)


def _tries(dossier: Dossier, step: Row[Any], simulated: bool) -> Iterator[StoryEvent]:
    """The tries at a step that did not get through, or whose answer could not be read.

    Tries stand in wire time. A simulated system's business time is whole days away from it; a first try follows its
    plan within moments, so the days between the two are what the clock was moved by.
    """
    tries = dossier.attempts.get(step.id, ())
    shift = timedelta(0)
    if simulated and tries:
        shift = _DAY * round((step.created_at - tries[0].started_at) / _DAY)
    for attempt in tries:
        if attempt.problem is None and attempt.status is not None and 200 <= attempt.status < 300:
            continue
        at = max(attempt.started_at + shift, step.created_at)
        department = dossier.lexicon.department(step.department, china_day(at))
        if attempt.problem is not None:
            zh = f"第{attempt.number}次推送{department.zh}，对方已接收，但答复内容无法识别。"
            en = f"Try {attempt.number} reached {department.en}, whose answer could not be read."
            details: tuple[Text, ...] = (Text(f"问题：{attempt.problem}", attempt.problem),)
        else:
            reason = dossier.lexicon.reason(attempt.error or f"http-{attempt.status}")
            zh = f"第{attempt.number}次推送{department.zh}未成功：{reason.zh}。"
            en = f"Try {attempt.number} did not reach {department.en}: {reason.en}."
            details = ()
        yield StoryEvent(at, "attempt", "dispatch", _ACTORS["dispatch"], zh, en, details)


def _actor(dossier: Dossier, actor: str, day: date) -> Text:
    """Who did it: ``dispatch``, ``department:hrss``, ``clerk:zhangdian-1``."""
    kind, _, name = actor.partition(":")
    if kind == "department":
        return _text(dossier.lexicon.department(name, day))
    known = _ACTORS.get(kind)
    if known is None:
        return Text(actor, actor)
    return Text(f"{known.zh}（{name}）", f"{known.en} {name}") if name else known
