"""What is late or stuck, every few minutes: incidents, retries, clocks and their cards."""

from __future__ import annotations

from dataclasses import asdict

from prefect import flow
from prefect.artifacts import acreate_table_artifact

from services.house import House, open_house
from services.supervision.board import department_counts
from services.supervision.supervise import supervise as look_after


@flow(name="supervise", flow_run_name="督办", persist_result=False)
async def supervise() -> dict[str, int]:
    """Take one look, as the dispatcher does while it runs. Safe to run again. Returns the cards dealt, by colour."""
    async with open_house() as house:
        dealt = await look_after(house)
        if dealt.yellow or dealt.red:
            await _publish(house)
    return asdict(dealt)


async def _publish(house: House) -> None:
    rows = [{"部门": name, "黄牌": yellow, "红牌": red} for name, yellow, red in await department_counts(house)]
    await acreate_table_artifact(table=rows, key="cards", description="各部门未撤销的黄牌、红牌。")
