"""Indexes under the console's counts: cases by the day they came, closed and stand, by district.

Revision ID: 0060
Revises: 0020
"""

import sqlalchemy as sa
from alembic import op

revision = "0060"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the indexes."""
    op.create_index("ix_cases_received_on_district", "cases", ["received_on", "district"])
    op.create_index("ix_cases_state_district", "cases", ["state", "district"])
    for name, columns, known in (
        ("ix_cases_closed_at_district", ["closed_at", "district"], sa.text("closed_at IS NOT NULL")),
        ("ix_cases_set_aside", ["district"], sa.text("set_aside IS NOT NULL")),
    ):
        op.create_index(name, "cases", columns, sqlite_where=known, postgresql_where=known)


def downgrade() -> None:
    """Drop them."""
    for name in (
        "ix_cases_set_aside",
        "ix_cases_closed_at_district",
        "ix_cases_state_district",
        "ix_cases_received_on_district",
    ):
        op.drop_index(name, table_name="cases")
