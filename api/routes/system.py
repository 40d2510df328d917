"""Whether the service is up and ready, and the installation in figures."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from api.access import GuardedRoute
from api.openapi import problems
from api.problems import problem
from api.readiness import REQUIRED, check_all
from api.state import TheCaller, TheDoors, TheHouse
from api.views.city import Health, Overview, Readiness
from services.dossiers.figures import Figures, figures

router = APIRouter(tags=["system"], route_class=GuardedRoute)


@router.get("/healthz", response_model=Health)
async def healthz() -> Health:
    """Tell that the process is up."""
    return Health(status="ok")


@router.get("/readyz", response_model=Readiness, responses=problems(503))
async def readyz(doors: TheDoors) -> Readiness | JSONResponse:
    """Tell whether the database and Prefect can be reached (else 503), whether a worker is there, and Redis where it is
    used. Without Prefect or a worker intake goes on, and the work waits; ``degraded`` says that something is away.
    """
    checks = await check_all(doors.house, doors.prefect)
    if all(checks[name].ok for name in REQUIRED):
        status = "ready" if all(check.ok for check in checks.values()) else "degraded"
        return Readiness(status=status, checks=checks)
    detail = "; ".join(f"{name}: {check.trouble}" for name, check in checks.items() if not check.ok)
    told = {name: check.model_dump(exclude_none=True) for name, check in checks.items()}
    return problem(503, "not-ready", detail, checks=told)


@router.get("/api/v1/overview", response_model=Overview)
async def overview(house: TheHouse, caller: TheCaller) -> Figures:
    """Count cases, permits, steps and services by where they stand, in the caller's sight."""
    async with house.database.read() as connection:
        return await figures(connection, caller.sight)
