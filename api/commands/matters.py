"""``lianban matters``: what comes before the joint meeting, put forward, answered, commented on, taken off."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from api.commands.seats import AsJson, Because, at_table, print_json, tell
from models import MatterState
from services.access import Caller
from services.house import House
from services.meetings import handling, reading, records
from services.meetings.matters import gather

app = typer.Typer(help="议题：归集、提请、说明、意见 Matters of the joint meeting", no_args_is_help=True)

Number = Annotated[int, typer.Argument(min=1, help="议题编号 Its number")]
Words = Annotated[str, typer.Argument(help="内容，不得含个人信息 What is said; nothing personal")]
Department = Annotated[str, typer.Option("--department", help="部门代码 Code of the department")]


@app.command(name="list")
def list_(
    *,
    state: Annotated[MatterState | None, typer.Option(help="状态 State")] = None,
    limit: Annotated[int, typer.Option(min=1, max=reading.MAX_PAGE)] = 50,
    as_json: AsJson = False,
) -> None:
    """列出议题，先归集新出现的。 List matters, the newest first; what came up since is gathered first."""

    async def read(house: House, _: Caller) -> tuple[records.MatterItem, ...]:
        await gather(house)
        return await reading.list_matters(house, state, limit=limit)

    found = at_table(read)
    if as_json:
        print_json(found)
        return
    shown = Table(
        "编号 No", "议题 Matter", "状态 State", "办件 Cases", "逾期 Overdue", "说明期限 Answer by", "会议 Meeting"
    )
    for one in found:
        shown.add_row(
            str(one.id), f"{one.kind.zh}：{one.title.zh}", one.state.zh, str(one.cases), str(one.overdue),
            str(one.answer_by or ""), str(one.meeting or ""),
        )  # fmt: skip
    Console().print(shown)


@app.command()
def show(matter: Number, *, as_json: AsJson = False) -> None:
    """显示一项议题的材料。 Show a matter with its paper as it stands now."""

    async def read(house: House, _: Caller) -> records.MatterFile:
        return await reading.show_matter(house, matter)

    found = at_table(read)
    if as_json:
        print_json(found)
        return
    paper = found.paper
    typer.echo(f"{found.matter.id}  {found.matter.title.zh} {found.matter.title.en}（{found.matter.state.zh}）")
    typer.echo(f"  {paper['told']['zh']} {paper['told']['en']}")
    for one in paper["districts"]:
        typer.echo(f"  {one['zh']} {one['cases']} 件")
    if paper["cases"]:
        typer.echo(f"  办件 Cases: {'、'.join(paper['cases'])}{' ……' if paper['more_cases'] else ''}")
    for one in paper["remarks"]:
        typer.echo(f"  {one['department']['zh']}{'说明' if one['answer'] else '意见'}：{one['text']}")
    for one in paper["before"]:
        typer.echo(f"  {one['reference']['zh']}：{one['text']}（{one['state']['zh']}）")
    options = "、".join(f"{one['zh']} {one['code']}" for one in paper["options"])
    if options:
        typer.echo(f"  可由系统执行 Can be carried out: {options}")


@app.command()
def propose(
    text: Words,
    *,
    department: Department,
    about: Annotated[str | None, typer.Option(help="涉及的服务、事实、条款 Service, fact or clause")] = None,
    as_json: AsJson = False,
) -> None:
    """提请议题。 Put a matter forward."""
    number = at_table(lambda house, me: handling.put_forward(house, me, department, text, about))
    tell(as_json, {"matter": number}, f"议题 {number} 已提请 put forward")


@app.command()
def answer(matter: Number, text: Words, *, department: Department, as_json: AsJson = False) -> None:
    """作出说明（责任部门）。 Answer a matter, as the department that has to."""
    at_table(lambda house, me: handling.remark(house, me, matter, department, text, answer=True))
    tell(as_json, {"matter": matter}, f"议题 {matter}：说明已记录 answered")


@app.command()
def comment(matter: Number, text: Words, *, department: Department, as_json: AsJson = False) -> None:
    """提出意见。 Comment on a matter."""
    at_table(lambda house, me: handling.remark(house, me, matter, department, text, answer=False))
    tell(as_json, {"matter": matter}, f"议题 {matter}：意见已记录 commented")


@app.command()
def off(matter: Number, *, because: Because, as_json: AsJson = False) -> None:
    """撤下议题。 Take a matter off."""
    at_table(lambda house, me: handling.take_off(house, me, matter, because))
    tell(as_json, {"matter": matter}, f"议题 {matter} 已撤下 taken off")
