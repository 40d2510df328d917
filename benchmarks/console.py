"""What a page of the console costs its reader: weight, requests, and time to the first useful paint.

``python -m benchmarks.console FOLDER``: over an installation that ``benchmarks.store`` filled; its HTTP door is started
and stopped again. Each page is opened with an empty cache and then once more; times are medians of five, in
milliseconds. ``useful`` is when the first row of the page's main table stands on the screen. One JSON line.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
from pathlib import Path
from typing import Any

import httpx
from playwright.async_api import Browser, Response

from api.system.installation import prepare_database
from api.system.programs import free_port, programs
from api.system.whole import Ports, environment, start_api
from models import Role
from services.access import create_key
from services.house import House, open_house
from services.settings import Settings
from tests.browser.chromium import chromium, executable, person

_PAGES = {
    "overview": ("/console/overview", "#departments tbody tr"),
    "cases": ("/console/cases", "#list tbody tr"),
    "cases of a district": ("/console/cases?district=370303&stage=open", "#list tbody tr"),
}
_TIMES = 5


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    settings = Settings(data_dir=parser.parse_args().folder, simulate=True, _env_file=None)
    path = executable()
    if path is None:
        parser.error("no Chromium on this machine")
    prepare_database(settings)
    print(json.dumps(asyncio.run(_measure(settings, path)), ensure_ascii=False))


async def _measure(settings: Settings, path: str) -> dict[str, Any]:
    ports = Ports(free_port(), free_port(), free_port())
    async with programs(environment(settings, ports), settings.data_dir / "logs") as running:
        async with open_house(settings) as house:
            key = await _key(house)
        await start_api(running, ports)
        found: dict[str, Any] = {}
        async with chromium(path) as browser:
            for name, (address, row) in _PAGES.items():
                cold = [await _open(browser, ports.api_url, key, address, row) for _ in range(_TIMES)]
                found[name] = {what: round(statistics.median(one[what] for one in cold)) for what in cold[0]} | {
                    "server_ms": await _server(ports.api_url, key, address)
                }
        return found


async def _open(browser: Browser, url: str, key: str, address: str, row: str) -> dict[str, float]:
    """One look with an empty cache, and a second one."""
    async with person(browser, url) as someone:
        await someone.context.set_extra_http_headers({"authorization": f"Bearer {key}"})
        sizes: list[int] = []

        async def weigh(answer: Response) -> None:
            if "/changes" not in answer.url:
                sizes.append((await answer.request.sizes())["responseBodySize"])

        someone.page.on("response", weigh)
        await someone.open(address)
        await someone.page.wait_for_selector(row)
        first = await _painted(someone.page)
        requests, weight = len(sizes), sum(sizes)
        await someone.open(address)
        await someone.page.wait_for_selector(row)
        again = await _painted(someone.page)
        return {"requests": requests, "kilobytes": weight / 1000, "useful_ms": first, "useful_again_ms": again}


async def _painted(page: Any) -> float:
    """When the page was painted; what it shows was all in the answer, so the first paint is a useful one."""
    script = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? performance.now()"
    return float(await page.evaluate(script))


async def _server(url: str, key: str, address: str) -> float:
    """The median time to the last byte, without a browser."""
    async with httpx.AsyncClient(trust_env=False, headers={"authorization": f"Bearer {key}"}, timeout=120) as client:
        times = []
        for _ in range(_TIMES):
            answer = await client.get(f"{url}{address}")
            answer.raise_for_status()
            times.append(answer.elapsed.total_seconds() * 1000)
            # What is kept for a moment is not what is measured.
            await asyncio.sleep(1.2)
    return round(statistics.median(times))


async def _key(house: House) -> str:
    async with house.database.write("benchmark") as transaction:
        now = house.database.clock.now()
        return await create_key(transaction, house.packs, now, name="bench", role=Role.COORDINATOR, days=1)


if __name__ == "__main__":
    main()
