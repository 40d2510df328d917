"""Charged time: every moment to somebody, the sum the elapsed time, whatever happened."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from models import Holder
from services.clock import CHINA
from services.supervision.charging import APPLICANT, US, Charged, History, StepTimes, charge, custody
from services.supervision.deadlines import Span, joined, working_time
from services.workdays import Workdays

PLAIN = Workdays()
T0 = datetime(2014, 11, 3, 9, tzinfo=CHINA)
HOUR = timedelta(hours=1)
POLICE, HRSS = Charged(Holder.DEPARTMENT, "police"), Charged(Holder.DEPARTMENT, "hrss")
HRSS_CHANNEL = Charged(Holder.CHANNEL, "hrss")


def _t(hours: float) -> datetime:
    return T0 + hours * HOUR


def _step(identity: str, department: str, *hours: float | None, **more: object) -> StepTimes:
    return StepTimes(identity, department, *(None if one is None else _t(one) for one in hours), **more)  # type: ignore[arg-type]


def _hours(history: History, at: float, outages: dict[str, list[Span]] | None = None) -> dict[Charged, float]:
    found = charge(history, _t(at), PLAIN, outages)
    return {who: share.wall / HOUR for who, share in found.shares.items()}


def test_what_is_waited_on_together_is_split_and_who_answers_is_charged_no_longer() -> None:
    steps = (_step("a", "police", 0, 0, 0, 4), _step("b", "hrss", 0, 0, 0, 10))
    assert _hours(History(_t(0), _t(10), steps), 20) == {HRSS: 2 + 6, POLICE: 2}


def test_a_step_is_ours_then_the_channels_then_the_departments() -> None:
    step = _step("b", "hrss", 1, 2, 5, 9)
    assert _hours(History(_t(0), _t(9), (step,)), 20) == {US: 2, HRSS_CHANNEL: 3, HRSS: 4}


def test_what_a_department_comes_for_itself_is_its_own_from_the_start() -> None:
    assert custody(_step("b", "hrss", 0, None, None, None, fetched=True), _t(5)) == [(Span(_t(0), _t(5)), HRSS)]
    # Not fetched yet, and nobody comes for it: it waits for us.
    assert custody(_step("b", "hrss", 0), _t(5)) == [(Span(_t(0), _t(5)), US)]
    # Answered without ever having been tried: it was fetched.
    assert custody(_step("b", "hrss", 0, None, 4, 6), _t(9)) == [(Span(_t(0), _t(6)), HRSS)]


def test_a_failed_step_is_ours_until_it_is_sent_again_or_answered() -> None:
    again = _step("b", "hrss", 0, 1, 8, 9, failures=((_t(3), _t(6)),))
    assert _hours(History(_t(0), _t(9), (again,)), 20) == {US: 1 + 3, HRSS_CHANNEL: 2 + 2, HRSS: 1}
    answered = _step("b", "hrss", 0, 1, 5, 7, failures=((_t(3), None),))
    assert _hours(History(_t(0), _t(7), (answered,)), 20) == {US: 1 + 2, HRSS_CHANNEL: 2, HRSS: 2}
    waiting = _step("b", "hrss", 0, 1, failures=((_t(3), None),))
    assert _hours(History(_t(0), None, (waiting,)), 20) == {US: 1 + 17, HRSS_CHANNEL: 2}


def test_the_applicants_time_and_a_declared_outage_are_no_departments() -> None:
    step = _step("b", "hrss", 0, 0, 0, 12)
    history = History(_t(0), _t(12), (step,), stops=((_t(2), _t(6)),))
    assert _hours(history, 20, {"hrss": [Span(_t(8), _t(9))]}) == {APPLICANT: 4, HRSS: 7, HRSS_CHANNEL: 1}


def test_time_in_which_a_case_was_over_is_nobodys() -> None:
    history = History(_t(0), _t(30), (_step("b", "hrss", 22, 22, 22, 30),), rests=(Span(_t(5), _t(20)),))
    assert _hours(history, 40) == {US: 5 + 2, HRSS: 8}


hours = st.integers(0, 400)


@st.composite
def step_times(draw: st.DrawFn) -> StepTimes:
    """A step as the ledger may tell it: the moves that happened, in order, the failures wherever they fell."""
    moves = sorted(draw(st.lists(hours, min_size=4, max_size=4)))
    created, tried, received, settled = moves
    happened = draw(st.integers(1, 4))
    fails = sorted(draw(st.lists(hours, max_size=4, unique=True)))
    pairs = [(_t(a), _t(b)) for a, b in zip(fails[::2], fails[1::2], strict=False)]
    return StepTimes(
        f"s{draw(st.integers(0, 10**9))}",
        draw(st.sampled_from(["police", "hrss", "health", "education"])),
        _t(created),
        _t(tried) if happened >= 2 and draw(st.booleans()) else None,
        _t(received) if happened >= 3 else None,
        _t(settled) if happened >= 4 else None,
        draw(st.booleans()),
        tuple(pairs),
    )


@st.composite
def histories(draw: st.DrawFn) -> History:
    """A case as the ledger may tell it."""
    stops = sorted(draw(st.lists(hours, max_size=4, unique=True)))
    pairs: list[tuple[datetime, datetime | None]] = [
        (_t(a), _t(b)) for a, b in zip(stops[::2], stops[1::2], strict=False)
    ]
    if len(stops) % 2:
        pairs.append((_t(stops[-1]), None))
    return History(
        _t(draw(st.integers(0, 50))),
        _t(draw(hours)) if draw(st.booleans()) else None,
        tuple(draw(st.lists(step_times(), max_size=6))),
        tuple(pairs),
        tuple(Span(_t(a), _t(a + 9)) for a in draw(st.lists(hours, max_size=2))),
    )


outage_lists = st.dictionaries(
    st.sampled_from(["police", "hrss", "health"]),
    st.lists(st.tuples(hours, st.integers(1, 60)).map(lambda one: Span(_t(one[0]), _t(one[0] + one[1]))), max_size=3),
)


@settings(max_examples=400)
@given(history=histories(), outages=outage_lists, at=st.integers(0, 500))
def test_the_charged_time_adds_up_to_the_elapsed_time_always(
    history: History, outages: dict[str, list[Span]], at: int
) -> None:
    now = _t(at)
    found = charge(history, now, PLAIN, outages)
    # What was under way, hour by hour and independently: before the decision, while the applicant or a step was out.
    end = history.decided_at or now
    spans = [Span(history.received_at, min(end, now))]
    spans += [Span(step.created_at, min(step.settled_at or now, now)) for step in history.steps]
    spans += [Span(a, min(b or now, now)) for a, b in history.stops]
    under_way = {
        hour for span in spans for hour in range(500)
        if span.from_at <= _t(hour) < span.until_at
        and not any(rest.from_at <= _t(hour) < rest.until_at for rest in history.rests)
    }  # fmt: skip
    assert found.elapsed == len(under_way) * HOUR
    assert sum((share.wall for share in found.shares.values()), timedelta(0)) == found.elapsed
    pieces = [one.span for one in found.segments]
    assert all(one.until_at <= other.from_at for one, other in pairwise(pieces))
    assert sum((one.working for one in found.shares.values()), timedelta(0)) == working_time(pieces, PLAIN)
    # Never to a department for what it did not have.
    for who, share in found.shares.items():
        if who.holder is Holder.DEPARTMENT:
            announced = outages.get(who.department or "", ())
            had = (part for step in history.steps for part in custody(step, now, announced))
            own = [span for span, holder in had if holder == who]
            assert share.wall <= sum((one.length for one in joined(own)), timedelta(0))
