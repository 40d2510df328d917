"""The paper of a matter (议题材料): facts and figures, cases by number, what departments wrote, what was settled
before, and what the meeting can have carried out. Nobody of whom a case is about stands in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models import Matter, MatterKind, MatterRemark, Meeting, Resolution
from services.database import table
from services.house import House
from services.lexicon import Lexicon, Named, day_words
from services.meetings.causes import Extent
from services.meetings.orders import KINDS
from services.meetings.words import (
    ACTION_WORDS,
    MATTER_WORDS,
    RESOLUTION_WORDS,
    matter_title,
    resolution_reference,
    subject_words,
)
from services.policy.text import Text

_MATTERS, _REMARKS, _RESOLUTIONS, _MEETINGS = table(Matter), table(MatterRemark), table(Resolution), table(Meeting)
_MOST_CASES = 50

# What the system can carry out for a matter of each kind.
OPTIONS: Mapping[MatterKind, tuple[str, ...]] = {
    MatterKind.LATE: ("retry", "waive", "outage"),
    MatterKind.TROUBLE: ("retry", "outage", "waive", "hand-over"),
    MatterKind.DISPUTE: ("hand-over", "waive"),
    MatterKind.CONTRADICTION: ("decide-fact",),
    MatterKind.UNCONFIRMED: ("decide-fact", "waive"),
    MatterKind.OTHER_GROUND: ("accept-ground", "amend"),
    MatterKind.CATCH_ALL: (),
    MatterKind.UNCONNECTED: ("hand-over", "waive", "retry"),
    MatterKind.NO_REASON: ("waive",),
    MatterKind.PROPOSED: ("set-parameter", "hand-over", "amend", "outage"),
}


async def write_paper(
    house: House, connection: AsyncConnection, matter: Row[Any], extent: Extent | None, day: date
) -> dict[str, Any]:
    """The paper as it stands now, for a meeting on ``day``: plain JSON, words in Chinese and English."""
    words = Lexicon(house.packs, None)
    extent = extent or Extent()
    title = matter_title(house, matter, day)
    districts = [asdict(words.district(code)) | {"cases": count} for code, count in sorted(extent.districts.items())]
    return {
        "matter": matter.id,
        "title": _words(title),
        "kind": _named(Named.of(matter.kind.value, MATTER_WORDS[matter.kind])),
        "department": _named(words.department(matter.department, day)) if matter.department else None,
        "about": _named(subject_words(house, matter.subject)) if matter.subject else None,
        "text": matter.text,
        "opened_on": matter.opened_at.date().isoformat(),
        "returns": matter.returns,
        "figures": {
            "cases": extent.size,
            "people": extent.persons,
            "overdue": extent.overdue,
            "due_on": extent.due_on.isoformat() if extent.due_on else None,
        },
        "told": _words(told(extent)),
        "districts": districts,
        "months": dict(sorted(extent.months.items())),
        "cases": sorted(extent.cases)[:_MOST_CASES],
        "more_cases": max(0, extent.size - min(len(extent.cases), _MOST_CASES)),
        "answer_by": matter.answer_by.isoformat() if matter.answer_by else None,
        "remarks": await remarks_of(house, connection, matter.id, day),
        "before": await _before(connection, matter),
        "options": [_named(Named.of(code, ACTION_WORDS[code])) for code in OPTIONS[matter.kind] if code in KINDS],
    }


def told(extent: Extent) -> Text:
    """How much hangs on a matter, in one sentence."""
    if not extent.size:
        return Text("暂无办件涉及。", "No case hangs on it.")
    zh, en = f"涉及办件 {extent.size} 件、{extent.persons} 人", f"{extent.size} cases of {extent.persons} people"
    if extent.overdue:
        zh, en = f"{zh}，其中已逾期 {extent.overdue} 件", f"{en}, {extent.overdue} of them overdue"
    if extent.due_on:
        due = day_words(extent.due_on)
        zh, en = f"{zh}，最早期限 {due.zh}", f"{en}; the first deadline is {due.en}"
    return Text(f"{zh}。", f"{en}.")


async def remarks_of(house: House, connection: AsyncConnection, matter: int, day: date) -> list[dict[str, Any]]:
    """What departments wrote to the matter, in order: the answer asked for, and comments."""
    words = Lexicon(house.packs, None)
    query = select(_REMARKS).where(_REMARKS.c.matter_id == matter).order_by(_REMARKS.c.id)
    return [
        {
            "department": _named(words.department(row.department, day)),
            "answer": row.is_answer,
            "text": row.text,
            "at": row.written_at.isoformat(),
        }
        for row in await connection.execute(query)
    ]


async def _before(connection: AsyncConnection, matter: Row[Any]) -> list[dict[str, Any]]:
    """What meetings settled before about the same cause, the latest first."""
    same = [_MATTERS.c.kind == matter.kind]
    if matter.kind is MatterKind.PROPOSED:
        same.append(_MATTERS.c.id == matter.id)
    else:
        for column, value in ((_MATTERS.c.department, matter.department), (_MATTERS.c.subject, matter.subject)):
            same.append(column.is_(None) if value is None else column == value)
    query = (
        select(_RESOLUTIONS, _MEETINGS.c.year, _MEETINGS.c.ordinal.label("sitting"), _MEETINGS.c.held_on)
        .join(_MATTERS, _MATTERS.c.id == _RESOLUTIONS.c.matter_id)
        .join(_MEETINGS, _MEETINGS.c.id == _RESOLUTIONS.c.meeting_id)
        .where(*same)
        .order_by(_RESOLUTIONS.c.id.desc())
        .limit(10)
    )
    return [
        {
            "reference": _words(resolution_reference(row.year, row.sitting, row.ordinal)),
            "held_on": row.held_on.isoformat(),
            "text": row.text,
            "due_on": row.due_on.isoformat(),
            "state": _named(Named.of(row.state.value, RESOLUTION_WORDS[row.state])),
        }
        for row in await connection.execute(query)
    ]


def _words(text: Text) -> dict[str, str]:
    return {"zh": text.zh, "en": text.en}


def _named(name: Named) -> dict[str, str]:
    return asdict(name)
