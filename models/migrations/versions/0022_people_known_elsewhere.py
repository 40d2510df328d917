"""Accounts of people whom an identity provider knows."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0030"


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("accounts") as accounts:
        accounts.add_column(sa.Column("identity", sa.String(64), nullable=True))
        accounts.create_unique_constraint(op.f("uq_accounts_identity"), ["identity"])


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("accounts") as accounts:
        accounts.drop_constraint(op.f("uq_accounts_identity"), type_="unique")
        accounts.drop_column("identity")
