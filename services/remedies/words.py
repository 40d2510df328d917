"""The words for remedies (处置)."""

from __future__ import annotations

from collections.abc import Mapping

from models import RemedyKind, RemedyState
from services.policy.text import Text

KIND_WORDS: Mapping[RemedyKind, Text] = {
    RemedyKind.WAIVE: Text("免办事项", "waive steps"),
    RemedyKind.FACT: Text("人工认定", "decide a fact by hand"),
    RemedyKind.WITHDRAW: Text("撤回申请", "withdraw applications"),
    RemedyKind.CORRECT: Text("要求补正", "ask for a correction"),
    RemedyKind.CANCEL: Text("注销居住证", "cancel permits"),
    RemedyKind.REINSTATE: Text("恢复居住证", "undo cancellations"),
    RemedyKind.REOPEN: Text("重新办理", "reopen cases"),
}

STATE_WORDS: Mapping[RemedyState, Text] = {
    RemedyState.PROPOSED: Text("待复核", "waits for a second person"),
    RemedyState.DONE: Text("已办理", "carried out"),
    RemedyState.REJECTED: Text("未通过复核", "turned down"),
}
