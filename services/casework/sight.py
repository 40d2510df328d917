"""What a reader may see, as conditions of SQL: every list, count and look-up on cases goes through these.

A district's staff see its cases, a station's clerks those that the station took in. A department's officer sees the
cases in which the department was asked something, and of those only its own steps, services and facts (of facts,
``Dossier.shows`` sees to that).
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
    return and_(true(), *_place(sight))


def steps_in(sight: Sight) -> ColumnElement[bool]:
    """The steps in sight; for queries over ``steps``."""
    if sight.department is not None:
        return _STEPS.c.department == sight.department
    return _STEPS.c.case_number.in_(_numbers(sight)) if _place(sight) else true()


def entitlements_in(sight: Sight) -> ColumnElement[bool]:
    """The entitlements in sight; for queries over ``entitlements``."""
    if sight.department is not None:
        return _ENTITLEMENTS.c.department == sight.department
    return _ENTITLEMENTS.c.case_number.in_(_numbers(sight)) if _place(sight) else true()


def _place(sight: Sight) -> list[ColumnElement[bool]]:
    bounds = ((_CASES.c.district, sight.district), (_CASES.c.station, sight.station))
    return [column == value for column, value in bounds if value is not None]


def _numbers(sight: Sight) -> Select[tuple[str]]:
    return select(_CASES.c.number).where(*_place(sight))
