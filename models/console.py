"""What the console remembers of its readers: the filters that they gave a title."""

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from models.base import UtcDateTime


class SavedView(SQLModel, table=True):
    """A list as somebody wants to find it again. ``owner`` as the audit log names callers; ``query`` is the filter as
    it stands in an address, without the place in the list.
    """

    __tablename__ = "saved_views"
    __table_args__ = (UniqueConstraint("owner", "page", "title"),)

    id: int | None = Field(default=None, primary_key=True)
    owner: str = Field(max_length=80)
    page: str = Field(max_length=40)
    title: str = Field(max_length=40)
    query: str = Field(max_length=500)
    created_at: datetime = Field(sa_type=UtcDateTime)
