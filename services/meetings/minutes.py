"""Minutes (纪要): drafted from what was written down as it happened, signed off by the chair, never changed after that.

A draft is made anew as often as wanted. Once a version is signed it stands; a correction is a new version, with its
reason, to be signed like the first. The digest of what was signed is in the audit chain.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import rfc8785
from sqlalchemy import Row, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from models import (
    AgendaItem,
    AgendaState,
    Attendance,
    Matter,
    Meeting,
    MeetingState,
    Minutes,
    Resolution,
    ResolutionState,
)
from services.access import Caller
from services.access.second_person import approve, person_behind
from services.database import table
from services.errors import ConflictError, InputError, NotFoundError
from services.house import House
from services.lexicon import Lexicon
from services.meetings.agenda import lock_meeting
from services.meetings.causes import meeting_code
from services.meetings.document import minutes_document
from services.meetings.office import office
from services.meetings.rules import line
from services.meetings.words import ACTION_WORDS, because_words, matter_title, resolution_number

_MINUTES, _MEETINGS, _AGENDA = table(Minutes), table(Meeting), table(AgendaItem)
_ATTENDANCE, _RESOLUTIONS, _MATTERS = table(Attendance), table(Resolution), table(Matter)
_NOON = 12


@dataclass(frozen=True, slots=True)
class MinutesVersion:
    """One version. ``holds``: its content is what its digest says."""

    meeting: int
    version: int
    content: dict[str, Any]
    digest: str
    holds: bool
    because: str | None
    drafted_by: str
    drafted_at: datetime
    signed_by: str | None
    signed_at: datetime | None


async def draft_minutes(house: House, caller: Caller, meeting: int, because: str | None = None) -> int:
    """Draft the minutes of a meeting that is over, in place of the draft before; the version.

    After a version was signed, ``because`` says what is corrected: InputError without it.
    """
    because = line(because, "because", 1_000) if because else None
    async with office(house, caller) as transaction:
        row = await lock_meeting(transaction, meeting)
        if row.state is not MeetingState.CLOSED or row.opened_at is None:
            raise ConflictError("minutes are drafted when the sitting is closed", place="meeting")
        latest = await _latest(transaction.connection, meeting)
        if latest is not None and latest.signed_at is not None:
            if because is None:
                raise InputError("its minutes are signed; say what the new version corrects", place="because")
            version = int(latest.version) + 1
        else:
            version = int(latest.version) if latest is not None else 1
            because = because or (latest.because if latest is not None else None)
        content = await _compose(house, transaction.connection, row, version, because)
        mine = (_MINUTES.c.meeting_id == meeting, _MINUTES.c.version == version, _MINUTES.c.signed_at.is_(None))
        await transaction.connection.execute(_MINUTES.delete().where(*mine))
        draft = {
            "meeting_id": meeting,
            "version": version,
            "content": content,
            "digest": digest_of(content),
            "because": because,
            "drafted_by": caller.actor,
            "drafted_person": await person_behind(transaction.connection, caller),
            "drafted_at": transaction.at,
        }
        await transaction.insert(Minutes, [draft])
        transaction.note("minutes.drafted", "system", meeting=meeting, version=version)
    return version


async def sign_minutes(house: House, caller: Caller, meeting: int, version: int, digest: str) -> bool:
    """The chair signs off the version whose ``digest`` was looked at; whether it is signed now, or waits for one more
    person because nobody knows who drafted it.

    ConflictError if it was drafted anew since, or is signed; AccessError to who drafted it and to no known person.
    """
    async with office(house, caller) as transaction:
        await lock_meeting(transaction, meeting)
        row = await _version(transaction.connection, meeting, version)
        if row.signed_at is not None:
            raise ConflictError("is signed already", place="version")
        if row.digest != digest:
            raise ConflictError("was drafted anew since; look at it again", place="digest")
        if not await approve(transaction, caller, f"minutes:{meeting}:{version}:{digest[:16]}", row.drafted_person):
            return False
        signed = {
            "signed_by": caller.actor,
            "signed_at": transaction.at,
            "document": minutes_document(row.content),
        }
        mine = (_MINUTES.c.meeting_id == meeting, _MINUTES.c.version == version, _MINUTES.c.signed_at.is_(None))
        await transaction.connection.execute(update(_MINUTES).where(*mine).values(signed))
        transaction.note("minutes.signed", "system", meeting=meeting, version=version, digest=digest)
    return True


async def read_minutes(house: House, meeting: int, version: int | None = None) -> MinutesVersion:
    """A version of a meeting's minutes, the newest if none is named; NotFoundError if there is none."""
    async with house.database.read() as connection:
        row = await _version(connection, meeting, version)
    return MinutesVersion(
        meeting, row.version, row.content, row.digest, digest_of(row.content) == row.digest, row.because,
        row.drafted_by, row.drafted_at, row.signed_by, row.signed_at,
    )  # fmt: skip


async def minutes_file(house: House, meeting: int, version: int | None = None) -> tuple[str, bytes]:
    """The minutes as .docx, as they were signed, or the draft as it stands; with a name for the file."""
    async with house.database.read() as connection:
        row = await _version(connection, meeting, version)
    content = row.content
    name = f"纪要-{content['year']}-{content['ordinal']}-v{row.version}{'' if row.signed_at else '-draft'}.docx"
    return name, bytes(row.document) if row.document is not None else minutes_document(content)


