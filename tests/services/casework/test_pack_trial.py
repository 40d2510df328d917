"""Trying a pack: exactly what it changes is told, and nothing is touched."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from services.casework import pack_trial
from services.casework.differing import GAINS, LOSES, OWNER
from services.casework.pack_trial import try_pack
from services.house import House
from services.policy.loading import SHIPPED, load_pack
from services.policy.pack import Pack
from services.policy.registry import PackRegistry
from tests.testing.clock import SetClock
from tests.testing.departments import Departments, work
from tests.testing.looking import chain_length
from tests.testing.people import application, registered

TEXT = (SHIPPED / "zibo-2014-87.yaml").read_text(encoding="utf-8")


def changed(folder: Path, *changes: tuple[str, str]) -> Pack:
    """The shipped pack with pieces of its text replaced."""
    text = TEXT
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    file = folder / "zibo-2014-87.yaml"
    file.write_text(text, encoding="utf-8")
    return load_pack(file)


@pytest.fixture
async def three(house: House, departments: Departments) -> list[str]:
    """Two permits of 3 years and one of 1 year."""
    del departments
    numbers = await registered(house, application(), application(), application(term_years=1, grounds=[]))
    await work(house, *numbers)
    return numbers


async def test_the_pack_in_force_changes_nothing(house: House, three: list[str]) -> None:
    before = await chain_length(house)
    trial = await try_pack(house, house.packs.named("zibo-2014-87"))
    assert (trial.permits, trial.affected, trial.shifts) == (len(three), 0, Counter())
    assert await chain_length(house) == before


async def test_a_look_that_is_bounded_says_how_far_it_came(house: House, three: list[str]) -> None:
    trial = await try_pack(house, house.packs.named("zibo-2014-87"), seconds=-1.0)
    assert (trial.permits, trial.whole) == (0, False)
    assert (await try_pack(house, house.packs.named("zibo-2014-87"), seconds=60.0)).permits == len(three)


async def test_a_service_with_a_new_owner(house: House, three: list[str], tmp_path: Path) -> None:
    old = next(line for line in _service("ZB87-3.1.7a") if line.strip().startswith(("department:", "owner:")))
    block = "\n".join(_service("ZB87-3.1.7a"))
    candidate = changed(tmp_path, (block, block.replace(old, old.replace("culture", "sports"))))
    trial = await try_pack(house, candidate)
    assert trial.affected == len(three)
    ((shift, count),) = trial.shifts.items()
    assert (shift.change, shift.service, shift.department, shift.month) == (OWNER, "ZB87-3.1.7a", "sports", "2014-11")
    assert (shift.why, count) == (("culture",), len(three))
    assert trial.load == {("sports", "2014-11"): len(three)}


async def test_a_service_taken_out_of_the_pack_is_lost(
    house: House, three: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pack_trial, "_PAGE", 1)
    candidate = changed(tmp_path, ("\n".join(_service("ZB87-3.1.7a")) + "\n", ""))
    trial = await try_pack(house, candidate)
    ((shift, count),) = trial.shifts.items()
    assert (shift.change, shift.why, count) == (LOSES, ("not-in-pack",), len(three))


async def test_a_permit_that_has_ended_is_not_looked_at(house: House, three: list[str], clock: SetClock) -> None:
    clock.set_day(date(2016, 1, 10))
    trial = await try_pack(house, house.packs.named("zibo-2014-87"))
    assert trial.permits == len(three) - 1


async def test_what_is_upcoming_counts_in_its_own_month(house: House, three: list[str], tmp_path: Path) -> None:
    # Put the other way round: the pack in force lacks the service, the candidate has it from the first full year on.
    lacking = changed(tmp_path, ("\n".join(_service("ZB87-3.2.2j")) + "\n", ""))
    whole = house.packs.named("zibo-2014-87")
    house.rules.registry = PackRegistry((lacking,))
    trial = await try_pack(house, whole)
    assert trial.permits == len(three)
    ((shift, count),) = trial.shifts.items()
    assert (shift.change, shift.service, shift.month, count) == (GAINS, "ZB87-3.2.2j", "2015-10", 2)


def _service(id_: str) -> list[str]:
    """The lines of one service in the pack's text."""
    lines = TEXT.splitlines()
    first = next(place for place, line in enumerate(lines) if line.strip() == f"- id: {id_}")
    last = next(
        (place for place in range(first + 1, len(lines)) if lines[place].strip().startswith("- id: ")), len(lines)
    )
    return lines[first:last]
