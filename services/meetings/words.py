"""The words of the joint meeting: titles of matters, states, actions. Chinese first, English second."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from models import AgendaState, IncidentKind, MatterKind, MatterState, MeetingState, ResolutionState
from services.house import House
from services.lexicon import Lexicon, Named
from services.operations.troubles import Cause as Trouble
from services.operations.words import reason_words
from services.policy.text import Text

MATTER_WORDS: Mapping[MatterKind, Text] = {
    MatterKind.LATE: Text("逾期未办", "past its time"),
    MatterKind.TROUBLE: Text("异常久拖", "an incident beyond its time"),
    MatterKind.DISPUTE: Text("职责争议", "who owes it"),
    MatterKind.CONTRADICTION: Text("答复矛盾", "contradictory answers"),
    MatterKind.UNCONFIRMED: Text("无法核实", "a fact that nobody can confirm"),
    MatterKind.OTHER_GROUND: Text("其他情形", "ground `other`"),
    MatterKind.CATCH_ALL: Text("兜底条款", "a clause left open"),
    MatterKind.UNCONNECTED: Text("尚未接入", "nobody connected"),
    MatterKind.NO_REASON: Text("退回未说明理由", "declined without a reason"),
    MatterKind.PROPOSED: Text("部门提请", "put forward by a member"),
}
MATTER_STATE_WORDS: Mapping[MatterState, Text] = {
    MatterState.OPEN: Text("待上会", "waits for the meeting"),
    MatterState.RULED: Text("已议定，落实中", "settled, being done"),
    MatterState.DONE: Text("已落实", "done"),
    MatterState.OFF: Text("已撤下", "taken off"),
}
MEETING_WORDS: Mapping[MeetingState, Text] = {
    MeetingState.PLANNED: Text("拟召开", "planned"),
    MeetingState.CALLED: Text("已通知", "called"),
    MeetingState.SITTING: Text("进行中", "sitting"),
    MeetingState.CLOSED: Text("已结束", "closed"),
}
AGENDA_WORDS: Mapping[AgendaState, Text] = {
    AgendaState.LISTED: Text("待议", "listed"),
    AgendaState.DISCUSSED: Text("已讨论", "discussed"),
    AgendaState.RESOLVED: Text("已议定", "resolved"),
    AgendaState.DEFERRED: Text("顺延", "deferred"),
    AgendaState.OFF: Text("撤下", "taken off"),
}
RESOLUTION_WORDS: Mapping[ResolutionState, Text] = {
    ResolutionState.AGREED: Text("已议定", "agreed"),
    ResolutionState.ASKED: Text("待复核", "waits for a second person"),
    ResolutionState.ACTING: Text("落实中", "being done"),
    ResolutionState.CLOSED: Text("已办结", "closed"),
    ResolutionState.REVOKED: Text("已撤销", "revoked"),
}
ACTION_WORDS: Mapping[str, Text] = {
    "accept-ground": Text("认定其他情形", "decide on the other ground"),
    "decide-fact": Text("认定核验事实", "decide a fact"),
    "waive": Text("免办事项", "waive steps"),
    "hand-over": Text("移交服务事项", "hand a service over"),
    "set-parameter": Text("调整政策参数", "set a parameter of the policy"),
    "amend": Text("修订政策", "amend the policy"),
    "retry": Text("重新推送", "send again"),
    "outage": Text("认定停机", "declare an outage"),
}

_TITLES: Mapping[MatterKind, Text] = {
    MatterKind.LATE: Text("{department}逾期未答复、未办理的事项", "what {department} has not done in time"),
    MatterKind.TROUBLE: Text("{department}{about}，久未解决", "{department} {about}, for too long"),
    MatterKind.DISPUTE: Text("“{about}”由哪个部门承担", "who owes: {about}"),
    MatterKind.CONTRADICTION: Text(
        "{department}对“{about}”的答复前后不一", "{department} said two things about: {about}"
    ),
    MatterKind.UNCONFIRMED: Text("{department}无法核实“{about}”", "{department} cannot confirm: {about}"),
    MatterKind.OTHER_GROUND: Text(
        "按“其他情形”申领3年期居住证的认定", "applications for three years on the ground `other`"
    ),
    MatterKind.CATCH_ALL: Text("“{about}”的具体内容", "what is meant by: {about}"),
    MatterKind.UNCONNECTED: Text(
        "{department}尚未接入，应办事项无人承接", "{department} is not connected, and services are promised"
    ),
    MatterKind.NO_REASON: Text("{department}退回办件未说明理由", "{department} declines without a reason"),
}

RESOLVED_ITSELF = "resolved-itself"
CARRIED_OUT = "carried-out"
_BECAUSE: Mapping[str, Text] = {
    RESOLVED_ITSELF: Text("会前已自行解决", "it resolved itself"),
    CARRIED_OUT: Text("议定事项均已办结", "everything that was settled is done"),
}
_LONGEST_TITLE = 60


def because_words(code: str | None) -> Text | None:
    """Why a matter is off or done: a code in words, what somebody wrote as it is."""
    return _BECAUSE.get(code, Text(code, code)) if code else None


def matter_title(house: House, row: Any, day: date) -> Text:
    """What a matter is called on the agenda: ``row`` bears ``kind``, ``department``, ``subject`` and ``text``."""
    if row.kind is MatterKind.PROPOSED:
        text = row.text or ""
        short = text if len(text) <= _LONGEST_TITLE else f"{text[:_LONGEST_TITLE]}……"
        return Text(short, short)
    department = Lexicon(house.packs, None).department(row.department or "", day)
    about: Text | Named = subject_words(house, row.subject)
    if row.kind is MatterKind.TROUBLE:
        about = reason_words(Trouble(row.department, IncidentKind.FAILED, row.subject))
    title = _TITLES[row.kind]
    return Text(
        title.zh.format(department=department.zh, about=about.zh),
        title.en.format(department=department.en, about=about.en),
    )


def subject_words(house: House, code: str | None) -> Named:
    """A service, a fact, a clause or a parameter in words; a code that no pack knows as it is."""
    if not code:
        return Named("", "", "")
    words = Lexicon(house.packs, house.packs.packs[-1])
    for pack in reversed(house.packs.packs):
        if code in pack.services:
            return words.service(code)
        if code in pack.facts:
            return words.fact(code)
        if code in pack.parameters:
            source = pack.parameters[code].source
            return Named(code, source.zh, source.en)
    return words.clause(code)


def resolution_number(year: int, meeting: int, ordinal: int) -> str:
    """How a resolution is called by programs: ``2014-3-2`` is the second of the third meeting of 2014."""
    return f"{year}-{meeting}-{ordinal}"


def resolution_reference(year: int, meeting: int, ordinal: int) -> Text:
    """How documents refer to a resolution."""
    return Text(
        f"联席会议纪要〔{year}〕{meeting}号第{ordinal}项", f"joint meeting, minutes {meeting} of {year}, item {ordinal}"
    )
