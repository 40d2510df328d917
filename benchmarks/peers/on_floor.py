"""The bare floor: the calls of the case and nothing else, through aiohttp; a crash loses everything."""

from __future__ import annotations

import asyncio

from benchmarks.peers.case import (
    MESSAGES,
    VERIFIERS,
    call,
    close,
    decide,
    message,
    options,
    report,
    run_all,
    verification,
)


def main() -> None:
    """Run and report."""
    told = options("nothing at all")

    async def one(case: str) -> None:
        verified = await asyncio.gather(*(call(told.url, verification(case, code)) for code in VERIFIERS))
        decide(case, verified)
        await asyncio.gather(*(call(told.url, message(case, place)) for place in range(MESSAGES)))

    async def run() -> None:
        report(await run_all(told, one))
        await close()

    asyncio.run(run())


if __name__ == "__main__":
    main()
