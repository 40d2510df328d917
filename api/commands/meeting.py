"""``lianban meeting``: prepared, called, held, written up."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from api.commands.seats import AsJson, Because, at_table, day, json_object, print_json, tell
from services.access import Caller
from services.errors import NotFoundError
from services.house import House
from services.meetings import agenda, minutes, reading, records, rules, sitting
from services.meetings.preparing import Pass
from services.meetings.preparing import prepare as prepare_meeting
from services.meetings.resolutions import Agreed, record_resolution

app = typer.Typer(help="联席会议：筹备、召开、议定、纪要 The joint meeting", no_args_is_help=True)

Meeting = Annotated[int, typer.Argument(min=1, help="会议编号 Number of the meeting")]
Matter = Annotated[int, typer.Argument(min=1, help="议题编号 Number of the matter")]


@app.command()
def prepare(*, as_json: AsJson = False) -> None:
    """跟踪议定事项、归集议题、编排下次议程，到期发出通知。 Follow, gather, compose, and call when it is time."""

    async def run(house: House, _: Caller) -> Pass:
        return await prepare_meeting(house)

    done = at_table(run)
    if as_json:
        print_json(done)
        return
    typer.echo(
        f"会议 {done.prepared.meeting}（{done.prepared.held_on}）：议题 {done.prepared.matters} 项"
        f"{'，已发出通知' if done.prepared.called else ''}；新议题 {len(done.gathered.opened)}，"
        f"自行解决 {len(done.gathered.off)}，议定事项办结 {len(done.followed.closed)}，"
        f"督办 {len(done.followed.reminded)}。"
    )


@app.command(name="list")
def list_(*, limit: Annotated[int, typer.Option(min=1, max=reading.MAX_PAGE)] = 20, as_json: AsJson = False) -> None:
    """列出会议。 List meetings, the newest first."""

    async def read(house: House, _: Caller) -> tuple[records.MeetingItem, ...]:
        return await reading.list_meetings(house, limit=limit)

    found = at_table(read)
    if as_json:
        print_json(found)
        return
    shown = Table("编号 No", "次 Ordinal", "日期 Day", "时间 Time", "地点 Place", "状态 State")
    for one in found:
        shown.add_row(str(one.id), f"{one.year}-{one.ordinal}", str(one.held_on), one.begins, one.place, one.state.zh)
    Console().print(shown)


@app.command()
def show(
    meeting: Annotated[
        int | None, typer.Argument(min=1, help="会议编号；不给则最近一次 Its number; the one at hand")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """显示一次会议：议程、出席、议定事项。 Show a meeting with its agenda, seats and resolutions."""

    async def read(house: House, _: Caller) -> records.MeetingFile:
        number = meeting or await reading.meeting_at_hand(house)
        if number is None:
            raise NotFoundError("no meeting is planned; run `lianban meeting prepare`", place="meeting")
        return await reading.show_meeting(house, number)

    found = at_table(read)
    if as_json:
        print_json(found)
        return
    one = found.meeting
    typer.echo(f"{one.id}  {one.year}年第{one.ordinal}次  {one.held_on} {one.begins}  {one.place}  {one.state.zh}")
    there = [seat.department.zh for seat in found.seats if seat.present]
    if there:
        typer.echo(f"  出席 Present: {'、'.join(there)}")
    for point in found.agenda:
        mark = "▶" if point.current and point.state.code == "discussed" else " "
        figures = f"{point.matter.cases} 件，逾期 {point.matter.overdue} 件"
        typer.echo(
            f" {mark}{point.position:>2}. [{point.matter.id}] {point.matter.title.zh}（{figures}）{point.state.zh}"
        )
        for settled in point.resolutions:
            due = f"{settled.department.zh}，{settled.due_on} 前"
            typer.echo(f"      {settled.number} {settled.text}（{due}）{settled.state.zh}")


@app.command()
def convene(held_on: Annotated[str, typer.Argument(help="日期 Day")], *, as_json: AsJson = False) -> None:
    """临时召开。 Plan a meeting beside the regular ones."""
    number = at_table(lambda house, me: agenda.convene(house, me, day(held_on, "held_on")))
    tell(as_json, {"meeting": number}, f"会议 {number} 已列入 planned")


@app.command()
def call(meeting: Meeting, *, as_json: AsJson = False) -> None:
    """提前发出通知，固定成员和材料。 Call it before its day: members and papers are fixed."""
    at_table(lambda house, me: agenda.call_meeting(house, me, meeting))
    tell(as_json, {"meeting": meeting}, f"会议 {meeting} 已通知 called")


@app.command(name="call-off")
def call_off(meeting: Meeting, *, because: Because, as_json: AsJson = False) -> None:
    """取消会议，议题顺延。 Call a meeting off; its matters go to the next one."""
    left = at_table(lambda house, me: sitting.call_off(house, me, meeting, because))
    tell(
        as_json, {"meeting": meeting, "deferred": list(left)}, f"会议 {meeting} 已取消，顺延 {len(left)} 项 called off"
    )


@app.command(name="open")
def open_(
    meeting: Meeting,
    *,
    chair: Annotated[str, typer.Option(help="主持人（职务） Who leads it: an office")],
    as_json: AsJson = False,
) -> None:
    """开会。 Open the sitting."""
    at_table(lambda house, me: sitting.open_sitting(house, me, meeting, chair))
    tell(as_json, {"meeting": meeting}, f"会议 {meeting} 开始 open")


@app.command()
def attend(
    meeting: Meeting,
    department: Annotated[str, typer.Argument(help="部门代码 Code of the department")],
    *,
    present: Annotated[bool, typer.Option("--present/--absent", help="是否到会 Whether it is there")] = True,
    delegate: Annotated[str | None, typer.Option(help="到会人员（职务） By whom: an office")] = None,
    as_json: AsJson = False,
) -> None:
    """签到。 Write down whether a department is there."""
    at_table(lambda house, me: sitting.attend(house, me, meeting, department, present=present, delegate=delegate))
    tell(
        as_json,
        {"meeting": meeting, "department": department},
        f"{department} {'到会 present' if present else '未到 absent'}",
    )


@app.command(name="take-up")
def take_up(meeting: Meeting, matter: Matter, *, as_json: AsJson = False) -> None:
    """开始讨论。 This matter is discussed from now on."""
    at_table(lambda house, me: sitting.take_up(house, me, meeting, matter))
    tell(as_json, {"meeting": meeting, "matter": matter}, f"议题 {matter} 正在讨论 being discussed")


@app.command()
def defer(meeting: Meeting, matter: Matter, *, because: Because, as_json: AsJson = False) -> None:
    """顺延至下次会议。 Put a matter off to the next meeting."""
    at_table(lambda house, me: sitting.defer(house, me, meeting, matter, because))
    tell(as_json, {"meeting": meeting, "matter": matter}, f"议题 {matter} 已顺延 deferred")


@app.command()
def resolve(  # noqa: PLR0913 - a resolution names what, who, until when, and what is carried out
    meeting: Meeting,
    matter: Matter,
    text: Annotated[str, typer.Argument(help="议定内容 What was agreed")],
    *,
    department: Annotated[str, typer.Option(help="责任单位 Who owes it")],
    due: Annotated[str, typer.Option(help="时限 Until when, a day")],
    helper: Annotated[list[str] | None, typer.Option(help="配合单位，可多次 Who helps; may be repeated")] = None,
    action: Annotated[str | None, typer.Option(help='系统执行的措施（JSON） As JSON: {"kind": "retry"}')] = None,
    as_json: AsJson = False,
) -> None:
    """记录议定事项。 Write down what was agreed; nothing is carried out by that."""
    content = json_object(action, "action") if action is not None else None
    agreed = Agreed(text, department, day(due, "due"), tuple(helper or ()), content)
    number = at_table(lambda house, me: record_resolution(house, me, meeting, matter, agreed))
    tell(as_json, {"resolution": number}, f"议定事项 {number} 已记录 recorded")


@app.command()
def close(meeting: Meeting, *, as_json: AsJson = False) -> None:
    """散会；未议定的顺延。 Close the sitting; what was not settled goes to the next one."""
    left = at_table(lambda house, me: sitting.close_sitting(house, me, meeting))
    tell(as_json, {"meeting": meeting, "deferred": list(left)}, f"会议 {meeting} 结束，顺延 {len(left)} 项 closed")


@app.command(name="draft")
def draft(
    meeting: Meeting,
    *,
    because: Annotated[str | None, typer.Option("--because", help="更正内容 What a new version corrects")] = None,
    as_json: AsJson = False,
) -> None:
    """起草纪要。 Draft the minutes anew."""
    version = at_table(lambda house, me: minutes.draft_minutes(house, me, meeting, because))
    tell(as_json, {"meeting": meeting, "version": version}, f"纪要第 {version} 版已起草 drafted")


@app.command(name="minutes")
def minutes_(
    meeting: Meeting,
    *,
    version: Annotated[int | None, typer.Option(min=1, help="版次，默认最新 Version; the newest")] = None,
    out: Annotated[Path | None, typer.Option(help="另存为 .docx 文件 Save as a document")] = None,
    as_json: AsJson = False,
) -> None:
    """显示纪要，或另存为文件。 Show the minutes, or save them as a document."""
    found = at_table(lambda house, _: minutes.read_minutes(house, meeting, version))
    if out is not None:
        _, content = at_table(lambda house, _: minutes.minutes_file(house, meeting, version))
        out.write_bytes(content)
    if as_json:
        print_json(found)
        return
    _print_minutes(found.content)
    signed = f"已签发 {found.signed_by}" if found.signed_at else "未签发 not signed"
    typer.echo(f"第 {found.version} 版，{signed}；{found.digest}{'' if found.holds else '（内容与摘要不符 ALTERED）'}")


@app.command()
def sign(
    meeting: Meeting,
    version: Annotated[int, typer.Argument(min=1, help="版次 Version")],
    *,
    digest: Annotated[str, typer.Option(help="所阅版本的摘要 Digest of the version that was looked at")],
    as_json: AsJson = False,
) -> None:
    """签发纪要；签发后不再改动。 Sign a version off; it is never changed after that."""
    done = at_table(lambda house, me: minutes.sign_minutes(house, me, meeting, version, digest))
    tell(
        as_json,
        {"signed": done},
        f"纪要第 {version} 版{'已签发 signed' if done else '待另一人签发 waits for another person'}",
    )


@app.command()
def rule(
    *,
    change: Annotated[str | None, typer.Option(help='更改（JSON） Change, as JSON: {"every_weeks": 1}')] = None,
    from_on: Annotated[str | None, typer.Option("--from", help="生效日期 From which day on")] = None,
    as_json: AsJson = False,
) -> None:
    """显示或更改会议规则。 Show the rule by which the meeting comes together, or change it."""

    async def run(house: House, me: Caller) -> rules.Rule:
        today = house.database.clock.today()
        if change is not None:
            first = day(from_on, "from") if from_on is not None else today
            return await rules.set_rule(house, me, json_object(change, "change"), first)
        async with house.database.read() as connection:
            return await rules.rule_on(connection, today)

    content = at_table(run).to_json()
    if as_json:
        print_json(content)
        return
    for name, value in content.items():
        typer.echo(f"{name:>14}  {value}")


def _print_minutes(content: dict[str, Any]) -> None:
    typer.echo(f"{content['title']}  {content['number']}")
    typer.echo(f"时间：{content['time']}\n地点：{content['place']}\n主持：{content['chair']}")
    typer.echo(f"出席：{'、'.join(one['zh'] for one in content['present']) or '—'}")
    for place, item in enumerate(content["items"], start=1):
        typer.echo(f"{place}. {item['title']}")
        for one in item["resolutions"]:
            typer.echo(f"   （{one['ordinal']}）{one['text']}（{one['department']}，{one['due']}）")
        if item["left"]:
            typer.echo(f"   {item['left']}")
