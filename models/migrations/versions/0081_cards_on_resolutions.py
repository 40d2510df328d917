"""Cards on resolutions: yellow before their time is over, red past it."""

import sqlalchemy as sa
from alembic import op

revision = "0081"
down_revision = "0070"


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("reminders", schema=None) as batch_op:
        # Until now a reminder was of what was overdue.
        batch_op.add_column(sa.Column("colour", sa.String(24), server_default="red", nullable=False))


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("reminders", schema=None) as batch_op:
        batch_op.drop_column("colour")
