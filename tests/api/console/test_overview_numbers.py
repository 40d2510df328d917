"""Every number of the overview is the length of the list that it leads to, where steps and cases, cards that count and
cards that were lifted, are not the same.
"""

from __future__ import annotations

import html
import re
from datetime import date

import httpx
import pytest
from sqlalchemy import select, update

from models import Card, CardColour, CardState, Holder, Role
from services.access import Caller
from services.database import table
from services.house import House
from services.supervision.board import CardFilter, lift_card, list_cards
from services.supervision.supervise import supervise
from tests.api.conftest import Knock
from tests.testing.clock import SetClock
from tests.testing.departments import Departments, work
from tests.testing.people import application, registered

_LINK = re.compile(r'<a (?:class="[^"]*" )?href="(/console/(?:cases|cards|incidents)\?[^"]+|/console/incidents)"'
                   r'(?: class="[^"]*")?>\s*(?:<span class="label">[^<]*</span><strong>)?([0-9]+)<')  # fmt: skip
_BODY = re.compile(r"<tbody>(.*?)</tbody>", re.DOTALL)


async def _rows(reader: httpx.AsyncClient, address: str) -> int:
    """How many rows the whole of a list has."""
    answer = await reader.get(f"{address}{'&' if '?' in address else '?'}limit=200")
    assert answer.status_code == 200, address
    assert 'rel="next"' not in answer.text
    found = _BODY.search(answer.text)
    return found[1].count("<tr") if found else 0


@pytest.mark.parametrize("district", [None, "370303"])
async def test_every_number_is_the_length_of_the_list_behind_it(
    house: House, departments: Departments, clock: SetClock, knock: Knock, district: str | None
) -> None:
    departments.silent |= {"hrss", "police"}
    await work(house, *await registered(house, application(), application(), application(district="370302")))
    departments.failing["housing-fund"] = 400
    await work(house, *await registered(house, application()))
    clock.set_day(date(2014, 11, 19))
    await supervise(house)
    cards = (await list_cards(house, wanted=CardFilter(CardColour.RED))).items
    # One that counts no more, and one that is not for a department to answer for.
    await lift_card(house, Caller("office", Role.COORDINATOR), cards[0].id, "系统故障所致")
    async with house.database.write("test") as transaction:
        mine = table(Card).c.id == cards[1].id
        await transaction.connection.execute(update(table(Card)).where(mine).values(holder=Holder.US))
    await registered(house, application(received_on="2014-11-19"))

    reader = await knock(Role.COORDINATOR, district)
    page = (await reader.get("/console/overview")).text
    shown = [(html.unescape(address), int(number)) for address, number in _LINK.findall(page)]

    wrong = [(address, number, rows) for address, number in shown if (rows := await _rows(reader, address)) != number]
    assert wrong == []
    told = dict(shown)
    asked = "/console/cards?counting=true&holder=department&month=2014-11"
    for address in (
        "/console/cases?late=true", "/console/cases?late=true&department=hrss", "/console/cases?department=hrss",
        "/console/cases?stage=open", "/console/cases?failed=true&department=housing-fund",
    ):  # fmt: skip
        assert told[address], address
    assert any(address.startswith("/console/cards?colour=red") and number for address, number in shown)
    assert any(address.startswith(asked) and number for address, number in shown)


async def test_the_cards_page_lists_what_counts(house: House, departments: Departments, clock: SetClock) -> None:
    departments.silent.add("hrss")
    await work(house, *await registered(house, application()))
    clock.set_day(date(2014, 11, 19))
    await supervise(house)
    (red,) = (await list_cards(house, wanted=CardFilter(CardColour.RED))).items
    of_departments = CardFilter(CardColour.RED, holder=Holder.DEPARTMENT, counting=True)
    assert (await list_cards(house, wanted=of_departments)).items == (red,)
    assert (await list_cards(house, wanted=CardFilter(holder=Holder.APPLICANT))).items == ()
    await lift_card(house, Caller("office", Role.COORDINATOR), red.id, "系统故障所致")
    assert (await list_cards(house, wanted=of_departments)).items == ()
    async with house.database.read() as connection:
        states = (await connection.execute(select(table(Card).c.state))).scalars().all()
    assert CardState.LIFTED in states
