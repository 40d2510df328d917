"""Lists of cases as files: a workbook, or comma-separated for other programs. Masked like the list on the page.

No cell can be taken for a formula: a workbook says of each that it is text, and in the other what begins like one gets
an apostrophe before it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Literal

from services.access import Caller, Sight
from services.clock import CHINA
from services.dossiers.listing import MAX_PAGE, CaseFilter, CaseRow, Order, list_cases
from services.house import House
from services.policy.text import Text

MAX_ROWS = 10_000
Kind = Literal["xlsx", "csv"]
_FORMULA = ("=", "+", "-", "@", "\t", "\r")

_COLUMNS: Sequence[tuple[Text, Callable[[CaseRow, str], str]]] = (
    (Text("办件编号", "Case number"), lambda row, _: row.number),
    (Text("环节", "Stage"), lambda row, side: getattr(row.state, side)),
    (Text("申请人", "Applicant"), lambda row, _: row.person.name),
    (Text("公民身份号码", "ID number"), lambda row, _: row.person.id_number),
    (Text("区县", "District"), lambda row, side: getattr(row.district, side)),
    (Text("受理派出所", "Police station"), lambda row, _: row.station),
    (Text("受理日期", "Day of receipt"), lambda row, _: row.received_on.isoformat()),
    (Text("收件时间", "Received"), lambda row, _: row.received_at.astimezone(CHINA).strftime("%Y-%m-%d %H:%M")),
    (Text("申请年限", "Term asked for"), lambda row, _: str(row.term_asked)),
    (Text("发证年限", "Term issued"), lambda row, _: str(row.term_issued or "")),
    (Text("有效期至", "Valid until"), lambda row, _: row.valid_until.isoformat() if row.valid_until else ""),
    (Text("办理期限", "To be decided by"), lambda row, _: row.due_on.isoformat() if row.due_on else ""),
    (Text("等待部门", "Waiting for"), lambda row, side: "、".join(getattr(one, side) for one in row.waiting_for)),
)


async def export_cases(
    house: House, caller: Caller, wanted: CaseFilter, kind: Kind, side: str, *, order: Order = Order.NEWEST
) -> bytes:
    """The cases that fit ``wanted``, at most 10,000, as a file; ``side``: ``zh`` or ``en``. Who took it is logged."""
    rows = [row async for row in _rows(house, caller.sight, wanted, order)]
    async with house.database.write(caller.actor) as transaction:
        transaction.note("cases.exported", "system", rows=len(rows), format=kind)
    table = [[getattr(title, side) for title, _ in _COLUMNS]]
    table += [[value(row, side) for _, value in _COLUMNS] for row in rows]
    return _workbook(table) if kind == "xlsx" else _commas(table)


async def _rows(house: House, sight: Sight, wanted: CaseFilter, order: Order) -> AsyncIterator[CaseRow]:
    after, left = None, MAX_ROWS
    while left > 0:
        found = await list_cases(house, sight, wanted, after=after, limit=min(MAX_PAGE, left), order=order)
        for row in found.items:
            yield row
        left -= len(found.items)
        after = found.next
        if after is None:
            return


def _commas(table: Sequence[Sequence[str]]) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out).writerows([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in row] for row in table)
    # With the mark by which spreadsheets know the encoding.
    return out.getvalue().encode("utf-8-sig")


def _workbook(table: Sequence[Sequence[str]]) -> bytes:
    import xlsxwriter  # type: ignore[import-untyped]  # noqa: PLC0415 - heavy, and only an export needs it

    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        sheet = book.add_worksheet()
        bold = book.add_format({"bold": True})
        for place, row in enumerate(table):
            for column, cell in enumerate(row):
                sheet.write_string(place, column, cell, bold if place == 0 else None)
        sheet.freeze_panes(1, 0)
        sheet.autofit()
    return out.getvalue()
