"""Every page of the console at 1440 × 900, over a running system: the demonstration's 200 applications in three weeks.

``python -m benchmarks.screenshots OUT [--language en] [--width 820] [--pdf]``: PNG files named as in
``tests/browser/pages.py``, or what a printer would make of each page. It needs Chromium and takes some five minutes,
most of them for Prefect and for the work itself.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from pathlib import Path

from api.system.whole import deploy, start_worker
from tests.browser.chromium import chromium, executable, person
from tests.browser.pages import SCREENS, places
from tests.browser.town import live_on, running_town
from tests.testing.servers import PrefectServer

_ROWS, _FIRST_DAY, _DAYS = 200, 20, 15


def main() -> None:
    """Take them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--language", choices=("zh", "en"), default="zh")
    parser.add_argument("--width", type=int, default=1440, help="of the screen; the height follows, 8 to 5")
    parser.add_argument("--rows", type=int, default=_ROWS, help="how many applications")
    parser.add_argument("--pdf", action="store_true", help="as printed, not as seen")
    options = parser.parse_args()
    path = executable()
    if path is None:
        parser.error("no Chromium on this machine")
    options.out.mkdir(parents=True, exist_ok=True)
    asyncio.run(_take(path, options))


async def _take(path: str, options: argparse.Namespace) -> None:
    screen_size = {"width": options.width, "height": options.width * 5 // 8}
    with tempfile.TemporaryDirectory() as folder:
        prefect = PrefectServer(Path(folder) / "prefect")
        prefect.start()
        try:
            async with running_town(Path(folder) / "town", prefect, _FIRST_DAY) as town, chromium(path) as browser:
                await live_on(town, _FIRST_DAY, options.rows, _DAYS)
                # Before there is a worker, whose own schedules would call the meeting that is looked at.
                filled = await places(town)
                await deploy(town.system.running.run)
                await start_worker(town.system.running)
                for role in dict.fromkeys(screen.role for screen in SCREENS):
                    async with person(browser, town.url, screen=screen_size) as someone:
                        await someone.sign_in(role, town.passwords[role])
                        for screen in SCREENS:
                            if screen.role == role:
                                address = screen.address.format(**filled)
                                await someone.open(f"{address}{'&' if '?' in address else '?'}lang={options.language}")
                                if options.pdf:
                                    await someone.page.pdf(
                                        path=options.out / f"{screen.name}.pdf", format="A4", prefer_css_page_size=True
                                    )
                                else:
                                    await someone.page.screenshot(path=options.out / f"{screen.name}.png")
                                print(screen.name)
        finally:
            prefect.stop()


if __name__ == "__main__":
    main()
