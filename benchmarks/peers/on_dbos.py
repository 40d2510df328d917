"""The case on DBOS: a workflow a case, a step a call, state in PostgreSQL."""

from __future__ import annotations

import asyncio
from typing import Any

from dbos import DBOS, DBOSConfig

from benchmarks.peers.case import MESSAGES, VERIFIERS, call, decide, message, options, report, run_all, verification

TOLD = options("DBOS")


@DBOS.step()
async def send(body: dict[str, Any]) -> bool:
    """One call, its result kept."""
    return await call(TOLD.url, body)


@DBOS.step()
async def write_permit(case: str, verified: list[bool]) -> dict[str, Any]:
    """The decision, kept."""
    return decide(case, verified)


@DBOS.workflow()
async def permit(case: str) -> str:
    """The whole case."""
    verified = await asyncio.gather(*(send(verification(case, code)) for code in VERIFIERS))
    await write_permit(case, list(verified))
    await asyncio.gather(*(send(message(case, place)) for place in range(MESSAGES)))
    return "complete"


async def one(case: str) -> None:
    """Start it and wait for its end."""
    handle = await DBOS.start_workflow_async(permit, case)
    await handle.get_result()


async def run() -> None:
    """Run and report."""
    config: DBOSConfig = {"name": "permits", "system_database_url": TOLD.database, "log_level": "ERROR"}
    DBOS(config=config)
    DBOS.launch()
    report(await run_all(TOLD, one))
    DBOS.destroy()


if __name__ == "__main__":
    asyncio.run(run())
