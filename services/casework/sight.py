"""What a reader may see, as conditions of SQL: every list, count and look-up on cases goes through these.

A district's staff see its cases. A department's officer sees the cases in which the department was asked something,
and of those only its own steps, services and facts (of facts, ``Dossier.shows`` sees to that).
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, Select, and_, exists, select, true

from models import Case, Entitlement, Step
from services.access import Sight
from services.database import table

_CASES, _STEPS = table(Case), table(Step)
_ENTITLEMENTS = table(Entitlement)


def cases_in(sight: Sight) -> ColumnElement[bool]:
    """The cases in sight; for queries over ``cases``."""
    if sight.department is not None:
        asked = and_(_STEPS.c.case_number == _CASES.c.number, _STEPS.c.department == sight.department)
        return exists(select(_STEPS.c.id).where(asked))
    return _CASES.c.district == sight.district if sight.district is not None else true()


def steps_in(sight: Sight) -> ColumnElement[bool]:
    """The steps in sight; for queries over ``steps``."""
    if sight.department is not None:
        return _STEPS.c.department == sight.department
    return true() if sight.district is None else _STEPS.c.case_number.in_(_numbers(sight.district))


def entitlements_in(sight: Sight) -> ColumnElement[bool]:
    """The entitlements in sight; for queries over ``entitlements``."""
    if sight.department is not None:
        return _ENTITLEMENTS.c.department == sight.department
    return true() if sight.district is None else _ENTITLEMENTS.c.case_number.in_(_numbers(sight.district))


def _numbers(district: str) -> Select[tuple[str]]:
    return select(_CASES.c.number).where(_CASES.c.district == district)
