"""Who may use which route: one matrix, as data, and the guard that every route stands behind.

A route that is not in the matrix cannot be made. The guard runs before anything of the request is read.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from enum import Enum
from typing import Any, Final

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from api.guard import FORMS, SAFE, admit
from api.seen import case_shown
from api.state import caller_of, doors_of
from models import Role
from services.access import WHOLE_CITY, Caller
from services.errors import AccessError, LianbanError


class Open(Enum):
    """Routes without a key: for anybody, or for who signs the message itself."""

    PUBLIC = "public"
    SIGNED = "signed"


Rule = Open | frozenset[Role]

_ANY: Final = frozenset(Role)
_INTAKE: Final = frozenset({Role.CLERK, Role.COORDINATOR, Role.ADMINISTRATOR})
_DECISIONS: Final = _INTAKE | {Role.AUDITOR}
_SEARCH: Final = _ANY - {Role.AUDITOR}
_OVERSIGHT: Final = frozenset({Role.ADMINISTRATOR, Role.AUDITOR})
# A department's officer for the own department, an administrator for each; the work itself is the officers' alone.
_OFFICER: Final = frozenset({Role.OFFICER})
_SELF: Final = frozenset({Role.OFFICER, Role.ADMINISTRATOR})
_WATCH: Final = _SELF | {Role.COORDINATOR, Role.AUDITOR}
_MENDS: Final = frozenset({Role.ADMINISTRATOR})
_REMEDIES: Final = frozenset({Role.COORDINATOR, Role.ADMINISTRATOR})
_RETRIES: Final = frozenset({Role.ADMINISTRATOR})
_RETRIES_SEEN: Final = _OVERSIGHT | {Role.COORDINATOR}

# The console: who coordinates the work of others.
_COORDINATION: Final = frozenset({Role.COORDINATOR, Role.ADMINISTRATOR})

# The joint meeting: every seat reads all of it and speaks for itself; its office writes down what is settled.
_SEATS: Final = _COORDINATION | {Role.OFFICER}

# Routes that take a workbook in the place of JSON.
WORKBOOK: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_WORKBOOKS: Final = frozenset({"hand_in_work"})
# Pages that a person with a password for the first sign-in may use: those on which it is changed.
_WITH_INITIAL_PASSWORD: Final = frozenset({"own_account", "change_password", "sign_out"})

# What reaches over districts and has no parts to show: for the whole city's staff alone.
_CITYWIDE: Final = frozenset(
    {
        "list_retries", "show_retry", "page_retries", "page_retry", "page_preview_retry", "page_move_retry",
        "export_audit_log", "metrics", "page_flows", "page_run_again",
    }
)  # fmt: skip
# The joint meeting is the city's: its papers tell of cases in every district. Its seats are the departments and its
# office, so a district's staff have none; a route of the meeting is known by its name.
_OF_THE_MEETING: Final = ("matter", "meeting", "resolution", "minutes", "what_if")

# Bytes that somebody who is not signed in may send to a page.
_SMALL: Final = 8_192

MATRIX: Final[Mapping[str, Rule]] = {
    "openapi": Open.PUBLIC,
    "healthz": Open.PUBLIC,
    "readyz": Open.PUBLIC,
    "list_schemas": Open.PUBLIC,
    "show_schema": Open.PUBLIC,
    "list_reasons": Open.PUBLIC,
    "take_callback": Open.SIGNED,
    "show_bundle": Open.PUBLIC,
    "poll_steps": Open.SIGNED,
    "acknowledge_steps": Open.SIGNED,
    "download_work": _OFFICER,
    "hand_in_work": _OFFICER,
    "list_endpoints": _WATCH,
    "show_endpoint": _WATCH,
    "register_endpoint": _SELF,
    "try_endpoint": _SELF,
    "rotate_key": _SELF,
    "close_endpoint": _SELF,
    "list_messages": _WATCH,
    "show_message": _WATCH,
    "resend_message": _SELF,
    "preview_replay": _SELF,
    "replay_messages": _SELF,
    "submit_application": _INTAKE,
    "list_cases": _ANY,
    "search_cases": _SEARCH,
    "show_case": _ANY,
    "show_timeline": _ANY,
    "show_access_log": _ANY,
    "list_decisions": _DECISIONS,
    "show_decision": _INTAKE,
    "show_rights_notice": _INTAKE,
    "print_rights_notice": _INTAKE,
    "show_receipt": _INTAKE,
    "print_receipt": _INTAKE,
    "overview": _ANY,
    "follow_changes": _ANY,
    "list_revisions": _REMEDIES | {Role.AUDITOR},
    "show_revision": _REMEDIES | {Role.AUDITOR},
    "preview_amendment": _REMEDIES,
    "propose_amendment": _REMEDIES,
    "preview_pack": _REMEDIES,
    "propose_pack": _REMEDIES,
    "approve_revision": _REMEDIES,
    "reject_revision": _REMEDIES,
    "withdraw_revision": _REMEDIES,
    "list_policies": _ANY,
    "show_policy": _ANY,
    "decide": _ANY,
    "list_audit": _OVERSIGHT,
    "export_audit_log": _OVERSIGHT,
    "metrics": _OVERSIGHT,
    "list_cards": _WATCH,
    "show_card": _WATCH,
    "contest_card": _OFFICER,
    "lift_card": _COORDINATION,
    "uphold_card": _COORDINATION,
    "show_clocks": _ANY,
    "list_limits": _WATCH,
    "set_limit": _COORDINATION,
    "list_calendar": _ANY,
    "preview_calendar": _COORDINATION,
    "set_calendar": _COORDINATION,
    "show_appraisal": _WATCH,
    "list_measures": _WATCH,
    "download_appraisal": _WATCH,
    "list_service_figures": _WATCH,
    "set_weight": _COORDINATION,
    "list_disputes": _WATCH,
    "dispute_figure": _OFFICER,
    "decide_dispute": _COORDINATION,
    "take_satisfaction": _INTAKE,
    "report_uses": _SELF | _COORDINATION,
    "set_costs": _COORDINATION,
    "public_figures": Open.PUBLIC,
    "show_forecast": _WATCH,
    "list_incidents": _WATCH,
    "show_incident": _WATCH,
    "see_contradiction": _REMEDIES,
    "list_retries": _RETRIES_SEEN,
    "show_retry": _RETRIES_SEEN,
    "preview_retry": _RETRIES,
    "start_retry": _RETRIES,
    "pause_retry": _RETRIES,
    "resume_retry": _RETRIES,
    "cancel_retry": _RETRIES,
    "create_remedy": _MENDS,
    "browse_remedies": _MENDS | {Role.COORDINATOR, Role.AUDITOR},
    "show_remedy": _MENDS | {Role.COORDINATOR, Role.AUDITOR},
    "approve": _MENDS,
    "reject": _MENDS,
    "correct_application": _INTAKE,
    "list_accounts": _OVERSIGHT,
    "create_account": _MENDS,
    "change_account": _MENDS,
    "disable_account": _MENDS,
    "enable_account": _MENDS,
    "reset_password": _MENDS,
    "unlock_account": _MENDS,
    "list_account_sessions": _OVERSIGHT,
    "end_account_sessions": _MENDS,
    "list_keys": _OVERSIGHT,
    "create_key": _MENDS,
    "revoke_key": _MENDS,
    "list_matters": _WATCH,
    "show_matter": _WATCH,
    "list_meetings": _WATCH,
    "show_meeting": _WATCH,
    "show_meeting_rule": _WATCH,
    "list_resolutions": _WATCH,
    "show_resolution": _WATCH,
    "preview_resolution": _WATCH,
    "show_minutes": _WATCH,
    "download_minutes": _WATCH,
    "ask_what_if": _WATCH,
    "put_matter_forward": _SEATS,
    "answer_matter": _SEATS,
    "comment_on_matter": _SEATS,
    "take_matter_off": _SEATS,
    "report_resolution": _SEATS,
    "convene_meeting": _COORDINATION,
    "call_meeting": _COORDINATION,
    "call_meeting_off": _COORDINATION,
    "open_meeting": _COORDINATION,
    "attend_meeting": _COORDINATION,
    "take_up_matter": _COORDINATION,
    "defer_matter": _COORDINATION,
    "close_meeting": _COORDINATION,
    "resolve_matter": _COORDINATION,
    "draft_minutes": _COORDINATION,
    "sign_minutes": _COORDINATION,
    "set_meeting_rule": _COORDINATION,
    "set_resolution_action": _COORDINATION,
    "ask_resolution": _COORDINATION,
    "approve_resolution": _COORDINATION,
    "reject_resolution": _COORDINATION,
    "confirm_resolution": _COORDINATION,
    "extend_resolution": _COORDINATION,
    "revoke_resolution": _COORDINATION,
    # Pages
    "sign_in_page": Open.PUBLIC,
    "sign_in": Open.PUBLIC,
    "sign_in_openid": Open.PUBLIC,
    "openid_callback": Open.PUBLIC,
    "sign_out": _ANY,
    "own_account": _ANY,
    "change_password": _ANY,
    "end_own_session": _ANY,
    "end_other_sessions": _ANY,
    # Pages of the console
    "console_file": Open.PUBLIC,
    "page_root": Open.PUBLIC,
    "page_home": _ANY,
    "page_overview": _COORDINATION | {Role.AUDITOR},
    "page_cases": _ANY,
    "page_search_cases": _SEARCH,
    "page_export_cases": _ANY,
    "page_save_view": _ANY,
    "page_remove_view": _ANY,
    "page_case": _ANY,
    "page_window": _INTAKE,
    "page_take_application": _INTAKE,
    "page_check_application": _INTAKE,
    "page_taken": _INTAKE,
    "page_correction": _INTAKE,
    "page_take_correction": _INTAKE,
    "page_rights": _INTAKE,
    "page_endpoints": _WATCH,
    "page_endpoint": _WATCH,
    "page_message": _WATCH,
    "page_register_endpoint": _SELF,
    "page_try_endpoint": _SELF,
    "page_rotate_key": _SELF,
    "page_close_endpoint": _SELF,
    "page_announce_maintenance": _SELF,
    "page_replay_messages": _SELF,
    "page_resend_message": _SELF,
    "page_desk": _OFFICER,
    "page_open_step": _OFFICER,
    "page_answer_step": _OFFICER,
    "page_download_work": _OFFICER,
    "page_upload_work": _OFFICER,
    "page_resend_step": _SELF,
    "page_incidents": _WATCH,
    "page_incident": _WATCH,
    "page_see_contradiction": _REMEDIES,
    "page_retries": _RETRIES_SEEN,
    "page_retry": _RETRIES_SEEN,
    "page_preview_retry": _RETRIES,
    "page_move_retry": _RETRIES,
    # The joint meeting's pages
    "page_meetings": _WATCH,
    "page_meeting": _WATCH,
    "page_minutes": _WATCH,
    "page_convene_meeting": _COORDINATION,
    "page_call_meeting": _COORDINATION,
    "page_call_meeting_off": _COORDINATION,
    "page_open_meeting": _COORDINATION,
    "page_attend_meeting": _COORDINATION,
    "page_take_up_matter": _COORDINATION,
    "page_defer_matter": _COORDINATION,
    "page_resolve_matter": _COORDINATION,
    "page_close_meeting": _COORDINATION,
    "page_draft_minutes": _COORDINATION,
    "page_sign_minutes": _COORDINATION,
    "page_matters": _WATCH,
    "page_matter": _WATCH,
    "page_propose_matter": _SEATS,
    "page_remark_on_matter": _SEATS,
    "page_take_matter_off": _SEATS,
    "page_resolutions": _WATCH,
    "page_resolution": _WATCH,
    "page_ask_resolution": _COORDINATION,
    "page_approve_resolution": _COORDINATION,
    "page_reject_resolution": _COORDINATION,
    "page_report_resolution": _SEATS,
    "page_confirm_resolution": _COORDINATION,
    "page_extend_resolution": _COORDINATION,
    "page_revoke_resolution": _COORDINATION,
    "page_what_if": _WATCH,
    "page_remedies": _MENDS | {Role.COORDINATOR, Role.AUDITOR},
    "page_remedy": _MENDS | {Role.COORDINATOR, Role.AUDITOR},
    "page_ask_remedy": _MENDS,
    "page_approve_remedy": _MENDS,
    "page_reject_remedy": _MENDS,
    "page_cards": _WATCH,
    "page_contest_card": _OFFICER,
    "page_decide_card": _COORDINATION,
    "page_flows": _OVERSIGHT | {Role.COORDINATOR},
    "page_run_again": _MENDS,
    "page_limits": _WATCH,
    "page_set_limit": _COORDINATION,
    "page_preview_calendar": _COORDINATION,
    "page_set_calendar": _COORDINATION,
    "page_appraisal": _WATCH,
    "page_appraisal_workbook": _WATCH,
    "page_scorecard": _WATCH,
    "page_dispute_figure": _OFFICER,
    "page_decide_dispute": _COORDINATION,
    "page_forecast": _WATCH,
    "page_public": Open.PUBLIC,
    "page_accounts": _OVERSIGHT,
    "page_account": _OVERSIGHT,
    "page_create_account": _MENDS,
    "page_change_post": _MENDS,
    "page_move_account": _MENDS,
    "page_keys": _OVERSIGHT,
    "page_create_key": _MENDS,
    "page_revoke_key": _MENDS,
    "page_policies": _ANY,
    "page_policy": _ANY,
}


def sees_enough(caller: Caller, name: str) -> bool:
    """Whether what the route ``name`` tells lies in ``caller``'s sight: some of it reaches over districts."""
    if name in _CITYWIDE:
        return caller.sight == WHOLE_CITY
    return caller.sight.district is None or not any(word in name for word in _OF_THE_MEETING)


