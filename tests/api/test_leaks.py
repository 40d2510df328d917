"""Nothing leaks, proven for whatever routes there are: what lies out of a reader's sight makes no difference to them.

Every route and page that is read without a body is asked by every kind of reader before and after cases were added that
are not theirs to see. The answers must be the same to the byte: no list, filter, count, search, export, page or link
tells of them. A new list joins by itself. One with a parameter that this file does not know fails until it is told
what value would look for the hidden ones.
"""

from __future__ import annotations

import io
import itertools
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import BaseModel

from api.access import MATRIX, GuardedPage, GuardedRoute, Open
from api.openapi import named_routes
from models import Role
from services.house import House
from services.operations.incidents import gather
from services.remedies.asking import ask_remedy
from services.remedies.orders import read_order
from tests.api.conftest import Browser, Knock, SignIn
from tests.testing.accounts import person
from tests.testing.departments import Departments, work
from tests.testing.people import application, registered

HIDDEN_NAME = "欧阳明珠"
HERE, THERE = "370303", "370302"
OUR_STATION, OTHER_STATION = "科苑派出所", "体育场派出所"

# A value for every parameter by which rows are chosen, such that it would find the hidden ones.
VALUES: dict[str, list[str]] = {
    "state": ["refused"],
    "district": [THERE, HERE],
    "department": ["hrss", "police"],
    "station": [OTHER_STATION],
    "term": ["3"],
    "q": [THERE, HERE],
    "subject": [f"{THERE}-2014-000001"],
    "actor": ["clerk:", "administrator:"],
    "action": ["case.", "remedy."],
    "received_from": ["2014-01-01"],
    "received_to": ["2015-01-01"],
    "closed_from": ["2014-01-01"],
    "closed_to": ["2015-01-01"],
    "late": ["1"],
    "failed": ["1"],
    "holder": ["department", "us"],
    "counting": ["true"],
    "stage": ["verify"],
    "kind": ["failed", "verification"],
    "states": ["failed"],
    "from_at": ["2014-01-01T00:00:00Z"],
    "until_at": ["2015-01-01T00:00:00Z"],
    "colour": ["yellow", "red"],
    "month": ["2014-11"],
    "period": ["2014-11"],
    "figure": ["on_time"],
    "case": [f"{THERE}-2014-000001"],
    "dealt_from": ["2014-01-01"],
    "dealt_to": ["2015-01-01"],
    "overdue": ["true"],
    "answer": ["400", "timeout"],
    "since": ["2014-01-01T00:00:00Z"],
    "until": ["2015-01-01T00:00:00Z"],
}
# Parameters that choose a page, an order or a language, and no rows.
NO_ROWS = {
    "after", "before", "cursor", "every", "gaps", "lang", "limit", "next", "open_only", "owner", "pack",
    "page", "parameter", "service", "sort", "value", "without",
}  # fmt: skip
# What is of the whole city by its nature, and told in counts to whoever may read it: never a case among it.
IN_COUNTS = {
    "list_matters": "the meeting's papers", "show_matter": "the meeting's papers",
    "list_meetings": "the meeting's papers", "show_meeting": "the meeting's papers",
    "show_minutes": "the meeting's papers", "download_minutes": "the meeting's papers",
    "list_resolutions": "the meeting's papers", "show_resolution": "the meeting's papers",
    "preview_resolution": "the meeting's papers", "page_matters": "the meeting's papers",
    "page_matter": "the meeting's papers", "page_meetings": "the meeting's papers",
    "page_meeting": "the meeting's papers", "page_minutes": "the meeting's papers",
    "page_resolutions": "the meeting's papers", "page_resolution": "the meeting's papers",
    "page_what_if": "the meeting's papers",
}  # fmt: skip
# What fills the parameters of a path; for numbers, those that the hidden rows get.
PATHS: dict[str, list[str]] = {
    "department": ["police", "commerce"],
    "incident": ["1", "2", "3"],
    "remedy": ["1"],
    "retry": ["1"],
    "card": ["1"],
    "matter": ["1"],
    "meeting": ["1"],
    "resolution": ["1"],
    "version": ["1"],
    "revision": ["1"],
    "period": ["2014-11"],
    "kind": ["csv", "xlsx"],
    "figure": ["on_time"],
    "code": ["zibo-2014-87"],
    "name": ["elsewhere"],
}
# Routes whose answer is no list of rows, each with its reason.
NOT_READ = {
    "export_audit_log": "the whole log, for the whole city's auditors alone (tests/api/test_audit.py)",
    "follow_changes": "a stream without an end; tests/services/changes proves whose changes are told to whom",
}


