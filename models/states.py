"""States of cases, steps, entitlements and permits, and the moves the law of the house allows.

A state machine here is a table: from which state to which. ``services`` ask ``may_move``; the words for
people are in ``services.words``.
"""

from collections.abc import Mapping
from enum import StrEnum


class CaseState(StrEnum):
    """Where an application stands (办件)."""

    RECEIVED = "received"
    ACCEPTED = "accepted"
    VERIFYING = "verifying"
    DECIDED = "decided"
    ISSUED = "issued"
    PROVISIONING = "provisioning"
    CLOSED = "closed"
    AWAITING_APPLICANT = "awaiting_applicant"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class StepState(StrEnum):
    """Where one thing asked of one department stands (协办事项)."""

    DUE = "due"
    SENDING = "sending"
    RECEIVED = "received"
    DONE = "done"
    DECLINED = "declined"
    FAILED = "failed"
    HELD = "held"
    SUPERSEDED = "superseded"
    WAIVED = "waived"


class StepKind(StrEnum):
    """What a step asks; its letter stands in the step's id."""

    VERIFICATION = "verification"
    ENTITLEMENTS = "entitlements"
    PERMIT_ISSUED = "permit_issued"
    PERMIT_ENDED = "permit_ended"


class EntitlementState(StrEnum):
    """Where one service for one permit stands (权益事项)."""

    DUE = "due"
    PROVISIONING = "provisioning"
    IN_FORCE = "in_force"
    WITHDRAWING = "withdrawing"
    ENDED = "ended"
    DECLINED = "declined"


class PermitState(StrEnum):
    """Whether a permit is good (居住证)."""

    IN_FORCE = "in_force"
    SUSPENDED = "suspended"
    ENDED = "ended"


class Door(StrEnum):
    """How a department takes its steps: we call it, it calls us, or its people work in the inbox."""

    PUSH = "push"
    POLL = "poll"
    INBOX = "inbox"


class EndpointState(StrEnum):
    """Whether a department's door is open (接口状态).

    ``draft``: registered, its test not passed yet. ``held``: its breaker opened after too many failures; ``probing``:
    one try is let through to see. ``closed``: it answered 410, or was closed by hand.
    """

    DRAFT = "draft"
    OPEN = "open"
    HELD = "held"
    PROBING = "probing"
    CLOSED = "closed"


class Role(StrEnum):
    """Who a caller is; every route names the roles that may call it."""

    CLERK = "clerk"
    OFFICER = "officer"
    COORDINATOR = "coordinator"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"


OPEN_CASES = frozenset(CaseState) - {CaseState.CLOSED, CaseState.REFUSED, CaseState.WITHDRAWN}
# Cases whose own clocks run, or stand still, until they are decided.
RUNNING_CASES = frozenset({CaseState.ACCEPTED, CaseState.VERIFYING, CaseState.AWAITING_APPLICANT})
OPEN_STEPS = frozenset({StepState.DUE, StepState.SENDING, StepState.RECEIVED, StepState.HELD})

_C, _S, _E, _P = CaseState, StepState, EntitlementState, PermitState

CASE_MOVES: Mapping[CaseState, frozenset[CaseState]] = {
    _C.RECEIVED: frozenset({_C.ACCEPTED, _C.AWAITING_APPLICANT, _C.REFUSED, _C.WITHDRAWN}),
    _C.ACCEPTED: frozenset({_C.VERIFYING, _C.DECIDED, _C.AWAITING_APPLICANT, _C.REFUSED, _C.WITHDRAWN}),
    _C.VERIFYING: frozenset({_C.DECIDED, _C.AWAITING_APPLICANT, _C.REFUSED, _C.WITHDRAWN}),
    _C.AWAITING_APPLICANT: frozenset({_C.ACCEPTED, _C.VERIFYING, _C.REFUSED, _C.WITHDRAWN}),
    _C.DECIDED: frozenset({_C.ISSUED, _C.REFUSED}),
    _C.ISSUED: frozenset({_C.PROVISIONING, _C.CLOSED}),
    _C.PROVISIONING: frozenset({_C.CLOSED}),
    # A closed case opens again when the answer changes: a tier, a birthday, the permit's end.
    _C.CLOSED: frozenset({_C.PROVISIONING}),
    # By an administrator's remedy only.
    _C.REFUSED: frozenset({_C.ACCEPTED, _C.AWAITING_APPLICANT}),
    _C.WITHDRAWN: frozenset({_C.ACCEPTED}),
}

STEP_MOVES: Mapping[StepState, frozenset[StepState]] = {
    # A call-back may come although our own try failed: the department had the message after all.
    _S.DUE: frozenset({_S.SENDING, _S.HELD, _S.SUPERSEDED, _S.WAIVED, _S.RECEIVED, _S.DONE, _S.DECLINED}),
    # Never superseded while a try is out: what was sent must be recorded. Who holds the claim gives it back first.
    _S.SENDING: frozenset({_S.DUE, _S.RECEIVED, _S.DONE, _S.DECLINED, _S.FAILED, _S.HELD}),
    _S.RECEIVED: frozenset({_S.DONE, _S.DECLINED, _S.DUE, _S.FAILED, _S.SUPERSEDED, _S.WAIVED}),
    _S.FAILED: frozenset({_S.DUE, _S.RECEIVED, _S.DONE, _S.DECLINED, _S.SUPERSEDED, _S.WAIVED}),
    _S.HELD: frozenset({_S.DUE, _S.SUPERSEDED, _S.WAIVED, _S.DONE, _S.DECLINED}),
    _S.DECLINED: frozenset({_S.SUPERSEDED, _S.WAIVED}),
    _S.DONE: frozenset(),
    _S.SUPERSEDED: frozenset(),
    _S.WAIVED: frozenset(),
}

ENTITLEMENT_MOVES: Mapping[EntitlementState, frozenset[EntitlementState]] = {
    _E.DUE: frozenset({_E.PROVISIONING, _E.ENDED}),
    _E.PROVISIONING: frozenset({_E.IN_FORCE, _E.DECLINED, _E.WITHDRAWING, _E.ENDED}),
    _E.IN_FORCE: frozenset({_E.WITHDRAWING, _E.PROVISIONING}),
    _E.WITHDRAWING: frozenset({_E.ENDED, _E.IN_FORCE}),
    _E.DECLINED: frozenset({_E.PROVISIONING, _E.ENDED, _E.WITHDRAWING}),
    _E.ENDED: frozenset({_E.PROVISIONING}),
}

PERMIT_MOVES: Mapping[PermitState, frozenset[PermitState]] = {
    _P.IN_FORCE: frozenset({_P.SUSPENDED, _P.ENDED}),
    _P.SUSPENDED: frozenset({_P.IN_FORCE, _P.ENDED}),
    _P.ENDED: frozenset({_P.IN_FORCE}),
}