class GuardedRoute(APIRoute):
    """A route behind the matrix, by its name. What bears a body takes it as JSON only, or as a workbook only."""

    @property
    def rule(self) -> Rule:
        """Who may use the route."""
        try:
            return MATRIX[self.name]
        except KeyError:
            raise LookupError(f"the route {self.name} stands in no access matrix") from None

    @property
    def takes_body(self) -> bool:
        """Whether the route reads a body."""
        return bool(self.methods and self.methods & {"POST", "PUT", "PATCH"})

    @property
    def changes(self) -> bool:
        """Whether the route does something, and a session's request needs its token."""
        return bool(self.methods and self.methods - SAFE)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler with its guard in front."""
        rule, takes_body, kinds = self.rule, self.takes_body, self._kinds()
        serve = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            house = doors_of(request).house
            await self._admit(request, rule)
            if not isinstance(rule, Open) and not sees_enough(caller_of(request), self.name):
                raise AccessError("this is for the whole city's staff; you see a part of it", place="authorization")
            if takes_body and _bears_body(request) and not kinds(request.headers.get("content-type", "")):
                raise HTTPException(415)
            if rule is not Open.PUBLIC and house.settings.simulate:
                # Another process may have moved the clock of a simulated system.
                await house.database.refresh_clock()
            if rule is not Open.PUBLIC and house.rules.stale:
                await house.refresh_rules()
            answer = await serve(request)
            number = case_shown(request)
            if number is not None and not isinstance(rule, Open) and answer.status_code == 200:
                await doors_of(request).looks.note(house.database, caller_of(request), self.name, number)
            return answer

        return guarded

    async def _admit(self, request: Request, rule: Rule) -> None:
        if not isinstance(rule, Open):
            await admit(request, self.name, rule)

    def _kinds(self) -> Callable[[str], bool]:
        return _is_workbook if self.name in _WORKBOOKS else _is_json


class GuardedPage(GuardedRoute):
    """A page for people, behind the same matrix. Who is not signed in is sent to sign in and comes back afterwards; who
    may not see it is told so on a page, as is every error. Forms are taken, with the session's ``csrf_token``.

    Make routers of pages with ``APIRouter(route_class=GuardedPage, include_in_schema=False)``.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler with its guard in front, and pages in the place of problem documents."""
        serve = super().get_route_handler()

        async def shown(request: Request) -> Response:
            try:
                return await serve(request)
            except (LianbanError, HTTPException, RequestValidationError) as problem:
                # The console's frame, in which it is told, stands behind this guard itself.
                from api.entrance.answers import answer_with_page  # noqa: PLC0415

                return answer_with_page(request, problem)

        return shown

    async def _admit(self, request: Request, rule: Rule) -> None:
        if not isinstance(rule, Open):
            await admit(request, self.name, rule, forms=True, initial=self.name in _WITH_INITIAL_PASSWORD)
        elif self.takes_body and not _is_small(request):
            # Anybody may send this one.
            raise HTTPException(413)

    def _kinds(self) -> Callable[[str], bool]:
        return _is_form


def _bears_body(request: Request) -> bool:
    return "transfer-encoding" in request.headers or request.headers.get("content-length", "0") != "0"


def _is_small(request: Request) -> bool:
    told = request.headers.get("content-length", "")
    return told.isdigit() and int(told) <= _SMALL


def _kind(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def _is_json(content_type: str) -> bool:
    kind = _kind(content_type)
    return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))


def _is_workbook(content_type: str) -> bool:
    return _kind(content_type) == WORKBOOK


def _is_form(content_type: str) -> bool:
    return _kind(content_type) in FORMS
