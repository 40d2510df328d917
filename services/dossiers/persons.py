"""A person as lists and pages may show them: enough to tell one case from another, too little to know who it is."""

from __future__ import annotations

from dataclasses import dataclass

from services.intake.application import Application
from services.intake.identity import mask_id

_MOST_STARS = 2


@dataclass(frozen=True, slots=True)
class MaskedPerson:
    """Whose case it is, as it may be shown: 张*, 370303********1234."""

    name: str
    id_number: str


def masked(application: Application) -> MaskedPerson:
    """The applicant of ``application``, masked."""
    return MaskedPerson(mask_name(application.person.name), mask_id(application.person.id_number))


def mask_name(name: str) -> str:
    """The first character and a star for each further one, at most two, so that a long name does not tell its length:
    张*, 张**. A name of one character is hidden whole.
    """
    return name[:1] + "*" * min(len(name) - 1, _MOST_STARS) if len(name) > 1 else "*"
