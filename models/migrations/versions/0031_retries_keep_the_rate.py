"""When each step of a retry is to go out, so that a retry keeps the endpoint's rate."""

import sqlalchemy as sa
from alembic import op

from models.base import UtcDateTime

revision = "0031"
down_revision = "0071"


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("retry_items") as batch:
        batch.add_column(sa.Column("due_at", UtcDateTime(), nullable=True))


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("retry_items") as batch:
        batch.drop_column("due_at")