async def versions_of(connection: AsyncConnection, meeting: int) -> list[Row[Any]]:
    """Every version of a meeting's minutes, the oldest first."""
    query = select(
        _MINUTES.c.version, _MINUTES.c.digest, _MINUTES.c.because, _MINUTES.c.signed_by, _MINUTES.c.signed_at
    )
    query = query.where(_MINUTES.c.meeting_id == meeting).order_by(_MINUTES.c.version)
    return list((await connection.execute(query)).all())


def digest_of(content: dict[str, Any]) -> str:
    """SHA-256 (hex) of the canonical JSON (RFC 8785) of the minutes' content."""
    return hashlib.sha256(rfc8785.dumps(content)).hexdigest()


async def _latest(connection: AsyncConnection, meeting: int) -> Row[Any] | None:
    query = select(_MINUTES).where(_MINUTES.c.meeting_id == meeting).order_by(_MINUTES.c.version.desc()).limit(1)
    return (await connection.execute(query)).one_or_none()


async def _version(connection: AsyncConnection, meeting: int, version: int | None) -> Row[Any]:
    query = select(_MINUTES).where(_MINUTES.c.meeting_id == meeting)
    if version is not None:
        query = query.where(_MINUTES.c.version == version)
    row = (await connection.execute(query.order_by(_MINUTES.c.version.desc()).limit(1))).one_or_none()
    if row is None:
        raise NotFoundError("there are no such minutes; draft them when the sitting is closed", place="minutes")
    return row


async def _compose(
    house: House, connection: AsyncConnection, meeting: Row[Any], version: int, because: str | None
) -> dict[str, Any]:
    """What the minutes say, in plain JSON: Chinese, as they are filed."""
    day = meeting.held_on
    words = Lexicon(house.packs, None)
    body = words.department(meeting_code(house), day).zh
    attendance = {
        row.department: row
        for row in await connection.execute(select(_ATTENDANCE).where(_ATTENDANCE.c.meeting_id == meeting.id))
    }
    present = [one for one in meeting.members if one["code"] in attendance and attendance[one["code"]].present]
    absent = [one for one in meeting.members if one not in present]
    items = await _items(house, connection, meeting)
    settled = sum(len(item["resolutions"]) for item in items)
    half = "上午" if int(meeting.begins[:2]) < _NOON else "下午"
    return {
        "title": f"{body}纪要",
        "number": f"〔{meeting.year}〕{meeting.ordinal}号",
        "year": meeting.year,
        "ordinal": meeting.ordinal,
        "version": version,
        "because": because,
        "held_on": day.isoformat(),
        "time": f"{day.year}年{day.month}月{day.day}日{half}{meeting.begins}",
        "place": meeting.place,
        "chair": meeting.chair,
        "present": [
            {"code": one["code"], "zh": one["zh"], "delegate": attendance[one["code"]].delegate or ""}
            for one in present
        ],
        "absent": [{"code": one["code"], "zh": one["zh"]} for one in absent],
        "opening": (
            f"{day.year}年{day.month}月{day.day}日{half}，{meeting.chair}主持召开{meeting.year}年第{meeting.ordinal}次{body}，"
            f"到会单位{len(present)}个，研究议题{len(items)}项，议定事项{settled}项。现将会议议定事项纪要如下："
        ),
        "items": items,
        "circulated": "、".join(one["zh"] for one in meeting.members),
    }


async def _items(house: House, connection: AsyncConnection, meeting: Row[Any]) -> list[dict[str, Any]]:
    words, day = Lexicon(house.packs, None), meeting.held_on
    query = (
        select(_MATTERS, _AGENDA.c.state.label("agenda_state"), _AGENDA.c.because, _AGENDA.c.paper)
        .join(_AGENDA, _AGENDA.c.matter_id == _MATTERS.c.id)
        .where(_AGENDA.c.meeting_id == meeting.id)
        .order_by(_AGENDA.c.position)
    )
    items = (await connection.execute(query)).all()
    resolutions = (
        await connection.execute(
            select(_RESOLUTIONS)
            .where(_RESOLUTIONS.c.meeting_id == meeting.id, _RESOLUTIONS.c.state != ResolutionState.REVOKED)
            .order_by(_RESOLUTIONS.c.ordinal)
        )
    ).all()
    found = []
    for item in items:
        settled = [
            {
                "number": resolution_number(meeting.year, meeting.ordinal, one.ordinal),
                "ordinal": one.ordinal,
                "text": one.text,
                "department": words.department(one.department, day).zh,
                "helpers": "、".join(words.department(code, day).zh for code in one.helpers),
                "due": f"{one.due_on.year}年{one.due_on.month}月{one.due_on.day}日",
                "action": ACTION_WORDS[one.action["kind"]].zh if one.action else "",
            }
            for one in resolutions
            if one.matter_id == item.id
        ]
        because = because_words(item.because)
        found.append(
            {
                "matter": item.id,
                "title": matter_title(house, item, day).zh,
                "told": (item.paper or {}).get("told", {}).get("zh", ""),
                "resolutions": settled,
                "left": _left(item.agenda_state, because.zh if because else None) if not settled else "",
            }
        )
    return found


def _left(state: AgendaState, because: str | None) -> str:
    """What the minutes say of a matter on which nothing was settled."""
    said = "会前撤下" if state is AgendaState.OFF else "顺延至下次会议"
    return f"{said}：{because}。" if because else f"{said}。"
