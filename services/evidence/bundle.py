"""The bundle (证据包): one file of canonical JSON (RFC 8785), sealed, that is checked without a database.

It bears what the department was sent about the person, and the decision with its facts: handle it as the case itself.
"""

from __future__ import annotations

from typing import Any

import rfc8785

from services.errors import InputError
from services.evidence.gathering import gather
from services.evidence.seal import ALGORITHM, Seal
from services.house import House

FORMAT = "lianban-evidence/1"


async def write_bundle(house: House, step_id: str, actor: str) -> bytes:
    """The bundle of the step ``step_id``. That ``actor`` had it written is noted in the audit log.

    Errors as ``gathering.gather``.
    """
    async with house.database.write(actor) as transaction:
        content = await gather(transaction.connection, house, step_id)
        transaction.note("evidence.written", content["step"]["case"], step=step_id)
        at = transaction.at
    seal = Seal.of(house.keys)
    content |= {
        "format": FORMAT,
        "written": {"at": at.isoformat(), "by": actor, "source": house.settings.source},
    }
    sealed = {"algorithm": ALGORITHM, "public_key": seal.public_key}
    signature = seal.sign(unsigned(content | {"seal": sealed}))
    return encode(content | {"seal": sealed | {"signature": signature}})


def encode(bundle: dict[str, Any]) -> bytes:
    """A bundle as the bytes of its file: canonical JSON and a line feed."""
    try:
        return rfc8785.dumps(bundle) + b"\n"
    except rfc8785.CanonicalizationError as problem:
        raise InputError("holds what JSON cannot write canonically", place="bundle") from problem


def unsigned(bundle: dict[str, Any]) -> bytes:
    """What the seal signs: the whole bundle but for the signature itself."""
    seal = {name: value for name, value in bundle["seal"].items() if name != "signature"}
    return encode(bundle | {"seal": seal})
