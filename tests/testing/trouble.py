"""What goes wrong with a cluster, for real: processes killed or frozen, servers gone and back, with and without memory.

Each kind of trouble ends with everything running again, as a supervisor (systemd, Compose, ``lianban up``) sees to.
"""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress

import psutil

from tests.testing.cluster import LEASE_SECONDS, WORKERS, Cluster

Trouble = Callable[[Cluster, random.Random], Awaitable[bool]]


async def kill_dispatcher(town: Cluster, dice: random.Random) -> bool:
    """Kill -9 a dispatcher at work; its worker lives. Whether there was one."""
    found = [one for name in WORKERS for one in town.started_by(name)]
    if not found:
        return False
    with suppress(psutil.NoSuchProcess):
        dice.choice(found).kill()
    return True


async def kill_worker(town: Cluster, dice: random.Random) -> bool:
    """A machine loses its power: the worker and its dispatcher are gone. It comes back."""
    await town.running.start(await town.kill(dice.choice(WORKERS)))
    return True


async def kill_door(town: Cluster, dice: random.Random) -> bool:
    """Kill -9 a process of the HTTP door."""
    await town.running.start(await town.kill(f"api-{dice.randrange(len(town.apis)) + 1}"))
    return True


async def kill_departments(town: Cluster, _: random.Random) -> bool:
    """Kill -9 the departments."""
    await town.running.start(await town.kill("sandbox"))
    return True


async def kill_prefect(town: Cluster, dice: random.Random) -> bool:
    """Kill -9 Prefect's server; it comes back after a while with what it knew."""
    server = await town.kill("prefect-server")
    await asyncio.sleep(dice.uniform(0.5, 3.0))
    await town.running.start(server)
    return True


async def empty_prefect(town: Cluster, _: random.Random) -> bool:
    """Prefect's server comes back with an empty database, and an empty Redis."""
    await town.empty_prefect()
    return True


async def restart_postgres(town: Cluster, dice: random.Random) -> bool:
    """The plug of PostgreSQL pulled, under load; it recovers from its log."""
    await asyncio.to_thread(town.postgres.stop, "immediate")
    await asyncio.sleep(dice.uniform(0.2, 1.5))
    await asyncio.to_thread(town.postgres.start)
    return True


async def lose_redis(town: Cluster, dice: random.Random) -> bool:
    """Redis gone with all that it held, and back, empty."""
    town.pull_the_plug_of_redis()
    await asyncio.sleep(dice.uniform(0.5, 2.0))
    await asyncio.to_thread(town.start_redis)
    return True


async def freeze_dispatcher(town: Cluster, dice: random.Random) -> bool:
    """A dispatcher stands still past its leases, and wakes up when others have taken its cases."""
    found = [one for name in WORKERS for one in town.started_by(name)]
    with suppress(psutil.NoSuchProcess):
        for one in found[:1]:
            one.send_signal(signal.SIGSTOP)
            await asyncio.sleep(LEASE_SECONDS + dice.uniform(1.0, 3.0))
            one.send_signal(signal.SIGCONT)
    return bool(found)


# How often each kind comes among a hundred.
KINDS: dict[str, tuple[Trouble, int]] = {
    "dispatcher": (kill_dispatcher, 44),
    "worker": (kill_worker, 16),
    "door": (kill_door, 12),
    "departments": (kill_departments, 8),
    "frozen": (freeze_dispatcher, 6),
    "postgresql": (restart_postgres, 6),
    "redis": (lose_redis, 4),
    "prefect": (kill_prefect, 3),
    "prefect-empty": (empty_prefect, 1),
}
