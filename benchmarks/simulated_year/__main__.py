"""``python -m benchmarks.simulated_year``: a year of the joint meeting, held against a recount every working day.

From 2014-10-08 to 2015-10-07, make-up workdays and all: N cases, an outage, a slow department over the Spring Festival,
a department that nobody connected, one that will not owe a service, facts that cannot be confirmed, contradictions, the
ground `other`, a clause left open. Prints one JSON line; ends with an error where meeting and ledger differ.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import tempfile
from dataclasses import asdict
from pathlib import Path

from api.system.installation import prepare_database
from benchmarks.simulated_year.running import Simulation
from services.settings import Settings


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=87)
    parser.add_argument("--database", default="", help="SQLAlchemy URL of an empty database; SQLite if left out")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="lianban-year-"))
    try:
        settings = Settings(data_dir=folder, database_url=options.database, simulate=True, _env_file=None)
        prepare_database(settings)
        year = asyncio.run(Simulation(settings, options.cases, options.seed).run())
        print(json.dumps(asdict(year), ensure_ascii=False))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
