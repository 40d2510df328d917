"""Revisions of the policy: packs adopted and amendments to packs in force."""

import sqlalchemy as sa
from alembic import op

from models.base import JsonType, UtcDateTime

revision = "0030"
down_revision = "0081"


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "policy_revisions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("pack", sa.String(64), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("content", JsonType, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("adoption", sa.Integer(), nullable=True),
        sa.Column("basis", sa.String(200), nullable=False),
        sa.Column("reason", sa.String(400), nullable=False),
        sa.Column("asked_by", sa.String(80), nullable=False),
        sa.Column("asked_person", sa.Integer(), nullable=True),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("decided_by", sa.String(80), nullable=True),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("decided_because", sa.String(400), nullable=True),
        sa.Column("looked_to", sa.String(40), nullable=True),
        sa.Column("looked_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_revisions")),
        sa.UniqueConstraint("pack", "version", name=op.f("uq_policy_revisions_pack_version")),
        sa.UniqueConstraint("adoption", name=op.f("uq_policy_revisions_adoption")),
    )
    op.create_index("ix_policy_revisions_state_id", "policy_revisions", ["state", "id"])


def downgrade() -> None:
    """Undo."""
    op.drop_table("policy_revisions")
