"""The files of docs/deploy hold: every command and option is one of ours, every setting is known, every port fits."""

from __future__ import annotations

import configparser
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import prefect.settings
import pytest
import typer
import yaml

from api.cli import COMMANDS, build
from api.system.deploying import POOL, declared
from api.system.whole import prefect_server
from services.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "docs" / "deploy"
UNITS = sorted((DEPLOY / "systemd").iterdir())
SERVICES = [unit for unit in UNITS if unit.suffix == ".service"]
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))


def _variables() -> dict[str, str]:
    lines = (DEPLOY / "lianban.env").read_text(encoding="utf-8").splitlines()
    pairs = [line.partition("=") for line in lines if line and not line.startswith("#")]
    return {name: value for name, _, value in pairs}


def _unit(path: Path) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(path.read_text(encoding="utf-8"))
    return parser


def _commands() -> Iterator[tuple[str, list[str]]]:
    for unit in SERVICES:
        yield unit.name, shlex.split(_unit(unit)["Service"]["ExecStart"])
    for name, service in COMPOSE["services"].items():
        if service.get("image") == "lianban":
            yield f"compose {name}", [str(word) for word in service["command"]]


PROGRAMS = dict(_commands())


def _check(command: Any, words: list[str]) -> None:
    """Walk down the command's groups, and know every option."""
    while hasattr(command, "commands"):
        command, words = command.commands[words[0]], words[1:]
    takes_value = {word: not getattr(one, "is_flag", False) for one in command.params for word in one.opts}
    while words:
        assert words[0] in takes_value, f"no such option: {words[0]}"
        words = words[2:] if takes_value[words[0]] else words[1:]


@cache
def _help(*words: str) -> str:
    command = [sys.executable, "-m", "prefect", *words, "--help"]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout  # noqa: S603


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_every_command_and_option_is_known(name: str) -> None:
    program, *words = PROGRAMS[name]
    if Path(program).name == "lianban":
        assert words[0] in COMMANDS
        # With a second one, so that it is a group as it is on the command line.
        _check(typer.main.get_command(build([words[0], "status"])), words)
    else:
        assert Path(program).name == "prefect"
        told = _help(*words[:2])
        assert [word for word in words[2:] if word.startswith("--") and word not in told] == []


def test_the_programs_of_both_ways_are_the_same() -> None:
    def kinds(names: Iterator[str]) -> set[str]:
        told = {" ".join(Path(PROGRAMS[name][0]).name.split() + PROGRAMS[name][1:]) for name in names}
        return {re.sub(r" --(host|port|trust|name) \S+", "", one) for one in told} - {"lianban migrate"}

    systemd = kinds(name for name in PROGRAMS if not name.startswith("compose"))
    assert systemd == kinds(name for name in PROGRAMS if name.startswith("compose"))
    assert len(systemd) == 5


def _names(model: Any, prefix: str) -> Iterator[str]:
    """The environment variables of a tree of settings."""
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and hasattr(field.annotation, "model_fields"):
            yield from _names(field.annotation, f"{prefix}{name.upper()}_")
        yield f"{prefix}{name.upper()}"


def test_every_variable_is_a_setting() -> None:
    known = {*_names(Settings, "LIANBAN_"), *_names(prefect.settings.Settings, "PREFECT_"), "DO_NOT_TRACK"}
    # Read by prefect-redis; and short names that Prefect knows for two settings of its events.
    known |= {"PREFECT_REDIS_MESSAGING_URL", "PREFECT_MESSAGING_BROKER", "PREFECT_MESSAGING_CACHE"}
    assert _variables().keys() - known == set()


def test_prefect_is_told_what_our_own_settings_tell_it(tmp_path: Path) -> None:
    variables = _variables()
    settings = Settings(
        data_dir=tmp_path, redis_url=variables["LIANBAN_REDIS_URL"], prefect_auth=variables["LIANBAN_PREFECT_AUTH"],
        prefect_database_url=variables["PREFECT_SERVER_DATABASE_CONNECTION_URL"], _env_file=None,
    )  # fmt: skip
    assert prefect_server(settings).items() <= variables.items()
    assert variables["PREFECT_API_URL"] == variables["LIANBAN_PREFECT_API_URL"]
    assert settings.model_validate(settings.model_dump())


