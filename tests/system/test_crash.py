"""Killed in the middle: the dispatcher, the departments, Prefect. Nothing is lost and nothing is opened twice."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import select

from api.demo.people import synthetic_applications
from api.demo.sheet import cells_of, write_sheet
from api.system.whole import start_api
from models import Case, CaseState, Step, StepKind, StepState
from services.database import table
from services.intake.divisions import Districts
from tests.testing.looking import chain_length, granted, in_force
from tests.testing.people import application
from tests.testing.servers import FIRST_DAY, Installation, PrefectServer, installation

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("system"), pytest.mark.timeout(280)]
CASES, STEPS = table(Case), table(Step)
KILLS = 6


async def _kill(process: asyncio.subprocess.Process, after: float) -> bool:
    """Kill -9 after some seconds; whether it was still at work then."""
    try:
        await asyncio.wait_for(process.wait(), after)
    except TimeoutError:
        os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        return True
    return False


async def _states(town: Installation) -> Counter[CaseState]:
    async with town.house.database.read() as connection:
        return Counter((await connection.execute(select(CASES.c.state))).scalars())


async def _finish(town: Installation) -> None:
    """Dispatch until nothing moves any more: retries are made, and late answers have come."""
    before = None
    for _ in range(6):
        await town.run_flows("dispatch(linger_seconds=4)")
        now = (await _states(town), await chain_length(town.house))
        waiting = (await town.audit())["callbacks_waiting"]
        if now == before and not waiting:
            return
        before = now


async def _everything_is_in_order(town: Installation, numbers: list[str]) -> None:
    async with town.house.database.read() as connection:
        cases = (await connection.execute(select(CASES))).all()
        steps = (await connection.execute(select(STEPS))).all()
    assert sorted(case.number for case in cases) == sorted(numbers)
    unanswered = {step.case_number for step in steps if step.state is StepState.RECEIVED}
    # A question that was declined leaves the case waiting for the joint meeting, not for a machine.
    unanswered |= {
        step.case_number for step in steps
        if step.kind is StepKind.VERIFICATION and step.state is StepState.DECLINED
    }  # fmt: skip
    for case in cases:
        assert case.set_aside is None
        assert case.lease is None
        if case.state not in {CaseState.CLOSED, CaseState.REFUSED}:
            assert case.number in unanswered, (case.number, case.state)
    refused = {case.number for case in cases if case.state is CaseState.REFUSED}
    taken_back = [step for step in steps if step.state is StepState.SUPERSEDED]
    # One department's answer may refuse a case while another's question, after a kill, still waits to be sent.
    assert {step.case_number for step in taken_back} <= refused, [
        (step.case_number, step.department, step.content) for step in taken_back
    ]
    asked = [step for step in steps if step.state in {StepState.DONE, StepState.DECLINED, StepState.RECEIVED}]
    assert len(asked) + len(taken_back) == len(steps), Counter(step.state for step in steps)
    audit = await town.audit()
    assert audit["doubled"] == 0
    assert len(asked) <= audit["messages"] <= len(steps)
    for case in cases:
        if case.state is CaseState.CLOSED:
            opened = await in_force(town.house, case.number)
            assert opened <= await granted(town.house, case.number)
    await chain_length(town.house)


async def test_kill_minus_nine_in_the_middle_of_200_cases(tmp_path: Path, prefect_server: PrefectServer) -> None:
    dice = random.Random(20141103)  # noqa: S311 - moments to be the same again
    async with installation(tmp_path, prefect_server) as town:
        people = list(synthetic_applications(200, 11, FIRST_DAY))
        districts = Districts({code: text.zh for code, text in town.house.packs.packs[0].districts.items()})
        write_sheet(tmp_path / "people.csv", [cells_of(one, known, districts.names) for one, known in people])
        # Slow enough that there is a middle to be killed in.
        await town.start_sandbox(tmp_path / "people.csv", ["hrss:slow=80", "health:slow=40", "police:slow=40"])
        await start_api(town.running, town.ports)
        numbers = await town.receive(*(one for one, _ in people))
        kills, moments = 0, []
        for _ in range(KILLS * 2):
            process = await town.start_flows("dispatch(linger_seconds=0)")
            moment = dice.uniform(0.2, 2.5)
            if await _kill(process, moment):
                kills += 1
                moments.append(round(moment, 1))
            if kills == KILLS // 2:
                # The departments die too, once, and come back with what they remember.
                await _restart_sandbox(town, tmp_path / "people.csv")
            if kills >= KILLS:
                break
        assert kills >= 5, f"the work was over after {kills} kills at {moments}"
        await _finish(town)
        await _everything_is_in_order(town, numbers)
        states = await _states(town)
    assert states[CaseState.CLOSED] > 120, states


async def _restart_sandbox(town: Installation, people: Path | None) -> None:
    (program,) = [one for one in town.running.running if one.name == "sandbox"]
    assert program.process is not None
    os.killpg(program.process.pid, signal.SIGKILL)
    await program.process.wait()
    town.running.running.remove(program)
    await town.start_sandbox(people)


async def test_departments_down_and_up_again(tmp_path: Path, prefect_server: PrefectServer) -> None:
    async with installation(tmp_path, prefect_server) as town:
        await town.start_sandbox()
        await town.receive(*(application() for _ in range(10)))
        (program,) = town.running.running
        assert program.process is not None
        os.killpg(program.process.pid, signal.SIGKILL)
        await program.process.wait()
        town.running.running.clear()
        (down,) = await town.run_flows("dispatch(linger_seconds=0)")
        assert down["verifying"] == 10
        await town.start_sandbox()
        # The first retry comes within seconds (schedule of Standard Webhooks).
        await town.run_flows("dispatch(linger_seconds=14)")
        assert await _states(town) == {CaseState.CLOSED: 10}
        assert (await town.audit())["doubled"] == 0


async def test_prefect_gone_and_back_with_an_empty_database(tmp_path: Path) -> None:
    prefect = PrefectServer(tmp_path / "prefect-1")
    prefect.start()
    try:
        async with installation(tmp_path / "lianban", prefect) as town:
            await town.start_sandbox()
            await town.receive(application())
            await town.run_flows("dispatch(linger_seconds=0)")
            prefect.stop()
            # Intake goes on; a dispatcher cannot start, and leaves everything as it was.
            await town.receive(*(application() for _ in range(3)))
            process = await town.start_flows("dispatch(linger_seconds=0)", PREFECT_CLIENT_MAX_RETRIES="0")
            await asyncio.wait_for(process.communicate(), 120)
            assert process.returncode != 0
            assert await _states(town) == {CaseState.CLOSED: 1, CaseState.RECEIVED: 3}
            prefect = PrefectServer(tmp_path / "prefect-2", prefect.port)
            prefect.start()
            await town.run_flows("dispatch(linger_seconds=4)")
            assert await _states(town) == {CaseState.CLOSED: 4}
            assert (await town.audit())["doubled"] == 0
            await chain_length(town.house)
    finally:
        prefect.stop()
