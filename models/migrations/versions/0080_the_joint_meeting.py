"""The joint meeting: matters, meetings, resolutions, minutes."""

import sqlalchemy as sa
from alembic import op

from models.base import JsonType, UtcDateTime

revision = "0080"
down_revision = "0021"


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "matters",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("open_key", sa.String(280), nullable=True),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("department", sa.String(40), nullable=True),
        sa.Column("subject", sa.String(200), nullable=True),
        sa.Column("text", sa.String(1000), nullable=True),
        sa.Column("opened_by", sa.String(80), nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column("answer_by", sa.Date(), nullable=True),
        sa.Column("cases", sa.Integer(), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("overdue", sa.Integer(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("most_cases", sa.Integer(), nullable=False),
        sa.Column("returns", sa.Integer(), nullable=False),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.Column("closed_by", sa.String(80), nullable=True),
        sa.Column("closed_because", sa.String(400), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_matters")),
        sa.UniqueConstraint("open_key", name=op.f("uq_matters_open_key")),
    )
    with op.batch_alter_table("matters", schema=None) as batch_op:
        batch_op.create_index("ix_matters_state_id", ["state", "id"], unique=False)

    op.create_table(
        "meeting_rules",
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("content", JsonType, nullable=False),
        sa.Column("set_by", sa.String(80), nullable=False),
        sa.Column("set_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("from_on", name=op.f("pk_meeting_rules")),
    )
    op.create_table(
        "meetings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("held_on", sa.Date(), nullable=False),
        sa.Column("begins", sa.String(5), nullable=False),
        sa.Column("place", sa.String(80), nullable=False),
        sa.Column("regular", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("members", JsonType, nullable=False),
        sa.Column("chair", sa.String(80), nullable=True),
        sa.Column("called_at", UtcDateTime(), nullable=True),
        sa.Column("opened_at", UtcDateTime(), nullable=True),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meetings")),
        sa.UniqueConstraint("held_on", name=op.f("uq_meetings_held_on")),
        sa.UniqueConstraint("year", "ordinal", name=op.f("uq_meetings_year_ordinal")),
    )
    op.create_table(
        "agenda_items",
        sa.Column("meeting_id", sa.Integer(), nullable=False),
        sa.Column("matter_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("paper", JsonType, nullable=True),
        sa.Column("taken_up_at", UtcDateTime(), nullable=True),
        sa.Column("because", sa.String(400), nullable=True),
        sa.ForeignKeyConstraint(["matter_id"], ["matters.id"], name=op.f("fk_agenda_items_matter_id_matters")),
        sa.ForeignKeyConstraint(["meeting_id"], ["meetings.id"], name=op.f("fk_agenda_items_meeting_id_meetings")),
        sa.PrimaryKeyConstraint("meeting_id", "matter_id", name=op.f("pk_agenda_items")),
    )
    with op.batch_alter_table("agenda_items", schema=None) as batch_op:
        batch_op.create_index("ix_agenda_items_matter_id", ["matter_id"], unique=False)

    op.create_table(
        "attendance",
        sa.Column("meeting_id", sa.Integer(), nullable=False),
        sa.Column("department", sa.String(40), nullable=False),
        sa.Column("present", sa.Boolean(), nullable=False),
        sa.Column("delegate", sa.String(80), nullable=True),
        sa.Column("written_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["meeting_id"], ["meetings.id"], name=op.f("fk_attendance_meeting_id_meetings")),
        sa.PrimaryKeyConstraint("meeting_id", "department", name=op.f("pk_attendance")),
    )
    op.create_table(
        "matter_remarks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("matter_id", sa.Integer(), nullable=False),
        sa.Column("department", sa.String(40), nullable=False),
        sa.Column("is_answer", sa.Boolean(), nullable=False),
        sa.Column("text", sa.String(1000), nullable=False),
        sa.Column("written_by", sa.String(80), nullable=False),
        sa.Column("written_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["matter_id"], ["matters.id"], name=op.f("fk_matter_remarks_matter_id_matters")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_matter_remarks")),
    )
    with op.batch_alter_table("matter_remarks", schema=None) as batch_op:
        batch_op.create_index("ix_matter_remarks_matter_id", ["matter_id"], unique=False)

    op.create_table(
        "minutes",
        sa.Column("meeting_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("content", JsonType, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("because", sa.Text(), nullable=True),
        sa.Column("drafted_by", sa.String(80), nullable=False),
        sa.Column("drafted_person", sa.Integer(), nullable=True),
        sa.Column("drafted_at", UtcDateTime(), nullable=False),
        sa.Column("signed_by", sa.String(80), nullable=True),
        sa.Column("signed_at", UtcDateTime(), nullable=True),
        sa.Column("document", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["drafted_person"], ["accounts.id"], name=op.f("fk_minutes_drafted_person_accounts")),
        sa.ForeignKeyConstraint(["meeting_id"], ["meetings.id"], name=op.f("fk_minutes_meeting_id_meetings")),
        sa.PrimaryKeyConstraint("meeting_id", "version", name=op.f("pk_minutes")),
    )
    op.create_table(
        "resolutions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("meeting_id", sa.Integer(), nullable=False),
        sa.Column("matter_id", sa.Integer(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(1000), nullable=False),
        sa.Column("department", sa.String(40), nullable=False),
        sa.Column("helpers", JsonType, nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("action", JsonType, nullable=True),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("agreed_by", sa.String(80), nullable=False),
        sa.Column("agreed_at", UtcDateTime(), nullable=False),
        sa.Column("preview", JsonType, nullable=True),
        sa.Column("asks", sa.Integer(), nullable=False),
        sa.Column("asked_by", sa.String(80), nullable=True),
        sa.Column("asked_person", sa.Integer(), nullable=True),
        sa.Column("asked_at", UtcDateTime(), nullable=True),
        sa.Column("approved_by", sa.String(80), nullable=True),
        sa.Column("approved_at", UtcDateTime(), nullable=True),
        sa.Column("decided_because", sa.String(400), nullable=True),
        sa.Column("carried_out_at", UtcDateTime(), nullable=True),
        sa.Column("traces", JsonType, nullable=False),
        sa.Column("report", sa.String(1000), nullable=True),
        sa.Column("reported_by", sa.String(80), nullable=True),
        sa.Column("reported_at", UtcDateTime(), nullable=True),
        sa.Column("evidence", JsonType, nullable=True),
        sa.Column("checked_at", UtcDateTime(), nullable=True),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.Column("closed_by", sa.String(80), nullable=True),
        sa.ForeignKeyConstraint(["asked_person"], ["accounts.id"], name=op.f("fk_resolutions_asked_person_accounts")),
        sa.ForeignKeyConstraint(["matter_id"], ["matters.id"], name=op.f("fk_resolutions_matter_id_matters")),
        sa.ForeignKeyConstraint(["meeting_id"], ["meetings.id"], name=op.f("fk_resolutions_meeting_id_meetings")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_resolutions")),
        sa.UniqueConstraint("meeting_id", "ordinal", name=op.f("uq_resolutions_meeting_id_ordinal")),
    )
    with op.batch_alter_table("resolutions", schema=None) as batch_op:
        batch_op.create_index("ix_resolutions_state_due_on", ["state", "due_on"], unique=False)

    op.create_table(
        "reminders",
        sa.Column("resolution_id", sa.Integer(), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("department", sa.String(40), nullable=False),
        sa.Column("days_over", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["resolution_id"], ["resolutions.id"], name=op.f("fk_reminders_resolution_id_resolutions")
        ),
        sa.PrimaryKeyConstraint("resolution_id", "on", name=op.f("pk_reminders")),
    )
    op.create_table(
        "resolution_cases",
        sa.Column("resolution_id", sa.Integer(), nullable=False),
        sa.Column("case_number", sa.String(40), nullable=False),
        sa.Column("steps", JsonType, nullable=False),
        sa.Column("done", sa.Boolean(), nullable=True),
        sa.Column("remedy_id", sa.Integer(), nullable=True),
        sa.Column("problem", sa.String(300), nullable=True),
        sa.ForeignKeyConstraint(["case_number"], ["cases.number"], name=op.f("fk_resolution_cases_case_number_cases")),
        sa.ForeignKeyConstraint(
            ["resolution_id"], ["resolutions.id"], name=op.f("fk_resolution_cases_resolution_id_resolutions")
        ),
        sa.PrimaryKeyConstraint("resolution_id", "case_number", name=op.f("pk_resolution_cases")),
    )
    with op.batch_alter_table("resolution_cases", schema=None) as batch_op:
        batch_op.create_index("ix_resolution_cases_case_number", ["case_number"], unique=False)


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("resolution_cases", schema=None) as batch_op:
        batch_op.drop_index("ix_resolution_cases_case_number")

    op.drop_table("resolution_cases")
    op.drop_table("reminders")
    with op.batch_alter_table("resolutions", schema=None) as batch_op:
        batch_op.drop_index("ix_resolutions_state_due_on")

    op.drop_table("resolutions")
    op.drop_table("minutes")
    with op.batch_alter_table("matter_remarks", schema=None) as batch_op:
        batch_op.drop_index("ix_matter_remarks_matter_id")

    op.drop_table("matter_remarks")
    op.drop_table("attendance")
    with op.batch_alter_table("agenda_items", schema=None) as batch_op:
        batch_op.drop_index("ix_agenda_items_matter_id")

    op.drop_table("agenda_items")
    op.drop_table("meetings")
    op.drop_table("meeting_rules")
    with op.batch_alter_table("matters", schema=None) as batch_op:
        batch_op.drop_index("ix_matters_state_id")

    op.drop_table("matters")
