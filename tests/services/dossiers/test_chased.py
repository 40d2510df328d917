"""What supervision did about a case stands in its story in words, as far as its reader may know it."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from services.access import WHOLE_CITY, Sight
from services.dossiers.chased import TELLERS
from services.dossiers.dossier import Dossier, load_dossier
from services.dossiers.sentences import sentences
from services.dossiers.telling import Entry
from services.house import House
from tests.testing.departments import Departments, work
from tests.testing.people import application, registered

_DAY = date(2014, 11, 3)


@pytest.fixture
def empty_dsn(tmp_path: Path) -> str:
    """SQLite alone: what is tested here is told in Python."""
    return f"sqlite+aiosqlite:///{tmp_path / 'lianban.db'}"


async def _dossier(house: House, sight: Sight = WHOLE_CITY) -> Dossier:
    (number,) = await registered(house, application())
    await work(house, number)
    async with house.database.read() as connection:
        return await load_dossier(connection, house, number, sight)


def _told(dossier: Dossier, action: str, **detail: Any) -> list[str]:
    return [
        line.zh for said in sentences(dossier, Entry(action, _DAY, detail)) for line in (said.words, *said.details)
    ]  # fmt: skip


async def test_every_action_is_told_in_words(house: House, departments: Departments) -> None:
    del departments
    dossier = await _dossier(house)
    step = next(one for one, row in dossier.steps.items() if row.department == "hrss")
    card = {"card": 7, "colour": "red", "cause": "own", "holder": "department", "department": "hrss", "step": step}
    moved = {f"{step}:own": ["2014-11-17", "2014-11-19"], "promised": ["2014-11-17", None]}
    told = {
        "card.dealt": _told(dossier, "card.dealt", **card, due_on="2014-11-17"),
        "card.contested": _told(dossier, "card.contested", card=7, because="系统停机"),
        "card.lifted": _told(dossier, "card.lifted", card=7, because="属实"),
        "card.upheld": _told(dossier, "card.upheld", card=7, because="不属实"),
        "deadlines.moved": _told(dossier, "deadlines.moved", because="calendar-changed", deadlines=moved),
        "steps.split": _told(dossier, "steps.split", step=step, services=["ZB87-3.1.2a"], left_to_inbox="x"),
        "steps.fell_back": _told(dossier, "steps.fell_back", steps=[step], door="inbox"),
        "contradiction.seen": _told(dossier, "contradiction.seen", step=step, found="later-right"),
        "evidence.written": _told(dossier, "evidence.written", step=step),
        "case.erased": _told(dossier, "case.erased"),
    }
    assert set(told) == set(TELLERS)
    assert told["card.dealt"] == ["向人力资源社会保障局发红牌：协办事项时限。", "期限：2014年11月17日"]
    assert told["card.lifted"] == ["7 号牌撤销。", "理由：属实"]
    assert told["deadlines.moved"] == [
        "办理期限调整：工作日历调整。",
        "人力资源社会保障局协办事项时限：2014年11月17日 → 2014年11月19日",
        "承诺时限：2014年11月17日 → 停止计时",
    ]
    assert all(lines and not lines[0].startswith("记录") for lines in told.values()), told


async def test_a_department_reads_only_its_own(house: House, departments: Departments) -> None:
    del departments
    dossier = await _dossier(house, Sight(department="police"))
    step = next(one for one, row in dossier.steps.items() if row.department == "hrss")
    card = {"card": 7, "colour": "red", "cause": "own", "holder": "department", "step": step, "due_on": None}
    assert _told(dossier, "card.dealt", **card, department="hrss") == []
    assert _told(dossier, "card.dealt", **card, department="police")
    # Neither a card for our own channel to it, nor one that is nobody's here.
    assert _told(dossier, "card.dealt", **card | {"holder": "channel"}, department="police") == []
    assert _told(dossier, "card.dealt", **card | {"holder": "us"}, department=None) == []
    assert _told(dossier, "card.contested", card=7, because="x") == []
    assert _told(dossier, "deadlines.moved", because="looked-at", deadlines={f"{step}:own": [None, "2014-11-19"]}) == []
    assert _told(dossier, "steps.fell_back", steps=[step], door="inbox") == []
    assert _told(dossier, "case.erased") == []
