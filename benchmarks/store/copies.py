"""Copies of lives: each life once more for another made-up person, under another number, until the store is full.

Personal data is made anew and sealed, keyed hashes with it; the audit chain goes on link by link. All that bears only
codes and days is copied inside the database. What a copy does not have is another body behind the digests of its
attempts: the evidence of a copied step is that of its model.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from random import Random
from typing import Any

import orjson
from sqlalchemy import Column, Enum, String, Table, TypeDecorator, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from api.demo.people import GIVEN, SURNAMES
from api.demo.places import HOMES
from models import AuditEntry, AuditHead, Case, CaseCounter, Decision, Step, metadata
from services.audit import Note, link_hash
from services.database import is_postgresql, table
from services.house import House
from services.intake.application import Application
from services.intake.identity import check_digit
from services.sealing import KeyRing

_CASES, _DECISIONS, _STEPS = table(Case), table(Decision), table(Step)
_ENTRIES, _HEAD, _COUNTERS = table(AuditEntry), table(AuditHead), table(CaseCounter)
# Written here and not copied, because they bear personal data or hang on one another.
_OURS = {"cases", "decisions", "audit_entries"}
_CHUNK = 20_000
_ROWS = 50_000


@dataclass(slots=True)
class _Life:
    """One life as it stands: its number, its columns, its decisions, its entries in the audit log."""

    number: str
    row: dict[str, Any]
    application: dict[str, Any]
    decisions: list[tuple[dict[str, Any], bytes]] = field(default_factory=list)
    copies: list[str] = field(default_factory=list)

    @property
    def scope(self) -> str:
        """District and year, in which numbers are counted."""
        return self.number.rpartition("-")[0]


class Strangers:
    """New people of a given day of birth and sex; no ID number comes twice, none is one of ``Population``'s."""

    def __init__(self, seed: int, keys: KeyRing) -> None:
        self._draw = Random(seed)  # noqa: S311 - made-up people
        self._count: Counter[tuple[str, str]] = Counter()
        self._keys = keys

    def person(self, model: dict[str, Any], born_on: str, sex: str) -> dict[str, Any]:
        """Somebody else in the place of ``model``."""
        draw, place = self._draw, self._count[born_on, sex]
        self._count[born_on, sex] += 1
        body = f"{HOMES[place % len(HOMES)]}{born_on.replace('-', '')}{2 * (place // len(HOMES)) + (sex == 'male'):03d}"
        name = draw.choice(SURNAMES) + draw.choice(GIVEN) + (draw.choice(GIVEN) if draw.random() < 0.7 else "")
        return model | {"name": name, "id_number": body + check_digit(body), "phone": f"154{draw.randrange(10**8):08d}"}


async def copy_lives(house: House, count: int, seed: int, told: Callable[[str], None]) -> None:
    """Add ``count`` copies of the lives that stand in the house. ``told`` hears how far it is."""
    async with house.database.engine.connect() as connection:
        await connection.execution_options(
            isolation_level="AUTOCOMMIT" if is_postgresql(connection) else "SERIALIZABLE"
        )
        lives = await _lives(connection, house.keys)
        await connection.rollback()
        await _number(connection, lives, count)
        strangers = Strangers(seed, house.keys)
        await _bulk(connection, _CASES, _case_rows(lives, strangers, house.keys))
        told("cases")
        await _bulk(connection, _DECISIONS, _decision_rows(lives, house.keys))
        told("decisions")
        for source in metadata.sorted_tables:
            if source.name not in _OURS and await _copy_table(connection, source, count):
                told(source.name)
        await _copy_audit(connection, lives)
        told("audit_entries")
        await connection.commit()


