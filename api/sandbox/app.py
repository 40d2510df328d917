"""The sandbox as one application: a webhook for each department, and what lets one look on and stir."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import httpx
from fastapi import FastAPI, HTTPException, Query
from starlette.routing import Route

from api.sandbox.behaviour import Behaviour
from api.sandbox.callbacks import Caller
from api.sandbox.department import Departments
from api.sandbox.settings import SandboxSettings
from api.sandbox.store import Store
from api.sandbox.webhook import WebhookEndpoint


class Sandbox:
    """What one sandbox application is made of."""

    def __init__(self, settings: SandboxSettings, client: httpx.AsyncClient | None) -> None:
        self.departments = Departments(settings)
        self.store = Store(settings.data)
        self.caller = Caller(self.store, self.departments, settings.clock, client)
        self.webhook = WebhookEndpoint(self.departments, self.store, self.caller, keep_records=settings.keep_records)

    async def close(self) -> None:
        """Stop calling back, commit what is pending, close the database."""
        await self.caller.close()
        self.store.close()


def create_sandbox(settings: SandboxSettings, *, client: httpx.AsyncClient | None = None) -> FastAPI:
    """A sandbox. ``client`` makes its call-backs, and stays the caller's to close; one of its own otherwise.

    It works without a lifespan too (tests over ASGI): then close ``app.state.sandbox`` yourself.
    """
    sandbox = Sandbox(settings, client)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        # What an earlier process left unreported is reported now.
        sandbox.caller.wake()
        yield
        await sandbox.close()

    app = FastAPI(title="联办沙盒部门 Lianban sandbox departments", lifespan=lifespan, docs_url=None, redoc_url=None)
    app.state.sandbox = sandbox
    app.router.routes.append(Route("/departments/{code}/webhook", sandbox.webhook, methods=["POST"]))
    _add_views(app, sandbox)
    return app


def _add_views(app: FastAPI, sandbox: Sandbox) -> None:
    departments, store = sandbox.departments, sandbox.store

    def known(code: str) -> str:
        if code not in departments:
            raise HTTPException(404, "there is no such department, or it has no secret")
        return code

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        """Tell that the process is up."""
        return {"status": "ok"}

    @app.get("/departments")
    async def list_departments() -> list[dict[str, Any]]:
        """List the departments with their webhook's path and how they misbehave."""
        return [
            {
                "code": code,
                "webhook": f"/departments/{code}/webhook",
                "behaviour": departments.behaviour(code).model_dump(exclude_none=True),
            }
            for code in departments.codes()
        ]

    @app.get("/departments/{code}/records")
    async def records(code: str, limit: Annotated[int, Query(ge=1, le=10_000)] = 100) -> dict[str, Any]:
        """Show what the department received and which services it holds open."""
        return store.records(known(code), limit)

    @app.get("/departments/{code}/behaviour")
    async def behaviour(code: str) -> Behaviour:
        """Show how the department misbehaves."""
        return departments.behaviour(known(code))

    @app.put("/departments/{code}/behaviour")
    async def set_behaviour(code: str, behaviour: Behaviour) -> Behaviour:
        """Make the department misbehave from now on; an empty object makes it honest."""
        departments.behaviours[known(code)] = behaviour
        return behaviour

    @app.get("/audit")
    async def audit() -> dict[str, Any]:
        """Sum up all departments: nothing may be doubled."""
        by_department = {code: store.audit(code) for code in departments.codes()}
        return {**store.audit(), "departments": by_department}
