"""A PostgreSQL for measurements: every commit on the disk, as in service."""

from __future__ import annotations

import psutil

from tests.testing.postgres import PostgresServer


class DurablePostgres(PostgresServer):
    """A cluster in a temporary folder with fsync on; ``with`` starts it and removes it."""

    def __init__(self, options: str = "-c shared_buffers=256MB") -> None:
        super().__init__()
        self._options = options

    def start(self) -> None:
        """Start the server and wait until it answers."""
        options = f"-k {self.folder} -c listen_addresses='' -c max_connections=100 {self._options}"
        self._run("pg_ctl", "-D", self.folder / "data", "-w", "-l", self.folder / "log", "-o", options, "start")

    @property
    def plain_dsn(self) -> str:
        """The URL as programs without SQLAlchemy take it."""
        return self.dsn.replace("+asyncpg", "")

    @property
    def pid(self) -> int:
        """The server's process."""
        return int((self.folder / "data" / "postmaster.pid").read_text().splitlines()[0])

    def processes(self) -> list[psutil.Process]:
        """The server, whose backends are its children."""
        return [psutil.Process(self.pid)]
