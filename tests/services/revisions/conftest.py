"""Two persons who revise the policy, and departments that answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any

import pytest

from models import Role
from services.access import Caller
from services.casework import deliveries
from services.house import House
from services.revisions.amendments import read_changes
from services.revisions.proposing import AmendmentDraft, Asked, approve_revision, propose_revision
from tests.testing.accounts import person
from tests.testing.departments import Departments

PACK = "zibo-2014-87"
BASIS = "居住证工作联席会议纪要〔2014〕2号"
Adopt = Callable[..., Awaitable[Asked]]


@pytest.fixture(autouse=True)
async def departments(house: House, monkeypatch: pytest.MonkeyPatch) -> Departments:
    departments = Departments()
    monkeypatch.setattr(deliveries, "shared_client", lambda: departments)
    await departments.connect(house)
    return departments


@pytest.fixture
async def coordinator(house: House) -> Caller:
    """Who asks."""
    return await person(house, "wang", Role.COORDINATOR)


@pytest.fixture
async def colleague(house: House) -> Caller:
    """The second person."""
    return await person(house, "li", Role.COORDINATOR)


def draft(*changes: dict[str, Any], from_on: date = date(2014, 12, 1), pack: str = PACK) -> AmendmentDraft:
    """An amendment of ``changes``."""
    return AmendmentDraft(
        pack=pack, from_on=from_on, changes=tuple(read_changes(list(changes))), basis=BASIS, reason="联席会议议定"
    )


@pytest.fixture
def adopt(house: House, coordinator: Caller, colleague: Caller) -> Adopt:
    """Has an amendment adopted: ``await adopt({"kind": "owner", …}, from_on=day)``."""

    async def adopt(*changes: dict[str, Any], **more: Any) -> Asked:
        asked = await propose_revision(house, coordinator, draft(*changes, **more))
        return await approve_revision(house, colleague, asked.id)

    return adopt
