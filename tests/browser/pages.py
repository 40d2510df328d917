"""Every page of the console: a name, its address, and who looks at it. Opened, judged by axe, photographed."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from models import Case, CaseState, Incident, Step
from services.database import table
from services.operations.watching import list_incidents
from tests.browser.meeting import meeting_places
from tests.browser.operations import operation_places
from tests.browser.town import Town


@dataclass(frozen=True, slots=True)
class Screen:
    """One page; ``{case}``, ``{incident}``, ``{retry}`` and the like in its address are filled in (``places``)."""

    name: str
    address: str
    role: str = "administrator"


SCREENS = (
    Screen("overview", "/console/overview", "coordinator"),
    Screen("cases", "/console/cases", "coordinator"),
    Screen("case", "/console/cases/{case}"),
    Screen("case-waiting", "/console/cases/{waiting}", "coordinator"),
    Screen("cards", "/console/cards", "coordinator"),
    Screen("incidents", "/console/incidents", "coordinator"),
    Screen("incident", "/console/incidents/{incident}"),
    Screen("retries", "/console/retries"),
    Screen("retry", "/console/retries/{retry}"),
    Screen("remedies", "/console/remedies"),
    Screen("remedy", "/console/remedies/{remedy}"),
    Screen("limits", "/console/limits"),
    Screen("policy", "/console/policy/zibo-2014-87", "coordinator"),
    Screen("flows", "/console/flows", "coordinator"),
    Screen("meetings", "/console/meetings", "coordinator"),
    Screen("meeting", "/console/meetings/{meeting}", "coordinator"),
    Screen("minutes", "/console/meetings/{held}/minutes/1", "coordinator"),
    Screen("matters", "/console/matters", "coordinator"),
    Screen("matter", "/console/matters/{matter}", "coordinator"),
    Screen("resolutions", "/console/resolutions", "coordinator"),
    Screen("resolution", "/console/resolutions/{resolution}", "coordinator"),
    Screen("what-if", "/console/what-if?parameter=working-age&value=40", "coordinator"),
    Screen("endpoints", "/console/endpoints", "coordinator"),
    Screen("endpoint", "/console/endpoints/hrss"),
    Screen("message", "/console/endpoints/hrss/messages/{message}"),
    Screen("desk", "/console/desk", "officer"),
    Screen("own-endpoint", "/console/endpoints/hrss", "officer"),
    Screen("window", "/console/window", "clerk"),
    Screen("window-taken", "/console/window/{case}"),
    Screen("rights", "/console/cases/{case}/rights"),
    Screen("appraisal", "/console/appraisal", "coordinator"),
    Screen("scorecard", "/console/appraisal/departments/hrss?figure=closed", "coordinator"),
    Screen("forecast", "/console/forecast", "coordinator"),
    Screen("public", "/console/public"),
    Screen("accounts", "/console/accounts"),
    Screen("keys", "/console/keys"),
    Screen("account", "/account"),
)


async def places(town: Town) -> dict[str, str]:
    """What stands for the names in addresses: a closed case, one that waits, an incident."""
    steps, cases, incidents = table(Step), table(Case), table(Incident)
    closed = (
        select(cases.c.number)
        .join(steps, steps.c.case_number == cases.c.number)
        .where(cases.c.state == CaseState.CLOSED, steps.c.department == "hrss")
        .order_by(cases.c.number)
    )
    waiting = select(cases.c.number).where(cases.c.state == CaseState.VERIFYING).order_by(cases.c.number)
    house = town.system.house
    await list_incidents(house)
    async with house.database.read() as connection:
        found = {
            "case": str((await connection.execute(closed.limit(1))).scalar_one()),
            "waiting": str((await connection.execute(waiting.limit(1))).scalar_one()),
            "incident": str((await connection.execute(select(incidents.c.id).limit(1))).scalar_one()),
        }
    return found | await meeting_places(house) | await operation_places(house)
