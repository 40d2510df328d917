"""A service stands at two departments while it changes hands: the department is part of an entitlement's key."""

import sqlalchemy as sa
from alembic import op

revision = "0051"
down_revision = "0063"

_TABLE, _KEY = "entitlements", "pk_entitlements"


def upgrade() -> None:
    """Apply."""
    _key_by("case_number", "service", "department")


def downgrade() -> None:
    """Take back. Of a service that stands at two departments, the one that was asked last is kept."""
    op.execute(
        sa.text(
            "DELETE FROM entitlements WHERE EXISTS (SELECT 1 FROM entitlements AS other"
            " WHERE other.case_number = entitlements.case_number AND other.service = entitlements.service"
            " AND (other.changed_at, other.department) > (entitlements.changed_at, entitlements.department))"
        )
    )
    _key_by("case_number", "service")


def _key_by(*columns: str) -> None:
    with op.batch_alter_table(_TABLE) as batch_op:
        batch_op.drop_constraint(_KEY, type_="primary")
        batch_op.create_primary_key(_KEY, list(columns))
