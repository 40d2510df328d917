"""An index for the list of cases by deadline."""

import sqlalchemy as sa
from alembic import op

revision = "0062"
down_revision = "0040"
branch_labels = None
depends_on = None

_RUNNING = sa.text("promised_by IS NOT NULL AND decided_at IS NULL")


def upgrade() -> None:
    """Apply."""
    op.create_index(
        "ix_cases_promised_by_number",
        "cases",
        ["promised_by", "number"],
        sqlite_where=_RUNNING,
        postgresql_where=_RUNNING,
    )


def downgrade() -> None:
    """Take back."""
    op.drop_index("ix_cases_promised_by_number", table_name="cases")
