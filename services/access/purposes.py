"""What for somebody opens what is sealed: a short list, since words of one's own would bear the person into the log."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from services.policy.text import Text


class Purpose(StrEnum):
    """Why personal data is opened, or a person is looked for."""

    HANDLING = "handling"
    INQUIRY = "inquiry"
    COMPLAINT = "complaint"
    MEETING = "meeting"
    AUDIT = "audit"


PURPOSE_WORDS: Final[Mapping[Purpose, Text]] = {
    Purpose.HANDLING: Text("办理本件", "handling the case"),
    Purpose.INQUIRY: Text("答复申请人查询", "answering the applicant"),
    Purpose.COMPLAINT: Text("处理投诉或复议", "a complaint or a review"),
    Purpose.MEETING: Text("联席会议审议", "the joint meeting"),
    Purpose.AUDIT: Text("审计检查", "an audit"),
}
