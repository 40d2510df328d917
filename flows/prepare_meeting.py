"""The joint meeting: what was settled is followed, what comes up is gathered, the next agenda composes itself."""

from __future__ import annotations

from prefect import flow
from prefect.artifacts import acreate_table_artifact

from services.house import House, open_house
from services.meetings.preparing import Pass, prepare
from services.meetings.reading import show_meeting


@flow(name="prepare_meeting", flow_run_name="联席会议准备", persist_result=False)
async def prepare_meeting() -> dict[str, int]:
    """Prepare the next meeting, and call it when its day to be called has come. Safe to run at any time.

    Returns how many matters came up, resolved themselves, and stand on the next agenda; how many resolutions were
    closed by evidence, and chased.
    """
    async with open_house() as house:
        done = await prepare(house)
        await _publish(house, done)
    return {
        "opened": len(done.gathered.opened),
        "off": len(done.gathered.off),
        "listed": done.prepared.matters,
        "closed": len(done.followed.closed),
        "reminded": len(done.followed.reminded),
    }


async def _publish(house: House, done: Pass) -> None:
    """The next agenda as a table, for coordinators on Prefect's pages: figures only."""
    seen = await show_meeting(house, done.prepared.meeting)
    rows = [
        {
            "序号": point.position,
            "议题": point.matter.title.zh,
            "责任部门": point.matter.department.zh if point.matter.department else "—",
            "办件": point.matter.cases,
            "逾期": point.matter.overdue,
        }
        for point in seen.agenda
    ]
    words = (
        f"{seen.meeting.year}年第{seen.meeting.ordinal}次会议，{seen.meeting.held_on}，{seen.meeting.state.zh}；"
        f"新议题 {len(done.gathered.opened)} 项，自行解决 {len(done.gathered.off)} 项，"
        f"议定事项办结 {len(done.followed.closed)} 项，督办 {len(done.followed.reminded)} 项。"
    )
    await acreate_table_artifact(table=rows or [{"议题": "—"}], key="meeting-agenda", description=words)
