"""Common ground of every table: naming of constraints, aware timestamps, JSON that both databases index.

Days are ``date`` in Asia/Shanghai; instants are aware ``datetime`` and stand in UTC.
"""

import enum
from datetime import UTC, datetime

from sqlalchemy import JSON, DateTime, Dialect, Enum
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator
from sqlmodel import SQLModel

# Set before any table is declared, so that migrations can name what they drop on either database.
SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

metadata = SQLModel.metadata


class UtcDateTime(TypeDecorator[datetime]):
    """An instant. Naive values are refused; SQLite, which keeps no zone, gives UTC back."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Store in UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a timestamp without a time zone cannot be stored")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give back an aware instant."""
        del dialect
        return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


JsonType = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


def state_type(states: type[enum.Enum]) -> Enum:
    """A column of one of ``states``, stored by value as text so that a new state needs no migration."""
    return Enum(states, native_enum=False, length=24, values_callable=lambda kind: [s.value for s in kind])
