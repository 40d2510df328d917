"""``lianban resolutions``: what was settled, carried out with a second person's approval, followed to its evidence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from api.commands.seats import AsJson, Because, at_table, day, json_object, print_json, tell
from models import ResolutionState
from services.access import Caller
from services.house import House
from services.meetings import acting, following, reading, records, resolutions
from services.meetings.actions.work import Preview

app = typer.Typer(help="议定事项：执行、复核、督办、办结 Resolutions of the joint meeting", no_args_is_help=True)

Number = Annotated[int, typer.Argument(min=1, help="议定事项编号 Its number")]


@app.command(name="list")
def list_(
    *,
    state: Annotated[ResolutionState | None, typer.Option(help="状态 State")] = None,
    department: Annotated[str | None, typer.Option(help="责任单位 Who owes it")] = None,
    overdue: Annotated[bool, typer.Option("--overdue", help="只看逾期 Only those past their time")] = False,
    limit: Annotated[int, typer.Option(min=1, max=reading.MAX_PAGE)] = 50,
    as_json: AsJson = False,
) -> None:
    """列出议定事项。 List resolutions, the newest first."""

    async def read(house: House, _: Caller) -> tuple[records.ResolutionItem, ...]:
        return await reading.list_resolutions(house, state, department=department, overdue=overdue, limit=limit)

    found = at_table(read)
    if as_json:
        print_json(found)
        return
    shown = Table("编号 No", "文号 Number", "内容 What", "责任单位 Who", "时限 Until", "状态 State", "督办 Chased")
    for one in found:
        due = f"{one.due_on}{' 逾期' if one.overdue else ''}"
        shown.add_row(str(one.id), one.number, one.text, one.department.zh, due, one.state.zh, str(one.reminders))
    Console().print(shown)


@app.command()
def show(resolution: Number, *, as_json: AsJson = False) -> None:
    """显示一项议定事项及其办结依据。 Show a resolution with its evidence."""

    async def read(house: House, _: Caller) -> records.ResolutionFile:
        return await reading.show_resolution(house, resolution)

    found = at_table(read)
    if as_json:
        print_json(found)
        return
    one = found.resolution
    typer.echo(
        f"{one.id}  {one.number}  {one.text}（{one.department.zh}，{one.due_on} 前）{one.state.zh} {one.state.en}"
    )
    if one.action is not None:
        typer.echo(f"  措施 Action: {one.action.zh}  {found.asked_by or '—'} → {found.approved_by or '—'}")
    if found.report:
        typer.echo(f"  报告 Report: {found.report}")
    _print_told("  依据 Evidence: ", found.evidence)
    done = sum(case.done is True for case in found.outcomes)
    if found.outcomes:
        typer.echo(f"  办件 Cases: {done} / {len(found.outcomes)}")
    for on in found.chased_on:
        typer.echo(f"  督办 Chased: {on}")


@app.command()
def action(
    resolution: Number,
    content: Annotated[
        str | None, typer.Argument(help="措施（JSON），不给则取消 The action as JSON; none if left out")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """更改措施。 Give a resolution another action, before it is asked for."""
    read = json_object(content, "action") if content is not None else None
    at_table(lambda house, me: resolutions.set_action(house, me, resolution, read))
    tell(as_json, {"resolution": resolution}, f"议定事项 {resolution}：措施已更改 set")


@app.command()
def preview(resolution: Number, *, as_json: AsJson = False) -> None:
    """预览措施的结果，不作改动。 What would come of the action; nothing is done."""
    _show_preview(at_table(lambda house, _: acting.preview_action(house, resolution)), as_json)


@app.command()
def ask(resolution: Number, *, as_json: AsJson = False) -> None:
    """申请执行，须经第二人复核。 Ask for the action; another person has to approve."""
    _show_preview(at_table(lambda house, me: acting.ask_action(house, me, resolution)), as_json)


@app.command()
def approve(
    resolution: Number,
    *,
    because: Annotated[str | None, typer.Option("--because", help="意见 A word on it")] = None,
    as_json: AsJson = False,
) -> None:
    """复核同意，立即执行。 Approve the action; it is carried out."""
    done = at_table(lambda house, me: acting.approve_action(house, me, resolution, because))
    tell(as_json, {"carried_out": done}, "已执行 carried out" if done else "待另一人复核或继续执行 waits, or goes on")


@app.command()
def reject(resolution: Number, *, because: Because, as_json: AsJson = False) -> None:
    """复核不同意。 Turn the action down."""
    at_table(lambda house, me: acting.reject_action(house, me, resolution, because))
    tell(as_json, {"resolution": resolution}, f"议定事项 {resolution}：未通过复核 turned down")


@app.command()
def report(
    resolution: Number, text: Annotated[str, typer.Argument(help="办理情况 What was done")], *, as_json: AsJson = False
) -> None:
    """报告办理情况。 Say what was done; that alone closes nothing."""
    at_table(lambda house, me: resolutions.report(house, me, resolution, text))
    tell(as_json, {"resolution": resolution}, f"议定事项 {resolution}：已报告 reported")


@app.command()
def confirm(resolution: Number, *, because: Because, as_json: AsJson = False) -> None:
    """核实后办结。 Close a resolution on what was reported, having looked at it."""
    at_table(lambda house, me: following.confirm(house, me, resolution, because))
    tell(as_json, {"resolution": resolution}, f"议定事项 {resolution}：已办结 closed")


@app.command()
def extend(
    resolution: Number,
    due: Annotated[str, typer.Argument(help="新时限 The new day")],
    *,
    because: Because,
    as_json: AsJson = False,
) -> None:
    """会上同意延期。 Give it more time, while a meeting sits."""
    at_table(lambda house, me: resolutions.extend(house, me, resolution, day(due, "due_on"), because))
    tell(as_json, {"resolution": resolution}, f"议定事项 {resolution}：延至 {due} extended")


@app.command()
def revoke(resolution: Number, *, because: Because, as_json: AsJson = False) -> None:
    """撤销未执行的议定事项。 Take a resolution back of which nothing was carried out."""
    at_table(lambda house, me: resolutions.revoke(house, me, resolution, because))
    tell(as_json, {"resolution": resolution}, f"议定事项 {resolution}：已撤销 revoked")


def _show_preview(found: Preview, as_json: bool) -> None:
    if as_json:
        print_json(found.to_json())
        return
    for one in found.told:
        typer.echo(f"{one.zh} {one.en}")


def _print_told(lead: str, evidence: Mapping[str, Any] | None) -> None:
    for one in (evidence or {}).get("told", ()):
        typer.echo(f"{lead}{one['zh']} {one['en']}")
