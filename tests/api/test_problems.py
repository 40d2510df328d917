"""Every error is a problem document, and none repeats what was handed in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from services.dossiers import figures as counting
from services.errors import UnavailableError
from services.house import House
from tests.api.conftest import Knock

SEARCH = "/api/v1/cases/search"


def _is_problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = answer.json()
    assert (document["status"], document["code"]) == (status, code)
    assert document["type"] == f"urn:lianban:problem:{code}"
    assert document["title"]
    return document


async def test_an_address_that_is_not_there(clerk: httpx.AsyncClient) -> None:
    answer = await clerk.get("/api/v1/370303198503021234")
    _is_problem(answer, 404, "not-found")
    assert "370303198503021234" not in answer.text


async def test_a_method_that_is_not_there_names_those_that_are(clerk: httpx.AsyncClient) -> None:
    answer = await clerk.delete("/api/v1/cases")
    _is_problem(answer, 405, "method-not-allowed")
    assert answer.headers["allow"] == "GET"


@pytest.mark.parametrize("kind", [None, "text/plain", "application/xml", "multipart/form-data; boundary=x"])
async def test_a_body_of_another_kind(clerk: httpx.AsyncClient, kind: str | None) -> None:
    headers = {"content-type": kind} if kind else {}
    _is_problem(await clerk.post(SEARCH, content=b'{"name": "x"}', headers=headers), 415, "unsupported-type")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"name": "\\ud800"}', b"[" * 100_000])
async def test_a_body_that_cannot_be_read(clerk: httpx.AsyncClient, content: bytes) -> None:
    answer = await clerk.post(SEARCH, content=content, headers={"content-type": "application/json"})
    assert answer.status_code in {400, 422}
    assert answer.headers["content-type"] == "application/problem+json"


async def test_broken_json_is_told_as_such(clerk: httpx.AsyncClient) -> None:
    answer = await clerk.post(SEARCH, content=b'{"name": ', headers={"content-type": "application/json"})
    document = _is_problem(answer, 422, "invalid-input")
    assert document["errors"] == [{"field": "body", "zh": "不是有效的 JSON", "en": "is not valid JSON"}]


async def test_a_body_that_is_too_large_is_refused_by_its_length(clerk: httpx.AsyncClient, house: House) -> None:
    size = house.settings.max_body_bytes + 1
    answer = await clerk.post(SEARCH, content=b" " * size, headers={"content-type": "application/json"})
    _is_problem(answer, 413, "too-large")


async def test_a_body_in_parts_is_counted_while_it_is_read(clerk: httpx.AsyncClient, house: House) -> None:
    sent = 0

    async def parts() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(100):
            sent += 100_000
            yield b" " * 100_000

    for path in (SEARCH, "/api/v1/decide"):
        sent = 0
        answer = await clerk.post(path, content=parts(), headers={"content-type": "application/json"})
        _is_problem(answer, 413, "too-large")
        # The transport hands over parts as they are asked for: the rest was never read.
        assert sent <= house.settings.max_body_bytes + 200_000


async def test_a_failure_nobody_foresaw_gets_a_number_and_tells_nothing(
    coordinator: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("欧阳明珠 370303198503021234")

    monkeypatch.setattr(counting, "_oldest", broken)
    with capture_logs() as logs:
        answer = await coordinator.get("/api/v1/overview")
    document = _is_problem(answer, 500, "internal")
    number = answer.headers["x-request-id"]
    assert document["instance"] == f"urn:lianban:failure:{number}"
    (failure,) = [line for line in logs if line["event"] == "failure"]
    assert (failure["request_id"], failure["kind"]) == (number, "RuntimeError")
    assert any("figures.py" in where for where in failure["where"])
    assert "欧阳" not in answer.text + str(logs)
    assert "370303198503021234" not in answer.text + str(logs)


async def test_a_database_that_is_away_is_told_as_such(
    coordinator: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise UnavailableError("the database does not answer; nothing was changed, try again")

    monkeypatch.setattr(counting, "_oldest", away)
    answer = await coordinator.get("/api/v1/overview")
    _is_problem(answer, 503, "unavailable")
    assert answer.headers["retry-after"] == "5"


async def test_one_line_a_request_without_query_or_body(clerk: httpx.AsyncClient) -> None:
    with capture_logs() as logs:
        await clerk.get("/api/v1/cases?q=370303-2014")
        await clerk.post(SEARCH, json={"name": "欧阳明珠"})
        await clerk.get("/nowhere/欧阳明珠")
    lines = [line for line in logs if line["event"] == "request"]
    assert [(line["method"], line["route"], line["status"]) for line in lines] == [
        ("GET", "/api/v1/cases", 200),
        ("POST", "/api/v1/cases/search", 200),
        ("GET", None, 404),
    ]
    assert [line["actor"] for line in lines] == ["clerk:clerk-370303", "clerk:clerk-370303", None]
    assert "欧阳" not in str(logs)
    assert "q=" not in str(logs)


async def test_a_method_that_is_not_there_is_answered_with_all_that_are(knock: Knock) -> None:
    answer = await (await knock()).request("PUT", "/api/v1/remedies")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")


async def test_an_address_of_its_own_is_not_one_of_a_family(knock: Knock) -> None:
    # /cases/search also fits /cases/{number}, which is read by GET.
    answer = await (await knock()).options("/api/v1/cases/search")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