# What a page draws by chance each time: the number of an application about to be written.
NUMBER = re.compile(r"\d{6}-\d{4}-\d{6}")
CHANCE = re.compile(r"CK-\d{8}-[0-9a-f]{8}")


@dataclass(frozen=True, slots=True)
class Reader:
    """Who looks, and what they are not to see: another district's cases, another station's, another department's."""

    role: Role
    scope: str | None
    station: str | None = None
    other_district: bool = True
    other_station: bool = False

    def __str__(self) -> str:
        return f"{self.role.value} {self.scope} {self.station or ''}"


READERS = [
    Reader(Role.CLERK, HERE, OUR_STATION, other_station=True),
    Reader(Role.CLERK, HERE),
    Reader(Role.COORDINATOR, HERE),
    Reader(Role.ADMINISTRATOR, HERE),
    Reader(Role.AUDITOR, HERE),
    # Asked about children only, which the hidden cases have none of.
    Reader(Role.OFFICER, "education", other_station=True),
    Reader(Role.OFFICER, "tax", other_station=True),
]


def _parameters(route: Any) -> Iterator[str]:
    for parameter in route.dependant.query_params:
        annotation = parameter.field_info.annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            yield from (field.alias or name for name, field in annotation.model_fields.items())
        else:
            yield parameter.alias


def _readable(app: FastAPI, kind: type[GuardedRoute] | None = None) -> list[tuple[str, str, list[str]]]:
    """Every route that is read and shows no single case: its name, each of its paths, the parameters of its query.
    ``kind``: pages only, or only what is no page.
    """
    return [
        (name, path, list(_parameters(route)))
        for name, route in named_routes(app)
        if isinstance(route, GuardedRoute) and "GET" in (route.methods or ()) and kind in (None, type(route))
        and not isinstance(MATRIX[name], Open) and name not in NOT_READ
        and not re.search(r"{(number|step|message)}", route.path)
        for path in _filled(route.path)
    ]  # fmt: skip


def _filled(path: str) -> list[str]:
    """A path with its parameters filled in, in every way that PATHS knows."""
    parts = re.findall(r"{(\w+)}", path)
    assert set(parts) <= set(PATHS), f"say in PATHS what fills {path}"
    ways = itertools.product(*(PATHS[part] for part in parts))
    return [path.format(**dict(zip(parts, way, strict=True))) for way in ways]


async def test_every_parameter_of_a_list_is_known_here(app: FastAPI) -> None:
    unknown = {
        (name, parameter) for name, _path, parameters in _readable(app) for parameter in parameters
        if parameter not in VALUES and parameter not in NO_ROWS
    }  # fmt: skip
    assert unknown == set(), "say in VALUES what would find hidden rows by it, or in NO_ROWS that it chooses none"
    assert len(_readable(app)) > 10


async def _look(app: FastAPI, client: httpx.AsyncClient, role: Role) -> dict[str, str]:
    """All that a reader is answered, by address: by session the pages, by key everything else."""
    seen: dict[str, str] = {}
    for name, path, parameters in _readable(app, GuardedPage if isinstance(client, Browser) else GuardedRoute):
        rule = MATRIX[name]
        if isinstance(rule, Open) or role not in rule:
            continue
        asked = [{}, *({one: value} for one in parameters for value in VALUES.get(one, []))]
        for query in asked:
            answer = await client.get(path, params=query)
            assert answer.status_code < 500, answer.text
            told = CHANCE.sub("", _text(answer))
            if name in IN_COUNTS:
                # Beside counts there are the numbers of cases, if any.
                told = " ".join(NUMBER.findall(told.replace(f"{THERE}-2014-000001", "") if "case" in query else told))
            seen[f"{path} {query}"] = f"{answer.status_code} {told}"
    if role in MATRIX["search_cases"]:  # type: ignore[operator]  # it is no open route
        headers = {"x-csrf-token": client.csrf} if isinstance(client, Browser) else {}
        answer = await client.post("/api/v1/cases/search", json={"name": HIDDEN_NAME}, headers=headers)
        seen["search"] = answer.text
        if isinstance(client, Browser):
            seen["page of the search"] = (await client.submit("/console/cases/search", name=HIDDEN_NAME)).text
    return seen


def _text(answer: httpx.Response) -> str:
    """What an answer says; of a workbook its sheets, without the time at which it was written."""
    if not answer.content.startswith(b"PK"):
        return answer.text
    with zipfile.ZipFile(io.BytesIO(answer.content)) as parts:
        return "".join(parts.read(name).decode() for name in parts.namelist() if not name.startswith("docProps/"))


def _differences(before: dict[str, str], after: dict[str, str]) -> dict[str, tuple[str, str]]:
    return {where: (_near(before[where], after[where]), _near(after[where], before[where]))
            for where in before if before[where] != after[where]}  # fmt: skip


