"""The case every engine is given, and how its run is reported.

5 verification calls at once, each result durable; decide and write the permit; 15 signed messages to departments, each
outcome durable; mark it complete. Every call goes out through aiohttp, with one pooled session a process: which client
an engine's user picks would otherwise decide more than the engine does (docs/decisions/0004).
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import hashlib
import hmac
import json
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp

VERIFIERS = ("police", "hrss", "housing", "commerce", "civil-affairs")
MESSAGES = 15
_KEY = hashlib.sha256(b"benchmark").digest()
_sessions: dict[asyncio.AbstractEventLoop, aiohttp.ClientSession] = {}


def options(engine: str) -> argparse.Namespace:
    """What every engine's program is told."""
    parser = argparse.ArgumentParser(description=f"The permit case on {engine}")
    parser.add_argument("--url", required=True, help="where the departments are")
    parser.add_argument("--cases", type=int, default=200)
    parser.add_argument("--in-flight", type=int, default=50)
    parser.add_argument("--database", default="", help="a PostgreSQL URL for engines that need one")
    parser.add_argument("--port", type=int, default=0, help="the first of three ports that the engine may take")
    return parser.parse_args()


def verification(case: str, department: str) -> dict[str, Any]:
    """What is asked of a department."""
    return {"id": f"{case}-v-{department}", "case": case, "facts": ["identity_matches"], "person": "测试甲" * 20}


def message(case: str, place: int) -> dict[str, Any]:
    """What a department is told of a permit."""
    services = [f"ZB87-3.1.{number}" for number in range(3)]
    return {"id": f"{case}-m-{place}", "case": case, "open": services, "person": "测试甲" * 20}


def decide(case: str, verified: list[bool]) -> dict[str, Any]:
    """The permit, if everything was confirmed."""
    return {"case": case, "permit": all(verified), "term_years": 3}


def sign(body: dict[str, Any]) -> tuple[bytes, dict[str, str]]:
    """The bytes of a message, and its headers with their signature (Standard Webhooks)."""
    sent, at = json.dumps(body).encode(), str(int(time.time()))
    signed = base64.b64encode(hmac.digest(_KEY, f"{body['id']}.{at}.".encode() + sent, "sha256")).decode()
    return sent, {
        "content-type": "application/json",
        "webhook-id": body["id"],
        "webhook-timestamp": at,
        "webhook-signature": f"v1,{signed}",
    }


async def call(url: str, body: dict[str, Any]) -> bool:
    """Send one signed message; whether the department confirmed. Raises for anything but 200."""
    loop = asyncio.get_running_loop()
    session = _sessions.get(loop)
    if session is None or session.closed:
        connector = aiohttp.TCPConnector(limit=256)
        session = _sessions[loop] = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
    sent, headers = sign(body)
    async with session.post(f"{url}/plain", data=sent, headers=headers) as response:
        response.raise_for_status()
        return bool((await response.json())["ok"])


async def close() -> None:
    """Close this loop's session."""
    session = _sessions.pop(asyncio.get_running_loop(), None)
    if session is not None:
        await session.close()


async def run_all(told: argparse.Namespace, one: Callable[[str], Awaitable[Any]]) -> dict[str, float]:
    """Run every case, ``in_flight`` at once, after a few to warm up; how fast they were."""
    for place in range(5):
        await one(f"warm-{time.time_ns()}-{place}")
    print("WARM", flush=True)
    waiting = iter(range(told.cases))
    took: list[float] = []

    async def work() -> None:
        for place in waiting:
            started = time.perf_counter()
            await one(f"{time.time_ns()}-{place}")
            took.append(time.perf_counter() - started)

    started = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(told.in_flight)))
    seconds = time.perf_counter() - started
    took.sort()
    return {
        "cases": told.cases,
        "seconds": round(seconds, 2),
        "cases_per_s": round(told.cases / seconds, 2),
        "p50_s": round(took[len(took) // 2], 3),
        "p99_s": round(took[int(len(took) * 0.99)], 3),
    }


def report(found: dict[str, float]) -> None:
    """Say it, and wait until whoever started the program has read how much processor was spent."""
    print(json.dumps(found), flush=True)
    sys.stdin.readline()
