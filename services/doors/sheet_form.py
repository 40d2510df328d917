"""The sheet of the file door: its columns, and the words in which an officer answers.

One row is one thing asked: a fact to confirm, a service to open or withdraw, a notice to take.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from services.exchange.reasons import REASONS
from services.policy.text import Text
from services.words import FIELD_WORDS

SHEET = "待办事项"
STEP, CASE, ASKS, CODE, NAME = "协办事项编号", "办件编号", "请求", "事项代码", "事项名称"
FROM, UNTIL, ANSWER_BY = "自", "至", "请于何日前答复"
RESULT, IN_FORCE_FROM, REASON, NOTE, AUTHORITY = "办理结果", "开通日期", "原因", "说明", "经办依据"

PERSON: Mapping[str, str] = {name: words.zh for name, words in FIELD_WORDS.items()}
COLUMNS = (
    STEP, CASE, ASKS, CODE, NAME, *PERSON.values(), FROM, UNTIL, ANSWER_BY,
    RESULT, IN_FORCE_FROM, REASON, NOTE, AUTHORITY,
)  # fmt: skip
TO_FILL = (RESULT, IN_FORCE_FROM, REASON, NOTE, AUTHORITY)
NEEDED = (STEP, CODE, RESULT)


@dataclass(frozen=True, slots=True)
class Ask:
    """A kind of row: what it asks, and the answers it takes, each with what it comes to."""

    words: Text
    answers: Mapping[str, str]


DECLINED = "declined"
FACT, OPEN, WITHDRAW, NOTICE = "fact", "open", "withdraw", "notice"
ASKED: Mapping[str, Ask] = {
    FACT: Ask(Text("核验", "confirm"), {"属实": "yes", "不属实": "no", "无法核验": DECLINED}),
    OPEN: Ask(Text("开通", "open"), {"已开通": "in_force", "不予办理": DECLINED}),
    WITHDRAW: Ask(Text("停止", "withdraw"), {"已停止": "ended"}),
    NOTICE: Ask(Text("登记", "take note"), {"已登记": "received"}),
}

# A reason may be written by its code or by its words.
REASON_CODES: Mapping[str, str] = {
    **{code: code for code in REASONS},
    **{reason.zh: code for code, reason in REASONS.items()},
}
