"""How many decisions a second one core makes. Prints one JSON line.

    python benchmarks/decisions.py [--seconds 2]

Questions are parsed beforehand; a decision includes building every `Entitlement`. The mix is that of a busy
station: permits issued and in force, one and three years, families, a fifth still waiting for a fact.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta

from services.policy.decide import decide
from services.policy.parsing import parse_question
from services.policy.question import FACTS, GROUNDS
from services.policy.registry import default_registry

QUESTIONS = 2_000
SEED = 87


def questions(count: int) -> Iterator[dict[str, object]]:
    """Question documents of contract section 2, the same on every run."""
    chance = random.Random(SEED)  # noqa: S311 - a fixed sample, no secret

    def day(first: date, last: date) -> date:
        return first + timedelta(days=chance.randrange((last - first).days + 1))

    for _ in range(count):
        on = day(date(2014, 12, 1), date(2018, 12, 31))
        term = chance.choice([1, 3])
        received = on - timedelta(days=chance.randrange(60))
        document: dict[str, object] = {
            "on": on.isoformat(),
            "application": {
                "received_on": received.isoformat(),
                "term_years": term,
                "grounds": [chance.choice(GROUNDS)],
            },
            "applicant": {
                "born_on": day(date(1945, 1, 1), date(2000, 1, 1)).isoformat(),
                "sex": chance.choice(["male", "female"]),
            },
            "residence": {
                "registered_on": day(date(2010, 1, 1), on).isoformat(),
                "intends_half_year": True,
                "from_outside_county": True,
            },
            "children": [
                {"born_on": day(date(1998, 1, 1), on).isoformat()} for _ in range(chance.choice([0, 0, 1, 2]))
            ],
            "facts": {
                **{fact: chance.random() < 0.6 for fact in FACTS if chance.random() < 0.8},
                **({"identity_matches": True, "residence_registered": True} if chance.random() < 0.9 else {}),
            },
        }
        if chance.random() < 0.4:
            until = on + timedelta(days=chance.randrange(365 * term))
            document["permit"] = {
                "term_years": term,
                "valid_from": received.isoformat(),
                "valid_until": until.isoformat(),
            }
        yield document


def rate(work: Callable[[], int], seconds: float) -> int:
    """Repeat ``work``, which says how much it did, for some seconds; return how much a second."""
    done, start = 0, time.perf_counter()
    while (spent := time.perf_counter() - start) < seconds:
        done += work()
    return round(done / spent)


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seconds", type=float, default=2.0, help="how long each of the three is measured")
    seconds = options.parse_args().seconds

    documents = list(questions(QUESTIONS))
    parsed = [parse_question(document) for document in documents]
    registry = default_registry()
    packs = [registry.covering(question.received_on) for question in parsed]
    asked = list(zip(packs, parsed, strict=True))
    outcomes: dict[str, int] = {}
    for pack, question in asked:
        outcome = decide(pack, question).permit.outcome
        outcomes[outcome] = outcomes.get(outcome, 0) + 1

    # No answer is kept: thousands of live ones would measure the garbage collector.
    def parsing() -> int:
        for document in documents:
            parse_question(document)
        return len(documents)

    def deciding() -> int:
        for pack, question in asked:
            decide(pack, question)
        return len(asked)

    def deciding_to_json() -> int:
        for pack, question in asked:
            decide(pack, question).to_json()
        return len(asked)

    found = {
        "benchmark": "decisions",
        "decisions_per_second": rate(deciding, seconds),
        "decisions_with_json_per_second": rate(deciding_to_json, seconds),
        "questions_parsed_per_second": rate(parsing, seconds),
        "services_per_decision": max(len(decide(pack, question).entitlements) for pack, question in asked[:100]),
        "outcomes": outcomes,
    }
    print(json.dumps(found, ensure_ascii=False))


if __name__ == "__main__":
    main()
