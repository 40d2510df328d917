"""The capacity model: what a city, a province and the country need, from what one case was measured to cost.

``python -m benchmarks.capacity`` prints, as JSON, what docs/capacity.md tells: computed from
``benchmarks/capacity.json``, the measured points, and checked against points that the costs were not taken from.
``--measure`` takes the points anew on this machine (about ten minutes) and writes that file.

The model. Holders apply again as their permits run out; applications come in on working days, at the peak ``PEAK``
times as many as on the mean. Each program needs its processor time for each case, and is planned to be busy for
``BUSY`` of it at most. Whoever waits for a dispatcher waits in one queue with as many servers: that is simulated,
case by case. The end of the audit chain is held by one writer at a time, however many machines there are: it bounds
the whole.
"""

from __future__ import annotations

import argparse
import heapq
import json
import math
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

POINTS = Path(__file__).with_name("capacity.json")
DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "capacity.md"
_BEGIN, _END = "<!-- computed by python -m benchmarks.capacity --write -->", "<!-- end of what is computed -->"
PLACES = {"city": 500_000, "province": 10_000_000, "country": 130_000_000}
# Two of five permits are for one year and three for three: so many applications a holder and year, renewals included.
APPLICATIONS_A_YEAR = 0.4 + 0.6 / 3
# Full years of residence, birthdays, tiers, the end: days on which time alone changes what a holder is due.
LOOKS_A_YEAR = 1.5
KEPT_YEARS = 5
WORKDAYS, HOURS, NIGHT_HOURS = 250, 7.0, 6.0
PEAK, BUSY = 3.0, 0.6
MESSAGE_BYTES = 3_000


@dataclass(frozen=True, slots=True)
class Costs:
    """What one case costs: processor milliseconds by program (``others``: workers, Redis, and on a test machine the
    departments), a look at one that stands, bytes stored, messages, and for how long it holds the end of the chain.
    """

    door_ms: float
    dispatcher_ms: float
    postgres_ms: float
    prefect_ms: float
    others_ms: float
    look_ms: float
    bytes_a_case: float
    messages: float
    chain_ms: float

    @property
    def whole_ms(self) -> float:
        """Processor time of a case that is registered already, of all programs together."""
        return self.dispatcher_ms + self.postgres_ms + self.prefect_ms + self.others_ms


def cases_a_second(holders: int) -> float:
    """Applications a second at the peak of a working day."""
    return holders * APPLICATIONS_A_YEAR / (WORKDAYS * HOURS * 3600) * PEAK


def looks_a_second(holders: int) -> float:
    """Looks at cases a second, if each night's are spread over the night."""
    return holders * LOOKS_A_YEAR / 365 / (NIGHT_HOURS * 3600)


def processors(ms: float, rate: float) -> int:
    """How many processors a program needs that costs ``ms`` a case."""
    return max(1, math.ceil(rate * ms / 1000 / BUSY))


def place(costs: Costs, holders: int) -> dict[str, Any]:
    """What a place with so many holders needs."""
    rate = cases_a_second(holders)
    dispatchers = max(processors(costs.dispatcher_ms, rate), processors(costs.look_ms, looks_a_second(holders)))
    year = holders * APPLICATIONS_A_YEAR * costs.bytes_a_case / 1e9
    return {
        "holders": holders,
        "cases_a_day": round(holders * APPLICATIONS_A_YEAR / WORKDAYS),
        "cases_a_second_at_peak": round(rate, 2),
        "messages_a_second_at_peak": round(rate * costs.messages, 1),
        "megabits_a_second_to_departments": round(rate * costs.messages * MESSAGE_BYTES * 8 / 1e6, 2),
        "looks_a_night": round(holders * LOOKS_A_YEAR / 365),
        "processors": {
            "doors": processors(costs.door_ms, rate),
            "dispatchers": dispatchers,
            "postgresql": processors(costs.postgres_ms, rate),
            "prefect": processors(costs.prefect_ms, rate),
        },
        "wait_for_a_dispatcher": simulate(rate, costs.dispatcher_ms / 1000, dispatchers),
        "audit_chain_busy": round(rate * costs.chain_ms / 1000, 3),
        "database_gb_a_year": round(year, 1),
        "database_gb_kept": round(year * KEPT_YEARS, 1),
    }


