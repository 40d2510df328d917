"""Endpoints, their trials and messages as they are answered. Nothing secret is shown but by the call that made it."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import Field

from api.views.words import Code, View, Words
from models import Door, EndpointState


class EndpointView(View):
    """接口 / how a department takes its steps, and how its door stands."""

    department: Code
    door: Door
    state: EndpointState
    because: str | None
    url: str | None
    signing: list[str]
    overlapping: bool = Field(description="新旧密钥并用中 / an old key still signs beside the new one")
    public_keys: list[str] = Field(description="我方公钥 / our public keys (`whpk_…`), for `v1a`")
    their_public_keys: list[str]
    batch_size: int
    concurrency: int
    timeout_seconds: float
    rate_per_second: float | None
    services: list[str] | None
    districts: list[str] | None
    fallback: Door | None
    fallback_hours: int
    drain_per_second: float
    certificate_authority: bool
    client_certificate: bool
    oauth: bool
    held_at: datetime | None
    probe_at: datetime | None
    tested_at: datetime | None
    tested_well: bool | None
    problem: str | None = Field(description="每日检查发现的问题 / what the daily check found wrong, until mended")
    polled_at: datetime | None


class EndpointList(View):
    """The endpoints in the caller's sight."""

    items: list[EndpointView]


class EndpointRegistered(View):
    """What came of a registration. ``shown``: new keys by scheme, this once: `v1` the shared secret, `v1a` our public
    key."""

    department: str
    state: EndpointState
    new: bool
    shown: dict[str, str]


class KeyRotated(View):
    """A fresh key, shown once; the one before signs along until ``overlaps_until``."""

    scheme: str
    shown: str
    overlaps_until: datetime


class TrialCheck(View):
    """One thing tried."""

    name: str
    well: bool
    status: int | None
    error: str | None
    excerpt: str | None
    duration_ms: int
    words: Words


class TrialView(View):
    """联调测试 / how a trial went, and the state that the endpoint is in after it."""

    well: bool
    state: EndpointState
    checks: list[TrialCheck]


class TryView(View):
    """推送记录 / one try at a message."""

    number: int
    door: Door
    started_at: datetime
    duration_ms: int
    status: int | None
    error: str | None
    problem: str | None
    excerpt: str | None
    message_id: str | None
    sent_digest: str


class MessageView(View):
    """One message, that is one step: what it asks by codes, where it stands, and the tries at it."""

    id: str
    type: str
    case_number: str
    kind: Code
    state: Code
    reason: str | None
    created_at: datetime
    answer_by: date | None
    next_attempt_at: datetime | None
    received_at: datetime | None
    settled_at: datetime | None
    attempts: int
    asks: list[str]
    withdraws: list[str]
    tries: list[TryView]


class MessageList(View):
    """One page of messages, the newest first, each with its last try; ``next`` is null at the end."""

    items: list[MessageView]
    next: str | None


class ReplayView(View):
    """What a replay would do, or did."""

    count: int
    by_state: dict[str, int]
    first: datetime | None
    last: datetime | None
    outdated: int = Field(description="已失效、不再补发的 / settled messages that hold no more, and stay")
    queued: int
    copied: int
    delivered: int


class RejectedRow(View):
    """One row of a sheet that was not taken, with its number in the file."""

    row: int
    field: str
    zh: str
    en: str


class WorkTaken(View):
    """What became of a sheet: steps as of a call-back; the rows that were not taken."""

    repeated: bool
    rows: int
    settled: list[str]
    unchanged: list[str]
    contradicted: list[str]
    rejected: list[RejectedRow]
