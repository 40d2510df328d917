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
import sys
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
    parser.add_argument("--folder", type=Path, help="keep the store of the year there; thrown away if left out")
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="lianban-year-"))
    try:
        settings = Settings(data_dir=folder, database_url=options.database, simulate=True, _env_file=None)
        prepare_database(settings)
        year = asyncio.run(Simulation(settings, options.cases, options.seed, tell=_tell).run())
        print(json.dumps(asdict(year), ensure_ascii=False))
    finally:
        if options.folder is None:
            shutil.rmtree(folder, ignore_errors=True)


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
