"""Grace after an entitlement's last day: schooling already begun runs on to the end of the term (A17)."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from services.policy.dates import LAST_DAY, ordinal

if TYPE_CHECKING:
    from services.policy.pack import Pack, SchoolTerm


def grace_end(pack: Pack, service_id: str, last_day: date) -> date | None:
    """Return the end of the school term in which ``last_day`` lies, for a service with that grace.

    None where the service has no grace or the day lies in no term (August). The day may be the term's own
    last day. Grace is for what was provisioned and no part of the decision.
    """
    if pack.services[service_id].grace != "school-term":
        return None
    day = last_day.toordinal()
    for term in pack.school_terms:
        for year in (last_day.year - 1, last_day.year):
            first, last = term_days(term, year)
            if first <= day <= last:
                return date.fromordinal(min(last, LAST_DAY))
    return None


def term_days(term: SchoolTerm, year: int) -> tuple[int, int]:
    """Return the first and last ordinal of the term that starts in ``year``."""
    first = ordinal(max(year, 1), *term.first)
    over_new_year = term.last < term.first
    return first, ordinal(year + 1 if over_new_year else max(year, 1), *term.last)
