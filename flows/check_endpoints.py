"""Every live endpoint, once a day: whether it takes a test event, and refuses one that is wrongly signed."""

from __future__ import annotations

from prefect import flow
from prefect.artifacts import acreate_table_artifact

from services.conformance.daily import Checked, check_endpoints
from services.house import House, open_house


@flow(name="check_endpoints", flow_run_name="接口每日检查", persist_result=False)
async def check_live_endpoints() -> dict[str, int]:
    """Check all open endpoints with test events, which concern nobody. Returns how many are well and how many not."""
    async with open_house() as house:
        checked = await check_endpoints(house, "check_endpoints")
        if checked:
            await _publish(house, checked)
    well = sum(one.well for one in checked)
    return {"well": well, "unwell": len(checked) - well}


async def _publish(house: House, checked: tuple[Checked, ...]) -> None:
    today = house.database.clock.today()
    rows = [
        {"部门": house.department_name(one.department, today), "结果": "正常" if one.well else f"异常：{one.problem}"}
        for one in checked
    ]
    unwell = sum(not one.well for one in checked)
    words = f"检查接口 {len(checked)} 个，异常 {unwell} 个。"
    await acreate_table_artifact(table=rows, key="endpoint-check", description=words)
