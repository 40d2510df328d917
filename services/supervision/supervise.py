"""What is looked after beside cases and steps: retries under way, incidents as they happen, clocks and their cards.

The dispatcher calls it every few seconds while it runs, the flow ``supervise`` every few minutes whatever runs: there
is one look, and it may be taken by anybody at any time.
"""

from __future__ import annotations

from services.dossiers.tallies import fold_tallies
from services.house import House
from services.operations.incidents import gather
from services.operations.running import advance_retries
from services.supervision.cards import Dealt, look


async def supervise(house: House) -> Dealt:
    """One look; what cards it dealt. Safe to repeat, and side by side."""
    await advance_retries(house)
    await gather(house)
    await fold_tallies(house.database, "supervise")
    return await look(house)
