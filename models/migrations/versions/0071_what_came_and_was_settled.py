"""Steps by when they came and when they were settled, for the appraisal of a month."""

import sqlalchemy as sa
from alembic import op

revision = "0071"
down_revision = "0022"


def upgrade() -> None:
    """Apply."""
    op.create_index("ix_steps_created_at", "steps", ["created_at"])
    op.create_index(
        "ix_steps_settled_at", "steps", ["settled_at"], sqlite_where=sa.text("settled_at IS NOT NULL"),
        postgresql_where=sa.text("settled_at IS NOT NULL"),
    )  # fmt: skip


def downgrade() -> None:
    """Take back."""
    op.drop_index("ix_steps_settled_at", "steps")
    op.drop_index("ix_steps_created_at", "steps")
