"""What a run leaves on Prefect's pages for a coordinator: tables in Chinese, by department, with no personal data.

They stand with their run and bear no key: under one, all runs would write the same row, which Prefect's server keeps
locked while it tells of the change, and on SQLite everything else there waits.
"""

from __future__ import annotations

from collections import Counter

from prefect.artifacts import acreate_table_artifact

from flows.phases import BatchReport
from services.casework.deliveries import Tally
from services.house import House
from services.words import CASE_WORDS, STEP_WORDS


async def publish_batch(house: House, report: BatchReport) -> None:
    """One table: departments down, outcomes across; the description says how many cases stand where."""
    cases = "，".join(f"{CASE_WORDS[state].zh} {count} 件" for state, count in sorted(report.cases.items()))
    permits = "，".join(f"{term} 年期 {count} 张" for term, count in sorted(report.issued.items()))
    words = f"办件：{cases}。" + (f"发放居住证：{permits}。" if permits else "")
    await _publish(house, report.steps, words)


async def publish_deliveries(house: House, tally: Tally) -> None:
    """The same table for a round of due attempts."""
    await _publish(house, tally.outcomes, f"推送 {tally.sent} 项。")


async def _publish(house: House, steps: Counter[tuple[str, str]], words: str) -> None:
    states = sorted({state for _, state in steps})
    today = house.database.clock.today()
    rows = [
        {"部门": house.department_name(department, today)}
        | {STEP_WORDS[state].zh: steps[department, state] for state in states}
        for department in sorted({department for department, _ in steps})
    ]
    await acreate_table_artifact(table=rows or [{"部门": "—"}], description=words)
