"""Cases as they are answered. The person is masked; timestamps are UTC, days are days in Asia/Shanghai."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import Field

from api.views.words import Code, View, Words


class Submitted(View):
    """What became of an application."""

    number: str = Field(examples=["370303-2014-000123"])
    state: Code


class Person(View):
    """The applicant, masked: 张*, 370303********1234."""

    name: str
    id_number: str


class CaseItem(View):
    """One line of a list of cases."""

    number: str
    state: Code
    district: Code
    station: str
    person: Person
    received_on: date
    received_at: datetime
    term_asked: int
    term_issued: int | None
    valid_until: date | None
    closed_at: datetime | None
    set_aside: str | None
    waiting_for: list[Code] = Field(description="有未办结协办事项的部门 / departments with an unfinished step")


class CaseList(View):
    """One page of cases, the newest first; ``next`` is the cursor of the next page, null at the end."""

    items: list[CaseItem]
    next: str | None


class PersonFound(View):
    """The newest cases of a person; ``more``: there are others that are not shown."""

    items: list[CaseItem]
    more: bool


class Permit(View):
    """居住证 / the residence permit; both days count (A2)."""

    state: Code
    term_years: int
    valid_from: date
    valid_until: date
    grounds: list[Code]
    issued_at: datetime
    ended_at: datetime | None


class WaitingFor(View):
    """A department that has to answer (A18), and what hangs on it."""

    department: Code
    facts: list[Code]
    services: list[Code]
    for_permit: bool
    holds_up: list[Code]
    step: str | None
    state: str | None
    since: datetime | None
    answer_by: date | None
    words: Words


class Entitlement(View):
    """权益事项 / one service for this permit: where it stands, and why it is due."""

    service: Code
    department: Code
    state: Code
    from_on: date
    until_on: date
    in_force_from: date | None
    leaves_on: date | None
    reason: Code | None
    because: list[Code]
    step: str
    changed_at: datetime


class Fact(View):
    """核验事实 / one fact: what a department said, when, and on what authority."""

    fact: Code
    value: bool
    department: Code
    authority: str | None
    confirmed_at: datetime
    step: str | None
    current: bool


class Attempt(View):
    """推送记录 / one try at a step."""

    number: int
    started_at: datetime
    duration_ms: int
    status: int | None
    error: str | None
    problem: str | None
    excerpt: str | None


class Step(View):
    """协办事项 / one thing asked of one department."""

    id: str
    department: Code
    kind: Code
    state: Code
    reason: Code | None
    asks: list[Code]
    withdraws: list[Code]
    created_at: datetime
    answer_by: date | None
    received_at: datetime | None
    settled_at: datetime | None
    attempts: list[Attempt]


class Case(View):
    """办件 / one case as the caller may see it: an officer sees only what is the own department's."""

    number: str
    state: Code
    district: Code
    station: str
    person: Person
    received_on: date
    received_at: datetime
    decided_at: datetime | None
    closed_at: datetime | None
    review_on: date | None = Field(description="结论将随时间变化之日 / day on which time alone changes the answer")
    term_asked: int
    grounds: list[Code]
    policy: str | None
    decisions: int
    set_aside: str | None
    permit: Permit | None
    waiting_for: list[WaitingFor]
    entitlements: list[Entitlement]
    facts: list[Fact]
    steps: list[Step]


class TimelineEvent(View):
    """One thing that happened."""

    at: datetime
    kind: str
    actor: str
    actor_words: Words
    zh: str
    en: str
    details: list[Words]


class TimelinePermit(View):
    """The permit as the head of a timeline shows it."""

    state: str
    state_words: Words
    term_years: int
    valid_from: date
    valid_until: date


class Timeline(View):
    """The whole story of a case."""

    number: str
    state: str
    state_words: Words
    district: Words
    station: str
    received_on: date
    received_at: datetime
    term_asked: int
    grounds: list[Words]
    policy: Words | None
    permit: TimelinePermit | None
    waiting: list[Words]
    set_aside: str | None
    events: list[TimelineEvent]
