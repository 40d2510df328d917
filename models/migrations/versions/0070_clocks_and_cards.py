"""Clocks on cases and steps; cards, own time limits, changed holidays, and what the appraisal needs beside."""

import sqlalchemy as sa
from alembic import op

from models.base import UtcDateTime

revision = "0070"
down_revision = "0080"


def upgrade() -> None:
    """Apply. What is under way gets its clocks at their first look."""
    for column in ("promised_by", "statutory_by", "look_on"):
        op.add_column("cases", sa.Column(column, sa.Date(), nullable=True))
    op.add_column("cases", sa.Column("accepted_at", UtcDateTime(), nullable=True))
    op.add_column("steps", sa.Column("answer_days", sa.Integer(), nullable=True))
    op.add_column("steps", sa.Column("look_on", sa.Date(), nullable=True))
    op.add_column("steps", sa.Column("tried_at", UtcDateTime(), nullable=True))
    running = "('due', 'sending', 'received', 'held', 'failed')"
    op.execute(f"UPDATE steps SET look_on = answer_by WHERE state IN {running}")  # noqa: S608 - nothing from outside
    op.execute(
        "UPDATE steps SET tried_at = created_at WHERE attempts > 0 AND EXISTS (SELECT 1 FROM attempts "
        "WHERE attempts.step_id = steps.id AND attempts.number = 1 AND attempts.door = 'push')"
    )
    op.execute("UPDATE cases SET accepted_at = received_at WHERE state <> 'received'")
    for table in ("cases", "steps"):
        op.create_index(
            f"ix_{table}_look_on", table, ["look_on"], sqlite_where=sa.text("look_on IS NOT NULL"),
            postgresql_where=sa.text("look_on IS NOT NULL"),
        )  # fmt: skip
    op.create_table(
        "cards",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("cause_key", sa.String(160), nullable=False),
        sa.Column("colour", sa.String(24), nullable=False),
        sa.Column("cause", sa.String(24), nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("holder", sa.String(24), nullable=False),
        sa.Column("department", sa.String(40), nullable=True),
        sa.Column("district", sa.String(24), nullable=False),
        sa.Column("case_number", sa.String(40), nullable=False),
        sa.Column("step_id", sa.String(80), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("dealt_at", UtcDateTime(), nullable=False),
        sa.Column("contested_by", sa.String(80), nullable=True),
        sa.Column("contested_at", UtcDateTime(), nullable=True),
        sa.Column("contested_because", sa.String(400), nullable=True),
        sa.Column("decided_by", sa.String(80), nullable=True),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("decided_because", sa.String(400), nullable=True),
        sa.ForeignKeyConstraint(["case_number"], ["cases.number"], name=op.f("fk_cards_case_number_cases")),
        sa.ForeignKeyConstraint(["step_id"], ["steps.id"], name=op.f("fk_cards_step_id_steps")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cards")),
        sa.UniqueConstraint("cause_key", name=op.f("uq_cards_cause_key")),
    )
    op.create_index("ix_cards_dealt_at_id", "cards", ["dealt_at", "id"])
    op.create_index("ix_cards_department_dealt_at", "cards", ["department", "dealt_at"])
    op.create_index("ix_cards_case_number", "cards", ["case_number"])
    op.create_table(
        "step_failures",
        sa.Column("step_id", sa.String(80), nullable=False),
        sa.Column("failed_at", UtcDateTime(), nullable=False),
        sa.Column("until_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["step_id"], ["steps.id"], name=op.f("fk_step_failures_step_id_steps")),
        sa.PrimaryKeyConstraint("step_id", "failed_at", name=op.f("pk_step_failures")),
    )
    op.create_table(
        "department_terms",
        sa.Column("department", sa.String(40), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("set_by", sa.String(80), nullable=False),
        sa.Column("set_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("department", "from_on", name=op.f("pk_department_terms")),
    )
    op.create_table(
        "calendar_days",
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("working", sa.Boolean(), nullable=False),
        sa.Column("note", sa.String(120), nullable=True),
        sa.Column("set_by", sa.String(80), nullable=False),
        sa.Column("set_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("on", name=op.f("pk_calendar_days")),
    )
    op.create_table(
        "satisfaction",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("case_number", sa.String(40), nullable=False),
        sa.Column("department", sa.String(40), nullable=False),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.Column("given_on", sa.Date(), nullable=False),
        sa.Column("entered_by", sa.String(80), nullable=False),
        sa.ForeignKeyConstraint(["case_number"], ["cases.number"], name=op.f("fk_satisfaction_case_number_cases")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_satisfaction")),
        sa.UniqueConstraint("case_number", "department", name=op.f("uq_satisfaction_case_number_department")),
    )
    op.create_index("ix_satisfaction_given_on", "satisfaction", ["given_on"])
    op.create_table(
        "service_costs",
        sa.Column("service", sa.String(24), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("fen", sa.Integer(), nullable=False),
        sa.Column("set_by", sa.String(80), nullable=False),
        sa.PrimaryKeyConstraint("service", "from_on", name=op.f("pk_service_costs")),
    )
    op.create_table(
        "service_uses",
        sa.Column("service", sa.String(24), nullable=False),
        sa.Column("district", sa.String(24), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("holders", sa.Integer(), nullable=False),
        sa.Column("told_by", sa.String(80), nullable=False),
        sa.PrimaryKeyConstraint("service", "district", "month", name=op.f("pk_service_uses")),
    )
    op.create_table(
        "figure_disputes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("department", sa.String(40), nullable=False),
        sa.Column("period", sa.String(10), nullable=False),
        sa.Column("figure", sa.String(40), nullable=False),
        sa.Column("step_id", sa.String(80), nullable=True),
        sa.Column("because", sa.String(400), nullable=False),
        sa.Column("asked_by", sa.String(80), nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("left_out", sa.Boolean(), nullable=True),
        sa.Column("decided_by", sa.String(80), nullable=True),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("decided_because", sa.String(400), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_figure_disputes")),
    )
    op.create_index("ix_figure_disputes_department_id", "figure_disputes", ["department", "id"])
    op.create_table(
        "appraisal_weights",
        sa.Column("figure", sa.String(40), nullable=False),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.Column("set_by", sa.String(80), nullable=False),
        sa.Column("set_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("figure", name=op.f("pk_appraisal_weights")),
    )


def downgrade() -> None:
    """Take back."""
    for table in (
        "appraisal_weights", "figure_disputes", "service_uses", "service_costs", "satisfaction", "calendar_days",
        "department_terms", "step_failures", "cards",
    ):  # fmt: skip
        op.drop_table(table)
    for table, columns in (
        ("steps", ("tried_at", "look_on", "answer_days")),
        ("cases", ("accepted_at", "look_on", "statutory_by", "promised_by")),
    ):
        op.drop_index(f"ix_{table}_look_on", table)
        for column in columns:
            op.drop_column(table, column)
