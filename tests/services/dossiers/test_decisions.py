"""Kept decisions: opened whole, checked, explained, and every opening logged."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select, update

from models import AuditEntry, Decision, Role
from services.access import WHOLE_CITY, Caller, Sight
from services.database import table
from services.dossiers.decisions import list_decisions, open_decision
from services.dossiers.stories import tell_story
from services.errors import NotFoundError
from services.house import House
from services.sealing import SealError
from tests.testing.departments import Departments, work
from tests.testing.people import application, registered

CLERK = Caller("zhang", Role.CLERK, "370303")


@pytest.fixture
def empty_dsn(tmp_path: Path) -> str:
    """SQLite alone: what is tested here is told in Python; the routes' tests read it from both databases."""
    return f"sqlite+aiosqlite:///{tmp_path / 'lianban.db'}"


async def _case(house: House, **changes: object) -> str:
    (number,) = await registered(house, application(**changes))
    await work(house, number)
    return number


async def test_a_decision_is_kept_whole_and_comes_out_the_same_again(house: House, departments: Departments) -> None:
    departments.facts["honour"] = False
    number = await _case(house, born_on=date(1985, 3, 2))
    decision = await open_decision(house, CLERK, number, 1)
    assert decision.question["applicant"] == {"born_on": "1985-03-02", "sex": "female"}
    assert decision.question["facts"]["labour_contract"] is True
    assert decision.answer["permit"]["outcome"] == "issue"
    assert (decision.same_again, decision.pack_unchanged) == (True, True)
    assert decision.permit.zh.startswith("准予发证：3年期，自2014年11月3日起至2017年11月2日止。")
    explained = {one.service: one.sentence.zh for one in decision.entitlements}
    assert len(explained) == 78
    assert "受到表彰奖励" in explained["ZB87-3.1.10b"]


async def test_a_list_of_decisions_bears_nothing_personal(house: House, departments: Departments) -> None:
    del departments
    number = await _case(house, born_on=date(1985, 3, 2))
    (row,) = await list_decisions(house, number, WHOLE_CITY)
    assert (row.sequence, row.outcome, row.term_years) == (1, "issue", 3)
    assert "1985" not in repr(row)


async def test_who_opened_a_decision_is_logged(house: House, departments: Departments) -> None:
    del departments
    number = await _case(house)
    await open_decision(house, CLERK, number, 1)
    async with house.database.read() as connection:
        last = (await connection.execute(select(table(AuditEntry)))).all()[-1]
    assert (last.actor, last.action, last.subject) == ("clerk:zhang", "decision.opened", number)
    event = (await tell_story(house, number)).events[-1]
    assert (event.zh, event.actor_words.zh) == ("查阅第1次决定全文。", "派出所受理人员（zhang）")


async def test_an_altered_decision_does_not_open(house: House, departments: Departments) -> None:
    del departments
    number = await _case(house)
    decisions = table(Decision)
    async with house.database.engine.begin() as connection:
        await connection.execute(update(decisions).values(digest="0" * 64))
    with pytest.raises(SealError, match="digest"):
        await open_decision(house, CLERK, number, 1)
    async with house.database.engine.begin() as connection:
        await connection.execute(update(decisions).values(sealed=b"\x02k1" + b"\0" * 40))
    with pytest.raises(SealError):
        await open_decision(house, CLERK, number, 1)


async def test_a_refusal_for_lack_of_a_policy_is_explained(house: House, departments: Departments) -> None:
    del departments
    number = await _case(house, received_on="2014-09-30")
    decision = await open_decision(house, CLERK, number, 1)
    assert (decision.pack, decision.same_again, decision.pack_unchanged) == (None, True, True)
    assert decision.entitlements == ()
    assert "不在任何有效政策的施行期内" in decision.permit.zh


async def test_a_decision_out_of_sight_is_not_there(house: House, departments: Departments) -> None:
    del departments
    number = await _case(house)
    stranger = Caller("li", Role.CLERK, "370302")
    with pytest.raises(NotFoundError):
        await open_decision(house, stranger, number, 1)
    with pytest.raises(NotFoundError):
        await list_decisions(house, number, Sight(district="370302"))
    with pytest.raises(NotFoundError, match="no such decision"):
        await open_decision(house, CLERK, number, 2)
