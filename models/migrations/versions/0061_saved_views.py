"""Lists that readers of the console gave a title."""

import sqlalchemy as sa
from alembic import op

from models.base import UtcDateTime

revision = "0061"
down_revision = "0072"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "saved_views",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("owner", sa.String(80), nullable=False),
        sa.Column("page", sa.String(40), nullable=False),
        sa.Column("title", sa.String(40), nullable=False),
        sa.Column("query", sa.String(500), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_views")),
        sa.UniqueConstraint("owner", "page", "title", name=op.f("uq_saved_views_owner_page_title")),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("saved_views")
