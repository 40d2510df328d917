"""One case followed from the request that brought it in to the department that answered; and nobody in it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from services import tracing
from services.casework import deliveries
from services.exchange.client import Answer
from services.house import House
from tests.testing.departments import Departments, work
from tests.testing.people import application, registered


class Listening(Departments):
    """Departments that keep the ``traceparent`` of each message."""

    def __init__(self) -> None:
        super().__init__()
        self.parents: list[str] = []

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        self.parents.append(headers["traceparent"])
        return await super().post(url, body, headers)


@pytest.fixture
async def departments(house: House, monkeypatch: pytest.MonkeyPatch) -> Listening:
    departments = Listening()
    monkeypatch.setattr(deliveries, "shared_client", lambda: departments)
    await departments.connect(house)
    return departments


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    tracing.use(tracing.provider_of(SimpleSpanProcessor(exporter)))
    yield exporter
    tracing.use(None)


def _of(spans: InMemorySpanExporter, number: str) -> list[ReadableSpan]:
    return [span for span in spans.get_finished_spans() if span.context.trace_id == tracing.case_span(number).trace_id]


async def test_a_case_is_followed_from_intake_to_every_department(
    house: House, departments: Listening, spans: InMemorySpanExporter
) -> None:
    departments.failing["sports"] = 503
    with tracing.span("request"):
        one, other = await registered(house, application(), application())
    await work(house, one)
    found = _of(spans, one)
    assert [span.name for span in found][:2] == ["case", "advance"]
    assert {span.name for span in found} == {"case", "advance", "deliver", "record"}
    (first,) = [span for span in found if span.name == "case"]
    assert first.context.span_id == tracing.case_span(one).span_id
    assert {span.parent.span_id for span in found if span.parent is not None} == {first.context.span_id}
    (request,) = [span for span in spans.get_finished_spans() if span.name == "request"]
    assert [link.context.span_id for link in first.links] == [request.context.span_id]
    sent = {span.attributes["lianban.message"]: span for span in found if span.name == "deliver" and span.attributes}
    assert sent.keys() == {event["id"] for event in departments.sent}
    assert {f"00-{span.context.trace_id:032x}-{span.context.span_id:016x}-01" for span in sent.values()} == set(
        departments.parents
    )
    failed = [span for span in sent.values() if not span.status.is_ok and span.status.description]
    assert {span.status.description for span in failed} == {"http-503"}
    assert [span.name for span in _of(spans, other)] == ["case"]


async def test_nobody_stands_in_a_trace(house: House, departments: Listening, spans: InMemorySpanExporter) -> None:
    one = application()
    (number,) = await registered(house, one)
    await work(house, number)
    assert departments.sent
    told = "".join(span.to_json() for span in spans.get_finished_spans())
    assert number in told
    for personal in (one.person.name, one.person.id_number, one.person.phone or "-" * 9):
        assert personal not in told


async def test_a_failure_is_told_by_its_kind_alone(spans: InMemorySpanExporter) -> None:
    with pytest.raises(ValueError, match="张三"), tracing.span("request"):
        raise ValueError("张三 11010519491231002X")
    (span,) = spans.get_finished_spans()
    assert span.status.description == "ValueError"
    assert span.events == ()


async def test_messages_bear_the_cases_trace_without_an_exporter(house: House, departments: Listening) -> None:
    (number,) = await registered(house, application())
    await work(house, number)
    whole = f"{tracing.case_span(number).trace_id:032x}"
    assert departments.parents
    assert all(re.fullmatch(rf"00-{whole}-[0-9a-f]{{16}}-00", parent) for parent in departments.parents)


def test_a_batch_has_a_trace_of_its_own_linked_with_its_cases(spans: InMemorySpanExporter) -> None:
    steps = ["370303-2014-000001-v-hrss-1", "370303-2014-000002-v-hrss-1"]
    with tracing.sending("hrss", "batch-1", steps) as sending:
        sending.answered(200, None)
    (span,) = spans.get_finished_spans()
    cases = [tracing.case_span(step[:18]) for step in steps]
    assert [link.context.trace_id for link in span.links] == [case.trace_id for case in cases]
    assert span.context.trace_id not in {case.trace_id for case in cases}
    assert sending.traceparent.split("-")[1] == f"{span.context.trace_id:032x}"


def test_spans_go_to_the_collector_that_is_set() -> None:
    came: list[str] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the name that the library calls
            self.rfile.read(int(self.headers["content-length"]))
            came.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Collector)
    thread = Thread(target=server.handle_request)
    thread.start()
    try:
        tracing.configure("")
        assert not tracing.enabled()
        tracing.configure(f"http://127.0.0.1:{server.server_port}/")
        provider = tracing._state["provider"]
        with tracing.span("request"):
            pass
        provider.shutdown()
    finally:
        tracing.use(None)
        thread.join(timeout=10)
        server.server_close()
    assert came == ["/v1/traces"]
