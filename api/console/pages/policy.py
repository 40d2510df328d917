"""The policy as people read it: clause, services, department, endpoint; gaps first to be seen."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import Field

from api.access import GuardedPage
from api.console.frame import page
from api.console.queries import ListQuery, Query
from api.routes.reference import PackCode
from api.state import TheHouse
from services.endpoints.coverage import Promise, read_coverage
from services.lexicon import Lexicon

router = APIRouter(prefix="/console", route_class=GuardedPage, include_in_schema=False)


class PolicyQuery(ListQuery):
    """Which services to show."""

    department: str | None = Field(default=None, pattern="^[a-z-]{1,40}$")
    kind: Literal["enrol", "assess", "public"] | None = None
    gaps: bool = False


@router.get("/policy", name="page_policies")
async def page_policies(house: TheHouse) -> RedirectResponse:
    """Lead to the pack that covers today, or to the newest."""
    covering = house.packs.covering(house.database.clock.today())
    return RedirectResponse(f"/console/policy/{(covering or house.packs.packs[-1]).code}", 303)


@router.get("/policy/{code}", name="page_policy")
async def page_policy(request: Request, code: PackCode, query: Query[PolicyQuery], house: TheHouse) -> HTMLResponse:
    """Show a pack, clause by clause, and who stands behind each service."""
    pack = house.packs.named(code)
    found = await read_coverage(house, pack)
    today, words = house.database.clock.today(), Lexicon(house.packs, pack)
    sections: dict[str, list[Promise]] = defaultdict(list)
    for one in found.promises:
        if (
            query.department in (None, one.department.code)
            and query.kind in (None, one.kind.code)
            and (one.gap or not query.gaps)
        ):
            sections[one.clause].append(one)
    departments = {one.department.code: one.department for one in found.promises}
    kinds = {one.kind.code: one.kind for one in found.promises}
    grounds: list[tuple[Any, Any]] = [
        (
            ground.title,
            [(words.clause(route.clause), [words.fact(fact) for fact in route.facts]) for route in ground.routes],
        )
        for ground in pack.permit.grounds.values()
    ]
    return page(
        request, "policy.html", pack=pack, packs=house.packs.packs, coverage=found, sections=list(sections.items()),
        query=query, departments=list(departments.values()), kinds=list(kinds.values()), grounds=grounds,
        clocks=pack.clocks_on(today) or pack.clocks, guarantees=[words.clause(code) for code in pack.guarantees],
        settlements=list(pack.settlements.items()),
    )  # fmt: skip
