"""Clerks see their own station; keys have owners and bounds; second persons are persons."""

import sqlalchemy as sa
from alembic import op

from models.base import JsonType, UtcDateTime

revision = "0021"
down_revision = "0050"


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("accounts") as accounts:
        accounts.add_column(sa.Column("station", sa.String(80), nullable=True))
        accounts.add_column(sa.Column("in_hands_of", sa.Integer(), nullable=True))
    with op.batch_alter_table("access_keys") as keys:
        keys.add_column(sa.Column("station", sa.String(80), nullable=True))
        keys.add_column(sa.Column("operations", JsonType, nullable=True))
        keys.add_column(sa.Column("owner_id", sa.Integer(), nullable=True))
        keys.add_column(sa.Column("made_by", sa.Integer(), nullable=True))
        keys.add_column(sa.Column("used_at", UtcDateTime(), nullable=True))
        keys.add_column(sa.Column("used_from", sa.String(64), nullable=True))
        keys.create_foreign_key(op.f("fk_access_keys_owner_id_accounts"), "accounts", ["owner_id"], ["id"])
        keys.create_index("ix_access_keys_owner_id", ["owner_id"])
    with op.batch_alter_table("remedies") as remedies:
        remedies.add_column(sa.Column("asked_person", sa.Integer(), nullable=True))
        remedies.create_foreign_key(op.f("fk_remedies_asked_person_accounts"), "accounts", ["asked_person"], ["id"])
    op.create_table(
        "approvals",
        sa.Column("subject", sa.String(80), nullable=False),
        sa.Column("person", sa.Integer(), nullable=False),
        sa.Column("actor", sa.String(80), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["accounts.id"], name=op.f("fk_approvals_person_accounts")),
        sa.PrimaryKeyConstraint("subject", "person", name=op.f("pk_approvals")),
    )
    op.create_index("ix_cases_station_received_at_number", "cases", ["station", "received_at", "number"])


def downgrade() -> None:
    """Undo."""
    op.drop_index("ix_cases_station_received_at_number", "cases")
    op.drop_table("approvals")
    with op.batch_alter_table("remedies") as remedies:
        remedies.drop_constraint(op.f("fk_remedies_asked_person_accounts"), type_="foreignkey")
        remedies.drop_column("asked_person")
    with op.batch_alter_table("access_keys") as keys:
        keys.drop_index("ix_access_keys_owner_id")
        keys.drop_constraint(op.f("fk_access_keys_owner_id_accounts"), type_="foreignkey")
        for column in ("used_from", "used_at", "made_by", "owner_id", "operations", "station"):
            keys.drop_column(column)
    with op.batch_alter_table("accounts") as accounts:
        accounts.drop_column("in_hands_of")
        accounts.drop_column("station")
