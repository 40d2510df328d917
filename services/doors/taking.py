"""Taking work through the inbox, as a sheet or one by one at the desk: it is receipt, as a 2xx is at the push."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from models import Door
from services.casework.outcomes import Answered, apply_settlement, weigh_answers
from services.database import Transaction
from services.doors.offering import digest, note_fallback, record_handing, write_messages
from services.exchange.messages import Message
from services.house import House
from services.ledger.cases import wake
from services.ledger.handing import Offered, hand_over
from services.ledger.steps import move_steps


async def take(
    house: House,
    transaction: Transaction,
    endpoint: Row[Any] | None,
    standing: Sequence[Offered],
    fresh: Sequence[Offered],
) -> list[Message]:
    """The messages of ``standing``, which the department has already, and of ``fresh``, which become its own with this.

    ``fresh`` are locked and still right. One attempt is kept for each, as for every way in which something is sent.
    """
    now = house.database.clock.now()
    messages = await write_messages(house, transaction.connection, [*standing, *fresh])
    if fresh:
        lease = await hand_over(transaction, fresh, now)
        for step, message in zip(fresh, messages[len(standing) :], strict=True):
            sent = {"started_at": now, "sent_digest": digest(message.body), "message_id": step.id, "signature": None}
            await record_handing(transaction, Door.INBOX, [step], [message], sent)
        note_fallback(transaction, endpoint, Door.INBOX, fresh)
        await _receive(house, transaction, fresh, lease)
    return messages


async def _receive(house: House, transaction: Transaction, steps: Sequence[Offered], lease: str) -> None:
    clock = house.database.clock
    answers = (
        Answered(step.id, step.case_number, step.department, step.kind, step.content, outcome=None) for step in steps
    )
    settlement = weigh_answers(answers, clock.moment())
    moved = await move_steps(transaction, settlement.moves, lease=lease)
    await apply_settlement(transaction, settlement, moved, clock.moment())
    await wake(transaction, {step.case_number for step in steps}, clock.now())
