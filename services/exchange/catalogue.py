"""What a message needs of a pack, made once: names, clauses, and the allow-list of a person's fields.

The allow-list is kept here and nowhere else (minimum data): a message bears the person's fields that the pack lets
this department have for the facts and services in it (``send``), and no others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from services.errors import InputError
from services.exchange.orders import PERMIT_ENDED, PERMIT_ISSUED, StepOrder
from services.policy.conditions import FactHolds
from services.policy.dated import Dated
from services.policy.pack import Pack

_Row = TypeVar("_Row")

# Every field of a person that a pack may name, in the order in which they stand in a message.
PERSON_FIELDS = (
    "name",
    "id_number",
    "sex",
    "born_on",
    "phone",
    "address",
    "district",
    "residence_registered_on",
    "children",
)
# The least by which a department can tell whose permit it is.
_IDENTITY = frozenset({"name", "id_number"})


@dataclass(frozen=True, slots=True)
class FactEntry:
    """A fact: the departments that ever owned it, the fields its question may bear, the clauses it serves."""

    owners: frozenset[str]
    send: frozenset[str]
    clauses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ServiceEntry:
    """A service: the departments that ever owned it, its name and kind, the fields a message about it may bear."""

    owners: frozenset[str]
    send: frozenset[str]
    name: Mapping[str, str]
    kind: str


class Catalogue:
    """The facts and services of one pack as messages name them."""

    def __init__(self, pack: Pack) -> None:
        clauses = _clauses(pack)
        self._facts = {
            name: FactEntry(_owners(fact.owner), _fields(fact.send, f"facts.{name}.send"), tuple(clauses[name]))
            for name, fact in pack.facts.items()
        }
        self._services = {
            code: ServiceEntry(
                _owners(service.owner),
                _fields(service.send, f"services.{code}.send"),
                {"zh": service.title.zh, "en": service.title.en},
                service.kind,
            )
            for code, service in pack.services.items()
        }
        self._identity = dict.fromkeys(pack.departments, frozenset[str]())
        entries: list[FactEntry | ServiceEntry] = [*self._facts.values(), *self._services.values()]
        for entry in entries:
            for department in entry.owners:
                self._identity[department] |= entry.send & _IDENTITY

    def fact(self, name: str, department: str) -> FactEntry:
        """The fact of that name, asked of ``department``; InputError unless it ever was that department's."""
        return _owned(_find(self._facts, name, "order.facts"), name, department, "order.facts")

    def service(self, code: str, department: str) -> ServiceEntry:
        """The service of that id, sent to ``department``; InputError if it is public or never was theirs."""
        entry = _find(self._services, code, "order.services")
        if entry.kind == "public":
            raise InputError(f"{code} is for all and never sent per person", place="order.services")
        return _owned(entry, code, department, "order.services")

    def fields(self, order: StepOrder) -> tuple[str, ...]:
        """The person's fields that the message of ``order`` bears: the list's, or fewer if it asks for fewer.

        A notice of a permit bears no more than name and ID number, and only if the department may have them for
        some fact or service of its own.
        """
        allowed: frozenset[str] = frozenset()
        for name in order.facts:
            allowed |= self.fact(name, order.department).send
        for opening in order.open:
            allowed |= self.service(opening.service, order.department).send
        for withdrawal in order.withdraw:
            allowed |= self.service(withdrawal.service, order.department).send
        if order.kind in (PERMIT_ISSUED, PERMIT_ENDED):
            allowed |= _find(self._identity, order.department, "order.department")
        if order.fields is not None:
            for name in order.fields:
                if name not in allowed:
                    raise InputError(f"{name} is not on the pack's list for this message", place="order.fields")
            allowed = frozenset(order.fields)
        return tuple(name for name in PERSON_FIELDS if name in allowed)


def _owners(owner: Dated[str]) -> frozenset[str]:
    return frozenset(department for _, department in owner.lines)


def _fields(names: Sequence[str], place: str) -> frozenset[str]:
    for name in names:
        if name not in PERSON_FIELDS:
            raise InputError(f"{name} is no field of a person; known are {', '.join(PERSON_FIELDS)}", place=place)
    return frozenset(names)


def _clauses(pack: Pack) -> dict[str, list[str]]:
    """For every fact the clauses and services that rest on it, in the order of the text."""
    clauses: dict[str, list[str]] = {name: [] for name in pack.facts}
    for gate in pack.permit.gates:
        if gate.source == "fact":
            clauses[gate.name].extend(gate.because)
    for ground in pack.permit.grounds.values():
        for route in ground.routes:
            for name in route.facts:
                clauses[name].append(route.clause)
    for code, service in pack.services.items():
        for condition in (pack.conditions[its] for its in service.conditions):
            if isinstance(condition, FactHolds):
                clauses[condition.fact].append(code)
    return clauses


def _find(rows: Mapping[str, _Row], key: str, place: str) -> _Row:
    try:
        return rows[key]
    except KeyError:
        raise InputError(f"{key or 'nothing'} is not known to this pack", place=place) from None


_Entry = TypeVar("_Entry", FactEntry, ServiceEntry)


def _owned(entry: _Entry, code: str, department: str, place: str) -> _Entry:
    if department not in entry.owners:
        raise InputError(f"{code} is not a matter of {department}; see its owner in the pack", place=place)
    return entry
