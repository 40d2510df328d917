"""Charged time (计时归责): every moment of a case under way is charged to who had it then. Pure.

Who has a step: we, until it is first tried; the channel, while it is tried or held and its endpoint does not take it;
the department, once it has it (what a department comes for itself it has from the start); we, while it has failed and
waits for an administrator; the channel, during an outage that was announced. A case that waits for its applicant is the
applicant's, whatever else is out; one that waits for nobody is ours.

Where several have a part of the same case at once, the time is split equally among them (decision 0014): it needs no
foresight of who will be last, and whoever answers is charged no longer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from models import Holder
from services.supervision.deadlines import Span, joined, working_time
from services.workdays import Workdays

_ZERO = timedelta(0)
_TICK = timedelta(microseconds=1)


class Charged(NamedTuple):
    """Who is charged. ``department``: whose time it is, or whose endpoint the channel is; None otherwise."""

    holder: Holder
    department: str | None = None


APPLICANT, US = Charged(Holder.APPLICANT), Charged(Holder.US)


@dataclass(frozen=True, slots=True)
class StepTimes:
    """When one step moved (``models.Step``). ``settled_at`` is None while it waits for anybody, failed ones included.

    ``fetched``: while nobody tried it, it lies where the department comes for it itself. ``failures``: when it waited
    for an administrator; the last may have no end yet.
    """

    id: str
    department: str
    created_at: datetime
    tried_at: datetime | None = None
    received_at: datetime | None = None
    settled_at: datetime | None = None
    fetched: bool = False
    failures: tuple[tuple[datetime, datetime | None], ...] = ()


@dataclass(frozen=True, slots=True)
class History:
    """When one case moved. ``decided_at``: when it was decided or was over, None while it waits for that. ``stops``:
    when it waited for its applicant; the last may have no end yet. ``rests``: when it was over, before it was reopened.
    """

    received_at: datetime
    decided_at: datetime | None = None
    steps: tuple[StepTimes, ...] = ()
    stops: tuple[tuple[datetime, datetime | None], ...] = ()
    rests: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Segment:
    """A time in which the same ones had a case. ``deciding``: the permit was not decided yet."""

    span: Span
    charged: tuple[Charged, ...]
    deciding: bool


@dataclass(frozen=True, slots=True)
class Share:
    """What one is charged of a case: by the wall clock, and of that on working days."""

    wall: timedelta = _ZERO
    working: timedelta = _ZERO


@dataclass(frozen=True, slots=True)
class Charges:
    """A case's time, to whom it is charged. ``elapsed`` is the time under way, and the sum of the shares."""

    segments: tuple[Segment, ...]
    shares: Mapping[Charged, Share] = field(default_factory=dict)

    @property
    def elapsed(self) -> timedelta:
        """How long the case was under way."""
        return sum((one.span.length for one in self.segments), _ZERO)

    @property
    def custody(self) -> tuple[Charged, ...]:
        """Who had it last, or has it now."""
        return self.segments[-1].charged if self.segments else (US,)


def custody(step: StepTimes, at: datetime, outages: Sequence[Span] = ()) -> list[tuple[Span, Charged]]:
    """Who had a step from when it was made until ``at``, or until it was settled; without a gap, in order."""
    end = min(step.settled_at or at, at)
    theirs, channel = Charged(Holder.DEPARTMENT, step.department), Charged(Holder.CHANNEL, step.department)
    cuts: list[tuple[datetime, Charged]]
    if step.tried_at is None:
        came = step.fetched or step.received_at is not None or step.settled_at is not None
        cuts = [(step.created_at, theirs if came else US)]
    else:
        cuts = [(step.created_at, US), (step.tried_at, channel)]
        if step.received_at is not None:
            cuts.append((max(step.tried_at, step.received_at), theirs))
    parts = _between(cuts, end)
    for failed_at, until_at in step.failures:
        answered = step.received_at if step.received_at is not None and step.received_at > failed_at else None
        over = min(one for one in (until_at, answered, end) if one is not None)
        parts = _overlaid(parts, failed_at, over, US)
    for outage in outages:
        parts = _overlaid(parts, outage.from_at, outage.until_at, channel)
    return parts