async def _lives(connection: AsyncConnection, keys: KeyRing) -> list[_Life]:
    lives: dict[str, _Life] = {}
    rows = (await connection.execute(select(_CASES).order_by(_CASES.c.received_on, _CASES.c.number))).mappings().all()
    for row in rows:
        opened = Application.load(keys.open(row["sealed"], f"case:{row['number']}"))
        lives[row["number"]] = _Life(row["number"], dict(row), orjson.loads(opened.dump()))
        lives[row["number"]].row |= {"_born_on": opened.person.born_on.isoformat(), "_sex": opened.person.sex}
    for row in (await connection.execute(select(_DECISIONS))).mappings():
        plain = keys.open(row["sealed"], f"decision:{row['case_number']}:{row['sequence']}")
        lives[row["case_number"]].decisions.append((dict(row), plain))
    return list(lives.values())


async def _number(connection: AsyncConnection, lives: Sequence[_Life], count: int) -> None:
    """Give out the numbers and write down who copies whom, in the order of receipt."""
    standing = await connection.execute(select(_COUNTERS.c.scope, _COUNTERS.c.last))
    counters: dict[str, int] = {row.scope: row.last for row in standing}
    pairs: list[tuple[int, str, str]] = []
    for place, life in enumerate(lives):
        for _ in range(count * (place + 1) // len(lives) - count * place // len(lives)):
            counters[life.scope] += 1
            life.copies.append(f"{life.scope}-{counters[life.scope]:06d}")
            pairs.append((len(pairs), life.number, life.copies[-1]))
    for scope, last in counters.items():
        await connection.execute(update(_COUNTERS).where(_COUNTERS.c.scope == scope).values(last=last))
    await connection.exec_driver_sql(
        "CREATE TEMPORARY TABLE copies (place INTEGER PRIMARY KEY, model TEXT, number TEXT)"
    )
    mark = ("$1, $2, $3") if is_postgresql(connection) else "?, ?, ?"
    for start in range(0, len(pairs), _ROWS):
        await connection.exec_driver_sql(f"INSERT INTO copies VALUES ({mark})", pairs[start : start + _ROWS])  # noqa: S608
    if is_postgresql(connection):
        await connection.exec_driver_sql("ANALYZE copies")


def _case_rows(lives: Iterable[_Life], strangers: Strangers, keys: KeyRing) -> Iterator[dict[str, Any]]:
    for life in lives:
        born_on, sex = life.row["_born_on"], life.row["_sex"]
        standing = {name: value for name, value in life.row.items() if not name.startswith("_")}
        for number in life.copies:
            person = strangers.person(life.application["person"], born_on, sex)
            application = life.application | {"person": person, "application_number": number}
            identity = person["id_number"]
            yield standing | {
                "number": number,
                "application_key": keys.lookup_hash("application", f"{identity}\0{number}"),
                "person_key": keys.lookup_hash("person", identity),
                "name_key": keys.lookup_hash("name", person["name"]),
                "sealed": keys.seal(orjson.dumps(application), f"case:{number}"),
            }


def _decision_rows(lives: Iterable[_Life], keys: KeyRing) -> Iterator[dict[str, Any]]:
    for life in lives:
        for number in life.copies:
            for row, plain in life.decisions:
                sealed = keys.seal(plain, f"decision:{number}:{row['sequence']}")
                yield row | {"case_number": number, "sealed": sealed}


async def _bulk(connection: AsyncConnection, target: Table, rows: Iterable[dict[str, Any]]) -> None:
    """Write rows by COPY (PostgreSQL) or many at a time."""
    names = [column.name for column in target.columns]
    dialect = connection.dialect
    binds = [(name, target.c[name].type.dialect_impl(dialect).bind_processor(dialect)) for name in names]
    bound = (tuple(bind(row[name]) if bind else row[name] for name, bind in binds) for row in rows)
    if is_postgresql(connection):
        raw = (await connection.get_raw_connection()).driver_connection
        assert raw is not None
        await raw.copy_records_to_table(target.name, records=bound, columns=names)
        return
    quoted = ", ".join(f'"{name}"' for name in names)
    statement = f"INSERT INTO {target.name} ({quoted}) VALUES ({', '.join('?' * len(names))})"  # noqa: S608
    while page := list(islice(bound, _ROWS)):
        await connection.exec_driver_sql(statement, page)


async def _copy_table(connection: AsyncConnection, source: Table, count: int) -> bool:
    """Copy what a table holds of the lives, keys put in the copies' names. False: it holds nothing of them."""
    by = _case_column(source)
    columns = [column for column in source.columns if not _given_by_itself(column)]
    if by is None or any(column.name == "sealed" for column in columns):
        return False
    quoted = ", ".join(f'"{column.name}"' for column in columns)
    taken = ", ".join(_copied(column) for column in columns)
    joined = f"copies c JOIN {source.name} t ON t.case_number = c.model"
    if by == "step_id":
        joined = f"copies c JOIN steps s ON s.case_number = c.model JOIN {source.name} t ON t.step_id = s.id"
    for start in range(0, count, _CHUNK):
        await connection.exec_driver_sql(
            f"INSERT INTO {source.name} ({quoted}) SELECT {taken} FROM {joined} "  # noqa: S608 - our own names
            f"WHERE c.place >= {start} AND c.place < {start + _CHUNK} ORDER BY c.place"
        )
    return True


def _case_column(source: Table) -> str | None:
    """By which column a table's rows belong to a case."""
    return next((name for name in ("case_number", "step_id") if name in source.c), None)


def _given_by_itself(column: Column[Any]) -> bool:
    return column.table.autoincrement_column is column


def _copied(column: Column[Any]) -> str:
    kind = column.type.impl_instance if isinstance(column.type, TypeDecorator) else column.type
    text = isinstance(kind, String) and not isinstance(kind, Enum)
    return f'replace(t."{column.name}", c.model, c.number)' if text else f't."{column.name}"'


async def _copy_audit(connection: AsyncConnection, lives: Sequence[_Life]) -> None:
    by_number = {life.number: life for life in lives}
    copied = [one for one in await _entries(connection) if one[0].subject in by_number]
    head = (await connection.execute(select(_HEAD).where(_HEAD.c.id == 1))).one()
    chain = _Chain(head.sequence, head.hash)
    await _bulk(connection, _ENTRIES, chain.links(copied, by_number))
    await connection.execute(update(_HEAD).where(_HEAD.c.id == 1).values(sequence=chain.sequence, hash=chain.hash))


async def _entries(connection: AsyncConnection) -> list[tuple[Note, Any]]:
    """What stands in the log, by time."""
    rows = await connection.execute(select(_ENTRIES).order_by(_ENTRIES.c.at, _ENTRIES.c.sequence))
    return [(Note(row.action, row.subject, row.detail, row.actor), row.at) for row in rows]


class _Chain:
    """The end of the chain as it grows."""

    def __init__(self, sequence: int, hash_: str) -> None:
        self.sequence, self.hash = sequence, hash_

    def links(self, entries: Iterable[tuple[Note, Any]], by_number: dict[str, _Life]) -> Iterator[dict[str, Any]]:
        """Each entry once more for every copy of its case."""
        for note, at in entries:
            content = [at.isoformat(), note.actor, note.action, note.subject, dict(note.detail)]
            said = orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
            detail = orjson.dumps(dict(note.detail))
            for number in by_number[note.subject].copies:
                model, own = note.subject.encode(), number.encode()
                digest = hashlib.sha256(said.replace(model, own)).hexdigest()
                self.sequence += 1
                previous, self.hash = self.hash, link_hash(self.sequence, digest, self.hash)
                yield {
                    "sequence": self.sequence,
                    "at": at,
                    "actor": note.actor,
                    "action": note.action,
                    "subject": number,
                    "detail": orjson.loads(detail.replace(model, own)),
                    "previous": previous,
                    "hash": self.hash,
                }
