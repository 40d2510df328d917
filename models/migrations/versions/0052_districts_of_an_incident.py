"""Incidents know in which districts their cases lie, so that a district's staff are told of its own."""

import sqlalchemy as sa
from alembic import op

from models.base import JsonType

revision = "0052"
down_revision = "0051"


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("incidents") as incidents:
        incidents.add_column(sa.Column("districts", JsonType, nullable=False, server_default=sa.text("'[]'")))


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("incidents") as incidents:
        incidents.drop_column("districts")
