"""Reason codes: why a department declines (退回原因), and why a permit ended. Data, published with the schemas."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from services.errors import NotFoundError

Concern = Literal["facts", "services"]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a department declines. ``concerns``: whether it may stand for facts asked, services to open, or both."""

    code: str
    zh: str
    en: str
    concerns: frozenset[Concern]


@dataclass(frozen=True, slots=True)
class EndReason:
    """Why a permit ended, as the message ``permit.ended`` tells it."""

    code: str
    zh: str
    en: str


_FACTS: frozenset[Concern] = frozenset({"facts"})
_SERVICES: frozenset[Concern] = frozenset({"services"})
_BOTH = _FACTS | _SERVICES

REASONS: Mapping[str, Reason] = {
    reason.code: reason
    for reason in (
        Reason("not-eligible", "不符合办理条件", "does not meet the conditions of the service", _SERVICES),
        Reason("quota-full", "名额已满，已列入轮候", "no places left; queued by length of residence", _SERVICES),
        Reason("already-in-force", "该事项此前已开通", "the service was already open for this person", _SERVICES),
        Reason("no-record", "本部门无相关记录", "no record of this person that would tell", _BOTH),
        Reason("record-mismatch", "姓名与公民身份号码等信息不一致", "name, ID number and record do not agree", _BOTH),
        Reason("document-missing", "缺少所需材料", "a required document is missing", _BOTH),
        Reason("not-our-duty", "不属于本部门职责", "not a duty of this department", _BOTH),
        Reason("duplicate", "重复推送，前次已办理", "a repeat of what was already dealt with", _BOTH),
        Reason("system-error", "业务系统故障，无法办理", "the department's own system failed", _BOTH),
        Reason("other", "其他原因（见说明）", "another reason, told in the note", _BOTH),
    )
}

PERMIT_END_REASONS: Mapping[str, EndReason] = {
    reason.code: reason
    for reason in (
        EndReason("expired", "有效期届满", "its term has run out"),
        EndReason("cancelled", "持证人申请注销", "cancelled at the holder's own request"),
        EndReason("left-city", "持证人已离开本市居住", "the holder no longer lives in the city"),
        EndReason("settled", "持证人已在本市落户", "the holder's household registration moved to the city"),
        EndReason("replaced", "已换发新证", "replaced by a new permit"),
        EndReason("revoked", "签发依据不实，依法收回", "withdrawn: what it was issued on proved untrue"),
    )
}


def reason(code: str) -> Reason:
    """The reason of that code; NotFoundError if the list has none."""
    try:
        return REASONS[code]
    except KeyError:
        raise NotFoundError(f"no such code; use one of {', '.join(REASONS)}", place="reason") from None
