"""One Prefect server for every test of the whole, and one cluster for every test of several machines."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from tests.testing.cluster import Cluster, cluster
from tests.testing.servers import PrefectServer, shared_server


@pytest.fixture(scope="session")
def prefect_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrefectServer]:
    with shared_server.use(tmp_path_factory.mktemp("prefect")) as server:
        yield server


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Cluster]:
    """One cluster for every test of several machines; each leaves it whole."""
    async with cluster(tmp_path_factory.mktemp("cluster")) as town:
        await town.start_sandbox(faults=["hrss:slow=150"])
        yield town