def test_pool_and_queues_are_those_that_are_deployed() -> None:
    deployments = yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))["deployments"]
    assert {one["name"] for one in deployments} == declared()
    assert {one["work_pool"]["name"] for one in deployments} == {POOL}
    deployed = {one["work_pool"]["work_queue_name"] for one in deployments}
    told = [words for words in PROGRAMS.values() if words[1:3] == ["worker", "start"]]
    assert {words[words.index("--pool") + 1] for words in told} == {POOL}
    assert {words[words.index("--work-queue") + 1] for words in told} == deployed
    for words in told:
        # One dispatcher a worker: what makes their number known.
        assert ("--limit" in words) == ("dispatch" in words)


def test_ports_fit() -> None:
    ports = {name: words[words.index("--port") + 1] for name, words in PROGRAMS.items() if "--port" in words}
    prefect_port = _variables()["PREFECT_API_URL"].rpartition(":")[2].partition("/")[0]
    assert {port for name, port in ports.items() if "prefect" in name} == {prefect_port}
    assert ports["lianban-api@.service"] == "%i"
    proxy = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
    assert f"server api:{ports['compose api']} " in proxy
    assert "location = /api/v1/changes" in proxy
    megabytes = re.search(r"client_max_body_size (\d+)m", proxy)
    assert megabytes is not None
    assert int(megabytes[1]) * 1_000_000 <= Settings(_env_file=None).max_body_bytes


def test_compose_is_whole() -> None:
    services, volumes = COMPOSE["services"], COMPOSE["volumes"]
    for name, service in services.items():
        wanted = service.get("depends_on", [])
        assert set(wanted) <= services.keys(), name
        for volume in service.get("volumes", []):
            source = volume.partition(":")[0]
            assert source in volumes or source.startswith("./"), volume
        assert service["restart"] in ("always", "on-failure"), name
    for name in ("./databases.sql", "./nginx.conf"):
        assert (DEPLOY / name).exists()
    assert {"lianban", "prefect"} == {
        "lianban",
        *re.findall(r"CREATE DATABASE (\w+)", (DEPLOY / "databases.sql").read_text()),
    }


def test_the_image_holds_what_the_programs_need() -> None:
    copied = set(re.findall(r"^COPY (.+) \S+$", (DEPLOY / "Dockerfile").read_text(encoding="utf-8"), re.M))
    files = {word for line in copied for word in line.split()}
    assert {"models", "services", "flows", "api", "prefect.yaml", "pyproject.toml", "constraints.txt"} <= files
    assert all((ROOT / name).exists() for name in files)


@pytest.mark.parametrize("unit", SERVICES, ids=lambda path: path.name)
def test_units_come_again_and_have_few_rights(unit: Path) -> None:
    service = _unit(unit)["Service"]
    assert service["Restart"] == "always"
    assert service["EnvironmentFile"] == "/etc/lianban/lianban.env"
    assert service["NoNewPrivileges"] == "true"
    assert service["ProtectSystem"] == "strict"
    assert f"/var/lib/{service['StateDirectory']}" == _variables()["LIANBAN_DATA_DIR"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    for unit in UNITS:
        # The programs, the account and the papers are those of an installation, not of this machine.
        text = re.sub(r"(?m)^ExecStart=\S+", f"ExecStart={shutil.which('true')}", unit.read_text(encoding="utf-8"))
        (tmp_path / unit.name).write_text(re.sub(r"(?m)^(User|Group|Documentation)=.*\n", "", text), encoding="utf-8")
    files = [str(tmp_path / unit.name) for unit in UNITS]
    command = ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603
    assert done.returncode == 0, done.stderr
    assert str(tmp_path) not in done.stderr
