"""Self-service of departments: their endpoint, its trial and keys, every message, and sending again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from api.access import GuardedRoute
from api.openapi import problems
from api.routes.callbacks import Department
from api.state import TheCaller, TheHouse
from api.views.endpoints import (
    EndpointList,
    EndpointRegistered,
    EndpointView,
    KeyRotated,
    MessageList,
    MessageView,
    ReplayView,
    TrialView,
)
from models import Door, StepKind, StepState
from services.access import for_department, own_department
from services.doors import messages, registration, replay
from services.doors.registration import Keep, Registration
from services.doors.trial import Trial
from services.doors.trial import try_endpoint as try_it
from services.doors.viewing import view_endpoint, view_endpoints
from services.exchange.addresses import MAX_URL
from services.exchange.connections import MAX_PEM, ClientCertificate, ClientCredentials
from services.exchange.credentials import HMAC

router = APIRouter(prefix="/api/v1/endpoints", tags=["departments"], route_class=GuardedRoute)

_PEM = r"^[\x20-\x7e\r\n\t]*$"
_LINE = r"^[\x20-\x7e]+$"
StepId = Annotated[str, Path(pattern="^[0-9A-Za-z-]{1,80}$", description="消息编号 / the message's `webhook-id`")]
Code = Annotated[str, Field(pattern=r"^[0-9A-Za-z.-]{1,24}$")]
# Beyond these years there is no case, and beyond others no calendar.
Instant = Annotated[AwareDatetime, Field(ge=datetime(2000, 1, 1, tzinfo=UTC), le=datetime(2100, 1, 1, tzinfo=UTC))]


class Form(BaseModel):
    """Base of what is handed in: nothing unknown, and nothing of it repeated in an error."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class CertificateForm(Form):
    """A client certificate (PEM, with its chain) and its key (PEM, without a password)."""

    chain: str = Field(max_length=MAX_PEM, pattern=_PEM)
    key: str = Field(max_length=MAX_PEM, pattern=_PEM, repr=False)


class OAuthForm(Form):
    """An OAuth2 client (client credentials) whose token the receiver wants."""

    token_url: str = Field(max_length=MAX_URL)
    client_id: str = Field(max_length=200, pattern=_LINE)
    client_secret: str = Field(max_length=500, pattern=_LINE, repr=False)
    scope: str | None = Field(default=None, max_length=200, pattern=_LINE)


class EndpointForm(Form):
    """How the department wants its steps. A client certificate or OAuth2 client that is left out stays as it stands;
    null takes it away. ``services`` and ``districts``: what is pushed; the rest waits in the inbox.
    """

    door: Door = Door.PUSH
    url: str | None = Field(default=None, max_length=MAX_URL)
    signing: list[str] = Field(default=[HMAC], min_length=1, max_length=2, description="v1（HMAC）、v1a（ed25519）")
    public_keys: list[str] = Field(default=[], max_length=4, description="部门公钥 / own ed25519 keys (`whpk_…`)")
    batch_size: int = Field(strict=True, default=1, ge=1, le=500)
    concurrency: int = Field(strict=True, default=8, ge=1, le=64)
    timeout_seconds: float = Field(strict=True, default=15.0, ge=1, le=15, allow_inf_nan=False)
    rate_per_second: float | None = Field(strict=True, default=None, ge=0.01, le=1000, allow_inf_nan=False)
    services: list[Code] | None = Field(default=None, min_length=1, max_length=200)
    districts: list[Code] | None = Field(default=None, min_length=1, max_length=100)
    fallback: Door | None = None
    fallback_hours: int = Field(strict=True, default=24, ge=1, le=240)
    drain_per_second: float = Field(strict=True, default=20.0, ge=0.1, le=1000, allow_inf_nan=False)
    certificate_authority: str | None = Field(default=None, max_length=MAX_PEM, pattern=_PEM)
    client_certificate: CertificateForm | None = None
    oauth: OAuthForm | None = None

    def registration(self, department: str) -> Registration:
        """The registration that the services take."""
        told = self.model_fields_set
        given, oauth = self.client_certificate, self.oauth
        certificate = ClientCertificate(given.chain, given.key) if given is not None else None
        client = ClientCredentials(**oauth.model_dump()) if oauth is not None else None
        return Registration(
            department,
            self.door,
            self.url,
            tuple(dict.fromkeys(self.signing)),
            tuple(self.public_keys),
            self.batch_size,
            self.concurrency,
            self.timeout_seconds,
            self.rate_per_second,
            None if self.services is None else tuple(self.services),
            None if self.districts is None else tuple(self.districts),
            self.fallback,
            self.fallback_hours,
            self.drain_per_second,
            self.certificate_authority,
            certificate if "client_certificate" in told else Keep.KEEP,
            client if "oauth" in told else Keep.KEEP,
        )


class RotationForm(Form):
    """Which key is renewed, and how many hours the old one signs along."""

    scheme: str = Field(default=HMAC, pattern="^v1a?$")
    overlap_hours: int = Field(strict=True, default=24, ge=0, le=720)


class ClosingForm(Form):
    """Why the endpoint is closed."""

    because: str = Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")


