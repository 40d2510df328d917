"""The access matrix, cell by cell: every route stands in it, and every role meets what it says."""

from __future__ import annotations

import re
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI

from api.access import MATRIX, GuardedRoute, Open
from api.openapi import named_routes
from models import Role
from tests.api.conftest import Knock

SCOPES = {Role.OFFICER: "hrss"}
FILLED = {
    "remedy": "1",
    "incident": "1",
    "retry": "1",
    "number": "370303-2014-000001",
    "step": "370303-2014-000001-v-hrss-1",
    "sequence": "1",
    "department": "hrss",
    "type": "x",
    "code": "zibo-2014-87",
}


def _guarded(app: FastAPI) -> list[tuple[str, str, str]]:
    """Every guarded route: its name, a method, and a path with its parameters filled in."""
    return [
        (name, method, re.sub(r"{(\w+)}", lambda found: FILLED[found[1]], route.path))
        for name, route in named_routes(app)
        if isinstance(route, GuardedRoute)
        for method in route.methods or ()
    ]


async def test_every_route_stands_in_the_matrix_and_nothing_else_does(app: FastAPI) -> None:
    routes = dict(named_routes(app))
    assert set(routes) == set(MATRIX)
    unguarded = {name for name, route in routes.items() if not isinstance(route, GuardedRoute)}
    assert unguarded == {"openapi"}
    assert MATRIX["openapi"] is Open.PUBLIC


def test_a_route_that_is_in_no_matrix_cannot_be_made() -> None:
    router = APIRouter(route_class=GuardedRoute)

    async def forgotten() -> None:
        """A route that nobody thought of."""

    with pytest.raises(LookupError, match="forgotten"):
        router.add_api_route("/forgotten", forgotten)


@pytest.mark.parametrize("role", [None, *Role])
async def test_every_cell_of_the_matrix(app: FastAPI, knock: Knock, role: Role | None) -> None:
    client = await knock(role, SCOPES.get(role) if role else None)
    met: dict[str, Any] = {}
    expected: dict[str, Any] = {}
    for name, method, path in _guarded(app):
        rule = MATRIX[name]
        answer = await client.request(method, path)
        # Past the guard an empty request meets whatever it meets, but never 401 or 403.
        met[name] = answer.status_code if answer.status_code in {401, 403} else "in"
        allowed = isinstance(rule, Open) or role in rule
        expected[name] = "in" if allowed else 401 if role is None else 403
        if met[name] != "in":
            assert answer.headers["content-type"] == "application/problem+json"
            assert (answer.status_code == 401) == ("www-authenticate" in answer.headers)
    assert met == expected


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic bGJr", "Bearer lbk_wrong", "lbk_" + "A" * 43])
async def test_no_key_opens_no_door(knock: Knock, header: str) -> None:
    client = await knock()
    answer = await client.get("/api/v1/cases", headers={"authorization": header})
    assert answer.status_code == 401
    assert answer.json()["code"] in {"key-missing", "key-unknown"}


async def test_the_guard_stands_before_the_body(knock: Knock) -> None:
    answer = await (await knock()).post("/api/v1/applications", content=b"{", headers={"content-type": "text/plain"})
    assert answer.status_code == 401
