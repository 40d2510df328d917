"""The bare floor with the client most people take: httpx, one pool of 64 connections; nothing is stored."""

from __future__ import annotations

import asyncio

import httpx

from benchmarks.peers.case import MESSAGES, VERIFIERS, message, options, report, run_all, verification


def main() -> None:
    """Run and report."""
    told = options("nothing at all, httpx")

    async def run() -> None:
        limits = httpx.Limits(max_connections=64)
        async with httpx.AsyncClient(limits=limits, trust_env=False, timeout=120) as client:

            async def send(body: dict[str, object]) -> None:
                (await client.post(f"{told.url}/plain", json=body)).raise_for_status()

            async def one(case: str) -> None:
                await asyncio.gather(*(send(verification(case, code)) for code in VERIFIERS))
                await asyncio.gather(*(send(message(case, place)) for place in range(MESSAGES)))

            report(await run_all(told, one))

    asyncio.run(run())


if __name__ == "__main__":
    main()
