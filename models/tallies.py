"""Cases that are over, counted as they end: of a million cases nearly all are over, and a count would walk them all."""

from typing import Any

from sqlalchemy import Column, Connection, Table, event
from sqlmodel import Field, SQLModel

from models.base import state_type
from models.cases import Case
from models.states import CaseState


class CaseTally(SQLModel, table=True):
    """So many more ``cases`` (fewer, below zero) of a district and station stand in a state that is over.

    The sum over a state is its count, in every transaction. On PostgreSQL the database itself adds the rows, whoever
    ends or reopens a case, each its own, so that nobody waits for anybody; now and then they are folded
    (``casework.tallies``). SQLite, where a store is small and one process writes, counts the cases and keeps none.
    """

    __tablename__ = "case_tallies"

    id: int | None = Field(default=None, primary_key=True)
    state: CaseState = Field(sa_column=Column(state_type(CaseState), nullable=False))
    district: str = Field(max_length=24)
    station: str = Field(max_length=80)
    cases: int


TALLY = """
CREATE FUNCTION tally_case() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND (OLD.state, OLD.district, OLD.station) = (NEW.state, NEW.district, NEW.station) THEN
    RETURN NULL;
  END IF;
  IF TG_OP <> 'INSERT' AND OLD.state IN ('closed', 'refused', 'withdrawn') THEN
    INSERT INTO case_tallies (state, district, station, cases) VALUES (OLD.state, OLD.district, OLD.station, -1);
  END IF;
  IF TG_OP <> 'DELETE' AND NEW.state IN ('closed', 'refused', 'withdrawn') THEN
    INSERT INTO case_tallies (state, district, station, cases) VALUES (NEW.state, NEW.district, NEW.station, 1);
  END IF;
  RETURN NULL;
END $$
"""
TALLY_EACH = """
CREATE TRIGGER tally_case AFTER INSERT OR DELETE OR UPDATE OF state, district, station ON cases
FOR EACH ROW EXECUTE FUNCTION tally_case()
"""


# For tables made straight from the models; a migrated database gets the same by migration 0040.
_CASES = SQLModel.metadata.tables[str(Case.__tablename__)]


@event.listens_for(_CASES, "after_create")
def _tally(target: Table, connection: Connection, **_: Any) -> None:
    del target
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(TALLY)
        connection.exec_driver_sql(TALLY_EACH)


@event.listens_for(_CASES, "after_drop")
def _tally_no_more(target: Table, connection: Connection, **_: Any) -> None:
    del target
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("DROP FUNCTION IF EXISTS tally_case()")
