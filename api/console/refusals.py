"""What services say when they refuse, in the reader's language. Services speak English; here is the Chinese.

What stands in no line here is shown as the service said it, under the Chinese headline of its kind.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from services.errors import LianbanError

_STATES = {
    "received": "已收件", "accepted": "已受理", "verifying": "核验中", "decided": "已决定", "issued": "已发证",
    "provisioning": "开通中", "closed": "已办结", "awaiting_applicant": "待补正", "refused": "不予发放",
    "withdrawn": "已撤回", "preview": "预览", "running": "进行中", "paused": "已暂停", "cancelled": "已取消",
    "done": "已办理", "rejected": "未通过复核", "proposed": "待复核", "standing": "有效", "contested": "申诉中",
    "upheld": "维持", "lifted": "已撤销",
}  # fmt: skip

# Patterns of what is said, each with its Chinese; states in brackets become words.
_SAID: Sequence[tuple[str, str]] = tuple(
    (pattern, words) for pattern, words in (
        (r"there is no such case, or it is not yours to see.*", "没有这件办件，或者不在您的查看范围内，请核对编号"),
        (r"there is no such incident", "没有这条异常，或者已不在您的查看范围内"),
        (r"there is no such retry", "没有这个重新推送批次"),
        (r"there is no such remedy.*", "没有这项处置，或者不在您的查看范围内"),
        (r"there is no such card.*", "没有这张牌，或者不在您的查看范围内"),
        (r"there is no such step.*", "没有这件协办事项，或者不在您的查看范围内"),
        (r"nothing of that can be sent again: .*",
         "所选范围内没有可重新推送的事项：已办结、已退回、暂缓、正在推送或在另一批次中"),
        (r"is over; nothing of it is left to be sent again", "这条异常已消除，没有需要重新推送的事项"),
        (r"every step of it is in another retry, or settled by now", "其中的事项都已在另一批次中，或者已经办结"),
        (r"is more than (\d+) steps; narrow the selection", r"超过 \1 项，请缩小范围"),
        (r"is (\w+); from there it cannot be (\w+)", r"目前状态为“{\1}”，不能改为“{\2}”"),
        (r"say what is to be sent again: .*", "请至少选择一个条件：部门、类别或区县"),
        (r"retries are for the whole city's staff.*", "重新推送由全市工作人员办理，您的账号只管一个区县"),
        (r"a second person has to approve what you asked for", "须由另一人复核，不能复核自己提出的处置"),
        (r"is (\w+); it waits for nobody", r"已是“{\1}”，无须复核"),
        (r"must bear no ID number and no telephone number.*", "理由中不能写证件号码和电话号码，请改写办件编号"),
        (r"Value error, must bear no ID number.*", "理由中不能写证件号码和电话号码，请改写办件编号"),
        (r"is (\w+); only an application without a decision can be withdrawn.*",
         r"目前为“{\1}”，只有尚未决定的申请可以撤回；未作任何办理"),
        (r"is (\w+); a correction can be asked for before the decision.*",
         r"目前为“{\1}”，只有决定之前或不予发放之后可以要求补正；未作任何办理"),
        (r"is (\w+) and under way; there is nothing to reopen.*", r"目前为“{\1}”，正在办理，无须重新办理"),
        (r"has no permit; withdraw the application instead.*", "尚未发证，请办理撤回申请"),
        (r"its permit was cancelled before.*", "居住证此前已注销"),
        (r"its permit has ended.*", "居住证已终止"),
        (r"has a permit that has ended; a new application is needed.*", "居住证已终止，须重新申领"),
        (r"this person has the case (\S+) meanwhile.*", r"此人已另有办件 \1，不能恢复本件"),
        (r"its policy has no clause (\S+?);? .*", r"所适用的政策没有条款 \1，请核对"),
        (r"its policy has no clause (\S+)", r"所适用的政策没有条款 \1，请核对"),
        (r"(\S+) is being sent this moment; try again in a minute.*", r"事项 \1 正在推送，请一分钟后再试"),
        (r"is (\w+); only a standing card can be contested, once", r"目前为“{\1}”，只有有效的牌可以申诉，且只能一次"),
        (r"is (\w+); it cannot be (\w+)", r"目前为“{\1}”，不能改为“{\2}”"),
        (r"give a reason of at most (\d+) characters", r"请填写理由，不超过 \1 字"),
        (r"is no cursor of this list; begin again without one", "翻页位置已失效，请从第一页开始"),
        (r"holds (\d+) views already; remove one first", r"常用查询已满 \1 个，请先删除一个"),
        (r"comes from a page of another site", "请求来自其他网站的页面，已拒绝"),
        (r"needs the session's token in .*", "页面停留过久或登录已变更，请刷新页面后重试"),
        (r"its flow has no deployment; run `lianban keep`", "该流程尚未部署，请系统管理员运行 lianban keep"),
        (r"does not answer.*", "暂时没有应答"),
        (r"this is for .*", "这项工作由其他角色办理"),
    )
)  # fmt: skip
_STATE = re.compile(r"\{(\w+)\}")


def in_words(error: LianbanError, language: str) -> str:
    """What ``error`` says, for a reader of ``language``."""
    plain = f"{error.place}: {error.detail}" if error.place else error.detail
    if language != "zh":
        return plain
    for pattern, words in _SAID:
        found = re.fullmatch(pattern, error.detail, re.DOTALL)
        if found is not None:
            told = _STATE.sub(lambda state: _STATES.get(state[1], state[1]), found.expand(words))
            return f"{error.place}：{told}" if _names_something(error.place) else told
    return plain


def _names_something(place: str | None) -> bool:
    """Whether the place is a case, a step or the like, which an official knows, and no name of a field."""
    return place is not None and any(character.isdigit() for character in place)
