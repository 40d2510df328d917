"""The fault run: 25 departments, a third of them misbehaving in every way the sandbox knows, and 2,000 cases.

``python -m benchmarks.fault_run`` prints one JSON line, and ends with status 1 unless all of this is so: every step
ended in the state it must, every case is closed or refused, what departments hold open is what we say is in force,
nothing was done twice, and no secret, ID number or telephone stands in any log.

Prefect's server, the HTTP door, the sandbox departments and the dispatcher are processes of their own. Time is
compressed: between rounds what waits for a later try, or at a shut door for its probe, is brought forward. After the
last round of faults the departments mend; steps they took and never answered are asked again under the same key.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import func, select, update

from api.system.installation import connect_sandbox, prepare_database, sandbox_secrets
from api.system.programs import Program, Programs, free_port, programs
from api.system.whole import Ports, Sandbox, environment, start_api, start_sandbox
from benchmarks import delivery_rates
from benchmarks.fault_town import (
    FAULTS,
    applicants,
    expected_state,
    held_by_departments,
    in_force,
    leaks,
    mended,
    misbehaving,
    secrets_in,
    write_pack,
)
from benchmarks.folders import working_folder
from models import Attempt, Case, CaseState, Endpoint, EndpointState, Entitlement, Step, StepState
from services.audit import verify_chain
from services.database import table
from services.house import House, open_house
from services.intake.application import Application
from services.intake.register import Registry
from services.ledger.steps import Move, move_steps
from services.settings import Settings
from services.simulation import move_clock

_DAY = date(2014, 11, 10)
_DISPATCH = "import asyncio; from flows.dispatch import dispatch; asyncio.run(dispatch(linger_seconds={linger}))"
_OVER = (CaseState.CLOSED, CaseState.REFUSED)
_MOST_ROUNDS = 25
_STEPS, _CASES, _ENDPOINTS = table(Step), table(Case), table(Endpoint)
_ENTITLEMENTS, _ATTEMPTS = table(Entitlement), table(Attempt)


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--faulty-rounds", type=int, default=3, help="rounds before the departments mend")
    parser.add_argument("--messages", type=int, default=4000, help="in the measure of deliveries a second")
    parser.add_argument("--database", default="", help="SQLAlchemy URL of an empty database; SQLite if left out")
    parser.add_argument("--keep", action="store_true", help="leave the folder with its logs")
    options = parser.parse_args()
    with working_folder("faults", keep=options.keep) as folder:
        result = asyncio.run(_measure(folder, options))
    print(json.dumps(result, ensure_ascii=False))
    raise SystemExit(0 if result["as_it_must_be"] else 1)


async def _measure(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    ports = Ports(free_port(), free_port(), free_port())
    packs = folder / "packs"
    packs.mkdir()
    departments = write_pack(packs / "zibo-2014-87.yaml")
    settings = Settings(
        data_dir=folder, simulate=True, database_url=options.database, public_url=ports.api_url,
        prefect_api_url=ports.prefect_url, packs=(packs,), intranet=("127.0.0.1/32",), _env_file=None,
    )  # fmt: skip
    await asyncio.to_thread(prepare_database, settings)
    told = environment(settings, ports) | {"LIANBAN_PACKS": str(packs), "LIANBAN_DATABASE_URL": options.database}
    people = applicants(options.cases)
    secrets = sandbox_secrets(folder / "sandbox.json", departments)
    async with programs(told, folder / "logs") as running, open_house(settings) as house:
        await move_clock(house.database, settings, _DAY)
        await _start(running, ports, folder)
        await connect_sandbox(house, ports.sandbox_url, secrets)
        await _set(house, drain_per_second=1000.0)
        numbers = await _register(house, people)
        run = _Run(house, running, ports, numbers)
        started = time.perf_counter()
        rounds = await run.until_over(options.faulty_rounds)
        seconds = round(time.perf_counter() - started, 1)
        rates = await delivery_rates.rates(house, running, folder, options.messages)
        judged = await _judge(house, numbers, folder / "sandbox.db")
    needles = dict.fromkeys((one.person.id_number for one in people), "id-number")
    needles |= {str(one.person.phone): "telephone" for one in people if one.person.phone}
    needles |= dict.fromkeys(secrets_in(folder / "sandbox.json"), "secret")
    judged["leaks"] = leaks(folder / "logs", needles) | leaks(folder / "prefect", needles)
    good = not any(judged[name] for name in ("wrong_steps", "open_cases", "doubled", "unlike_the_departments", "leaks"))
    return {
        "as_it_must_be": good and judged["chain_holds"],
        "cases": options.cases,
        "departments": len(departments),
        "misbehaving": misbehaving(),
        "faults": list(FAULTS),
        "database": settings.dsn.split(":", 1)[0],
        "seconds": seconds,
        "rounds": rounds,
        **judged,
        "deliveries": rates,
    }


async def _start(running: Programs, ports: Ports, folder: Path) -> None:
    prefect = [sys.executable, "-m", "prefect", "--no-prompt", "server", "start", "--host", "127.0.0.1"]
    server = Program("prefect", [*prefect, "--port", str(ports.prefect)], f"{ports.prefect_url}/health")
    await running.start(server, within=120)
    await start_sandbox(running, ports, Sandbox(None, folder / "sandbox.json", folder / "sandbox.db", FAULTS))
    await start_api(running, ports)


async def _register(house: House, people: Sequence[Application]) -> list[str]:
    registry, numbers = Registry(house.database, house.keys, house.packs), []
    for start in range(0, len(people), 500):
        numbers += [one.number or "" for one in await registry.register(people[start : start + 500], "bench")]
    return numbers


class _Run:
    """Rounds of dispatching until everything is over."""

    def __init__(self, house: House, running: Programs, ports: Ports, numbers: Sequence[str]) -> None:
        self.house, self.running, self.ports, self.numbers = house, running, ports, numbers

    async def until_over(self, faulty: int) -> int:
        """Dispatch, bring forward, and again; mend the departments after ``faulty`` rounds. How many rounds it took."""
        for count in range(1, _MOST_ROUNDS + 1):
            await self._dispatch(f"dispatch-{count}", 3 if count > faulty else 6)
            if count == faulty:
                await self._mend()
            if count >= faulty:
                await self._ask_again()
                if await self._left() == 0:
                    return count
            await self._bring_forward()
        return _MOST_ROUNDS

    async def _dispatch(self, name: str, linger: int) -> None:
        program = Program(name, [sys.executable, "-c", _DISPATCH.format(linger=linger)])
        await self.running.start(program)
        assert program.process is not None
        await program.process.wait()
        self.running.running.remove(program)

    async def _mend(self) -> None:
        async with httpx.AsyncClient(base_url=self.ports.sandbox_url, trust_env=False) as http:
            for code, behaviour in mended().items():
                (await http.put(f"/departments/{code}/behaviour", json=behaviour)).raise_for_status()
            while (await http.get("/audit")).json()["callbacks_waiting"]:
                await asyncio.sleep(0.2)

    async def _ask_again(self) -> None:
        """Ask again what departments took and never answered, under the same key: the administrator's resend."""
        now = self.house.database.clock.now()
        async with httpx.AsyncClient(base_url=self.ports.sandbox_url, trust_env=False) as http:
            while (await http.get("/audit")).json()["callbacks_waiting"]:
                await asyncio.sleep(0.2)
        async with self.house.database.write("administrator:bench") as transaction:
            query = select(_STEPS.c.id).where(_STEPS.c.state == StepState.RECEIVED)
            silent = (await transaction.connection.execute(query)).scalars().all()
            moves = [Move(step, StepState.DUE, "resent", now) for step in silent]
            await move_steps(transaction, moves)

    async def _left(self) -> int:
        waiting = (StepState.DUE, StepState.SENDING, StepState.RECEIVED, StepState.HELD)
        async with self.house.database.read() as connection:
            steps = await connection.execute(select(func.count()).where(_STEPS.c.state.in_(waiting)))
            cases = await connection.execute(select(func.count()).where(_CASES.c.state.not_in(_OVER)))
            return int(steps.scalar_one()) + int(cases.scalar_one())

    async def _bring_forward(self) -> None:
        now = self.house.database.clock.now()
        async with self.house.database.write("bench") as transaction:
            later = (_STEPS.c.state == StepState.DUE, _STEPS.c.next_attempt_at > now)
            await transaction.connection.execute(update(_STEPS).where(*later).values(next_attempt_at=now))
            shut = _ENDPOINTS.c.state.in_((EndpointState.HELD, EndpointState.PROBING))
            await transaction.connection.execute(update(_ENDPOINTS).where(shut).values(probe_at=now))


