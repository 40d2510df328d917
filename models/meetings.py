"""The joint meeting (联席会议): matters, its sittings, what they settle, what became of that, and the minutes.

What hangs on a matter is counted in the ledger each time (``services.meetings.causes``); a row keeps the figures of the
last look, so that lists need none. Instants are business time. Nobody of whom a case is about stands here, by any name.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Column, ForeignKey, Index, LargeBinary, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from models.base import JsonType, UtcDateTime, state_type
from models.supervision import CardColour


class MatterKind(StrEnum):
    """Why something comes before the meeting.

    ``late``: a department is past its time. ``trouble``: an incident beyond its time. ``dispute``: a department says
    that a service or a fact is not its duty. ``contradiction``: it said two things. ``unconfirmed``: a fact that the
    department asked cannot confirm. ``other-ground``: applications on the ground `other` (A8). ``catch-all``: a service
    that the text leaves open. ``unconnected``: services promised, and nobody to take them. ``no-reason``: declined
    without saying why. ``proposed``: put forward by a member.
    """

    LATE = "late"
    TROUBLE = "trouble"
    DISPUTE = "dispute"
    CONTRADICTION = "contradiction"
    UNCONFIRMED = "unconfirmed"
    OTHER_GROUND = "other-ground"
    CATCH_ALL = "catch-all"
    UNCONNECTED = "unconnected"
    NO_REASON = "no-reason"
    PROPOSED = "proposed"


class MatterState(StrEnum):
    """Where a matter stands. ``ruled``: the meeting has settled it, and what it settled is being done."""

    OPEN = "open"
    RULED = "ruled"
    DONE = "done"
    OFF = "off"


class MeetingState(StrEnum):
    """Where a meeting stands. ``called``: members and papers are fixed and sent out."""

    PLANNED = "planned"
    CALLED = "called"
    SITTING = "sitting"
    CLOSED = "closed"


class AgendaState(StrEnum):
    """What became of a matter at one meeting."""

    LISTED = "listed"
    DISCUSSED = "discussed"
    RESOLVED = "resolved"
    DEFERRED = "deferred"
    OFF = "off"


class ResolutionState(StrEnum):
    """Where a resolution stands. ``asked``: its action waits for a second person. ``acting``: it is being done."""

    AGREED = "agreed"
    ASKED = "asked"
    ACTING = "acting"
    CLOSED = "closed"
    REVOKED = "revoked"


class Matter(SQLModel, table=True):
    """One thing for the meeting (议题). ``open_key`` is its cause while it is not settled and None afterwards, so that
    one cause is one matter. ``subject`` is a code (a reason, a service, a fact); ``text`` what a member wrote.

    ``department`` has to answer by ``answer_by``. ``cases``, ``people``, ``overdue`` and ``due_on`` (the first deadline
    that is not met) are of the last look. ``returns``: how often it came back because what was settled was not done.
    """

    __tablename__ = "matters"
    __table_args__ = (UniqueConstraint("open_key"), Index("ix_matters_state_id", "state", "id"))

    id: int | None = Field(default=None, primary_key=True)
    open_key: str | None = Field(default=None, max_length=280)
    kind: MatterKind = Field(sa_column=Column(state_type(MatterKind), nullable=False))
    state: MatterState = Field(sa_column=Column(state_type(MatterState), nullable=False))
    department: str | None = Field(default=None, max_length=40)
    subject: str | None = Field(default=None, max_length=200)
    text: str | None = Field(default=None, max_length=1000)
    opened_by: str = Field(max_length=80)
    opened_at: datetime = Field(sa_type=UtcDateTime)
    answer_by: date | None = None
    cases: int = 0
    people: int = 0
    overdue: int = 0
    due_on: date | None = None
    most_cases: int = 0
    returns: int = 0
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    closed_by: str | None = Field(default=None, max_length=80)
    closed_because: str | None = Field(default=None, max_length=400)


class MatterRemark(SQLModel, table=True):
    """What a department wrote to a matter before the meeting: its answer, or a comment."""

    __tablename__ = "matter_remarks"
    __table_args__ = (Index("ix_matter_remarks_matter_id", "matter_id"),)

    id: int | None = Field(default=None, primary_key=True)
    matter_id: int = Field(sa_column=Column(ForeignKey("matters.id"), nullable=False))
    department: str = Field(max_length=40)
    is_answer: bool = False
    text: str = Field(max_length=1000)
    written_by: str = Field(max_length=80)
    written_at: datetime = Field(sa_type=UtcDateTime)


class MeetingRule(SQLModel, table=True):
    """When and how the meeting comes together, from a day on (``services.meetings.rules``)."""

    __tablename__ = "meeting_rules"

    from_on: date = Field(primary_key=True)
    content: dict[str, Any] = Field(sa_column=Column(JsonType, nullable=False))
    set_by: str = Field(max_length=80)
    set_at: datetime = Field(sa_type=UtcDateTime)


class Meeting(SQLModel, table=True):
    """One meeting (会议), the ``ordinal``-th of ``year``. ``members`` are fixed when it is called: code, standing and
    words of each, as of its day. ``chair`` is an office, and who holds it, as the minutes write it.
    """

    __tablename__ = "meetings"
    __table_args__ = (UniqueConstraint("year", "ordinal"), UniqueConstraint("held_on"))

    id: int | None = Field(default=None, primary_key=True)
    year: int
    ordinal: int
    held_on: date
    begins: str = Field(max_length=5)
    place: str = Field(max_length=80)
    regular: bool = True
    state: MeetingState = Field(sa_column=Column(state_type(MeetingState), nullable=False))
    members: list[dict[str, Any]] = Field(default_factory=list, sa_column=Column(JsonType, nullable=False))
    chair: str | None = Field(default=None, max_length=80)
    called_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    opened_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class AgendaItem(SQLModel, table=True):
    """One matter on one agenda, at ``position`` from 1. ``paper`` is what members were sent, fixed when the meeting is
    called. ``taken_up_at`` tells what is being discussed.
    """

    __tablename__ = "agenda_items"
    __table_args__ = (Index("ix_agenda_items_matter_id", "matter_id"),)

    meeting_id: int = Field(sa_column=Column(ForeignKey("meetings.id"), primary_key=True))
    matter_id: int = Field(sa_column=Column(ForeignKey("matters.id"), primary_key=True))
    position: int
    state: AgendaState = Field(sa_column=Column(state_type(AgendaState), nullable=False))
    paper: dict[str, Any] | None = Field(default=None, sa_column=Column(JsonType, nullable=True))
    taken_up_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    because: str | None = Field(default=None, max_length=400)


class Attendance(SQLModel, table=True):
    """Whether a department was at a meeting, and by whom: an office held, as the minutes write it."""

    __tablename__ = "attendance"

    meeting_id: int = Field(sa_column=Column(ForeignKey("meetings.id"), primary_key=True))
    department: str = Field(primary_key=True, max_length=40)
    present: bool
    delegate: str | None = Field(default=None, max_length=80)
    written_at: datetime = Field(sa_type=UtcDateTime)


class Resolution(SQLModel, table=True):
    """What a meeting settled (议定事项): ``text`` by ``department`` until ``due_on``, ``ordinal`` within its meeting.

    ``action`` is what the system carries out (``services.meetings.orders``), None where only people can act.
    ``preview`` is what the second person was shown; ``traces`` the numbers of what was set going (remedies, a retry, an
    amendment); ``evidence`` the last look at whether it is done; ``report`` what the department says that it did.
    ``asks`` counts how often the action was asked for; ``asked_person``: in whose hands the account was that asked.
    """

    __tablename__ = "resolutions"
    __table_args__ = (
        UniqueConstraint("meeting_id", "ordinal"),
        Index("ix_resolutions_state_due_on", "state", "due_on"),
    )

    id: int | None = Field(default=None, primary_key=True)
    meeting_id: int = Field(sa_column=Column(ForeignKey("meetings.id"), nullable=False))
    matter_id: int = Field(sa_column=Column(ForeignKey("matters.id"), nullable=False))
    ordinal: int
    text: str = Field(max_length=1000)
    department: str = Field(max_length=40)
    helpers: list[str] = Field(default_factory=list, sa_column=Column(JsonType, nullable=False))
    due_on: date
    action: dict[str, Any] | None = Field(default=None, sa_column=Column(JsonType, nullable=True))
    state: ResolutionState = Field(sa_column=Column(state_type(ResolutionState), nullable=False))
    agreed_by: str = Field(max_length=80)
    agreed_at: datetime = Field(sa_type=UtcDateTime)
    preview: dict[str, Any] | None = Field(default=None, sa_column=Column(JsonType, nullable=True))
    asks: int = 0
    asked_by: str | None = Field(default=None, max_length=80)
    asked_person: int | None = Field(default=None, sa_column=Column(ForeignKey("accounts.id"), nullable=True))
    asked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    approved_by: str | None = Field(default=None, max_length=80)
    approved_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    decided_because: str | None = Field(default=None, max_length=400)
    carried_out_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    traces: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JsonType, nullable=False))
    report: str | None = Field(default=None, max_length=1000)
    reported_by: str | None = Field(default=None, max_length=80)
    reported_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    evidence: dict[str, Any] | None = Field(default=None, sa_column=Column(JsonType, nullable=True))
    checked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    closed_by: str | None = Field(default=None, max_length=80)


class ResolutionCase(SQLModel, table=True):
    """One case of a resolution's class, as it was when the action was approved: whether it was carried out there (None:
    not yet), by which remedy, and why not. ``steps``: which of its steps the action is about.
    """

    __tablename__ = "resolution_cases"
    __table_args__ = (Index("ix_resolution_cases_case_number", "case_number"),)

    resolution_id: int = Field(sa_column=Column(ForeignKey("resolutions.id"), primary_key=True))
    case_number: str = Field(sa_column=Column(ForeignKey("cases.number"), primary_key=True))
    steps: list[str] = Field(default_factory=list, sa_column=Column(JsonType, nullable=False))
    done: bool | None = None
    remedy_id: int | None = None
    problem: str | None = Field(default=None, max_length=300)


class Reminder(SQLModel, table=True):
    """A card on a resolution (督办): yellow the working day before its time is over, red when it is, and again each few
    working days. It goes to who owes it. ``days_over`` are working days.
    """

    __tablename__ = "reminders"

    resolution_id: int = Field(sa_column=Column(ForeignKey("resolutions.id"), primary_key=True))
    on: date = Field(primary_key=True)
    department: str = Field(max_length=40)
    days_over: int
    colour: CardColour = Field(
        default=CardColour.RED, sa_column=Column(state_type(CardColour), nullable=False, server_default="red")
    )


class Minutes(SQLModel, table=True):
    """The minutes of a meeting (纪要), in versions. Signed, a version is never changed: a correction is the next one.

    ``digest`` is the SHA-256 of the canonical JSON of ``content``, from which the page and the ``document`` (.docx) are
    made; the document is kept as it was signed. ``drafted_person``: in whose hands the account was that drafted it.
    """

    __tablename__ = "minutes"

    meeting_id: int = Field(sa_column=Column(ForeignKey("meetings.id"), primary_key=True))
    version: int = Field(primary_key=True)
    content: dict[str, Any] = Field(sa_column=Column(JsonType, nullable=False))
    digest: str = Field(max_length=64)
    because: str | None = Field(default=None, sa_column=Column(Text, nullable=True))
    drafted_by: str = Field(max_length=80)
    drafted_person: int | None = Field(default=None, sa_column=Column(ForeignKey("accounts.id"), nullable=True))
    drafted_at: datetime = Field(sa_type=UtcDateTime)
    signed_by: str | None = Field(default=None, max_length=80)
    signed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    document: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))
