"""Fill an installation with permits and all that they carry.

    python -m benchmarks.store --permits 100000 --folder /tmp/store [--database URL]

Some lives are lived by the system itself over the years 2014 to 2018, then copied for other people until there are
enough: cases, facts, decisions, permits, services, steps, attempts and the audit chain, a hundredth of them under way.
The folder gets the keys; ``LIANBAN_DATA_DIR=FOLDER LIANBAN_SIMULATE=true`` then opens the installation, its business
day 2018-11-28. The database must be empty; SQLite in the folder if none is given.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from pathlib import Path

from api.system.installation import asked_departments, connect_sandbox, prepare_database, sandbox_secrets
from benchmarks.store.building import fast_building
from benchmarks.store.copies import copy_lives
from benchmarks.store.lives import LAST_DAY, live_through
from services.clock import Clock
from services.errors import ConflictError
from services.house import open_house
from services.ledger.cases import cases_wanted
from services.settings import Settings
from services.simulation import move_clock

MOST_LIVES = 2_000
_COPIES_A_LIFE = 10


def main() -> None:
    """Fill and say how long it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--permits", type=int, default=10_000, help="how many cases, about 95 in 100 with a permit")
    parser.add_argument("--folder", type=Path, required=True, help="the installation's folder, for keys (and SQLite)")
    parser.add_argument("--database", default="", help="SQLAlchemy URL of an empty database")
    parser.add_argument("--lives", type=int, default=0, help="how many are lived and not copied")
    parser.add_argument("--seed", type=int, default=87)
    options = parser.parse_args()
    settings = Settings(data_dir=options.folder, database_url=options.database, simulate=True, _env_file=None)
    print(json.dumps(fill(settings, options.permits, options.lives, options.seed)))


def fill(settings: Settings, permits: int, lives: int = 0, seed: int = 87) -> dict[str, float | int]:
    """Fill the installation of ``settings`` with ``permits`` cases, ``lives`` of them lived. How many, how long."""
    started = time.perf_counter()
    prepare_database(settings)
    lived = min(permits, lives or max(20, min(MOST_LIVES, permits // _COPIES_A_LIFE)))
    asyncio.run(_fill(settings, permits, lived, seed))
    return {"cases": permits, "lived": lived, "seconds": round(time.perf_counter() - started, 1)}


async def _fill(settings: Settings, permits: int, lives: int, seed: int) -> None:
    started = time.perf_counter()

    def told(what: str) -> None:
        print(f"{time.perf_counter() - started:8.1f} s  {what}", file=sys.stderr)

    async with open_house(settings, Clock()) as house:
        departments = asked_departments(house.packs.packs[0], LAST_DAY)
        secrets = sandbox_secrets(settings.data_dir / "sandbox.json", departments)
        # Port 9 discards: a dispatcher that is started here by mistake reaches nobody.
        await connect_sandbox(house, "http://127.0.0.1:9", secrets)
        async with house.database.read() as connection:
            if await cases_wanted(connection):
                raise ConflictError("the database holds cases already; give an empty one", place="--database")
        await live_through(house, lives, seed)
        told(f"{lives} lives")
        if permits > lives:
            async with fast_building(house.database, told):
                await copy_lives(house, permits - lives, seed, told)
        house.database.clock = Clock()
        await move_clock(house.database, settings, LAST_DAY)


if __name__ == "__main__":
    main()
