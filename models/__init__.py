"""What is remembered: tables, states with their legal transitions, migrations. No behaviour."""

from models.access import AccessKey, Account, Approval, Session, SignInBrake
from models.base import metadata
from models.cases import Case, CaseCounter, Decision, Fact, Permit
from models.endpoints import Endpoint, EndpointDay, Maintenance
from models.operations import Contradiction, Incident, IncidentKind, ItemState, RetryItem, RetryRun, RetryState
from models.remedies import CaseVersion, ClockStop, Remedy, RemedyCase, RemedyKind, RemedyState
from models.states import (
    OPEN_CASES,
    OPEN_STEPS,
    CaseState,
    Door,
    EndpointState,
    EntitlementState,
    PermitState,
    Role,
    StepKind,
    StepState,
)
from models.steps import Attempt, Entitlement, InboundMessage, InboundStep, Step
from models.system import AuditEntry, AuditHead, Dispatcher, SystemClock

__all__ = [
    "OPEN_CASES",
    "OPEN_STEPS",
    "AccessKey",
    "Account",
    "Approval",
    "Attempt",
    "AuditEntry",
    "AuditHead",
    "Case",
    "CaseCounter",
    "CaseState",
    "CaseVersion",
    "ClockStop",
    "Contradiction",
    "Decision",
    "Dispatcher",
    "Door",
    "Endpoint",
    "EndpointDay",
    "EndpointState",
    "Entitlement",
    "EntitlementState",
    "Fact",
    "InboundMessage",
    "InboundStep",
    "Incident",
    "IncidentKind",
    "ItemState",
    "Maintenance",
    "Permit",
    "PermitState",
    "Remedy",
    "RemedyCase",
    "RemedyKind",
    "RemedyState",
    "RetryItem",
    "RetryRun",
    "RetryState",
    "Role",
    "Session",
    "SignInBrake",
    "Step",
    "StepKind",
    "StepState",
    "SystemClock",
    "metadata",
]
