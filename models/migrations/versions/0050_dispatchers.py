"""Who dispatches, on which machine, and when it was last seen."""

import sqlalchemy as sa
from alembic import op

from models.base import UtcDateTime

revision = "0050"
down_revision = "0060"


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "dispatchers",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("machine", sa.String(120), nullable=False),
        sa.Column("process", sa.Integer(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.Column("called_at", UtcDateTime(), nullable=True),
        sa.Column("left_at", UtcDateTime(), nullable=True),
        sa.Column("cases", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dispatchers")),
    )
    with op.batch_alter_table("dispatchers", schema=None) as batch_op:
        batch_op.create_index("ix_dispatchers_seen_at", ["seen_at"], unique=False)


def downgrade() -> None:
    """Take back."""
    op.drop_table("dispatchers")
