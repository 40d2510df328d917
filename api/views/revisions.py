"""Revisions of the policy as they are answered."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from pydantic import Field

from api.views.words import Code, View
from models import RevisionState
from services.revisions.reading import Preview


class AskedRevision(View):
    """What became of a revision that was asked for, adopted, turned down or withdrawn."""

    id: int
    state: RevisionState
    pack: str
    from_on: date
    version: int | None = Field(description="通过后的版本号 / the pack's version that it made, once adopted")


class Revision(View):
    """政策修订 / one revision: what, from which day, on what basis, by whom."""

    id: int
    kind: Code
    state: Code
    pack: str
    from_on: date
    version: int | None
    in_force: bool = Field(description="是否已生效 / whether its day has come")
    digest: str = Field(description="SHA-256（RFC 8785）/ of the pack as it is from that day on")
    basis: str
    reason: str
    asked_by: str
    asked_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    decided_because: str | None


class RevisionList(View):
    """Revisions, newest first."""

    items: list[Revision]
    before: int | None = Field(description="下一页从此之前开始 / pass it as `before` for the next page")


class PackDifference(View):
    """One place of the pack, before and after; null: it was not, or is not."""

    place: str = Field(examples=["parameters[elderly-age].value"])
    before: Any = None
    after: Any = None


class RevisionFile(View):
    """A revision whole, with what it changes in the pack."""

    revision: Revision
    content: dict[str, Any]
    differences: list[PackDifference]
    problem: str | None = Field(description="已不能通过的原因 / why one that waits cannot be adopted any more")


class TrialShift(View):
    """How many permits gain or lose a service, when, at whom, and why."""

    change: str = Field(description="gains、loses、waits、dates、owner")
    service: str
    department: str
    month: str = Field(examples=["2015-03"])
    why: list[str]
    permits: int


class TrialLoad(View):
    """How many services a department opens, withdraws or dates anew in a month."""

    department: str
    month: str
    services: int


class RevisionPreview(View):
    """试算 / what a revision would come to; nothing was touched."""

    pack: str
    from_on: date
    digest: str
    differences: list[PackDifference]
    permits: int = Field(description="有效居住证件数 / live permits looked at")
    affected: int
    whole: bool = Field(description="是否已试算全部有效居住证 / whether every live permit was looked at in the time")
    shifts: list[TrialShift]
    load: list[TrialLoad]


def preview_view(found: Preview) -> RevisionPreview:
    """A preview as it is answered."""
    trial = found.trial
    return RevisionPreview(
        pack=found.candidate.pack.code,
        from_on=found.candidate.from_on,
        digest=found.candidate.pack.digest,
        differences=[PackDifference.model_validate(one) for one in found.differences],
        permits=trial.permits,
        affected=trial.affected,
        whole=trial.whole,
        shifts=[
            TrialShift(**shift._asdict() | {"why": list(shift.why)}, permits=count)
            for shift, count in sorted(trial.shifts.items())
        ],
        load=[
            TrialLoad(department=department, month=month, services=count)
            for (department, month), count in sorted(trial.load.items())
        ],
    )
