"""The words of supervision: holders, cards, clocks and figures. Chinese first, English second."""

from __future__ import annotations

from collections.abc import Mapping

from services.policy.text import Text

HOLDER_WORDS: Mapping[str, Text] = {
    "department": Text("承办部门", "the department"),
    "applicant": Text("申请人", "the applicant"),
    "channel": Text("接口通道", "the channel"),
    "us": Text("联席会议办公室", "the joint meeting's office"),
}
COLOUR_WORDS: Mapping[str, Text] = {
    "yellow": Text("黄牌", "yellow card"),
    "red": Text("红牌", "red card"),
}
CAUSE_WORDS: Mapping[str, Text] = {
    "own": Text("协办事项时限", "the step's own time limit"),
    "promised": Text("承诺时限", "the promised time"),
    "statutory": Text("法定时限", "the statutory time"),
    "unexplained": Text("退回未说明理由", "a refusal without a reason"),
}
CARD_STATE_WORDS: Mapping[str, Text] = {
    "standing": Text("有效", "standing"),
    "contested": Text("申诉中", "contested"),
    "upheld": Text("维持", "upheld"),
    "lifted": Text("已撤销", "lifted"),
}
STOP_WORDS: Mapping[str, Text] = {
    "correction": Text("申请人补正材料，停止计时", "stopped: the applicant was asked for a correction"),
    "outage": Text("部门公告停机，停止计时", "stopped: the department announced an outage"),
}
CLOCK_STATE_WORDS: Mapping[str, Text] = {
    "running": Text("计时中", "running"),
    "stopped": Text("已停止计时", "stopped"),
    "overdue": Text("已逾期", "overdue"),
    "met": Text("按期办结", "met"),
    "late": Text("逾期办结", "met late"),
}
FIGURE_WORDS: Mapping[str, Text] = {
    "received": Text("收件", "received"),
    "closed": Text("办结", "closed"),
    "on_time": Text("按期办结率", "closed on time"),
    "late": Text("逾期办结", "closed late"),
    "first_right": Text("一次办结率", "right the first time"),
    "declined": Text("退回", "declined"),
    "reasoned": Text("退回说明理由率", "refusals with a reason"),
    "unreasoned": Text("退回未说明理由", "refusals without a reason"),
    "cards": Text("红黄牌", "cards"),
    "yellow": Text("黄牌", "yellow cards"),
    "red": Text("红牌", "red cards"),
    "warned": Text("督办黄牌", "yellow cards on resolutions"),
    "chased": Text("督办红牌", "red cards on resolutions"),
    "hours": Text("办理用时（工作小时）", "working hours"),
    "median_hours": Text("用时中位数（工作小时）", "median, working hours"),
    "p90_hours": Text("九成办件用时不超过（工作小时）", "90th percentile, working hours"),
    "satisfaction": Text("满意度", "satisfaction"),
    "score": Text("得分", "score"),
}
