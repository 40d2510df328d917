"""The kill run: a cluster under load whose parts are killed, frozen, cut off and emptied, hundreds of times, at random.

``python -m benchmarks.kill_run --kills 200 --seed 1`` prints one JSON object, and ends with status 1 unless all of
this is so: every application that was acknowledged has its case, no permit was issued and no service opened twice,
what the departments hold open is what we say is in force, every audit entry follows the one before, every case is
finished or waits for somebody's word, and the case that brings down whoever takes it up was set aside alone.

PostgreSQL, Redis, Prefect's server, its keeper, two workers with their dispatchers, two processes of the HTTP door
and the departments are processes of their own. Clerks hand in all the while, and again what was not acknowledged.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from sqlalchemy import select, update

from api.demo.people import synthetic_applications
from benchmarks.folders import working_folder
from models import Case
from services.database import table
from tests.testing.cluster import Cluster, cluster
from tests.testing.intake import Clerks, clerks
from tests.testing.judging import finished, judge
from tests.testing.servers import FIRST_DAY
from tests.testing.trouble import KINDS

_CASES = table(Case)
_FAULTS = ("hrss:slow=120", "health:slow=60", "justice:later=1")


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cases-a-kill", type=float, default=5.0, help="how many applications come in for each kill")
    parser.add_argument("--only", nargs="*", default=sorted(KINDS), choices=sorted(KINDS), help="kinds of trouble")
    parser.add_argument("--within", type=float, default=400.0, help="seconds after the last kill to be finished in")
    parser.add_argument("--keep", action="store_true", help="leave the folder with its logs")
    options = parser.parse_args()
    with working_folder("kills", keep=options.keep) as folder:
        result = asyncio.run(_run(folder, options))
    print(json.dumps(result, ensure_ascii=False))
    raise SystemExit(0 if result["as_it_must_be"] else 1)


async def _run(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    dice = random.Random(options.seed)  # noqa: S311 - moments to be the same again
    count = max(30, round(options.kills * options.cases_a_kill))
    people = [one for one, _ in synthetic_applications(count, options.seed, FIRST_DAY) if "other" not in one.grounds]
    async with cluster(folder) as town:
        await town.start_sandbox(faults=_FAULTS)
        handing = await clerks(town.house, town.apis, options.seed)
        poisoned = await _poison(town, handing, people.pop().model_dump(mode="json"))
        started = time.monotonic()
        # About as long as the kills take: a bit more than two seconds each.
        pause = options.kills * 2.5 / len(people) * 4
        intake = asyncio.create_task(
            handing.hand_in([one.model_dump(mode="json") for one in people], at_once=4, pause=pause)
        )
        kills, ended = await _trouble(town, dice, options)
        await intake
        in_trouble = round(time.monotonic() - started, 1)
        recovered = await finished(town, options.within)
        aside = await _set_aside(town)
        await _mend(town, poisoned)
        await finished(town, options.within)
        verdict = await judge(town, handing.numbers)
    alone = aside == [poisoned]
    return {
        "as_it_must_be": verdict.well and recovered is not None and alone,
        "kills": sum(kills.values()),
        "by_kind": dict(kills),
        "ended_by_themselves": dict(ended),
        "seed": options.seed,
        "seconds_in_trouble": in_trouble,
        "seconds_to_recover": recovered,
        "intake_tried_again": handing.refusals,
        "poisoned_case_set_aside": poisoned in aside,
        "others_set_aside": len(set(aside) - {poisoned}),
        **verdict.as_dict(),
    }


async def _trouble(
    town: Cluster, dice: random.Random, options: argparse.Namespace
) -> tuple[Counter[str], Counter[str]]:
    """What was done, by kind; and what ended of it by itself, and was started again as a supervisor does."""
    kinds = {name: KINDS[name] for name in options.only}
    kills: Counter[str] = Counter()
    ended: Counter[str] = Counter()
    while sum(kills.values()) < options.kills:
        await asyncio.sleep(dice.uniform(0.1, 3.0))
        ended.update(await town.revive())
        (name,) = dice.choices(list(kinds), [weight for _, weight in kinds.values()])
        if await kinds[name][0](town, dice):
            kills[name] += 1
            print(f"{sum(kills.values())}/{options.kills} {name}", file=sys.stderr, flush=True)
    ended.update(await town.revive())
    return kills, ended


async def _poison(town: Cluster, handing: Clerks, application: dict[str, Any]) -> str:
    """One case whose sealed application was spoilt on disk: whoever takes it up comes to grief."""
    await handing.hand_in([application], at_once=1)
    (number,) = handing.numbers
    spoilt = update(_CASES).where(_CASES.c.number == number).values(sealed=b"spoilt")
    async with town.house.database.write("test") as transaction:
        town.house.settings.data_dir.joinpath("sealed").write_bytes(
            (
                await transaction.connection.execute(select(_CASES.c.sealed).where(_CASES.c.number == number))
            ).scalar_one()
        )
        await transaction.connection.execute(spoilt)
    return number


async def _mend(town: Cluster, number: str) -> None:
    """Put the poisoned case right, as an administrator does after restoring it: it goes on like any other."""
    sealed = town.house.settings.data_dir.joinpath("sealed").read_bytes()
    now = town.house.database.clock.now()
    values = {"sealed": sealed, "set_aside": None, "tries": 0, "ready_at": now, "lease": None, "leased_until": None}
    async with town.house.database.write("test") as transaction:
        await transaction.connection.execute(update(_CASES).where(_CASES.c.number == number).values(values))


async def _set_aside(town: Cluster) -> list[str]:
    async with town.house.database.read() as connection:
        return list(
            (await connection.execute(select(_CASES.c.number).where(_CASES.c.set_aside.is_not(None)))).scalars()
        )


if __name__ == "__main__":
    main()
