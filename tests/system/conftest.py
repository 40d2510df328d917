"""One Prefect server for every test of the whole."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.testing.servers import PrefectServer, shared_server


@pytest.fixture(scope="session")
def prefect_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrefectServer]:
    with shared_server.use(tmp_path_factory.mktemp("prefect")) as server:
        yield server