def simulate(rate: float, service_s: float, servers: int, *, cases: int = 20_000, seed: int = 1) -> dict[str, float]:
    """Cases that arrive at random and are served in turn by ``servers``: how long they wait before they are."""
    dice = random.Random(seed)  # noqa: S311 - a simulation
    free = [0.0] * servers
    now, waits = 0.0, []
    for _ in range(cases):
        now += dice.expovariate(rate)
        start = max(now, heapq.heappop(free))
        heapq.heappush(free, start + dice.expovariate(1 / service_s))
        waits.append(start - now)
    waits.sort()
    return {"p50_s": round(waits[cases // 2], 3), "p99_s": round(waits[int(cases * 0.99)], 3)}


def throughput(costs: Costs, available: float, workers: int) -> float:
    """Cases a second of ``workers`` dispatchers with ``available`` processors for all programs together: by the model,
    whichever bound is the lowest.
    """
    by_worker = workers * 1000 / costs.dispatcher_ms
    return min(available * 1000 / costs.whole_ms, by_worker, 1000 / costs.chain_ms)


def checked(points: Mapping[str, Any], costs: Costs) -> list[dict[str, Any]]:
    """Prediction beside measurement. The first point is the one that the costs were taken from."""
    rows = []
    for index, point in enumerate(points["throughput"]):
        predicted = throughput(costs, point["processors"], point["workers"])
        error = predicted / point["cases_per_s"] - 1
        taken_from = {"costs_taken_from_it": True} if index == 0 else {}
        rows.append({**point, "predicted": round(predicted, 1), "error": f"{error:+.0%}", **taken_from})
    return rows


def report(points: Mapping[str, Any]) -> dict[str, Any]:
    """Everything that docs/capacity.md tells."""
    costs = Costs(**points["costs"])
    return {
        "costs": points["costs"],
        "bytes_by_table": points["bytes_by_table"],
        "most_cases_a_second": round(1000 / costs.chain_ms),
        "places": {name: place(costs, holders) for name, holders in PLACES.items()},
        "checked": checked(points, costs),
    }


def tables(told: Mapping[str, Any]) -> str:
    """The report as the tables of docs/capacity.md."""
    places, costs = told["places"], told["costs"]
    rows = [("| |", *(f" {name} |" for name in places)), ("|---|", *("---|" for _ in places))]

    def row(words: str, tell: Callable[[Mapping[str, Any]], object]) -> None:
        rows.append((f"| {words} |", *(f" {tell(one)} |" for one in places.values())))

    row("holders", lambda one: f"{one['holders']:,}")
    row("applications a working day", lambda one: f"{one['cases_a_day']:,}")
    row("cases a second at the peak", lambda one: one["cases_a_second_at_peak"])
    row("messages a second at the peak", lambda one: f"{one['messages_a_second_at_peak']:,}")
    row("megabits a second to departments", lambda one: one["megabits_a_second_to_departments"])
    row("looks at cases a night (reconcile)", lambda one: f"{one['looks_a_night']:,}")
    row("processors for doors", lambda one: one["processors"]["doors"])
    row("dispatchers, one processor each", lambda one: one["processors"]["dispatchers"])
    row("processors for PostgreSQL", lambda one: one["processors"]["postgresql"])
    row("processors for Prefect's server", lambda one: one["processors"]["prefect"])
    row("a case waits for a dispatcher, p50 / p99, s",
        lambda one: f"{one['wait_for_a_dispatcher']['p50_s']} / {one['wait_for_a_dispatcher']['p99_s']}")  # fmt: skip
    row("the audit chain is busy", lambda one: f"{one['audit_chain_busy']:.1%}")
    row(
        "database a year / kept for five, GB",
        lambda one: f"{one['database_gb_a_year']:,} / {one['database_gb_kept']:,}",
    )
    spent = ["| door | dispatcher | PostgreSQL | Prefect | the rest | a look |", "|---|---|---|---|---|---|",
             "| " + " | ".join(str(costs[name]) for name in ("door_ms", "dispatcher_ms", "postgres_ms", "prefect_ms",
                                                             "others_ms", "look_ms")) + " |"]  # fmt: skip
    stored = ["| table | bytes a case |", "|---|---|"]
    stored += [f"| {name} | {size:,} |" for name, size in told["bytes_by_table"].items() if size >= 100]
    proof = ["| workers | processors left to us | measured, cases/s | predicted | error |", "|---|---|---|---|---|"]
    proof += [
        f"| {one['workers']} | {one['processors']} | {one['cases_per_s']} | {one['predicted']} | {one['error']}"
        f"{' (costs taken from it)' if one.get('costs_taken_from_it') else ''} |"
        for one in told["checked"]
    ]
    parts = [
        ("What a place needs", ["".join(parts) for parts in rows]),
        ("Processor milliseconds a case", spent),
        (f"Bytes a case: {costs['bytes_a_case']:,} in all, indexes included; {costs['messages']} messages", stored),
        ("Prediction beside measurement", proof),
    ]
    return "\n\n".join(f"### {title}\n\n" + "\n".join(lines) for title, lines in parts) + "\n"


def written(document: str, computed: str) -> str:
    """``document`` with its computed part in the place of the old one."""
    before, _, rest = document.partition(_BEGIN)
    return f"{before}{_BEGIN}\n\n{computed}\n{_END}{rest.partition(_END)[2]}"


def main() -> None:
    """Print the report; take the points first, or write the tables, where that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--measure", action="store_true", help="take the points anew on this machine")
    parser.add_argument("--cases", type=int, default=600, help="in each burst")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/capacity.md")
    options = parser.parse_args()
    if options.measure:
        from benchmarks.capacity_points import measure  # noqa: PLC0415 - starts whole clusters

        POINTS.write_text(json.dumps(measure(options.cases), indent=2) + "\n", encoding="utf-8")
    told = report(json.loads(POINTS.read_text(encoding="utf-8")))
    if options.write:
        DOCUMENT.write_text(written(DOCUMENT.read_text(encoding="utf-8"), tables(told)), encoding="utf-8")
    print(json.dumps(told, indent=2))


if __name__ == "__main__":
    main()