def _between(cuts: Sequence[tuple[datetime, Charged]], end: datetime) -> list[tuple[Span, Charged]]:
    ends = [*(at for at, _ in cuts[1:]), end]
    bounded = ((at, min(until, end), who) for (at, who), until in zip(cuts, ends, strict=True))
    return [(Span(at, until), who) for at, until, who in bounded if at < until]


def _overlaid(
    parts: Sequence[tuple[Span, Charged]], from_at: datetime, until_at: datetime, who: Charged
) -> list[tuple[Span, Charged]]:
    """``parts`` with what lies between the two instants charged to ``who``."""
    found: list[tuple[Span, Charged]] = []
    for span, before in parts:
        inner = span.within(Span(from_at, until_at)) if from_at < until_at else None
        if inner is None:
            found.append((span, before))
            continue
        pieces = (
            (Span(span.from_at, inner.from_at), before),
            (inner, who),
            (Span(inner.until_at, span.until_at), before),
        )
        found.extend((piece, charged) for piece, charged in pieces if piece.from_at < piece.until_at)
    return found


def charge(
    history: History, at: datetime, calendar: Workdays, outages: Mapping[str, Sequence[Span]] | None = None
) -> Charges:
    """Charge every moment of a case up to ``at``."""
    announced = outages or {}
    deciding = Span(history.received_at, max(history.received_at, min(history.decided_at or at, at)))
    stops = [Span(start, min(until or at, at)) for start, until in history.stops if start < min(until or at, at)]
    held = [part for step in history.steps for part in custody(step, at, announced.get(step.department, ()))]
    # A step that is out while the case is over concerns the case no more.
    under_way = _without(joined([deciding, *stops, *(span for span, _ in held)]), history.rests)
    marks = {deciding.until_at}
    marks.update(instant for span in (*stops, *(span for span, _ in held)) for instant in (span.from_at, span.until_at))
    segments: list[Segment] = []
    for span in under_way:
        inside = sorted(mark for mark in marks if span.from_at < mark < span.until_at)
        for start, end in zip([span.from_at, *inside], [*inside, span.until_at], strict=True):
            piece = Span(start, end)
            _add(segments, Segment(piece, _holders(piece, stops, held), piece.until_at <= deciding.until_at))
    return Charges(tuple(segments), _shares(segments, calendar))


def _holders(piece: Span, stops: Iterable[Span], held: Iterable[tuple[Span, Charged]]) -> tuple[Charged, ...]:
    if any(stop.within(piece) for stop in stops):
        return (APPLICANT,)
    found = {who for span, who in held if span.within(piece)}
    return tuple(sorted(found, key=lambda one: (one.holder, one.department or ""))) or (US,)


def _add(segments: list[Segment], one: Segment) -> None:
    last = segments[-1] if segments else None
    if last is not None and (last.span.until_at, last.charged, last.deciding) == (
        one.span.from_at, one.charged, one.deciding,
    ):  # fmt: skip
        segments[-1] = Segment(Span(last.span.from_at, one.span.until_at), one.charged, one.deciding)
    else:
        segments.append(one)


def _without(spans: Sequence[Span], rests: Iterable[Span]) -> list[Span]:
    for rest in rests:
        spans = [
            piece
            for span in spans
            for piece in (
                Span(span.from_at, min(span.until_at, rest.from_at)),
                Span(max(span.from_at, rest.until_at), span.until_at),
            )
            if piece.from_at < piece.until_at
        ]
    return list(spans)


def _shares(segments: Sequence[Segment], calendar: Workdays) -> dict[Charged, Share]:
    walls: dict[Charged, timedelta] = defaultdict(timedelta)
    works: dict[Charged, timedelta] = defaultdict(timedelta)
    for one in segments:
        _split(one.span.length, one.charged, walls)
        _split(working_time([one.span], calendar), one.charged, works)
    return {who: Share(walls[who], works[who]) for who in sorted(walls, key=lambda one: (one[0], one[1] or ""))}


def _split(length: timedelta, charged: Sequence[Charged], into: dict[Charged, timedelta]) -> None:
    """Equal parts to the microsecond; what is left over goes to the first, so that the sum is the whole."""
    part, rest = divmod(length // _TICK, len(charged))
    for place, who in enumerate(charged):
        into[who] += (part + (place < rest)) * _TICK
