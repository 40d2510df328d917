"""The town of the fault run: a pack in which 25 departments have something to do, and how a third of them misbehave."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any

import yaml

import services.policy
from api.demo.people import synthetic_applications
from api.sandbox.behaviour import Behaviour, Dice, read_behaviours
from models import EntitlementState, StepKind, StepState
from services.intake.application import Application

SEED = 0
# Eight departments, and between them every way in which a sandbox department can misbehave.
FAULTS = (
    "health:slow=400@0.5",
    "hrss:error=503@0.3",
    "police:busy=1@0.3",
    "housing-administration:reset@0.3",
    "culture:malformed@0.3",
    "justice:later=1",
    "justice:wrong_signature@0.3",
    "trade-union:decline=quota-full@0.3",
    "sports:forget@0.3",
)
_PACK = Path(services.policy.__file__).parent / "packs" / "zibo-2014-87.yaml"
_OFFICE, _MEETING = "leading-group-office", "joint-meeting"


def write_pack(path: Path) -> list[str]:
    """The pack of the opinion, its services shared out among the 25 departments of the joint meeting and its
    associates, so that each has some. Who owns a service is a dated field of the pack, never code. The departments.
    """
    pack = yaml.safe_load(_PACK.read_text(encoding="utf-8"))
    departments = [one["code"] for one in pack["departments"] if one["code"] not in (_OFFICE, _MEETING)]
    sent = [service for service in pack["services"] if service["kind"] != "public"]
    # Those on no condition first, so that every department gets one that every holder has.
    sent.sort(key=lambda service: (service["tier"], len(service.get("conditions", ()))))
    for index, service in enumerate(sent):
        service["owner"] = [{**service["owner"][0], "code": departments[index % len(departments)]}]
    for fact in pack["facts"]:
        if fact["owner"][0]["code"] == _OFFICE:
            fact["owner"] = [{**fact["owner"][0], "code": departments[0]}]
    path.write_text(yaml.safe_dump(pack, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return departments


def applicants(count: int, seed: int = 7) -> list[Application]:
    """Applicants on grounds that a department can prove: the ground `other` waits for the joint meeting (A8)."""
    drawn = (application for application, _ in synthetic_applications(2 * count + 8, seed, date(2014, 11, 3)))
    return list(islice((one for one in drawn if "other" not in one.grounds), count))


def misbehaving() -> list[str]:
    """The departments that do."""
    return sorted(read_behaviours(list(FAULTS)))


def mended() -> dict[str, dict[str, Any]]:
    """How the departments behave once they have mended. To decline, or to tell later, is their right, and goes on."""
    rights = {"decline", "later"}
    faults = read_behaviours(list(FAULTS))
    return {code: faulty.model_dump(include=rights, exclude_none=True) for code, faulty in faults.items()}


def expected_state(department: str, kind: StepKind, step: str) -> StepState:
    """How a step must end: whatever went wrong under way, only what the department itself declines is not done."""
    declining = read_behaviours(list(FAULTS)).get(department, Behaviour()).decline
    declines = kind is StepKind.ENTITLEMENTS and declining is not None and Dice(SEED).strikes(declining, step)
    return StepState.DECLINED if declines else StepState.DONE


def held_by_departments(sandbox: Path) -> tuple[set[tuple[str, str, str]], int, int]:
    """What the departments' own books say: services open by (department, case, service); effects; how many of the
    effects opened what another step had opened already.
    """
    with sqlite3.connect(sandbox) as books:
        rows = books.execute(
            "SELECT department, case_number, service, action, max(sequence) FROM effects GROUP BY 1, 2, 3"
        )
        held = {(who, case, service) for who, case, service, action, _ in rows if action == "open"}
        effects, doubled = books.execute("SELECT count(*), coalesce(sum(doubled), 0) FROM standing").fetchone()
        tried = books.execute("SELECT coalesce(sum(times - 1), 0) FROM effects").fetchone()[0]
    books.close()
    return held, int(doubled), int(tried) if effects else 0


def in_force(rows: Iterable[Any]) -> set[tuple[str, str, str]]:
    """What our ledger says: the services in force, in the same form."""
    return {(row.department, row.case_number, row.service) for row in rows if row.state is EntitlementState.IN_FORCE}


def leaks(folder: Path, needles: Mapping[str, str]) -> dict[str, list[str]]:
    """In which files under ``folder`` anything of ``needles`` (text to what it is) stands, by what it is."""
    found: dict[str, set[str]] = {}
    wanted = {text.encode(): what for text, what in needles.items()}
    for file in sorted(one for one in folder.rglob("*") if one.is_file()):
        content = file.read_bytes()
        for text, what in wanted.items():
            if text in content:
                found.setdefault(what, set()).add(file.name)
    return {what: sorted(files) for what, files in found.items()}


def secrets_in(path: Path) -> list[str]:
    """The signing secrets in a file of the sandbox, without the prefix that all share."""
    return [secret.removeprefix("whsec_") for secret in json.loads(path.read_text(encoding="utf-8")).values()]
