"""Remedies on permits: cancelled, and a cancellation undone. Each only writes the permit's last day; the planner
does the rest, by the one comparison (ZB87, A17): services are withdrawn or opened, the issuer's register is told.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import update

from models import Permit
from services.clock import china_day
from services.database import among, table
from services.remedies.hands import Hands
from services.remedies.orders import Cancel

_PERMITS = table(Permit)


def cancel_problems(hands: Hands) -> dict[str, str]:
    """Only a permit that is good can be cancelled, and once."""
    today = hands.house.database.clock.today()
    found = {}
    for number, one in hands.standing.items():
        held = one.held
        if one.permit is None or held is None:
            found[number] = "has no permit; withdraw the application instead"
        elif one.permit.ends_on is not None:
            found[number] = "its permit was cancelled before"
        elif one.ended or held.valid_until < today:
            found[number] = "its permit has ended"
    return found


async def cancel(hands: Hands, order: Cancel, numbers: Collection[str]) -> None:
    """From today the permit is not good any more; everything it opened is withdrawn."""
    today = china_day(hands.transaction.at)
    await _write(hands, numbers, ends_on=today, end_reason=order.end)
    for number in numbers:
        hands.note("permit.cancelled", number, reason=order.end, on=today.isoformat())


async def reinstate_problems(hands: Hands) -> dict[str, str]:
    """Only what was cancelled, within its term, and while its holder has no other permit or application."""
    today = hands.house.database.clock.today()
    found = {number: f"this person has the case {other} meanwhile" for number, other in (await hands.engaged()).items()}
    for number, one in hands.standing.items():
        held = one.held
        if one.permit is None or one.permit.ends_on is None or held is None:
            found[number] = "has no permit that was cancelled"
        elif held.valid_until < today:
            found[number] = "the term of its permit is over meanwhile; a new application is needed"
    return found


async def reinstate(hands: Hands, numbers: Collection[str]) -> None:
    """The permit is as good as if it had not been cancelled, from now on; services are opened anew."""
    await _write(hands, numbers, ends_on=None, end_reason=None)
    for number in numbers:
        hands.note("permit.restored", number)


async def _write(hands: Hands, numbers: Collection[str], **values: object) -> None:
    mine = among(hands.transaction.connection, _PERMITS.c.case_number, numbers)
    await hands.transaction.connection.execute(update(_PERMITS).where(mine).values(values))
    await hands.change(numbers)
