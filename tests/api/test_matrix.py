"""The access matrix, cell by cell: every route stands in it, and every role meets what it says."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI

from api.access import MATRIX, GuardedPage, GuardedRoute, Open
from api.openapi import named_routes
from models import Role
from tests.api.conftest import Browse, Browser, Knock, SignIn

SCOPES = {Role.OFFICER: "hrss"}
# What fills a path whose parameter is more than a number.
FILLED = {
    "matter": "1",
    "meeting": "1",
    "resolution": "1",
    "version": "1",
    "remedy": "1",
    "incident": "1",
    "card": "1",
    "message": "370303-2014-000001-v-hrss-1",
    "period": "2014-10",
    "figure": "late",
    "dispute": "1",
    "retry": "1",
    "revision": "1",
    "number": "370303-2014-000001",
    "step": "370303-2014-000001-v-hrss-1",
    "sequence": "1",
    "department": "hrss",
    "type": "x",
    "code": "zibo-2014-87",
    "name": "console.css",
    "key": "nobody",
    "move": "start",
    "run": "00000000-0000-4000-8000-000000000000",
    "view": "1",
    "kind": "csv",
}


# Pages after which the client is nobody; that they work is tested at the entrance.
ENDS_THE_SESSION = {"sign_out"}
# Forms of the entrance that refuse an empty one with what the guard answers, too.
OWN_REFUSAL = {"sign_in", "change_password"}


def _guarded(app: FastAPI) -> list[tuple[str, str, str, bool]]:
    """Every guarded route: its name, a method, a path with its parameters filled in, and whether it is a page."""
    return [
        (
            name,
            method,
            re.sub(r"{(\w+)}", lambda found: FILLED.get(found[1], "1"), route.path),
            isinstance(route, GuardedPage),
        )
        for name, route in named_routes(app)
        if isinstance(route, GuardedRoute) and name not in OWN_REFUSAL
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
@pytest.mark.parametrize("by", ["key", "session"])
async def test_every_cell_of_the_matrix(
    app: FastAPI, knock: Knock, browse: Browse, sign_in: SignIn, role: Role | None, by: str
) -> None:
    scope = SCOPES.get(role) if role else None
    client = await knock(role, scope) if by == "key" else await sign_in(role, scope) if role else await browse()
    headers = {"x-csrf-token": client.csrf} if isinstance(client, Browser) and role else {}
    met: dict[str, Any] = {}
    expected: dict[str, Any] = {}
    for name, method, path, is_page in _guarded(app):
        rule = MATRIX[name]
        if role is not None and name in ENDS_THE_SESSION:
            continue
        answer = await client.request(method, path, headers=headers)
        # Past the guard an empty request meets whatever it meets, but never what the guard itself answers.
        met[name] = answer.status_code if _is_refusal(answer) else "in"
        allowed = isinstance(rule, Open) or role in rule
        expected[name] = "in" if allowed else 403 if role else 303 if is_page else 401
        if met[name] != "in" and not is_page:
            assert answer.headers.get("content-type") == "application/problem+json"
            assert (answer.status_code == 401) == ("www-authenticate" in answer.headers)
    assert met == expected


def _is_refusal(answer: httpx.Response) -> bool:
    """Whether the guard turned the request away: not known, not permitted, or sent to sign in."""
    if answer.headers.get("content-type") == "application/problem+json" and answer.json()["code"] == "needs-a-person":
        # Past the guard: the role may, but who stands behind the key is not known.
        return False
    return answer.status_code in {401, 403} or answer.headers.get("location", "").startswith("/sign-in")


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic bGJr", "Bearer lbk_wrong", "lbk_" + "A" * 43])
async def test_no_key_opens_no_door(knock: Knock, header: str) -> None:
    client = await knock()
    answer = await client.get("/api/v1/cases", headers={"authorization": header})
    assert answer.status_code == 401
    assert answer.json()["code"] in {"key-missing", "key-unknown"}


async def test_the_guard_stands_before_the_body(knock: Knock) -> None:
    answer = await (await knock()).post("/api/v1/applications", content=b"{", headers={"content-type": "text/plain"})
    assert answer.status_code == 401
