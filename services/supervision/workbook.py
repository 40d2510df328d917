"""The appraisal as a workbook (.xlsx): one sheet of departments, one of services. Every cell is text or a number: what
looks like a formula in the data stays text.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import Any

import xlsxwriter  # type: ignore[import-untyped]  # the package ships no types

from services.supervision.appraisal import Appraisal
from services.supervision.uptake import ServiceFigures
from services.supervision.words import FIGURE_WORDS

_SHARE, _FEN_PER_YUAN = "0.0%", 100
_HEAD = (
    "部门", "区县", "收件", "办结", "按期办结", "按期办结率", "一次办结", "一次办结率", "退回", "退回已说明理由",
    "黄牌", "红牌", "督办黄牌", "督办红牌",
    "用时中位数（工作小时）", "九成用时不超过（工作小时）", "满意度", "评价人数", "得分",
)  # fmt: skip
_SERVICES = ("事项", "名称", "部门", "区县", "应享", "已开通", "实际使用", "单位成本（元）", "成本（元）")


def appraisal_workbook(appraisal: Appraisal, services: Sequence[ServiceFigures]) -> bytes:
    """The workbook's bytes."""
    out = BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(out, options) as book:
        bold, share = book.add_format({"bold": True}), book.add_format({"num_format": _SHARE})
        sheet = book.add_worksheet("部门考核")
        weights = "，".join(f"{FIGURE_WORDS[code].zh} {weight}" for code, weight in appraisal.weights.items())
        sheet.write_string(0, 0, f"{appraisal.period.zh}部门考核（权重：{weights}）", bold)
        _row(sheet, 1, _HEAD, bold)
        for place, one in enumerate(appraisal.cards, start=2):
            _row(
                sheet, place,
                (
                    one.department.zh, one.district.zh if one.district else "全市",
                    one.received, one.closed, one.on_time,
                    _part(one.on_time, one.judged), one.first_right, _part(one.first_right, one.first_judged),
                    one.declined, one.reasoned, one.yellow, one.red, one.warned, one.chased,
                    one.median_hours, one.p90_hours, one.satisfaction, one.answers, one.score,
                ),
            )  # fmt: skip
        for column in (5, 7):
            sheet.set_column(column, column, None, share)
        sheet.set_column(0, 0, 26)
        sheet.freeze_panes(2, 2)
        listed = book.add_worksheet("权益事项")
        _row(listed, 0, _SERVICES, bold)
        for place, service in enumerate(services, start=1):
            _row(
                listed, place,
                (
                    service.service.code, service.service.zh, service.department.zh,
                    service.district.zh if service.district else "全市", service.entitled, service.opened,
                    service.taken_up, _yuan(service.unit_fen), _yuan(service.cost_fen),
                ),
            )  # fmt: skip
        listed.set_column(1, 2, 26)
    return out.getvalue()


def _part(count: int, whole: int) -> float | None:
    return count / whole if whole else None


def _yuan(fen: int | None) -> float | None:
    return fen / _FEN_PER_YUAN if fen is not None else None


def _row(sheet: Any, row: int, values: Sequence[str | float | None], style: Any = None) -> None:
    for column, value in enumerate(values):
        if isinstance(value, str):
            sheet.write_string(row, column, value, style)
        elif value is not None:
            sheet.write_number(row, column, value, style)
