"""What other programs build on: schemas of messages, reason codes, policies."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request

from api.access import GuardedRoute
from api.openapi import problems
from api.state import TheHouse
from api.views.city import Policy, PolicyItem, PolicyList, Reason, Reasons, SchemaItem, SchemaList
from api.views.words import Code, Words
from services.exchange.asyncapi import asyncapi
from services.exchange.reasons import PERMIT_END_REASONS, REASONS
from services.exchange.schemas import ANSWER, TYPES, schema
from services.policy.pack import Pack

router = APIRouter(prefix="/api/v1", tags=["reference"], route_class=GuardedRoute)

MessageType = Annotated[
    str, Path(pattern="^[a-z0-9.]{1,80}$", description="消息类型 / type of message", examples=[TYPES[0]])
]
PackCode = Annotated[
    str,
    Path(
        pattern="^[a-z0-9-]{1,64}(@[0-9]{1,6})?$",
        description="政策代码；以 @ 加版本号指明修订后的版本 / code of the pack; with @ and a number, a later version",
    ),
]


@router.get("/schemas", response_model=SchemaList)
async def list_schemas(house: TheHouse) -> SchemaList:
    """List the types of message, each with the address of its JSON Schema."""
    base = f"{house.settings.public_url.rstrip('/')}/api/v1/schemas"
    return SchemaList(items=[SchemaItem(type=name, schema_url=f"{base}/{name}.json") for name in (*TYPES, ANSWER)])


@router.get("/schemas/{type}.json", response_model=dict[str, Any], responses=problems(404, 422))
async def show_schema(type: MessageType) -> dict[str, Any]:  # noqa: A002 - the word of CloudEvents, and of the address
    """Show the JSON Schema (2020-12) of a type's data, or of the answer."""
    return schema(type)


@router.get("/schemas/bundle", response_model=dict[str, Any])
async def show_bundle(request: Request, house: TheHouse) -> dict[str, Any]:
    """Download all messages and the answer as one AsyncAPI 3.0 document, with every schema in it."""
    return asyncapi(house.settings.public_url, request.app.version)


@router.get("/reasons", response_model=Reasons)
async def list_reasons() -> Reasons:
    """List the codes for which a department may decline, and for which a permit ends."""
    return Reasons(
        declines=[
            Reason(code=one.code, zh=one.zh, en=one.en, concerns=sorted(one.concerns)) for one in REASONS.values()
        ],
        permit_ends=[Code(code=one.code, zh=one.zh, en=one.en) for one in PERMIT_END_REASONS.values()],
    )


@router.get("/policies", response_model=PolicyList)
async def list_policies(house: TheHouse) -> PolicyList:
    """List the policy packs that are loaded."""
    return PolicyList(items=[PolicyItem(**_head(pack)) for pack in house.packs.packs])


@router.get("/policies/{code}", response_model=Policy, responses=problems(404, 422))
async def show_policy(code: PackCode, house: TheHouse) -> Policy:
    """Show a policy pack whole."""
    pack = house.packs.named(code)
    return Policy(**_head(pack), content=dict(pack.content))


def _head(pack: Pack) -> dict[str, Any]:
    return {
        "code": pack.code,
        "version": pack.version,
        "title": Words.model_validate(pack.title),
        "document": pack.document,
        "issuer": Words.model_validate(pack.issuer),
        "issued_on": pack.issued_on,
        "first_day": pack.first_day,
        "last_day": pack.last_day,
        "digest": pack.digest,
    }
