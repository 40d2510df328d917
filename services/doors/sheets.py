"""Writing the sheet of due work (.xlsx): what the messages say, and no field of a person beyond theirs."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import xlsxwriter  # type: ignore[import-untyped]  # the package ships no types

from services.doors import sheet_form as form
from services.exchange.messages import Message
from services.exchange.reasons import REASONS
from services.policy.pack import Pack

# The built-in format “text”: what stands there stays as it is.
_TEXT = 49
_WIDTHS = {form.STEP: 34, form.CASE: 22, form.CODE: 22, form.NAME: 34, form.PERSON["id_number"]: 22, form.REASON: 24}


def write_sheet(messages: Sequence[Message], packs: Mapping[str, Pack], step_packs: Mapping[str, str]) -> bytes:
    """The workbook of ``messages``; ``step_packs`` names the policy pack of each step, for the titles of facts."""
    target = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(target, options) as book:
        sheet = book.add_worksheet(form.SHEET)
        heading = book.add_format({"bold": True, "bg_color": "#E6F4FF", "border": 1, "num_format": _TEXT})
        fill = book.add_format({"bg_color": "#FFFBE6", "border": 1, "num_format": _TEXT})
        text = book.add_format({"num_format": _TEXT})
        for position, title in enumerate(form.COLUMNS):
            sheet.set_column(position, position, _WIDTHS.get(title, 14), text)
            sheet.write_string(0, position, title, heading)
        line = 0
        for message in messages:
            for row in _rows(json.loads(message.body)["data"], packs[step_packs[message.step_id]]):
                line += 1
                for position, title in enumerate(form.COLUMNS):
                    if title in form.TO_FILL:
                        sheet.write_blank(line, position, None, fill)
                    elif title in row:
                        sheet.write_string(line, position, row[title], text)
                _offer_choices(sheet, line, row["ask"])
        sheet.freeze_panes(1, 1)
        sheet.autofilter(0, 0, max(line, 1), len(form.COLUMNS) - 1)
    return target.getvalue()


def _offer_choices(sheet: Any, line: int, ask: str) -> None:
    result, reason = form.COLUMNS.index(form.RESULT), form.COLUMNS.index(form.REASON)
    answers = list(form.ASKED[ask].answers)
    sheet.data_validation(line, result, line, result, {"validate": "list", "source": answers})
    if form.DECLINED in form.ASKED[ask].answers.values():
        concern = "facts" if ask == form.FACT else "services"
        fitting = [its.zh for its in REASONS.values() if concern in its.concerns]
        # A list in the cell may be 255 characters long.
        sheet.data_validation(line, reason, line, reason, {"validate": "list", "source": fitting})


def _rows(data: Mapping[str, Any], pack: Pack) -> Iterator[dict[str, str]]:
    """The rows of one message: cells by heading, and ``ask``, the kind of row."""
    common = {form.STEP: data["step"], form.CASE: data["case"] or "", form.ANSWER_BY: data["answer_by"] or ""}
    common |= {form.PERSON[name]: _cell(value) for name, value in data["person"].items()}

    def row(ask: str, code: str, name: str, **days: str) -> dict[str, str]:
        return {"ask": ask, **common, form.ASKS: form.ASKED[ask].words.zh, form.CODE: code, form.NAME: name} | days

    for fact in data.get("facts", ()):
        title = pack.facts[fact].title.zh if fact in pack.facts else fact
        yield row(form.FACT, fact, title)
    for one in data.get("open", ()):
        yield row(form.OPEN, one["service"], one["name"]["zh"], **{form.FROM: one["from"], form.UNTIL: one["until"]})
    for one in data.get("withdraw", ()):
        yield row(form.WITHDRAW, one["service"], one["name"]["zh"], **{form.UNTIL: one["last_day"]})
    if not any(part in data for part in ("facts", "open", "withdraw")):
        permit = data["permit"]
        name = f"居住证{data['reason']['zh']}" if "reason" in data else "居住证已签发"
        days = {form.FROM: permit["valid_from"], form.UNTIL: permit["valid_until"]}
        yield row(form.NOTICE, "permit", name, **days)


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return "；".join("，".join(str(part) for part in one.values()) for one in value)
    return str(value)
