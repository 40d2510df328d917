"""Flows: whether the machine is working, without a look at any other page. Prefect away is said plainly."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import Field

from api.access import GuardedPage
from api.console.frame import page
from api.console.queries import ListQuery, Query
from api.state import Doors, TheCaller, TheDoors
from api.system.runs import Machine, Run
from services.dossiers.runs import runs_of_case
from services.errors import UnavailableError
from services.lexicon import Named
from services.operations.queue import Queue, read_queue, states_of
from services.words import CASE_WORDS

router = APIRouter(prefix="/console", route_class=GuardedPage, include_in_schema=False)


class FlowQuery(ListQuery):
    """The runs of which case."""

    case: str | None = Field(default=None, pattern="^[0-9a-z-]{1,40}$")


@router.get("/flows", name="page_flows")
async def page_flows(request: Request, query: Query[FlowQuery], doors: TheDoors, caller: TheCaller) -> HTMLResponse:
    """Show what runs now and next, what is late and what failed; and the ledger's queue in any case."""
    queue = await read_queue(doors.house)
    machine: Machine | None = None
    kept = await runs_of_case(doors.house, query.case, caller.sight) if query.case is not None else ()
    runs: dict[str, Run] = {}
    try:
        machine = await doors.runs.machine(doors.house.database.clock.now())
        runs = await doors.runs.named([one.run_id for one in kept])
    except UnavailableError:
        machine = None
    return page(
        request, "flows.html", queue=queue, machine=machine, case=query.case, kept=kept, runs=runs,
        batches=await _batches(doors, machine), verdict=_verdict(queue, machine), prefect=doors.runs.pages_url,
    )  # fmt: skip


@router.post("/flows/{run}/again", name="page_run_again")
async def page_run_again(run: Annotated[UUID, Path()], doors: TheDoors, caller: TheCaller) -> RedirectResponse:
    """Start the flow of a failed run anew. What was done already is found done."""
    started = await doors.runs.again(str(run))
    async with doors.house.database.write(caller.actor) as transaction:
        transaction.note("flow.started", "system", run=started, again=str(run))
    return RedirectResponse("/console/flows", 303)


def _verdict(queue: Queue, machine: Machine | None) -> str:
    """In one word whether the machine works: ``well``; ``late`` where runs have not begun in time; without workers
    ``stuck``, or ``unmanned`` while a dispatcher still works; without Prefect ``away``, or ``working`` while one does.
    """
    if machine is None:
        return "working" if queue.at_work else "away"
    if not any(worker.alive for worker in machine.workers):
        return "unmanned" if queue.at_work else "stuck"
    return "late" if machine.late or any(one.paused for one in machine.deployments) else "well"


async def _batches(doors: Doors, machine: Machine | None) -> list[tuple[Run, list[tuple[Named, int]]]]:
    """The batches under way, each with where its cases stand in the ledger."""
    found: list[tuple[Run, list[tuple[Named, int]]]] = []
    for run in machine.running if machine is not None else ():
        if run.cases:
            states: dict[Any, int] = await states_of(doors.house, run.cases)
            found.append((run, [(Named.of(one.value, CASE_WORDS[one.value]), n) for one, n in states.items()]))
    return found