def _near(text: str, other: str) -> str:
    """Where two answers part, short enough to read."""
    at = next((i for i, (one, two) in enumerate(zip(text, other, strict=False)) if one != two), 0)
    return re.sub(r"\s+", " ", text[max(0, at - 60) : at + 60])


async def _add_elsewhere(house: House, departments: Departments) -> list[str]:
    """Cases of another district: one gone through, one refused, one that failed, and a remedy for them."""
    done, other = await registered(
        house,
        application(name=HIDDEN_NAME, district=THERE, station=OTHER_STATION),
        application(name=HIDDEN_NAME, district=THERE, station=OUR_STATION),
    )
    await work(house, done)
    departments.failing["police"] = 400
    await work(house, other)
    departments.failing.clear()
    (refused,) = await registered(house, application(name=HIDDEN_NAME, district=THERE))
    departments.facts["identity_matches"] = False
    await work(house, refused)
    departments.facts.clear()
    administrator = await person(house, "elsewhere")
    order = {"kind": "cancel", "reason": "持证人已离开", "cases": [done], "end": "left-city"}
    await ask_remedy(house, administrator, read_order(order))
    await gather(house)
    return [done, other, refused]


async def _add_at_another_station(house: House, departments: Departments) -> list[str]:
    """A case of this district that another station took in, and that police could not be asked about."""
    (number,) = await registered(
        house, application(name=HIDDEN_NAME, district=HERE, station=OTHER_STATION, term_years=1, grounds=[])
    )
    departments.failing["police"] = 400
    await work(house, number)
    await gather(house)
    return [number]


@pytest.mark.parametrize("by", ["key", "session"])
async def test_what_is_out_of_sight_makes_no_difference(
    app: FastAPI, house: House, departments: Departments, knock: Knock, sign_in: SignIn, by: str
) -> None:
    if by == "session" and house.settings.dsn.startswith("postgresql"):
        pytest.skip("the pages ask the very services that the other half asks on PostgreSQL")
    # Something of their own for everybody to see.
    departments.declines["ZB87-3.1.5a"] = "quota-full"
    (ours,) = await registered(house, application(station=OUR_STATION, children=[{"born_on": "2008-05-01"}]))
    await work(house, ours)
    departments.declines.clear()
    readers = {
        reader: await knock(reader.role, reader.scope, reader.station) if by == "key"
        else await sign_in(reader.role, reader.scope, station=reader.station, name=f"r{number}")
        for number, reader in enumerate(READERS) if by == "key" or reader.role is not Role.CLERK or reader.station
    }  # fmt: skip
    # What a key's first use leaves is there before the first look.
    for client in readers.values():
        await client.get("/api/v1/overview")
    hidden: list[str] = []
    for add, concerns in ((_add_elsewhere, "other_district"), (_add_at_another_station, "other_station")):
        blind = {reader: client for reader, client in readers.items() if getattr(reader, concerns)}
        before = {reader: await _look(app, client, reader.role) for reader, client in blind.items()}
        hidden = await add(house, departments)
        for reader, client in blind.items():
            after = await _look(app, client, reader.role)
            assert _differences(before[reader], after) == {}, f"{reader}: {hidden}"
    # The test itself sees: for the whole city's coordinator the same cases do make a difference.
    city = await knock(Role.COORDINATOR)
    assert hidden[0] in (await city.get("/api/v1/cases")).text


async def test_an_address_tells_a_hidden_case_from_none_by_nothing(
    app: FastAPI, house: House, departments: Departments, knock: Knock
) -> None:
    hidden = (await _add_elsewhere(house, departments))[0]
    nowhere = f"{THERE}-2014-999999"
    of_cases = [
        (name, route.path) for name, route in named_routes(app)
        if isinstance(route, GuardedRoute) and "GET" in (route.methods or ())
        and re.search(r"{(number|step|message)}", route.path)
    ]  # fmt: skip
    assert len(of_cases) >= 5
    for reader in (one for one in READERS if one.other_district):
        client = await knock(reader.role, reader.scope, reader.station)
        for name, path in of_cases:
            rule = MATRIX[name]
            if isinstance(rule, Open) or reader.role not in rule:
                continue
            there, none = [
                await client.get(
                    path.replace("{number}", number)
                    .replace("{step}", f"{number}-v-police-1")
                    .replace("{message}", f"{number}-v-police-1")
                    .replace("{sequence}", "1")
                    .replace("{department}", "police")
                )
                for number in (hidden, nowhere)
            ]
            assert there.status_code == none.status_code, (name, str(reader))
            assert there.status_code in {403, 404}, (name, str(reader))
            assert there.text.replace(hidden, "") == none.text.replace(nowhere, ""), (name, str(reader))
