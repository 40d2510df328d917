"""The words of incidents: what a department did, and who must act. Chinese first, English second."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from models import IncidentKind
from services.clock import CHINA
from services.exchange.reasons import REASONS
from services.ledger.steps import UNEXPLAINED
from services.operations.troubles import (
    ENDPOINT_CLOSED,
    MAINTENANCE,
    NO_ANSWER,
    NOT_TAKEN,
    SAID_OTHERWISE,
    Cause,
    Extent,
    bare_reason,
)
from services.policy.text import Text


class Owner(StrEnum):
    """Who must act on an incident."""

    DEPARTMENT = "department"
    ADMINISTRATOR = "administrator"
    COORDINATOR = "coordinator"
    STATION = "station"


KIND_WORDS: Mapping[str, Text] = {
    "failed": Text("推送失败", "failed"),
    "stuck": Text("逾期未办", "stuck"),
    "contradicted": Text("答复矛盾", "contradicted"),
    "declined": Text("部门退回", "declined"),
    "retrying": Text("正在重试", "retrying"),
}
OWNER_WORDS: Mapping[Owner, Text] = {
    Owner.DEPARTMENT: Text("该部门", "the department"),
    Owner.ADMINISTRATOR: Text("系统管理员", "the administrator"),
    Owner.COORDINATOR: Text("联席会议办公室", "the joint meeting's office"),
    Owner.STATION: Text("受理派出所", "the police station that took the application"),
}
RETRY_WORDS: Mapping[str, Text] = {
    "preview": Text("预览", "preview"),
    "running": Text("进行中", "running"),
    "paused": Text("已暂停", "paused"),
    "cancelled": Text("已取消", "cancelled"),
    "closed": Text("已结束", "closed"),
    "unconfirmed": Text("已结束，未全部确认", "over, not all confirmed"),
}
RETRY_COUNT_WORDS: Mapping[str, Text] = {
    "waiting": Text("待推送", "waiting"),
    "sent": Text("已推送待确认", "sent"),
    "confirmed": Text("已确认", "confirmed"),
    "declined": Text("部门退回", "declined"),
    "failed": Text("再次失败", "failed again"),
    "superseded": Text("不再需要", "no longer needed"),
    "elsewhere": Text("在另一批次中", "in another retry"),
    "left": Text("未再推送", "left"),
}

# What a department or its endpoint did, to follow its name and the time.
_DONE: Mapping[str, Text] = {
    "dns": Text("接口地址无法解析", "cannot be found by its address"),
    "connect": Text("无法连接", "cannot be reached"),
    "timeout": Text("超时未应答", "does not answer in time"),
    "reset": Text("连接中断", "breaks the connection off"),
    "tls": Text("证书未通过校验", "shows a certificate that does not hold"),
    "protocol": Text("应答不符合 HTTP 规范", "does not answer in proper HTTP"),
    "address": Text("接口地址不可用", "has an address that may not be used"),
    "token": Text("不发放访问令牌", "gives no access token"),
    "too-large": Text("应答内容过大", "answers at too great a length"),
    "redirected": Text("要求转往其他地址", "answers with a redirect"),
    "internal": Text("的消息因本系统出错未能发出", "cannot be written to, for a fault of this system"),
    "message-not-written": Text("的消息无法生成", "cannot be written to: its message could not be made"),
    ENDPOINT_CLOSED: Text("接口停用", "has no open endpoint"),
    MAINTENANCE: Text("停机维护", "is under announced maintenance"),
    NO_ANSWER: Text("逾期未答复", "has not answered by the deadline"),
    NOT_TAKEN: Text("有事项逾期未送达", "has not been reached by the deadline"),
    UNEXPLAINED: Text("退回且未说明理由", "declines without giving a reason"),
    SAID_OTHERWISE: Text("答复与先前不一致", "said otherwise before"),
}
_OWNERS: Mapping[str, Owner] = {
    "internal": Owner.ADMINISTRATOR,
    "message-not-written": Owner.ADMINISTRATOR,
    "record-mismatch": Owner.STATION,
    "document-missing": Owner.STATION,
    "system-error": Owner.DEPARTMENT,
}
# The department does not know us, or not this address: theirs to mend. Of other 4xx the message is at fault.
_THEIRS = frozenset({"http-401", "http-403", "http-404", "http-410"})


def owner_of(cause: Cause) -> Owner:
    """Who must act."""
    reason = bare_reason(cause.reason)
    if reason in _OWNERS:
        return _OWNERS[reason]
    if cause.kind in (IncidentKind.DECLINED, IncidentKind.CONTRADICTED):
        return Owner.COORDINATOR
    if cause.kind is IncidentKind.FAILED and reason.startswith("http-4") and reason not in _THEIRS:
        return Owner.ADMINISTRATOR
    return Owner.DEPARTMENT


def reason_words(cause: Cause) -> Text:
    """What the department or its endpoint did."""
    reason = bare_reason(cause.reason)
    if reason != cause.reason:
        did = reason_words(Cause(cause.department, cause.kind, reason))
        return Text(f"{did.zh}，多次重试未成功", f"{did.en}, however often it was tried")
    if reason.startswith("http-"):
        status = reason.removeprefix("http-")
        return Text(f"返回 {status}", f"answers {status}")
    if reason in _DONE:
        return _DONE[reason]
    if reason in REASONS:
        return Text(f"退回：{REASONS[reason].zh}", f"declines: {REASONS[reason].en}")
    return Text(f"办理异常（{reason}）", f"is in trouble ({reason})")


def sentence(department: Text, cause: Cause, since: datetime, extent: Extent, now: datetime) -> Text:
    """One incident in one sentence: who, since when, what, how many cases, and with whom it lies (business time)."""
    owner, did = OWNER_WORDS[owner_of(cause)], reason_words(cause)
    again = Text("，系统正在重试", ", being retried") if cause.kind is IncidentKind.RETRYING else Text("", "")
    many = _many(extent)
    start, today = since.astimezone(CHINA), now.astimezone(CHINA).date()
    same, year = start.date() == today, start.year == today.year
    at_zh = f"{start:%H:%M}" if same else f"{start.month}月{start.day}日 {start:%H:%M}"
    at_en = f"{start:%H:%M}" if same else f"{start:%Y-%m-%d %H:%M}"
    at_zh = at_zh if same or year else f"{start.year}年{at_zh}"
    return Text(
        f"{department.zh}自 {at_zh} 起{did.zh}{again.zh}：{many.zh}；由{owner.zh}处理",
        f"{department.en} {did.en} since {at_en}{again.en}: {many.en}; with {owner.en}",
    )


def _many(extent: Extent) -> Text:
    zh = [f"{extent.cases} 件"]
    en = [f"{extent.cases} case{'' if extent.cases == 1 else 's'}"]
    if extent.due_today:
        zh.append(f"其中 {extent.due_today} 件今天到期")
        en.append(f"{extent.due_today} due today")
    if extent.overdue:
        zh.append(f"{extent.overdue} 件已逾期")
        en.append(f"{extent.overdue} overdue")
    return Text("，".join(zh), ", ".join(en))