class MessageQuery(BaseModel):
    """What to list of the messages."""

    model_config = ConfigDict(extra="forbid")

    state: StepState | None = None
    kind: StepKind | None = None
    from_at: Instant | None = None
    until_at: Instant | None = None
    case: str | None = Field(
        default=None, pattern="^[0-9a-z-]{1,40}$", description="办件编号 / the messages about one case"
    )
    answer: str | None = Field(
        default=None,
        pattern="^([1-5][0-9]{2}|[a-z][a-z-]{1,23})$",
        description="任一次推送的结果 / what came of any try: a status (`503`), or why no answer came (`timeout`)",
    )
    cursor: str | None = Field(default=None, pattern="^[A-Za-z0-9_-]{1,200}$")
    limit: int = Field(default=50, ge=1, le=messages.MAX_PAGE)


class ReplayQuery(BaseModel):
    """Which messages: those made from ``from_at`` on and before ``until_at``, in ``states``."""

    model_config = ConfigDict(extra="forbid")

    from_at: Instant
    until_at: Instant
    states: list[StepState] = Field(default=[StepState.FAILED, StepState.RECEIVED], max_length=9)

    def range(self) -> replay.Range:
        """The range that the services take."""
        return replay.Range(self.from_at, self.until_at, frozenset(self.states))


class ReplayForm(ReplayQuery):
    """The same, with the count of the preview: if it no longer fits, nothing is sent."""

    expected: int = Field(strict=True, ge=0, le=replay.MAX_REPLAY)


@router.get("", response_model=EndpointList)
async def list_endpoints(house: TheHouse, caller: TheCaller) -> Any:
    """List the endpoints: an officer the own department's, all others every one."""
    return {"items": await view_endpoints(house, caller.sight.department)}


@router.get("/{department}", response_model=EndpointView, responses=problems(404, 422))
async def show_endpoint(department: Department, house: TheHouse, caller: TheCaller) -> Any:
    """Show how a department takes its steps, and how its door stands."""
    own_department(caller, department)
    return await view_endpoint(house, department)


@router.put("/{department}/registration", response_model=EndpointRegistered, responses=problems(404))
async def register_endpoint(
    department: Department, form: EndpointForm, house: TheHouse, caller: TheCaller, response: Response
) -> registration.Registered:
    """Register the endpoint, or change it. New keys are shown this once. A push endpoint goes live by its trial."""
    for_department(caller, department)
    response.headers["cache-control"] = "no-store"
    return await registration.register(house, form.registration(department), caller.actor)


@router.post("/{department}/trial", response_model=TrialView, responses=problems(404, 409))
async def try_endpoint(department: Department, house: TheHouse, caller: TheCaller) -> Trial:
    """Send a test event, and one with a wrong signature that must be turned away. Passed, the endpoint goes live."""
    for_department(caller, department)
    return await try_it(house, department, caller.actor)


@router.post("/{department}/keys", response_model=KeyRotated, responses=problems(404))
async def rotate_key(
    department: Department, form: RotationForm, house: TheHouse, caller: TheCaller, response: Response
) -> registration.Rotated:
    """Make a fresh key, shown this once. Until the overlap ends, messages bear a signature of each."""
    for_department(caller, department)
    response.headers["cache-control"] = "no-store"
    overlap = timedelta(hours=form.overlap_hours)
    return await registration.rotate(house, department, caller.actor, scheme=form.scheme, overlap=overlap)


@router.post("/{department}/closing", status_code=204, responses=problems(404, 409))
async def close_endpoint(department: Department, form: ClosingForm, house: TheHouse, caller: TheCaller) -> None:
    """Close the endpoint: its steps wait, until a trial is passed again."""
    for_department(caller, department)
    await registration.close(house, department, caller.actor, form.because)


@router.get("/{department}/messages", response_model=MessageList, responses=problems(404, 422))
async def list_messages(
    department: Department, query: Annotated[MessageQuery, Query()], house: TheHouse, caller: TheCaller
) -> messages.MessagePage:
    """List the messages to a department, the newest first, each with its last try."""
    own_department(caller, department)
    states = None if query.state is None else (query.state,)
    wanted = messages.MessageFilter(states, query.kind, query.from_at, query.until_at, query.case, query.answer)
    return await messages.list_messages(
        house, department, wanted, sight=caller.sight, cursor=query.cursor, limit=query.limit
    )


@router.get("/{department}/messages/{step}", response_model=MessageView, responses=problems(404, 422))
async def show_message(
    department: Department, step: StepId, house: TheHouse, caller: TheCaller
) -> messages.SentMessage:
    """Show one message with every try, and what came back, as far as it is kept."""
    own_department(caller, department)
    return await messages.show_message(house, department, step, caller.sight)


@router.post("/{department}/messages/{step}/resend", response_model=ReplayView, responses=problems(404, 409))
async def resend_message(department: Department, step: StepId, house: TheHouse, caller: TheCaller) -> replay.Replay:
    """Send one message again: due now if it is not settled, else as a copy if it still holds."""
    for_department(caller, department)
    return await replay.resend(house, department, step, caller.actor)


@router.get("/{department}/replay/preview", response_model=ReplayView, responses=problems(404, 409, 422))
async def preview_replay(
    department: Department, query: Annotated[ReplayQuery, Query()], house: TheHouse, caller: TheCaller
) -> replay.Replay:
    """Tell how many messages of a range would be sent again. Nothing is sent."""
    for_department(caller, department)
    return await replay.preview(house, department, query.range())


@router.post("/{department}/replay", response_model=ReplayView, responses=problems(404, 409))
async def replay_messages(
    department: Department, form: ReplayForm, house: TheHouse, caller: TheCaller
) -> replay.Replay:
    """Send a range of messages again, as the preview counted them."""
    for_department(caller, department)
    return await replay.replay(house, department, form.range(), form.expected, caller.actor)
