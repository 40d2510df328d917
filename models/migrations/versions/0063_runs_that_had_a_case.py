"""Which flow runs had a case in hand."""

import sqlalchemy as sa
from alembic import op

from models.base import UtcDateTime

revision = "0063"
down_revision = "0062"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "case_runs",
        sa.Column("case_number", sa.String(40), nullable=False),
        sa.Column("run_id", sa.String(36), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["case_number"], ["cases.number"], name=op.f("fk_case_runs_case_number_cases")),
        sa.PrimaryKeyConstraint("case_number", "run_id", name=op.f("pk_case_runs")),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("case_runs")
