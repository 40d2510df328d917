"""What a whole installation comes to, as tables for a person: used by ``lianban status`` and at the demo's end."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console
from rich.table import Table
from sqlalchemy import select

from models import Case, Permit
from services.database import table
from services.dossiers.figures import Figures
from services.house import House
from services.policy.text import Text
from services.words import CASE_WORDS, ENTITLEMENT_WORDS, PERMIT_WORDS, STEP_WORDS


def show_figures(figures: Figures, house: House, console: Console) -> None:
    """Cases by state, permits by term, steps and services by department and state, and what failed and why."""
    today = house.database.clock.today()
    console.print(f"业务日期 Business day: {today.isoformat()}")
    cases = Table("办件状态 Cases", "件数", title_justify="left")
    for state, count in figures.cases.items():
        cases.add_row(f"{CASE_WORDS[state].zh} {CASE_WORDS[state].en}", str(count))
    if figures.set_aside:
        cases.add_row("其中搁置 set aside", str(figures.set_aside))
    console.print(cases)
    permits = Table("居住证 Permits", "状态 State", "张数")
    for term, states in figures.permits.items():
        for state, count in states.items():
            permits.add_row(f"{term} 年期 years", f"{PERMIT_WORDS[state].zh} {PERMIT_WORDS[state].en}", str(count))
    console.print(permits)
    console.print(_by_department(house, "权益事项 Services", figures.entitlements, ENTITLEMENT_WORDS))
    console.print(_by_department(house, "协办事项 Steps", figures.steps, STEP_WORDS))
    trouble = Table("部门 Department", "情形 What", "原因 Why", "项数", title="未办成的 What did not go through")
    for failure in (*figures.failures, *figures.declined):
        words = STEP_WORDS.get(failure.state)
        trouble.add_row(
            house.department_name(failure.department, today),
            f"{words.zh} {words.en}" if words else failure.state,
            failure.reason,
            str(failure.count),
        )
    if trouble.row_count:
        console.print(trouble)


def _by_department(
    house: House, title: str, counts: Mapping[str, Mapping[str, int]], words: Mapping[str, Text]
) -> Table:
    states = [state for state in words if any(state in own for own in counts.values())]
    table_ = Table(title, *(f"{words[state].zh}\n{words[state].en}" for state in states))
    today = house.database.clock.today()
    for department, own in sorted(counts.items()):
        table_.add_row(
            house.department_name(department, today), *(str(own[state]) if state in own else "" for state in states)
        )
    total = [str(sum(own.get(state, 0) for own in counts.values())) for state in states]
    table_.add_section()
    table_.add_row("合计 Total", *total)
    return table_


async def show_where_next(house: House, console: Console) -> None:
    """Commands to look further with: a case with a permit, and the audit chain."""
    cases, permits = table(Case), table(Permit)
    async with house.database.read() as connection:
        issued = select(permits.c.case_number).order_by(permits.c.term_years.desc(), permits.c.case_number).limit(1)
        example = (await connection.execute(issued)).scalar_one_or_none()
        refused = select(cases.c.number).where(cases.c.state == "refused").order_by(cases.c.number).limit(1)
        counter_example = (await connection.execute(refused)).scalar_one_or_none()
    folder = house.settings.data_dir
    console.print("\n[bold]接下来可以看 Where to look next[/]")
    for number, words in (
        (example, "一件的全部经过 the whole story of a case"),
        (counter_example, "不予发放的 refused"),
    ):
        if number:
            console.print(f"  .venv/bin/lianban --data {folder} case {number}    {words}")
    console.print(f"  .venv/bin/lianban --data {folder} audit verify    核对审计链 the audit chain")
    console.print(f"  .venv/bin/lianban --data {folder} status    全局 the whole")
    console.print("  .venv/bin/lianban up --sandbox    启动并保持运行 the same system, to stay")
