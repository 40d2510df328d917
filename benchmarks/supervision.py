"""``python -m benchmarks.supervision FOLDER``: what supervision costs over a store, such as the simulated year leaves.

``python -m benchmarks.simulated_year --cases 20000 --folder FOLDER`` fills one. Each figure is taken three times; the
first and the best are printed, in seconds, one JSON line. What is looked at is left as it was, but for the forecast.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from models import Case, Entitlement, Step
from services.clock import Clock
from services.database import table
from services.house import House
from services.meetings.preparing import prepare
from services.operations.incidents import gather
from services.settings import Settings
from services.supervision.appraisal import appraise
from services.supervision.forecast import make_forecast
from services.supervision.periods import read_period
from services.supervision.publicity import public_figures
from services.supervision.supervise import supervise
from services.supervision.uptake import service_figures

_TIMES = 3
_ACTOR = "benchmark"


async def measure(house: House, month: str, quarter: str) -> dict[str, Any]:
    """Take every figure."""
    of_month, of_quarter = read_period(month), read_period(quarter)

    looks: dict[str, Callable[[], Awaitable[object]]] = {
        "supervise, nothing due": lambda: supervise(house),
        "incidents gathered": lambda: gather(house),
        "meeting prepared": lambda: prepare(house),
        "services in figures": lambda: service_figures(house, of_month),
        f"appraisal of {month}": lambda: appraise(house, of_month),
        f"appraisal of {quarter}": lambda: appraise(house, of_quarter),
        f"public figures of {month}, kept for the day": lambda: public_figures(house, of_month),
        "forecast made": lambda: make_forecast(house, _ACTOR),
    }
    taken: dict[str, Any] = {}
    async with house.database.read() as connection:
        for model in (Case, Step, Entitlement):
            counted = select(func.count()).select_from(table(model))
            taken[str(model.__tablename__)] = (await connection.execute(counted)).scalar_one()
    for name, look in looks.items():
        seconds = [await _timed(look) for _ in range(_TIMES)]
        taken[name] = [round(seconds[0], 3), round(min(seconds), 3)]
    return taken


async def _timed(look: Callable[[], Awaitable[object]]) -> float:
    started = time.perf_counter()
    await look()
    return time.perf_counter() - started


async def _run(options: argparse.Namespace) -> None:
    settings = Settings(data_dir=options.folder, database_url=options.database, simulate=True, _env_file=None)
    day = datetime.fromisoformat(options.day).replace(hour=2, tzinfo=UTC)
    began = time.monotonic()
    house = House(settings, Clock(source=lambda: day + timedelta(seconds=time.monotonic() - began)))
    try:
        await house.refresh_rules()
        print(json.dumps(await measure(house, options.month, options.quarter), ensure_ascii=False))
    finally:
        await house.close()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--database", default="", help="SQLAlchemy URL; the folder's SQLite if left out")
    parser.add_argument("--day", default="2015-10-08", help="the day on which it is looked at")
    parser.add_argument("--month", default="2015-08")
    parser.add_argument("--quarter", default="2015Q3")
    asyncio.run(_run(parser.parse_args()))


if __name__ == "__main__":
    main()
