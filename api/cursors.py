"""Cursors of lists: a place in the order, written so that nobody builds on what is in it.

A cursor gives no right: whatever it says, the list is read in the caller's own sight.
"""

from __future__ import annotations

import base64
import re
from datetime import UTC, date, datetime

from services.dossiers.listing import Position
from services.errors import InputError

_NUMBER = re.compile(r"[0-9a-z-]{1,40}")


def write_cursor(position: Position) -> str:
    """``position`` as a cursor."""
    parts = [position.received_at.astimezone(UTC).isoformat(), position.number]
    if position.due_on is not None:
        parts.append(position.due_on.isoformat())
    text = " ".join(parts)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> Position:
    """The position that :func:`write_cursor` wrote; InputError for anything else."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        at, number, *due = base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii").split(" ")
        received_at = datetime.fromisoformat(at)
        due_on = date.fromisoformat(" ".join(due)) if due else None
    except ValueError:
        raise _refused() from None
    if received_at.tzinfo is None or not _NUMBER.fullmatch(number):
        raise _refused()
    return Position(received_at, number, due_on)


def _refused() -> InputError:
    return InputError("is no cursor of this list; begin again without one", place="cursor")
