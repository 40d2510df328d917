"""``lianban what-if``: a parameter or a clause changed on paper, and what that would bring; nothing is touched."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from api.commands.seats import AsJson, at_table, json_object, print_json
from services.access import Caller
from services.house import House
from services.meetings.telling import CHANGE_WORDS, ToldWhatIf, tell_what_if
from services.meetings.whatif import LONGEST_SECONDS, read_change
from services.meetings.whatif import what_if as ask

_ROWS = 40


def what_if(
    change: Annotated[
        str, typer.Argument(help='方案（JSON） The change, as JSON: {"parameters": {"elderly-age": 60}}')
    ],
    *,
    seconds: Annotated[
        float, typer.Option(min=0, max=LONGEST_SECONDS, help="最长用时（秒） At most so many seconds")
    ] = 20.0,
    as_json: AsJson = False,
) -> None:
    """方案测算：谁受益、谁受影响、各部门增减多少。 What a change would bring: counts only, never who."""
    wanted = read_change(json_object(change, "change"))

    async def run(house: House, _: Caller) -> ToldWhatIf:
        return tell_what_if(house, await ask(house, wanted, seconds))

    found = at_table(run)
    print_json(found) if as_json else _show(found)


def _show(found: ToldWhatIf) -> None:
    console = Console()
    part = "" if found.whole else f"（用时已到，只看了 {found.seen} 件 only {found.seen} were looked at）"
    console.print(
        f"{found.on}  有效居住证 {found.permits} 件，受影响 {found.affected} 件{part}；未作任何改动。 "
        f"{found.permits} live permits, {found.affected} affected; nothing was touched.",
        highlight=False,
    )
    if not found.shifts:
        return
    table = Table("变化 Change", "事项 Service", "部门 Department", "区县 District", "月份 Month", "件数 Permits")
    for row in found.shifts[:_ROWS]:
        words = CHANGE_WORDS[row.change]
        table.add_row(f"{words.zh} {words.en}", f"{row.service.code} {row.service.zh}", row.department.zh,
                      row.district.zh, row.month, str(row.permits))  # fmt: skip
    console.print(table)
    if len(found.shifts) > _ROWS:
        console.print(f"另有 {len(found.shifts) - _ROWS} 行，见 --json  more rows with --json")
    load = Table("部门 Department", "月份 Month", "办理项数 Services")
    for one in found.load:
        load.add_row(one.department.zh, one.month, str(one.services))
    console.print(load)
