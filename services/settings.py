"""What an installation may set, by environment variable (``LIANBAN_…``) or ``.env`` file; nothing else configures it.

On the embedded default everything lives in one folder, ``data_dir``: the database, the keys, the logs.
"""

from __future__ import annotations

import json
import os
import secrets
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from services.access.openid.rules import PostRule
from services.access.sessions import SessionTerms
from services.errors import InputError
from services.exchange.addresses import PORTS
from services.sealing import KeyRing, new_key


class Settings(BaseSettings):
    """One installation. Seconds are seconds, URLs have no slash at the end, lists are written by commas.

    ``intranet``: networks (``10.0.0.0/8``) in which departments' endpoints may be although they are private; all
    others must be public, by https, on one of ``endpoint_ports``. ``approval_above``: a remedy for more cases than that
    needs a second person. ``public_threshold``: numbers below it are not told to the public. ``session_minutes``: how
    long a person stays signed in without doing anything; ``session_hours``: at the longest. ``oidc_…``: the identity
    provider, our client there, and, in JSON, which claims mean which post (``services.access.openid.rules``).
    ``changes_…``: how many may follow changes live at one process, how long one answer to them lasts, and how often it
    looks whether their key still holds.

    ``prefect_auth``: ``name:password`` that Prefect's server asks for. ``prefect_database_url``, ``redis_url``: what
    that server stands on where there are several machines. ``dispatchers``: the most at work at once; 0: as many as
    workers make room for. ``intake_seats``, ``seats``: requests that one process of the HTTP door serves at once, at
    intake and beside it; ``bench``: how many more may wait. ``caller_per_second``: how often one caller may call.
    """

    model_config = SettingsConfigDict(env_prefix="LIANBAN_", env_file=".env", extra="ignore", frozen=True)

    data_dir: Path = Path(".lianban")
    database_url: str = ""
    prefect_api_url: str = "http://127.0.0.1:4200/api"
    prefect_auth: str = Field(default="", pattern="^([^:]+:.+)?$", repr=False)
    prefect_database_url: str = ""
    redis_url: str = ""
    public_url: str = "http://127.0.0.1:8700"
    source: str = "urn:lianban:zibo"
    keys_file: Path | None = None
    simulate: bool = False
    lease_seconds: float = Field(default=90.0, gt=0, le=600)
    batch_limit: int = Field(default=400, ge=1, le=2000)
    approval_above: int = Field(default=20, ge=0)
    public_threshold: int = Field(default=10, ge=3)
    dispatchers: int = Field(default=0, ge=0)
    linger_seconds: float = Field(default=50.0, ge=0)
    poll_seconds: float = Field(default=0.5, gt=0)
    max_body_bytes: int = 1_000_000
    oidc_issuer: str = ""
    oidc_client_id: str = ""
    oidc_client_secret: SecretStr = SecretStr("")
    oidc_ca_file: Path | None = None
    oidc_name_claim: str = "preferred_username"
    oidc_posts: tuple[PostRule, ...] = ()
    intake_seats: int = Field(default=4, ge=1)
    seats: int = Field(default=8, ge=1)
    bench: int = Field(default=32, ge=0)
    caller_per_second: int = Field(default=100, ge=1)
    session_minutes: int = Field(default=60, ge=1, le=1_440)
    session_hours: int = Field(default=12, ge=1, le=168)
    changes_seats: int = Field(default=200, ge=1)
    changes_seconds: float = Field(default=600.0, gt=0)
    changes_rest_seconds: float = Field(default=10.0, gt=0)
    otlp_endpoint: str = ""
    answers_kept_days: int = Field(default=1_095, ge=0)
    refused_kept_days: int = Field(default=1_095, ge=0)
    intranet: Annotated[tuple[str, ...], NoDecode] = ()
    endpoint_ports: Annotated[tuple[int, ...], NoDecode] = PORTS
    packs: Annotated[tuple[Path, ...], NoDecode] = ()

    @field_validator("intranet", "endpoint_ports", "packs", mode="before")
    @classmethod
    def _by_commas(cls, given: object) -> object:
        """A list as it stands in an environment variable."""
        return tuple(filter(None, map(str.strip, given.split(",")))) if isinstance(given, str) else given

    @cached_property
    def dsn(self) -> str:
        """The SQLAlchemy URL: what was set, or SQLite in the data folder."""
        return self.database_url or f"sqlite+aiosqlite:///{self.data_dir.resolve() / 'lianban.db'}"

    @property
    def session_terms(self) -> SessionTerms:
        """How long a person stays signed in."""
        return SessionTerms(timedelta(minutes=self.session_minutes), timedelta(hours=self.session_hours))

    @property
    def keys_path(self) -> Path:
        """Where the key ring stands."""
        return self.keys_file or self.data_dir / "keys.json"

    @cached_property
    def keys(self) -> KeyRing:
        """The keys that seal personal data: from ``keys_file``, or made once in the data folder, mode 0600."""
        path = self.keys_path
        if not path.exists():
            if self.keys_file is not None:
                raise InputError("no such file; point LIANBAN_KEYS_FILE at the key ring", place="keys_file")
            _create_keys(path)
        try:
            return KeyRing.of_file(path)
        except (ValueError, KeyError, TypeError) as problem:
            raise InputError("is no key ring; restore it from a backup", place=path.name) from problem


def _create_keys(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    ring = {"current": "k1", "keys": {"k1": new_key()}, "lookup": new_key()}
    draft = path.with_suffix(f".{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        json.dump(ring, out)
    # link(), unlike replace(), fails when another process was first: its keys stand, ours are thrown away.
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
