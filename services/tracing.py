"""Traces (OpenTelemetry): one case followed from the request that brought it in, through its flows, to each department.

A case has one trace for ever: its id is derived from the case's number, so that any process on any machine adds to it
and nothing has to be stored. Messages to departments bear it (``traceparent``, W3C Trace Context), recorded or not, so
that a department's own traces join ours. Spans are made only where an exporter is configured (``otlp_endpoint``), and
bear numbers, codes and counts, nothing of a person. Requests, claims and records are about many cases: their spans
stand in traces of their own, linked with those of the cases.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from opentelemetry import context as contexts
from opentelemetry import trace
from opentelemetry.trace import Link, NonRecordingSpan, Span, SpanContext, SpanKind, Status, StatusCode, TraceFlags

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor, TracerProvider

_SAMPLED = TraceFlags(TraceFlags.SAMPLED)
_CASE_OF_STEP = re.compile(r"(.+-\d{6})-[a-z]-")
# As many as an SDK keeps by default.
_MOST_LINKS = 128
# What an exception says may bear anything, and stays out of spans.
_SILENT: dict[str, bool] = {"record_exception": False, "set_status_on_exception": False}
_state: dict[str, Any] = {"provider": None}
_first: ContextVar[SpanContext | None] = ContextVar("first", default=None)


def configure(endpoint: str) -> None:
    """Export spans to the OTLP/HTTP collector at ``endpoint`` (``http://127.0.0.1:4318``); once a process, and nothing
    if it is empty. A collector that is away costs spans, never a case.
    """
    if not endpoint or _state["provider"] is not None:
        return
    # The SDK takes a quarter of a second to load, which only who traces should pay.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    use(provider_of(BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces"))))


def provider_of(processor: SpanProcessor) -> TracerProvider:
    """A provider of spans that go to ``processor``; the first span of a case gets the ids derived from its number."""
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 - see above
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415 - see above
    from opentelemetry.sdk.trace.id_generator import RandomIdGenerator  # noqa: PLC0415 - see above

    class Ids(RandomIdGenerator):
        def generate_trace_id(self) -> int:
            first = _first.get()
            return first.trace_id if first is not None else super().generate_trace_id()

        def generate_span_id(self) -> int:
            first = _first.get()
            return first.span_id if first is not None else super().generate_span_id()

    provider = TracerProvider(resource=Resource.create({"service.name": "lianban"}), id_generator=Ids())
    provider.add_span_processor(processor)
    return provider


def use(provider: TracerProvider | None) -> None:
    """Make spans with ``provider``; None: make none. It is ours alone: what other libraries trace is their affair."""
    _state["provider"] = provider


def enabled() -> bool:
    """Whether spans are made."""
    return _state["provider"] is not None


@contextmanager
def span(
    name: str, *, cases: Sequence[str] = (), kind: SpanKind = SpanKind.INTERNAL, **attributes: Any
) -> Iterator[Span]:
    """A span about ``cases`` together, linked with their traces; the current one while the block runs."""
    if not enabled():
        yield trace.INVALID_SPAN
        return
    links = [Link(case_span(number)) for number in cases[:_MOST_LINKS]]
    with _tracer().start_as_current_span(
        name,
        kind=kind,
        links=links,
        attributes=_named(attributes),
        record_exception=False,
        set_status_on_exception=False,
    ) as begun:
        try:
            yield begun
        except BaseException as problem:
            begun.set_status(Status(StatusCode.ERROR, type(problem).__name__))
            raise


def open_case(number: str, **attributes: Any) -> None:
    """The first span of a case, on which every other in its trace hangs; linked with what brought it in."""
    if not enabled():
        return
    token = _first.set(case_span(number))
    try:
        _noted("case", contexts.Context(), {"case": number, **attributes})
    finally:
        _first.reset(token)


def note_case(name: str, number: str, **attributes: Any) -> None:
    """A span of no duration in the trace of the case ``number``: what was done for it within a larger piece of work,
    with which it is linked.
    """
    if not enabled():
        return
    _noted(name, _case_context(number), {"case": number, **attributes})


class Sending:
    """One message on its way: ``traceparent`` is its header."""

    def __init__(self, traceparent: str, begun: Span) -> None:
        self.traceparent = traceparent
        self._span = begun

    def answered(self, status: int | None, error: str | None) -> None:
        """Say what came back: an HTTP status, or why nothing did."""
        if not self._span.is_recording():
            return
        if status is not None:
            self._span.set_attribute("http.response.status_code", status)
        if error is not None or (status or 0) >= 400:
            self._span.set_status(Status(StatusCode.ERROR, error or f"http-{status}"))


@contextmanager
def sending(department: str, message: str, steps: Sequence[str]) -> Iterator[Sending]:
    """A span for the message ``message`` with ``steps`` to ``department``: in its case's trace, or, for a batch, in one
    of its own that is linked with those of the cases.
    """
    cases = list(dict.fromkeys(filter(None, map(_case_of, steps))))
    alone = cases[0] if len(cases) == 1 else None
    if not enabled():
        trace_id = _trace_id(alone or message)
        yield Sending(f"00-{trace_id:032x}-{secrets.token_hex(8)}-00", trace.INVALID_SPAN)
        return
    links = [Link(case_span(number)) for number in cases[:_MOST_LINKS]] if alone is None else []
    context = _case_context(alone) if alone is not None else contexts.Context()
    about = _named({"department": department, "message": message, "steps": len(steps)})
    with _tracer().start_as_current_span(
        "deliver",
        context=context,
        kind=SpanKind.CLIENT,
        links=links,
        attributes=about,
        record_exception=False,
        set_status_on_exception=False,
    ) as begun:
        own = begun.get_span_context()
        yield Sending(f"00-{own.trace_id:032x}-{own.span_id:016x}-01", begun)


def case_span(number: str) -> SpanContext:
    """The beginning of a case's trace, which every other span in it hangs on."""
    whole = _trace_id(number)
    return SpanContext(whole, whole & (2**64 - 1), is_remote=True, trace_flags=_SAMPLED)


def _noted(name: str, context: contexts.Context, attributes: Mapping[str, Any]) -> None:
    work = trace.get_current_span().get_span_context()
    links = [Link(work)] if work.is_valid else []
    _tracer().start_span(name, context=context, links=links, attributes=_named(attributes)).end()


def _trace_id(about: str) -> int:
    return int.from_bytes(hashlib.sha256(f"lianban:{about}".encode()).digest()[:16], "big")


def _case_context(number: str) -> contexts.Context:
    return trace.set_span_in_context(NonRecordingSpan(case_span(number)), contexts.Context())


def _case_of(step: str) -> str | None:
    """The case that a step's id begins with; None for what is no step."""
    found = _CASE_OF_STEP.match(step)
    return found[1] if found else None


def _named(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {f"lianban.{name}": value for name, value in attributes.items() if value is not None}


def _tracer() -> trace.Tracer:
    provider: TracerProvider = _state["provider"]
    return provider.get_tracer("lianban")