async def _set(house: House, **values: Any) -> None:
    async with house.database.write("bench") as transaction:
        await transaction.connection.execute(update(_ENDPOINTS).values(values))


async def _judge(house: House, numbers: Sequence[str], books: Path) -> dict[str, Any]:
    """What the ledger holds at the end, beside what it must hold."""
    async with house.database.read() as connection:
        steps = (await connection.execute(select(_STEPS))).all()
        cases = Counter(state.value for state in (await connection.execute(select(_CASES.c.state))).scalars())
        standing = in_force((await connection.execute(select(_ENTITLEMENTS))).all())
        tries = (await connection.execute(select(func.count()).select_from(_ATTEMPTS))).scalar_one()
        chain = await verify_chain(connection)
    wrong = Counter(
        f"{step.department} {step.kind.value} {step.state.value} {step.reason or ''}".strip()
        for step in steps
        if step.state is not expected_state(step.department, step.kind, step.id)
    )
    held, doubled, repeats = held_by_departments(books)
    return {
        "steps": dict(Counter(step.state.value for step in steps)),
        "case_states": dict(cases),
        "tries": tries,
        "repeated_effects_taken_once": repeats,
        "wrong_steps": dict(wrong),
        "open_cases": len(numbers) - sum(cases[state.value] for state in _OVER),
        "doubled": doubled,
        "in_force": len(standing),
        "unlike_the_departments": len(held ^ standing),
        "chain_holds": chain.broken_at is None,
    }


if __name__ == "__main__":
    main()
