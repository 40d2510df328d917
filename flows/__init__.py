"""Order and fan-out only: Prefect flows, one a file, over thin tasks that call services."""

import asyncio
import sys

import uvloop

# Prefect's engine imports the flow and only then opens the loop it runs in. Nobody else's loop is changed.
if getattr(sys.modules["__main__"].__spec__, "name", "").partition(".")[0] == "prefect":
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
