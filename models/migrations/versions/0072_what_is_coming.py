"""What is coming: the forecast as it was last made, and school catchments."""

import sqlalchemy as sa
from alembic import op

from models.base import UtcDateTime

revision = "0072"
down_revision = "0031"


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "catchments",
        sa.Column("district", sa.String(24), nullable=False),
        sa.Column("station", sa.String(80), nullable=False),
        sa.Column("catchment", sa.String(80), nullable=False),
        sa.PrimaryKeyConstraint("district", "station", name=op.f("pk_catchments")),
    )
    op.create_table(
        "forecasts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=False),
        sa.Column("permits", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_forecasts")),
    )
    op.create_table(
        "forecast_counts",
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("district", sa.String(24), nullable=False),
        sa.Column("key", sa.String(80), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "month", "district", "key", name=op.f("pk_forecast_counts")),
    )


def downgrade() -> None:
    """Take back."""
    for table in ("forecast_counts", "forecasts", "catchments"):
        op.drop_table(table)
