"""The demonstration's joint meeting: one matter from the incident behind it to the permit that follows from it."""

from __future__ import annotations

from datetime import timedelta

from rich.console import Console

from models import MatterState, MeetingState, Role
from services.access import Caller
from services.access.accounts import create_account, list_accounts
from services.access.management import Management
from services.access.posts import Post
from services.house import House
from services.meetings.acting import approve_action, ask_action
from services.meetings.minutes import draft_minutes, minutes_file, read_minutes, sign_minutes
from services.meetings.preparing import prepare
from services.meetings.reading import list_matters, meeting_at_hand, show_meeting, show_resolution
from services.meetings.resolutions import Agreed, record_resolution
from services.meetings.sitting import attend, close_sitting, open_sitting, take_up
from services.operations.watching import list_incidents

_OPERATOR = Management(Caller("demo@console", Role.ADMINISTRATOR))
_KIND = "other-ground"


async def hold_meeting(house: House, console: Console) -> int | None:
    """Hold today's meeting; the resolution that was settled on applications on the ground `other`, None without any.

    Interrupted before, it settles nothing a second time.
    """
    await prepare(house)
    incidents = await list_incidents(house)
    for one in incidents[:3]:
        console.print(f"  异常 {one.told.zh} {one.told.en}", highlight=False)
    waiting = [one for one in await list_matters(house, MatterState.OPEN) if one.kind.code == _KIND]
    meeting = await meeting_at_hand(house)
    if meeting is None or not waiting:
        return None
    matter, first, second = waiting[0], await _coordinator(house, "demo-li"), await _coordinator(house, "demo-zhao")
    seen = await show_meeting(house, meeting)
    console.print(
        f"  {seen.meeting.year}年第{seen.meeting.ordinal}次会议，议题 {len(seen.agenda)} 项："
        f"{'；'.join(point.matter.title.zh for point in seen.agenda)}。 {len(seen.agenda)} matters on the agenda.",
        highlight=False,
    )
    if seen.meeting.state.code == MeetingState.CALLED:
        await open_sitting(house, first, meeting, "副市长")
        for seat in seen.seats:
            await attend(house, first, meeting, seat.department.code, present=True)
    await take_up(house, first, meeting, matter.id)
    due = house.database.clock.today() + timedelta(days=10)
    agreed = Agreed("认定属于其他情形，发放3年期居住证", "police", due, (), {"kind": "accept-ground"})
    resolution = await record_resolution(house, first, meeting, matter.id, agreed)
    await close_sitting(house, first, meeting)
    preview = await ask_action(house, first, resolution)
    for line in preview.told:
        console.print(f"  议定：{line.zh} {line.en}", highlight=False)
    await approve_action(house, second, resolution)
    console.print("  第二人复核同意，已执行。 A second person approved; carried out.")
    version = await draft_minutes(house, first, meeting)
    await sign_minutes(house, second, meeting, version, (await read_minutes(house, meeting, version)).digest)
    name, content = await minutes_file(house, meeting, version)
    file = house.settings.data_dir / name
    file.write_bytes(content)
    console.print(f"  纪要 Minutes: {file}", highlight=False)
    return resolution


async def show_outcome(house: House, resolution: int, console: Console) -> None:
    """What the ledger shows of it now."""
    await prepare(house)
    found = await show_resolution(house, resolution)
    one = found.resolution
    console.print(f"  {one.number} {one.text}：{one.state.zh} {one.state.en}", highlight=False)
    for line in (found.evidence or {}).get("told", ()):
        console.print(f"  依据 Evidence: {line['zh']} {line['en']}", highlight=False)


async def _coordinator(house: House, name: str) -> Caller:
    """A coordinator of the demonstration, with an account: only known persons approve."""
    async with house.database.read() as connection:
        for one in await list_accounts(connection):
            if one.name == name:
                return one.caller
    made = await create_account(house.database, house.packs, _OPERATOR, name, Post(Role.COORDINATOR))
    return made.account.caller
