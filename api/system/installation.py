"""First preparation of an installation: folder, database, and, on a rehearsal, the sandbox departments connected."""

from __future__ import annotations

import json
import os
from datetime import date
from pathlib import Path

from models import Role
from services.access import Caller, create_key
from services.access.accounts import NewAccount, create_account, list_accounts
from services.access.management import Management
from services.access.posts import Post
from services.endpoints import open_targets, register_endpoint
from services.exchange.delivery import Target
from services.exchange.signatures import new_secret
from services.house import House
from services.migration import upgrade
from services.policy.pack import Pack
from services.settings import Settings

_OPERATOR_DAYS = 365
# Where the people of a rehearsal work.
_REHEARSED = {role: Post(role) for role in Role} | {
    Role.CLERK: Post(Role.CLERK, "370303", "科苑派出所"),
    Role.OFFICER: Post(Role.OFFICER, "hrss"),
}


def prepare_database(settings: Settings) -> None:
    """Make the folder, the keys and the database, or bring the database up to date. Call it outside an event loop."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    _ = settings.keys
    upgrade(settings.dsn)


async def operator_key(house: House) -> str:
    """The administrator's key of this installation, made at the first start and kept in its folder (mode 0600)."""
    path = house.settings.data_dir / "admin.key"
    if path.exists():
        return path.read_text(encoding="utf-8").strip()
    async with house.database.write("setup") as transaction:
        now = house.database.clock.now()
        key = await create_key(
            transaction, house.packs, now, name="operator", role=Role.ADMINISTRATOR, scope=None, days=_OPERATOR_DAYS
        )
        _write_secret(path, key + "\n")
    return key


async def rehearsal_accounts(house: House) -> list[NewAccount]:
    """On a rehearsal that has no account yet: one for each role, with passwords that last."""
    async with house.database.read() as connection:
        if await list_accounts(connection):
            return []
    setup = Management(Caller("setup", Role.ADMINISTRATOR))
    return [
        await create_account(house.database, house.packs, setup, role.value, post, initial=False)
        for role, post in _REHEARSED.items()
    ]


def _write_secret(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        out.write(text)


def asked_departments(pack: Pack, on: date) -> list[str]:
    """Every department that owns a fact or a service on a day, in the order of their codes."""
    owners = {fact.owner_on(on) for fact in pack.facts.values()}
    owners |= {service.owner_on(on) for service in pack.services.values() if service.kind != "public"}
    return sorted(owners)


def sandbox_secrets(path: Path, departments: list[str]) -> dict[str, str]:
    """The sandbox departments' signing secrets, made once and kept in ``path`` (mode 0600)."""
    secrets: dict[str, str] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    missing = [code for code in departments if code not in secrets]
    if missing:
        secrets |= {code: new_secret() for code in missing}
        _write_secret(path, json.dumps(secrets))
    return secrets


async def connect_sandbox(house: House, url: str, secrets: dict[str, str], batch_size: int = 1) -> None:
    """Connect every sandbox department under ``url``; those connected alike already are left alone."""
    async with house.database.read() as connection:
        standing = await open_targets(connection, house.keys)
    wanted = {
        code: Target(code, f"{url}/departments/{code}/webhook", (secret,), batch_size)
        for code, secret in secrets.items()
    }
    async with house.database.write("setup") as transaction:
        for code, target in wanted.items():
            if standing.get(code) != target:
                await register_endpoint(transaction, house.keys, target)
