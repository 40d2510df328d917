"""What the dispatcher looks after beside cases and steps: incidents, as they happen, and retries under way."""

from __future__ import annotations

from services.house import House
from services.operations.incidents import gather
from services.operations.running import advance_retries


async def supervise(house: House) -> None:
    """One look. Safe to repeat, and side by side."""
    await advance_retries(house)
    await gather(house)
