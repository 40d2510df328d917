"""A whole case, with everything that can go wrong on its way, leaves nobody's name in any log."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from io import StringIO
from itertools import chain
from typing import Any

import httpx
import pytest
import structlog

from api.logs import configure_logs
from models import Role
from services.house import House
from tests.api.conftest import Knock
from tests.testing.departments import Departments, dispatch
from tests.testing.looking import steps
from tests.testing.people import body

PHONE, ADDRESS, CHILD = "13912345678", "淄博市张店区某某路一号", "2012-05-06"


@pytest.fixture
def written() -> Iterator[StringIO]:
    """What is logged, with the logs set up as in production, and the libraries told to talk."""
    before, stream = structlog.get_config(), StringIO()
    configure_logs()
    structlog.configure(logger_factory=structlog.WriteLoggerFactory(stream))
    handler, root = logging.StreamHandler(stream), logging.getLogger()
    # Not httpx: it is the client of this test, and a stranger may write anything into an address.
    quiet = logging.getLogger("httpx")
    loud = [root, *map(logging.getLogger, ("sqlalchemy.engine", "aiohttp", "lianban", "asyncio")), quiet]
    levels = [one.level for one in loud]
    root.addHandler(handler)
    for one in loud:
        one.setLevel(logging.WARNING if one is quiet else logging.INFO)
    yield stream
    for one, level in zip(loud, levels, strict=True):
        one.setLevel(level)
    root.removeHandler(handler)
    structlog.configure(**before)


def _secrets(applicant: dict[str, Any]) -> list[str]:
    person = applicant["person"]
    number = person["id_number"]
    return [person["name"], number, number[6:14], PHONE, ADDRESS, CHILD, "lbk_", "whsec_"]


async def test_no_log_names_anybody(
    house: House,
    departments: Departments,
    clerk: httpx.AsyncClient,
    knock: Knock,
    written: StringIO,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    departments.failing |= {"culture": 503, "justice": 400}
    applicant = body(children=[{"born_on": CHILD, "relation": "daughter"}])
    applicant["person"] |= {"phone": PHONE, "address": ADDRESS}
    taken = await clerk.post("/api/v1/applications", json=applicant)
    assert taken.status_code in {200, 201, 202}
    await dispatch(house)
    number = taken.json()["number"]
    assert await steps(house, number)
    # Looked at, searched for, sent in wrongly, and broken in the middle.
    for path in ("", "/timeline", "/access-log"):
        assert (await clerk.get(f"/api/v1/cases/{number}{path}")).status_code == 200
    found = await clerk.post("/api/v1/cases/search", json={"id_number": applicant["person"]["id_number"]})
    assert found.json()["items"]
    wrong = applicant | {"person": applicant["person"] | {"id_number": applicant["person"]["id_number"][:-1]}}
    assert (await clerk.post("/api/v1/applications", json=wrong)).status_code == 422
    await clerk.get("/api/v1/cases", params={"q": applicant["person"]["name"]})
    await clerk.get(f"/api/v1/cases/{applicant['person']['id_number']}")
    auditor = await knock(Role.AUDITOR)
    assert (await auditor.get("/api/v1/audit", params={"subject": number})).status_code == 200
    monkeypatch.setattr(house.caseworker.applications, "open", _crash(applicant["person"]["name"]))
    assert (await clerk.get(f"/api/v1/cases/{number}")).status_code == 500
    text = written.getvalue()
    # The requests, the failure and the statements were logged, so this looks at something.
    for said in ('"event": "request"', '"event": "failure"', "INSERT INTO cases"):
        assert said in text
    spellings = chain.from_iterable((one, ascii(one)[1:-1]) for one in _secrets(applicant))
    assert [one for one in spellings if one in text] == []


def _crash(words: str) -> Any:
    def crash(*_: object) -> None:
        raise RuntimeError(f"could not open the case of {words}")

    return crash
